"""The answer to a call of the broker protocol: an HTTP status and a JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import (
    BadRequestError,
    BrokerUnavailableError,
    ConfigError,
    NoSuchCallError,
    PlatformAuthError,
    PolicyError,
    ProfileChangedError,
    ProfileNotFoundError,
    SignInError,
    SignInRequiredError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Collection

_STATUS: Final[tuple[tuple[type[PlatformAuthError], int], ...]] = (
    (NoSuchCallError, 404),
    (ProfileNotFoundError, 404),
    (PolicyError, 403),
    (ProfileChangedError, 409),
    (BadRequestError, 400),
    (ConfigError, 400),
    (SignInRequiredError, 409),
    (SignInError, 409),
    (TransportError, 503),
    (BrokerUnavailableError, 503),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status and the JSON object to go with it."""

    status: int
    body: dict[str, Any]


def refusal(error: PlatformAuthError) -> Reply:
    """Return the reply for an error."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 502)
    return Reply(status, {"error": error.to_dict()})


def not_yours(name: str, only: Collection[str]) -> PolicyError:
    """Return the refusal of a profile that a kernel of this kind may not use."""
    return PolicyError(
        f"This kernel may not use the profile {name[:64]!r}.",
        why="The administrator limits what kernels of its kind may use.",
        fix=f"Use one of: {', '.join(sorted(only))}; or a kernel of another kind.",
    )
