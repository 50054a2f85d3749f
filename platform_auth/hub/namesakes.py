"""Users of the Hub who bear the name of one that was deleted: they inherit no sign-ins.

To the Hub a name is all there is, but it knows since when it has had the user. A token of the Hub's
goes with its user, so that it is enough to ask once for each token.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .hub_oauth import ServiceOAuth
    from .register import Register

log = logging.getLogger("platform_auth")

_MOST: Final = 20_000


class Namesakes:
    """Keeps what belongs to an earlier user of a name from a later one.

    Parameters
    ----------
    oauth
        Speaks to the Hub.
    register
        All users' sessions.

    """

    def __init__(self, oauth: ServiceOAuth, register: Register) -> None:
        self._oauth, self._register = oauth, register
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._created: dict[str, float] = {}
        self._is_warned = False

    async def check(self, name: str, token: str) -> None:
        """Clear away what is another user's of the same name, before anything is answered.

        Parameters
        ----------
        name
            A user's, by the Hub's word on the token.
        token
            That they have shown.

        Raises
        ------
        HTTPError
            The Hub cannot be asked.
        BrokerUnavailableError
            The database is away, and this user has not been here.

        """
        key = hashlib.sha256(f"{name}\0{token}".encode()).digest()
        if key in self._known:
            return self._known.move_to_end(key)
        created = await self._oauth.created_at(name)
        if created is None:
            return self._warn()
        if self._created.get(name) != created:
            await self._register.belong_to(name, created)
            self._created[name] = created
        self._known[key] = None
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return None

    def _warn(self) -> None:
        if not self._is_warned:
            self._is_warned = True
            log.warning(
                "the Hub does not say since when it has its users, so that one who is made anew "
                "has the sign-ins of the earlier one: give this service the scope read:users"
            )
