"""A person's browser at a Hub, over plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from fakes.closing import Closing
from harness.form import Forms
from harness.http import loopback_client
from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    import httpx2

    from harness.hub import Hub
    from harness.people import Who

# What browsers say of a click on a link of the page one is on, and of being sent here from another.
_CLICKED: Final = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
_SENT: Final = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


class HubUser(Closing):
    """A browser that is logged in to a Hub, with all its cookies.

    Parameters
    ----------
    hub
        The Hub.
    person
        The beginning of the name they log in with: ``ada``.
    options
        Of the HTTP client.

    """

    def __init__(self, hub: Hub, person: str = "ada", **options: Any) -> None:
        self.hub, self.person = hub, person
        hub.wait_until_reachable()
        self.http = loopback_client(timeout=60.0, **options)
        self.log_in()

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def log_in(self) -> None:
        """Fill in the Hub's own form."""
        page = f"{self.hub.url}hub/login"
        self.http.get(page)
        form = {
            "username": self.hub.name(self.person),
            "password": "any",
            "_xsrf": self.xsrf_token(page),
        }
        # What it leads to is the person's server, which may not be there yet.
        answer = self.http.post(page, params={"next": f"{self._path}hub/home"}, data=form)
        assert answer.status_code == 302, answer.text

    @property
    def _path(self) -> str:
        return urlsplit(self.hub.url).path

    def xsrf_token(self, url: str) -> str:
        """Return what a form or a script at an address must send along."""
        path = urlsplit(url).path
        mine = [
            each
            for each in self.http.cookies.jar
            if each.name == "_xsrf" and path.startswith(each.path.rstrip("/"))
        ]
        return max(mine, key=lambda each: len(each.path)).value or ""

    def visit(self, url: str) -> httpx2.Response:
        """Open a page as by a click, through whatever logins of the Hub are on the way."""
        page = self.http.get(url, headers=_CLICKED, follow_redirects=True)
        if (form := Forms(page.text, str(page.url)).with_button("Authorize")) is None:
            return page
        # Somebody else's server: the Hub asks whether it may know who comes.
        answer = self.http.post(form.action, data=form.fields, headers=_CLICKED)
        return self.http.get(
            urljoin(form.action, answer.headers["location"]),
            headers=_CLICKED,
            follow_redirects=True,
        )

    def begin(self, profile: str, server: str = "", **query: str) -> httpx2.Response:
        """Open a server's sign-in page; returns the redirect to the provider."""
        url = f"{self.hub.server_url(self.person, server)}platform-auth/login"
        self.visit(f"{self.hub.server_url(self.person, server)}tree")  # log in there
        return self.http.get(url, params={"profile": profile, **query}, headers=_CLICKED)

    def come_back(self, url: str) -> httpx2.Response:
        """Follow the provider's redirect to wherever it leads."""
        return self.http.get(url, headers=_SENT, follow_redirects=True)

    def sign_in(
        self, profile: str, who: Who | None = None, server: str = "", **query: str
    ) -> httpx2.Response:
        """Walk the whole way, as `who` at the provider, and return the page it ends on."""
        with ScriptedPerson(who) if who else ScriptedPerson() as person:
            start = self.begin(profile, server, **query)
            assert start.status_code == 302, start.text
            return self.come_back(person.answer(start.headers["location"]))

    def begin_by_service(self, profile: str, server: str = "") -> httpx2.Response:
        """Go from a server's sign-in page through the Hub's service; the same as `begin`."""
        page, own = self.begin(profile, server), urlsplit(self.hub.url).netloc
        while urlsplit(page.headers["location"]).netloc in {"", own}:
            page = self.http.get(page.url.join(page.headers["location"]), headers=_CLICKED)
            assert page.is_redirect, page.text
        return page

    def sign_in_by_service(self, profile: str, server: str = "") -> httpx2.Response:
        """Walk the whole way through the Hub's service, and return the page it ends on."""
        with ScriptedPerson() as person:
            start = self.begin_by_service(profile, server)
            return self.come_back(person.answer(start.headers["location"]))

    def call(
        self, method: str, path: str, server: str = "", *, of: str = "", **request: Any
    ) -> httpx2.Response:
        """Call a server as its front end does, ``of`` another person if one is named."""
        url = f"{self.hub.server_url(of or self.person, server)}{path}"
        headers = {
            "X-XSRFToken": self.xsrf_token(url),
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "cors",
        }
        return self.http.request(method, url, headers=headers, **request)

    def session(self, profile: str, server: str = "", **query: Any) -> dict[str, Any]:
        """Return a session, as the front end reads it."""
        path = f"platform-auth/api/v1/profiles/{profile}"
        answer = self.call("GET", path, server, params=query)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def post(
        self, profile: str, verb: str, body: dict[str, Any] | None = None, server: str = ""
    ) -> httpx2.Response:
        """Press a button of the front end."""
        path = f"platform-auth/api/v1/profiles/{profile}/{verb}"
        return self.call("POST", path, server, json=body or {})
