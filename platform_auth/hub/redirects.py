"""The ways home of browsers that sign in through the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..broker.redirects import Redirects, Way
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..config import Profile


class ServiceRedirects(Redirects):
    """The service's own callback page, or an address that the person pastes; no listener.

    Parameters
    ----------
    prefix
        The service's path.
    callback_url
        Its redirect URI, where the public address is configured.

    """

    def __init__(self, prefix: str, callback_url: str | None) -> None:
        super().__init__(f"{prefix}login")
        self._callback_url = callback_url

    def callback_url(self) -> str | None:
        """Return the one redirect URI of all users."""
        return self._callback_url or super().callback_url()

    def way(self, profile: Profile, wish: str | None = None) -> Way:
        """Return the way for a profile; see `Redirects.way`.

        Raises
        ------
        ConfigError
            It would end at the service's own machine, where nobody has a browser.

        """
        way = super().way(profile, wish)
        if way is Way.LOOPBACK:
            raise ConfigError(
                f"The profile {profile.name} signs in through a port of the browser's machine.",
                why="On this JupyterHub all sign-ins come back to the Hub.",
                fix="Set oauth.redirect to auto.",
            )
        return way
