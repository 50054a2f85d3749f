"""A token as it is handed out: short-lived, and knowing for how long."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from ..oauth.proxy_header import PROXY_HEADER, is_from_proxy
from ..secret import Secret
from .monotonic import monotonic

if TYPE_CHECKING:
    from collections.abc import Mapping


_UNAUTHORIZED = 401


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
    proxy_authorization
        What a proxy in front of the platform wants in the header of that name (RFC 9110 §11.7.2),
        where there is one; then `deadline` and `lifetime` are those of whichever ends first.

    """

    value: Secret
    expires_at: float
    deadline: float = field(repr=False, compare=False)
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    header: str = "authorization"
    lifetime: float = field(default=inf, repr=False, compare=False)
    proxy_authorization: Secret | None = None

    @property
    def headers(self) -> dict[str, str]:
        """All headers of a call to the platform."""
        proxy = self.proxy_authorization
        more = {} if proxy is None else {PROXY_HEADER: proxy.reveal()}
        return {self.header: self.authorization} | more

    @property
    def remaining(self) -> float:
        """Seconds it still lives; negative once it has expired."""
        return self.deadline - monotonic()

    @property
    def authorization(self) -> str:
        """The header's value: scheme and token."""
        return f"{self.token_type} {self.value.reveal()}"

    @property
    def fingerprint(self) -> str:
        """A name for it that does not give it away, as ``stale=`` wants it."""
        return fingerprint(self.value)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The same for all it consists of."""
        parts = (self.value, self.proxy_authorization)
        return tuple(fingerprint(each) for each in parts if each is not None)

    def refused_by(self, status: int, headers: Mapping[str, str]) -> str | None:
        """Return the fingerprint of what an HTTP answer refuses, for ``stale=``; None for nothing.

        Parameters
        ----------
        status, headers
            Of the answer; the headers' names in lower case, or in any where that is the same.

        """
        if is_from_proxy(status, headers):
            return fingerprint(self.proxy_authorization) if self.proxy_authorization else None
        return self.fingerprint if status == _UNAUTHORIZED else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the broker protocol, the token in clear.

        ``expires_in`` is there because two processes' wall clocks may jump between them.
        """
        proxy = self.proxy_authorization
        return {
            "access_token": self.value.reveal(),
            "token_type": self.token_type,
            "expires_at": self.expires_at,
            "expires_in": self.remaining,
            "header": self.header,
            **({"lifetime": self.lifetime} if self.lifetime != inf else {}),
            **({"proxy_authorization": proxy.reveal()} if proxy else {}),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AccessToken:
        """Return the token that `to_dict` described."""
        proxy = data.get("proxy_authorization")
        return cls(
            value=Secret(data["access_token"]),
            expires_at=float(data["expires_at"]),
            deadline=monotonic() + float(data["expires_in"]),
            token_type=data["token_type"],
            header=data["header"],
            lifetime=float(data.get("lifetime", inf)),
            proxy_authorization=Secret(proxy) if proxy else None,
        )


def fingerprint(token: Secret) -> str:
    """Return the first 128 bits of a token's SHA-256, in hexadecimal.

    Tokens are random or signed, so that nothing of them can be guessed from it.
    """
    return hashlib.sha256(token.reveal().encode()).hexdigest()[:32]
