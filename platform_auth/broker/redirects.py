"""How a browser finds its way back from the identity provider."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from ..config.oauth_settings import REDIRECTS, one_of
from ..errors import ConfigError
from ..oauth.metadata import is_loopback

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
    """To an address that nobody may serve; the person pastes it from the address bar."""


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
        To be called when it is needed no longer, where somebody listens there.

    """

    kind: Way
    redirect_uri: str = ""
    release: Callable[[], object] | None = field(default=None, repr=False, compare=False)

    @property
    def sentence(self) -> str:
        """What will happen, for people."""
        where = self.redirect_uri.partition("?")[0]
        if self.kind is Way.SERVER:
            return "Sign in on the page that opens; it then comes back to Jupyter by itself."
        if self.kind is Way.LOOPBACK:
            return f"Sign in on the page that opens; it then comes back by itself, to {where}."
        ends = f"ends on an address that cannot be reached ({where})"
        pasting = "copy that whole address and paste it here."
        then = f"It {ends}: {pasting}" if self.release is None else f"If it {ends}, {pasting}"
        return f"Sign in on the page that opens. {then}"


class Redirects:
    """Chooses the way home for a profile.

    Parameters
    ----------
    login_path
        The root-relative path of the Jupyter server's sign-in page; None where there is no server.
    base_url
        The server's address as browsers have it, where that is configured.
    callback_path
        The root-relative path that browsers come back to, where it is not the server's own.
    mark
        What the states of sign-ins that begin here start with, where one callback serves many.

    Attributes
    ----------
    browser_may_be_here
        Whether the browser that was last seen may be on the server's own machine. It is never
        certain: a tunnel's end is here, too.

    """

    def __init__(
        self,
        login_path: str | None = None,
        base_url: str | None = None,
        *,
        callback_path: str | None = None,
        mark: str = "",
    ) -> None:
        self._login_path, self._base_url = login_path, base_url
        self._callback_path, self.mark = callback_path, mark
        self._listeners: list[LoopbackListener] = []
        self.browser_may_be_here = False

    def sign_in_url(self, name: str) -> str | None:
        """Return the root-relative address to sign in at, where there is a Jupyter server."""
        if self._login_path is None:
            return None
        return f"{self._login_path}?profile={quote(name, safe='')}"

    def callback_url(self) -> str | None:
        """Return the Jupyter server's redirect URI, if there is one.

        It is root-relative where only the browser's request can tell the host.
        """
        if self._login_path is None:
            return None
        if self._base_url:
            return f"{self._base_url.rstrip('/')}/platform-auth/callback"
        return self._callback_path or f"{self._login_path.removesuffix('/login')}/callback"

    def way(self, profile: Profile, wish: str | None = None) -> Way:
        """Return the way for a profile: its own choice, else what is possible here.

        A redirect URI that is registered decides, if there is but one: a server's callback page is
        the server's, an address of this machine is a listener's where no browser can be elsewhere,
        and all else must be pasted.

        Parameters
        ----------
        profile
            ``oauth.redirect`` and ``oauth.redirect_uri`` of its configuration, which its platform
            may have completed.
        wish
            Another way than the profile's, just this once.

        Raises
        ------
        ConfigError
            The way does not exist, or not here.

        """
        settings = profile.config.oauth
        way = one_of(REDIRECTS, "redirect")(wish or settings.redirect)
        if way == "server" and self._login_path is None:
            raise ConfigError(
                f"The profile {profile.name} signs in through a Jupyter server, and none is here.",
                fix="Set oauth.redirect to auto, loopback or paste.",
            )
        if way != "auto":
            return Way(way)
        fixed = settings.redirect_uri
        if self._login_path is not None:
            return Way.SERVER if fixed is None or is_callback_page(fixed) else Way.PASTE
        return Way.LOOPBACK if fixed is None or _is_of_this_machine(fixed) else Way.PASTE

    async def choose(
        self, profile: Profile, answered: Answered, wish: str | None = None
    ) -> Redirect:
        """Return the way for a profile, ready to be gone; see `way`.

        Parameters
        ----------
        profile, wish
            See `way`.
        answered
            Called with the URL when a listener of ours gets it.

        Raises
        ------
        ConfigError
            The way does not exist, or not here.

        """
        settings, way = profile.config.oauth, self.way(profile, wish)
        if way is Way.SERVER:
            return Redirect(way)
        if way is Way.LOOPBACK:
            try:
                listener = await self._listener(settings.redirect_uri, answered)
            except ConfigError:
                if settings.redirect_uri is None or "loopback" in {wish, settings.redirect}:
                    raise
                return Redirect(Way.PASTE, settings.redirect_uri)  # another program has the port
            return Redirect(way, listener.redirect_uri, listener.hold())
        uri = settings.redirect_uri or PASTE_REDIRECT_URI
        return Redirect(way, uri, await self._listen_in_case(uri, answered))

    async def _listen_in_case(self, uri: str, answered: Answered) -> Callable[[], object] | None:
        """Listen where the browser may turn out to be on this machine, so that nobody must paste.

        Nothing is lost where it is not: the person is told to paste then.
        """
        if not (self.browser_may_be_here and _is_of_this_machine(uri)):
            return None
        try:
            return (await self._listener(uri, answered)).hold()
        except ConfigError:
            return None

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


def is_callback_page(uri: str) -> bool:
    """Tell whether a redirect URI is the callback page of a Jupyter server with platform-auth.

    On a Hub it is one for all servers, so that its address is none of this server's own.
    """
    return urlsplit(uri).path.endswith("/platform-auth/callback")


def _is_of_this_machine(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and is_loopback(parts.hostname)
