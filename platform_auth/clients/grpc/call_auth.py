"""The authentication of one call: what it carries, and whether a refusal is worth another try."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

import grpc

from ...errors import ConfigError

if TYPE_CHECKING:
    from ...broker.access_token import AccessToken

# What gRPC core says of an answer that no gRPC server gave: a proxy refuses, or wants a person.
_BY_A_PROXY: Final = re.compile(r"http2 header with status: (401|407|302)\b")


class CallAuth:
    """The state of one call's authentication; it does no I/O.

    A refused token is replaced once, and so is what a proxy in front of the platform refuses.

    Parameters
    ----------
    details
        What the caller asked for (`grpc.ClientCallDetails`).
    token
        What the first attempt carries.

    """

    def __init__(self, details: Any, token: AccessToken) -> None:
        self._details, self._token = details, token
        self._ends = None if details.timeout is None else time.monotonic() + details.timeout
        self._answered: set[str] = set()

    def metadata(self) -> list[tuple[str, Any]]:
        """Return the call's metadata, with the token."""
        ours = self._token.headers
        if unfit := [name for name in ours if name.endswith("-bin") or name.startswith("grpc-")]:
            raise ConfigError(
                f"The platform wants its token in {unfit[0]!r}, which gRPC has another use for.",
                fix="Correct oauth.authorization_metadata_key.",
            )
        given = [tuple(pair) for pair in self._details.metadata or ()]
        return [pair for pair in given if pair[0] not in ours] + list(ours.items())

    def timeout(self) -> float | None:
        """Return the seconds that are left: a second attempt does not have all of them again."""
        return None if self._ends is None else max(self._ends - time.monotonic(), 0.0)

    def refused(self, code: grpc.StatusCode | None, text: str | None) -> str | None:
        """Return the fingerprint of what an outcome refuses, for ``stale=``; None for nothing.

        Parameters
        ----------
        code, text
            The call's status code and its details.

        """
        token, proxy = self._token.fingerprint, self._token.fingerprints[1:]
        if proxy and _BY_A_PROXY.search(text or ""):
            return self._once("proxy", proxy[0])
        refused = code is grpc.StatusCode.UNAUTHENTICATED
        return self._once("platform", token) if refused else None

    def _once(self, whose: str, fingerprint: str) -> str | None:
        if whose in self._answered:
            return None
        self._answered.add(whose)
        return fingerprint

    def renew(self, token: AccessToken) -> bool:
        """Take another token for the next attempt; False where it is the refused one again."""
        same = token.headers == self._token.headers
        self._token = token
        return not same
