"""What happened at the token endpoint, for tests to count; never a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenRequest:
    """One request to the token endpoint.

    Parameters
    ----------
    grant_type
        As sent; empty when it was missing.
    client_id
        As sent in the body, or authenticated by the header; empty when there was none.
    outcome
        ``"ok"``, or the OAuth error code of the answer (RFC 6749 §5.2).
    status
        The HTTP status of the answer.
    at
        Seconds since the epoch, by the sandbox's clock.

    """

    grant_type: str
    client_id: str
    outcome: str
    status: int
    at: float

    @property
    def ok(self) -> bool:
        """Tell whether tokens were issued."""
        return self.outcome == "ok"


class Journal:
    """The token requests so far, oldest first. Written by the server's thread, read by any."""

    def __init__(self) -> None:
        self._entries: tuple[TokenRequest, ...] = ()

    def add(self, entry: TokenRequest) -> None:
        """Append one."""
        self._entries += (entry,)

    def entries(self) -> tuple[TokenRequest, ...]:
        """Return all of them."""
        return self._entries
