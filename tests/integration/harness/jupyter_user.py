"""A person's browser at a Jupyter server, over plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2

from harness.scripted import ScriptedPerson

if TYPE_CHECKING:
    from harness.jupyter import JupyterServer
    from harness.people import Who


class JupyterUser:
    """A browser that is logged in to a server, with its cookies and its XSRF token.

    Parameters
    ----------
    server
        The server.

    """

    def __init__(self, server: JupyterServer) -> None:
        self.server = server
        self.http = httpx2.Client(base_url=server.url, timeout=40.0)
        self.http.get("tree", params={"token": server.token}, follow_redirects=True)

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def begin(self, profile: str, **query: str) -> httpx2.Response:
        """Open the sign-in page, as a click on *Sign in* does."""
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        params = {"profile": profile, **query}
        return self.http.get("platform-auth/login", params=params, headers=headers)

    def come_back(self, url: str) -> httpx2.Response:
        """Follow the provider's redirect to the callback."""
        return self.http.get(url, headers={"Sec-Fetch-Site": "cross-site"})

    def sign_in(self, profile: str, who: Who | None = None, **query: str) -> httpx2.Response:
        """Walk the whole way, as `who`, and return the page it ends on."""
        with ScriptedPerson(who) if who else ScriptedPerson() as person:
            start = self.begin(profile, **query)
            assert start.status_code == 302, start.text
            return self.come_back(person.answer(start.headers["location"]))

    def session(self, profile: str, **query: Any) -> dict[str, Any]:
        """Return a session, as the front end reads it."""
        answer = self.http.get(f"platform-auth/api/v1/profiles/{profile}", params=query)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def post(self, profile: str, verb: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """Press a button of the front end."""
        return self.http.post(
            f"platform-auth/api/v1/profiles/{profile}/{verb}",
            json=body or {},
            headers={"X-XSRFToken": self.http.cookies.get("_xsrf") or ""},
        )
