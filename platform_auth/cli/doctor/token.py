"""Whether a token can be had: the end of the way."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from ...errors import PlatformAuthError
from ..duration import span
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...broker.client import BrokerClient
    from ...config import PlatformConfig

_FOR_PEOPLE = frozenset({"pkce", "device"})


def check(client: BrokerClient, view: dict[str, Any], config: PlatformConfig) -> Iterator[Finding]:
    """Ask for a token where that asks nobody to sign in; it is not shown.

    Parameters
    ----------
    client
        The broker.
    view
        The session.
    config
        Its configuration.

    """
    program = config.command[0] if config.command else ""
    if config.flow == "command" and not shutil.which(program):
        fix = "Correct admin.command, or install the program where Jupyter finds it."
        yield Finding(Level.FAIL, f"token: there is no program {program!r}", fix=fix)
        return
    name, state = view["profile"], view["state"]
    if config.flow in _FOR_PEOPLE and state != "signed_in":
        fix = f"Run: platform-auth login {name}"
        if view["error"] and state in {"expired", "failed"}:
            error = PlatformAuthError.from_dict(view["error"])
            yield Finding(Level.WARN, f"token: {error.what}", error.why, fix)
        else:
            yield Finding(Level.NOTE, "token: nobody is signed in", fix=fix)
        return
    yield _asked(client, name)
    yield from (Finding(Level.WARN, f"token: {notice}") for notice in view.get("notices", ()))


def _asked(client: BrokerClient, name: str) -> Finding:
    try:
        client.token(name, min_ttl=0)
    except PlatformAuthError as error:
        return Finding.of(error, "token")
    after = client.session(name)
    who = f" for {after['signed_in_as']}" if after["signed_in_as"] else ""
    left = after["expires_at"] - time.time() if after["expires_at"] else None
    until = "" if left is None else f", good for {span(left)}"
    renewed = ", then renewed by itself" if after["next_refresh"] else ""
    return Finding(Level.OK, f"token: there is one{who}{until}{renewed}")
