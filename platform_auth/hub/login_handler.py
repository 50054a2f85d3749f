"""``login?profile=NAME[&force=1][&next=URL]``: where the Sign-in links of all servers lead."""

from __future__ import annotations

from typing import Final

from jupyterhub.services.auth import HubOAuthCallbackHandler
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httputil import url_concat

from ..broker.browser.login import LoginPage
from .visitor import ServicePage
from .way_back import carried, safe_way_back

_MEANT: Final = "platform-auth-meant"
_MEANT_SECONDS: Final = 60


class LoginHandler(LoginPage, ServicePage):
    """Sends the browser to the identity provider, or says that there is no need to."""

    @web.authenticated
    async def get(self) -> None:
        """Begin a sign-in."""
        await self.begin()

    @web.authenticated
    async def post(self) -> None:
        """Take the address that a browser ended on, from the page that asks for it."""
        await self.take_pasted()

    @property
    def cookie_seconds(self) -> float:  # type: ignore[override]
        """How long the browser may take to come back."""
        return self.service.settings.sign_in_timeout

    @property
    def callback(self) -> str:
        """The one redirect URI of all users, as this browser must see it."""
        configured = self.service.settings.callback_url
        scheme = "https" if self.is_https else "http"
        here = f"{scheme}://{self.request.host}{self.service.prefix}"
        return configured or str(url_path_join(here, "callback"))

    @property
    def is_meant(self) -> bool:
        """Whether no other site has sent them here, or they have logged in for it just now."""
        return super().is_meant or self._is_after_login

    @property
    def _is_after_login(self) -> bool:
        meant = self.get_secure_cookie(_MEANT, max_age_days=1)
        return meant is not None and meant.decode() == self.request.uri

    def get_login_url(self) -> str:
        """Note that the person meant it: the Hub may send them by another site to log in."""
        if super().is_meant and not self.is_prefetch():
            self.set_secure_cookie(
                _MEANT,
                self.request.uri or "",
                expires_days=None,
                max_age=_MEANT_SECONDS,
                path=self.cookie_path,
                httponly=True,
                samesite="Lax",
                secure=self.is_https,
            )
        url: str = super().get_login_url()
        return url

    @property
    def way_back(self) -> tuple[str, str] | None:
        """Where they came from, if that is on this Hub."""
        url = self._next
        return (url, "Back to Jupyter") if url else None

    @property
    def _next(self) -> str | None:
        given = self.get_query_argument("next", "")
        return safe_way_back(given, self.service.base_url, self.service.oauth.hub_host)

    def new_cookie(self) -> str:
        """Have the browser itself remember where it came from."""
        return carried(super().new_cookie(), self._next)

    def again(self, name: str, *, force: bool) -> str:
        """Return this page's address, with the way back."""
        url = super().again(name, force=force)
        return url_concat(url, {"next": self._next}) if self._next else url


class OAuthCallbackHandler(ServicePage, HubOAuthCallbackHandler):
    """Ends the login at the Hub; JupyterHub's own does the work."""

    async def prepare(self) -> None:
        """Look who it was before; whoever that is, another may log in."""
        try:
            await super().prepare()
        except web.HTTPError:
            self.current_user = None
