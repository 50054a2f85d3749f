"""How a browser finds its way back from the identity provider."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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
    """A way home.

    Parameters
    ----------
    kind
        Which.
    redirect_uri
        What it takes; empty where the request will tell.
    release
        To be called when it is needed no longer.

    """

    kind: Way
    redirect_uri: str = ""
    release: Callable[[], object] | None = field(default=None, repr=False, compare=False)


class Redirects:
    """Chooses the way home for a profile.

    Parameters
    ----------
    login_path
        The root-relative path of the Jupyter server's sign-in page; None where there is no server.

    """

    def __init__(self, login_path: str | None = None) -> None:
        self._login_path = login_path
        self._listeners: list[LoopbackListener] = []

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
            listener = await self._listener(settings.redirect_uri, answered)
            return Redirect(Way.LOOPBACK, listener.redirect_uri, listener.hold())
        if self._login_path is None:
            raise ConfigError(
                f"The profile {profile.name} signs in through a Jupyter server, and none is here.",
                fix="Set oauth.redirect to auto, loopback or paste.",
            )
        return Redirect(Way.SERVER)

    async def _listener(self, fixed: str | None, answered: Answered) -> LoopbackListener:
        from .loopback import LoopbackListener  # late: only this way needs a web server

        self._listeners = [each for each in self._listeners if each.is_busy]
        for listener in self._listeners:
            if fixed is not None and listener.redirect_uri == fixed and listener.is_listening:
                return listener  # one port, and more than one profile that is registered for it
        new = LoopbackListener(answered)
        await new.start(fixed)
        self._listeners.append(new)
        return new

    async def close(self) -> None:
        """Stop listening; a browser that has come back still gets its page."""
        for listener in self._listeners:
            await listener.close()
