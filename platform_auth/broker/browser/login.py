"""``login?profile=NAME[&force=1]``: where every Sign-in link leads."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from ...errors import CallbackError, ConfigError, PlatformAuthError
from ..attempt import Binding
from ..pages import FORM_HEADERS, device_page, page, paste_page
from ..session import State
from . import flow_cookie
from .page import Page

if TYPE_CHECKING:
    from ..session import Session

# A link on this server, an address that was typed in, or a browser that does not say.
_OWN: Final = ("same-origin", "none", "")


class LoginPage(Page):
    """Sends the browser to the identity provider, or says that there is no need to.

    Attributes
    ----------
    cookie_seconds
        How long the browser may take to come back.

    """

    cookie_seconds: float

    # What a server adds

    @property
    def callback(self) -> str:
        """The server's own redirect URI, as this browser must see it."""
        raise NotImplementedError

    @property
    def is_meant(self) -> bool:
        """Whether the person is known to want this: no other site has sent them here."""
        return self.request.headers.get("Sec-Fetch-Site", "") in _OWN

    def new_cookie(self) -> str:
        """Return the value of the cookie that this browser must bring back."""
        return flow_cookie.new_value()

    def again(self, name: str, *, force: bool) -> str:
        """Return this page's address, for a person to open it by themselves."""
        return (self.broker.redirects.sign_in_url(name) or "") + ("&force=1" if force else "")

    # What they share

    async def begin(self) -> None:
        """Begin a sign-in."""
        if self.is_prefetch():
            return self.decline()
        try:
            await self.admit()
            await self._answer()
        except PlatformAuthError as error:
            self.show_error(error)
        return None

    async def take_pasted(self) -> None:
        """Take the address that a browser ended on, from the page that asks for it."""
        try:
            await self.admit()
            session = await self.broker.session(self._profile_name())
            await self._finish(session, self.get_body_argument("url", "").strip())
        except PlatformAuthError as error:
            self.show_error(error)

    async def _finish(self, session: Session, url: str) -> None:
        try:
            done = await self.broker.complete(url)
        except CallbackError as error:
            if session.challenge is None or session.challenge["kind"] != "paste":
                raise
            self._show_paste(session, error)
        else:
            self.show_signed_in(done, title="You are signed in")

    async def _answer(self) -> None:
        session = await self.broker.session(self._profile_name())
        force = self.get_query_argument("force", "") in {"1", "true"}
        if not self.is_meant:
            self._ask_first(session, force=force)
        elif session.state is State.SIGNED_IN and not force:
            self.show_signed_in(session, title="You are already signed in")
        elif _elsewhere(session.challenge):
            self._show(session)
        elif await self.broker.comes_back_here(session.profile.name):
            await self._send_away(session)
        else:
            self._show(await self.broker.sign_in(session.profile.name, force=force))

    def _profile_name(self) -> str:
        name = self.get_query_argument("profile", "") or self.broker.profiles.default
        if name is None:
            for problem in self.broker.profiles.problems:
                raise problem
            fix = "Use the Sign in link of a notebook, or add ?profile=NAME to this address."
            raise ConfigError("This address does not say what to sign in to.", fix=fix)
        return name

    def _ask_first(self, session: Session, *, force: bool) -> None:
        """Have the person say that they want it: another site could have sent them here."""
        host, again = session.profile.config.host, self.again(session.profile.name, force=force)
        self.finish(
            page(
                f"Sign in to {host}?",
                "Another site has sent you here. Go on only if you meant to sign in.",
                kind="ask",
                link=(again, "Continue to sign in"),
            )
        )

    async def _send_away(self, session: Session) -> None:
        here, value = self.callback, self.new_cookie()
        binding = Binding(browser=value, user=self.visitor)
        url = await self.broker.begin(session.profile.name, here, binding)
        flow_cookie.put(
            self,
            parse_qs(urlsplit(url).query)["state"][-1],
            value,
            secure=self.is_https or urlsplit(here).scheme == "https",
            max_age=int(self.cookie_seconds),
        )
        self.redirect(url)

    def _show(self, session: Session) -> None:
        """Show a challenge that is met elsewhere than on this server's callback page."""
        challenge = session.challenge
        if challenge is None:
            self.show_signed_in(session, title="You are signed in")
        elif challenge["kind"] == "device":
            self.finish(device_page(session.profile.config.host, challenge))
        elif challenge["kind"] == "paste":
            self._show_paste(session)
        else:
            self.redirect(challenge["url"])

    def _show_paste(self, session: Session, problem: CallbackError | None = None) -> None:
        host, url = session.profile.config.host, (session.challenge or {})["url"]
        for name, value in FORM_HEADERS.items():
            self.set_header(name, value)
        hidden = self.xsrf_form_html()
        if problem is not None:
            self.set_status(HTTPStatus.BAD_REQUEST)
        self.finish(paste_page(host, url, hidden, problem=problem))


def _elsewhere(challenge: dict[str, Any] | None) -> bool:
    return challenge is not None and not challenge.get("url", "").startswith("/")
