"""Sealing what is kept of one person, so that it opens as that person's alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..broker.stores.sealed import (
    DamagedError,
    ForeignKeyError,
    NewerError,
    check_head,
    seal,
    unseal,
)
from ..errors import StoreError

if TYPE_CHECKING:
    from .keys import Keys

RECORD: Final = "record"
STATE: Final = "state"
SIGN_IN: Final = "sign-in"

_ADMINISTRATOR: Final = "Show this to whoever runs this JupyterHub."


class Seals:
    """Seals and opens what is kept of one person.

    Parameters
    ----------
    keys
        The service's.
    person
        Their name at the Hub; nothing of anybody else's opens here.

    """

    def __init__(self, keys: Keys, person: str) -> None:
        self._keys, self._owner = keys, json.dumps(["hub", person])

    def seal(self, kind: str, profile: str, kept: dict[str, Any]) -> bytes:
        """Return the sealed form of something of a profile."""
        plain = json.dumps(kept).encode()
        return seal(plain, *self._keys.newest(), _name(kind, profile), self._owner)

    def open(self, kind: str, profile: str, sealed: bytes) -> dict[str, Any]:
        """Return what was sealed.

        Raises
        ------
        StoreError
            It is another person's or profile's, was changed, or its key is not known here.

        """
        try:
            plain = unseal(bytes(sealed), self._keys.find, _name(kind, profile), self._owner)
            kept: dict[str, Any] = json.loads(plain)
        except ForeignKeyError:
            raise _foreign(profile) from None
        except NewerError:
            raise _newer(profile) from None
        except (DamagedError, ValueError):
            raise _damaged(profile) from None
        return kept

    def anew(self, kind: str, profile: str, sealed: bytes | None) -> bytes | None:
        """Return something sealed with the newest key, None where it is by now, or nothing."""
        if sealed is None or is_newest(self._keys, sealed):
            return None
        return self.seal(kind, profile, self.open(kind, profile, sealed))


def is_newest(keys: Keys, sealed: bytes) -> bool:
    """Tell whether something is sealed with the newest key, or is nothing that was sealed."""
    try:
        return check_head(bytes(sealed)) == keys.newest()[0]
    except (DamagedError, NewerError):
        return True  # no key of ours makes it better


def _name(kind: str, profile: str) -> str:
    return json.dumps([kind, profile])


def _foreign(profile: str) -> StoreError:
    return StoreError(
        f"The saved session {profile} is encrypted with a key that this service does not have.",
        why="Its keys were changed, and the old one was taken away too early.",
        fix=f"Add the old key behind the new one. {_ADMINISTRATOR}",
        retryable=True,
    )


def _newer(profile: str) -> StoreError:
    what = f"The saved session {profile} is of a newer version of platform-auth."
    return StoreError(what, fix=f"All replicas must be of one version by now. {_ADMINISTRATOR}")


def _damaged(profile: str) -> StoreError:
    return StoreError(
        f"The saved session {profile} does not open.",
        why="It was changed in the database, or belongs to another person.",
        fix=f"An administrator can revoke it on the service's page. {_ADMINISTRATOR}",
    )
