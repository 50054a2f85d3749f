"""External command: a program of the person's choice prints a token.

Its output is a bare token (what Flyte's ``ExternalCommand`` expects) or, recognised by its members,
one of three JSON shapes::

    {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
     "status": {"token": "…", "expirationTimestamp": "2026-01-01T00:00:00Z"}}      kubectl's
    {"access_token": "…", "expires_in": 3600}                                      OAuth's
    {"Version": 1, "AccessToken": "…", "Expiration": "2026-01-01T00:00:00Z"}       as AWS has it

An expiry is RFC 3339 with a zone, or seconds since the epoch. Where there is none, the ``exp`` of a
token that is a JWT counts, and else five minutes.
"""

from __future__ import annotations

import json
import logging
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigError, PlatformAuthError, TokenResponseError
from ..steps import Run, Step
from ..tokens import UNKNOWN_LIFE, TokenSet, token_set

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ..context import FlowContext

log = logging.getLogger("platform_auth")

TIMEOUT: Final = 30.0
"""Seconds a command may take; less than whoever asks a broker for a token waits for it."""

FAILURE_AGE: Final = 10.0
"""Seconds for which a failure is the answer to whoever asks: a hundred cells start no hundred."""

_TOKENS: Final = ("access_token", "accessToken", "AccessToken", "token", "Token")
_EXPIRIES: Final = (
    "expires_at", "expires_on", "expiry", "expiration", "Expiration", "expirationTimestamp",
)  # fmt: skip
_KUBERNETES: Final = "client.authentication.k8s.io/"
_MILLISECONDS: Final = 1e11  # more than that cannot be seconds before the year 5138
_MAX_TRIES: Final = 16

_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_FIX = "Run the command in a terminal: it must print a token, or one of the documented JSON shapes."


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
        try:
            output = yield Run(argv, TIMEOUT)
            return parse_output(output, now=context.now())
        except PlatformAuthError as error:
            error.retry_after = FAILURE_AGE
            raise

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
    text = _TERMINAL_CODES.sub("", output).strip().removeprefix("\ufeff").strip()
    if not text:
        raise TokenResponseError("The command printed nothing.", fix=_FIX)
    if "{" not in text:
        return _checked({"access_token": text}, {"access_token": "the token"}, now)
    data = _last_object(text)
    if data.get("kind") == "ExecCredential":
        return _credential(_status(data), now, within="status.")
    if data.get("Version", 1) != 1:
        raise _unusable("Version", "only 1 is known")
    return _credential(data, now)


def _last_object(text: str) -> Mapping[str, Any]:
    """Return the last JSON object that begins a line: warnings and banners may stand before it."""
    decoder, found, tries, at = json.JSONDecoder(), None, 0, _next_object(text, 0)
    while at >= 0 and tries < _MAX_TRIES:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            tries, end = tries + 1, at + 1
        at = _next_object(text, end)
    if not isinstance(found, dict):
        raise TokenResponseError("The command's output is neither a token nor JSON.", fix=_FIX)
    if tries or not text.startswith("{"):
        log.warning("A command printed more than its token: the last JSON object is taken for it.")
    return found


def _next_object(text: str, start: int) -> int:
    """Return where a JSON object may begin: not inside another one that is cut off."""
    line = re.compile(r"^[ \t]*\{", re.MULTILINE).search(text, start)
    if line is not None:
        return line.end() - 1
    return text.find("{") if start == 0 else -1


def _status(data: Mapping[str, Any]) -> Mapping[str, Any]:
    version = data.get("apiVersion")
    if not isinstance(version, str) or not version.startswith(_KUBERNETES):
        raise _unusable("apiVersion", f"an ExecCredential has {_KUBERNETES}v1 or v1beta1")
    status = data.get("status")
    if not isinstance(status, dict):
        raise _unusable("status", "an ExecCredential has its token in it")
    return status


def _credential(data: Mapping[str, Any], now: float, within: str = "") -> TokenSet:
    token = _present(data, _TOKENS) or ("token" if within else "access_token")
    expiry = _present(data, _EXPIRIES)
    members = {name: data.get(name) for name in ("expires_in", "token_type", "scope")}
    members["access_token"] = data.get(token)
    names = {"access_token": within + token}
    if expiry is not None:
        names["expires_in"] = within + expiry
        members["expires_in"] = _timestamp(data[expiry], within + expiry) - now
    # Anything else, a refresh token above all, is the command's own.
    return _checked(members, names, now)


def _present(data: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if data.get(name) is not None), None)


def _checked(members: Mapping[str, Any], names: Mapping[str, str], now: float) -> TokenSet:
    try:
        tokens = token_set(members, now=now)
        # A token without an expiry is what many commands print: nothing to tell anybody.
        notices = tuple(each for each in tokens.notices if each != UNKNOWN_LIFE)
        return replace(tokens, notices=notices)
    except TokenResponseError as error:
        # It speaks of an identity provider's response and its members.
        member, _, why = error.why.removesuffix(".").partition(": ")
    raise _unusable(names.get(member, member), why)


def _timestamp(value: object, name: str) -> float:
    """Return a point in time in seconds since the epoch."""
    try:
        if isinstance(value, str) and not _is_number(value):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise _unusable(name, "it has no time zone")
            return moment.timestamp()
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise _unusable(name, "it is no point in time")
        seconds = float(value)
    except (ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise _unusable(name, "it is no point in time (RFC 3339, or seconds since the epoch)")
    return seconds / 1000 if seconds > _MILLISECONDS else seconds


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*\d+(\.\d+)?\s*", text) is not None


def _unusable(member: str, why: str) -> TokenResponseError:
    what = f"The command's output cannot be used ({member})."
    return TokenResponseError(what, why=f"{member}: {why}.", fix=_FIX)


FLOW = Command()
