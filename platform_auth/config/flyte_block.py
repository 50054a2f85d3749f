"""The ``admin:`` block of a Flyte configuration file, and how another one takes its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import PlatformConfig

PROGRAM: Final = "platform-auth"
"""What our command is called."""

# What says how to sign in, and what is said anew.
_REPLACED: Final = frozenset(
    {
        "endpoint", "insecure", "insecureSkipVerify", "caCertFilePath", "authType", "command",
        "clientId", "clientSecret", "clientSecretEnvVar", "clientSecretLocation", "scopes",
        "audience", "useAuth", "tokenUrl", "authorizationServerUrl", "pkceConfig",
        "deviceFlowConfig",
    }
)  # fmt: skip
_TOP_LEVEL: Final = re.compile(r"[^\s#]")
_BETWEEN: Final = re.compile(r"#|\s*$")  # blank lines, and comments on what follows
_ADMIN: Final = re.compile(r"admin\s*:")


def admin_block(
    config: PlatformConfig, command: Sequence[str], old: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an ``admin:`` block with which Flyte's tools get their tokens from a command.

    Parameters
    ----------
    config
        The platform's.
    command
        Prints a token.
    old
        The block so far; what has nothing to do with signing in stays.

    """
    kept = {key: value for key, value in old.items() if key not in _REPLACED}
    settings = {
        "endpoint": f"dns:///{config.host}",
        "insecure": config.insecure,
        "insecureSkipVerify": config.insecure_skip_verify,
        "caCertFilePath": config.ca_cert_file_path,
        "authType": "ExternalCommand",
        "command": list(command),
        "proxyCommand": [*command, "--output", "proxy"] if config.proxy_command else None,
    }
    return {key: value for key, value in settings.items() if value} | kept


def with_admin(text: str, block: Mapping[str, Any]) -> str:
    """Return a configuration file with another ``admin:`` block; all else, comments too, stays.

    Parameters
    ----------
    text
        The file; empty for a new one.
    block
        As `admin_block` makes it.

    Raises
    ------
    ConfigError
        The file is written in a way that does not allow it, such as all on one line.

    """
    import yaml

    new = yaml.safe_dump({"admin": dict(block)}, sort_keys=False).splitlines(keepends=True)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    start = next((i for i, line in enumerate(lines) if _ADMIN.match(line)), None)
    if start is None:
        changed = "".join([*new, *lines])
    else:
        rest = range(start + 1, len(lines))
        end = next((i for i in rest if _TOP_LEVEL.match(lines[i])), len(lines))
        while end > start + 1 and _BETWEEN.match(lines[end - 1]):
            end -= 1
        changed = "".join([*lines[:start], *new, *lines[end:]])
    _check(text, changed, block)
    return changed


def _check(before: str, after: str, block: Mapping[str, Any]) -> None:
    import yaml

    expected = {**(yaml.safe_load(before) or {}), "admin": dict(block)}
    try:
        if yaml.safe_load(after) == expected:
            return
    except yaml.YAMLError:
        pass
    raise ConfigError(
        "The file is written in a way that its admin: block cannot be replaced alone.",
        fix="Write admin: on a line of its own, at the beginning of the line, and run it again.",
    )


def names_us(command: Sequence[str] | None) -> bool:
    """Tell whether a command is ours, so that a file with it is no profile of its own.

    Examples
    --------
    >>> names_us(["/opt/venv/bin/platform-auth", "token", "prod"])
    True

    """
    if not command:
        return False
    program = re.split(r"[/\\]", command[0])[-1]
    return program.removesuffix(".exe") == PROGRAM and list(command[1:2]) == ["token"]
