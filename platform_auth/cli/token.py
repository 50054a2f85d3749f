"""``platform-auth token``: an access token for other programs.

Where a Jupyter server has started this process its broker is asked, with the standard library
alone. Otherwise the saved token serves while it is fresh; a broker of this process's own, and all
that goes with it, is made only to renew it.

It serves as ``command`` of Flyte's ``ExternalCommand``, as kubectl's credential plugin and in
``curl -H "$(platform-auth token prod --output header)"``; with ``--output proxy`` as Flyte's
``proxyCommand``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from ..broker.environment import broker_of_environment, hub_service_of_environment
from ..errors import ConfigError, SignInRequiredError
from .exit_status import ExitStatus

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_MIN_TTL: Final = 60.0
_EXEC_INFO: Final = "KUBERNETES_EXEC_INFO"
_EXEC_GROUP: Final = "client.authentication.k8s.io"
_EXEC_VERSIONS: Final = (f"{_EXEC_GROUP}/v1", f"{_EXEC_GROUP}/v1beta1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("profile", metavar="PROFILE", help="the platform's profile")
    parser.add_argument(
        "--output",
        choices=tuple(_FORMATS),
        default="raw",
        help="the token alone (raw), as an HTTP header, as JSON, or for kubectl (default: raw);"
        " proxy: the token for the proxy in front of the platform, alone",
    )
    parser.add_argument(
        "--min-ttl",
        type=_seconds,
        default=_MIN_TTL,
        metavar="S",
        help="seconds it must still be good for, where tokens live so long (default: 60)",
    )


def understood(given: Sequence[str]) -> tuple[str, str, float] | None:
    """Return what the usual words after ``token`` mean: profile, output, and seconds.

    None is for argparse, whose import takes a third of the time that a saved token takes.
    """
    match [*given]:
        case [profile]:
            output = "raw"
        case [profile, "--output", output]:
            pass
        case _:
            return None
    usual = profile and not profile.startswith("-") and output in _FORMATS
    return (profile, output, _MIN_TTL) if usual else None


def run(arguments: argparse.Namespace) -> int:
    """Print a token, as the arguments say."""
    return print_token(arguments.profile, arguments.output, arguments.min_ttl)


def print_token(profile: str, output: str, min_ttl: float) -> int:
    """Print a token."""
    try:
        answer = _answer(profile, min_ttl, saved=output != "proxy")
    except SignInRequiredError as error:
        raise _with_command(error, profile) from None
    sys.stdout.write(f"{_FORMATS[output](answer)}\n")
    return ExitStatus.DONE


def _answer(profile: str, min_ttl: float, *, saved: bool) -> dict[str, Any]:
    """Return a token in the shape of `AccessToken.to_dict`; a proxy's is never a saved one."""
    if saved and not (broker_of_environment() or hub_service_of_environment()):
        from ..broker.saved_token import saved_token

        answer = saved_token(profile, min_ttl)
        if answer is not None:
            return answer
    from .broker import find_broker

    return find_broker().token_answer(profile, min_ttl=min_ttl)


def _with_command(error: SignInRequiredError, profile: str) -> SignInRequiredError:
    import shlex

    command = f"platform-auth login {shlex.quote(profile)}"
    return SignInRequiredError(error.what, why=error.why, fix=f"Run: {command}")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:  # noqa: PLR2004 - neither negative, endless nor NaN
        import argparse

        msg = f"{text} is not a number of seconds"
        raise argparse.ArgumentTypeError(msg)
    return value


def _raw(token: dict[str, Any]) -> str:
    return str(token["access_token"])


def _header(token: dict[str, Any]) -> str:
    return f"{token['header']}: {token['token_type']} {token['access_token']}"


def _proxy(token: dict[str, Any]) -> str:
    """Return what a proxy in front of the platform wants, without its scheme."""
    authorization = token.get("proxy_authorization")
    if authorization is None:
        raise ConfigError(
            "There is no token for a proxy.",
            why="The profile has no proxyCommand that makes one.",
            fix="Set admin.proxyCommand in the profile, or leave --output proxy out.",
        )
    return str(authorization).partition(" ")[2]


def _json(token: dict[str, Any]) -> str:
    """Return the members of RFC 6749 §5.1, and when it expires in seconds since the epoch."""
    shape = {
        "access_token": token["access_token"],
        "token_type": token["token_type"],
        "expires_in": int(token["expires_in"]),
        "expires_at": int(token["expires_at"]),
    }
    return json.dumps(shape)


def _exec_credential(token: dict[str, Any]) -> str:
    """Return what client-go reads from a credential plugin (client.authentication.k8s.io/v1)."""
    # kubectl asks for a new one when it has expired: a token that is about to would be refused.
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(token["expires_at"]))
    status = {"token": token["access_token"], "expirationTimestamp": expires}
    shape = {"apiVersion": _exec_version(), "kind": "ExecCredential", "status": status}
    return json.dumps(shape)


def _exec_version() -> str:
    """Return the version that kubectl was configured with; it refuses any other."""
    try:
        asked: Any = json.loads(os.environ.get(_EXEC_INFO, ""))["apiVersion"]
    except (ValueError, KeyError, TypeError):
        asked = None
    return asked if asked in _EXEC_VERSIONS else _EXEC_VERSIONS[0]


_FORMATS: Final = {
    "raw": _raw,
    "header": _header,
    "json": _json,
    "exec-credential": _exec_credential,
    "proxy": _proxy,
}
