"""External command: a program of the person's choice prints a token.

Its output is a bare token (what Flyte's ``ExternalCommand`` expects) or, recognised by its members,
one of three JSON shapes: kubectl's ``ExecCredential``, an OAuth token response, or an object with
``Expiration`` as AWS's ``credential_process`` has it.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigError, TokenResponseError
from ..steps import Run, Step
from ..tokens import TokenSet, token_set

if TYPE_CHECKING:
    from ..grants import FlowContext

TIMEOUT: Final = 60.0
"""Seconds a command may take."""

_FIX = "Run the command in a terminal and compare its output with the documentation."


class Command:
    """The flow `command`."""

    name = "command"
    interactive = False
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Run the command."""
        argv = context.config.command
        if not argv:
            raise ConfigError(
                f"The profile for {context.config.host} names no command to get a token with.",
                fix="Set admin.command (FLYTE_CREDENTIALS_COMMAND) to command and arguments.",
            )
        output = yield Run(tuple(argv), TIMEOUT)
        return parse_output(output, now=context.now())

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Run it again."""
        del old
        return self.sign_in(context)


def parse_output(output: str, *, now: float) -> TokenSet:
    """Return the token that a command printed.

    Parameters
    ----------
    output
        Its standard output.
    now
        Seconds since the epoch.

    Raises
    ------
    TokenResponseError
        It is none of the known shapes; the message names what is wrong, never what was printed.

    """
    text = output.strip().removeprefix("\ufeff").strip()
    if not text:
        raise TokenResponseError("The command printed nothing.", fix=_FIX)
    start = text.find("{")
    if start < 0:
        return token_set({"access_token": text}, now=now)
    data = _last_object(text)
    members = _members(data)
    expiry = members.pop("expires_at", None)
    if expiry is not None:
        members["expires_in"] = _timestamp(expiry) - now
    return token_set(members, now=now)


def _last_object(text: str) -> Mapping[str, Any]:
    """Return the last JSON object: warnings and banners may stand before it."""
    decoder, found, at = json.JSONDecoder(), None, text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    if isinstance(found, dict):
        return found
    raise TokenResponseError("The command's output is neither a token nor JSON.", fix=_FIX)


def _members(data: Mapping[str, Any]) -> dict[str, Any]:
    if data.get("kind") == "ExecCredential":
        status = data.get("status")
        if not isinstance(status, Mapping):
            raise TokenResponseError("The command's ExecCredential has no status.", fix=_FIX)
        return {
            "access_token": status.get("token"),
            "expires_at": status.get("expirationTimestamp"),
        }
    members = dict(data)
    if "access_token" not in members:
        members["access_token"] = data.get("AccessToken", data.get("token"))
    if "Expiration" in data:
        members["expires_at"] = data["Expiration"]
    members.pop("refresh_token", None)  # the command keeps its own
    return members


def _timestamp(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        what = "The command's output says when its token expires, but not as a time with a zone."
        raise TokenResponseError(what, why="expiry: RFC 3339 or seconds are understood.", fix=_FIX)
    return moment.timestamp()


FLOW = Command()
