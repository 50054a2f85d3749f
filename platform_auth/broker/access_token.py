"""A token as it is handed out: short-lived, and knowing for how long."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from math import inf
from typing import Any

from ..secret import Secret


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token.

    Parameters
    ----------
    value
        The token.
    expires_at
        When it expires, in seconds since the epoch: for people and other programs.
    deadline
        The same by this process's monotonic clock: for decisions.
    token_type
        ``Bearer``.
    header
        The name of the header the platform wants it in, in lower case.
    lifetime
        Seconds a token of this kind lives in all; infinite where that is not known.

    """

    value: Secret
    expires_at: float
    deadline: float = field(repr=False, compare=False)
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    header: str = "authorization"
    lifetime: float = field(default=inf, repr=False, compare=False)

    @property
    def remaining(self) -> float:
        """Seconds it still lives; negative once it has expired."""
        return self.deadline - time.monotonic()

    @property
    def authorization(self) -> str:
        """The header's value: scheme and token."""
        return f"{self.token_type} {self.value.reveal()}"

    @property
    def fingerprint(self) -> str:
        """A name for it that does not give it away, as ``stale=`` wants it."""
        return fingerprint(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the broker protocol, the token in clear.

        ``expires_in`` is there because two processes' wall clocks may jump between them.
        """
        return {
            "access_token": self.value.reveal(),
            "token_type": self.token_type,
            "expires_at": self.expires_at,
            "expires_in": self.remaining,
            "header": self.header,
            **({"lifetime": self.lifetime} if self.lifetime != inf else {}),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AccessToken:
        """Return the token that `to_dict` described."""
        return cls(
            value=Secret(data["access_token"]),
            expires_at=float(data["expires_at"]),
            deadline=time.monotonic() + float(data["expires_in"]),
            token_type=data["token_type"],
            header=data["header"],
            lifetime=float(data.get("lifetime", inf)),
        )


def fingerprint(token: Secret) -> str:
    """Return the first 128 bits of a token's SHA-256, in hexadecimal.

    Tokens are random or signed, so that nothing of them can be guessed from it.
    """
    return hashlib.sha256(token.reveal().encode()).hexdigest()[:32]
