"""How a browser finds its way back from the identity provider."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ..config.oauth_settings import REDIRECTS, one_of
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..config import Profile
    from .loopback import LoopbackListener

PASTE_REDIRECT_URI: Final = "http://localhost:53593/callback"
"""What Flyte platforms register for their public client."""

Answered = Callable[[str], Awaitable[object]]
"""Takes the URL a browser came back to; raises `PlatformAuthError` where the sign-in failed."""


class Way(enum.Enum):
    """The ways home."""

    SERVER = "server"
    """To the Jupyter server's own callback page."""

    LOOPBACK = "loopback"
    """To a listener on this machine (RFC 8252 §7.3)."""

    PASTE = "paste"
    """To an address nobody serves; the person pastes it from the address bar."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A way home, and the redirect URI it takes (empty where the request will tell)."""

    kind: Way
    redirect_uri: str = ""


class Redirects:
    """Chooses the way home for a profile.

    Parameters
    ----------
    login_path
        The root-relative path of the Jupyter server's sign-in page; None where there is no server.

    """

    def __init__(self, login_path: str | None = None) -> None:
        self._login_path = login_path
        self._listener: LoopbackListener | None = None

    def sign_in_url(self, name: str) -> str | None:
        """Return the root-relative address to sign in at, where there is a Jupyter server."""
        if self._login_path is None:
            return None
        return f"{self._login_path}?profile={quote(name, safe='')}"

    async def choose(
        self, profile: Profile, answered: Answered, wish: str | None = None
    ) -> Redirect:
        """Return the way for a profile: its own choice, else what is possible here.

        Parameters
        ----------
        profile
            ``oauth.redirect`` of its configuration decides.
        answered
            Called with the URL when a listener of ours gets it.
        wish
            Another way than the profile's, just this once.

        Raises
        ------
        ConfigError
            The way does not exist, or not here.

        """
        settings = profile.config.oauth
        way = one_of(REDIRECTS, "redirect")(wish or settings.redirect)
        if way == "auto":
            way = "loopback" if self._login_path is None else "server"
        if way == "paste":
            return Redirect(Way.PASTE, settings.redirect_uri or PASTE_REDIRECT_URI)
        if way == "loopback":
            return Redirect(Way.LOOPBACK, await self._listen(settings.redirect_uri, answered))
        if self._login_path is None:
            raise ConfigError(
                f"The profile {profile.name} signs in through a Jupyter server, and none is here.",
                fix="Set oauth.redirect to auto, loopback or paste.",
            )
        return Redirect(Way.SERVER)

    async def _listen(self, redirect_uri: str | None, answered: Answered) -> str:
        from .loopback import LoopbackListener  # late: only this way needs a web server

        await self.close()
        self._listener = LoopbackListener(answered)
        return await self._listener.start(redirect_uri)

    async def close(self) -> None:
        """Stop listening; a browser that has come back still gets its page."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()
