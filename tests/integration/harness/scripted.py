"""A person who signs in over plain HTTP: no browser, so a hundred of them cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from fakes.closing import Closing
from harness.form import Form, Forms
from harness.http import loopback_client
from harness.people import ADA

if TYPE_CHECKING:
    import httpx2

    from harness.people import Who

_MOST_STEPS: Final = 20


class ScriptedPerson(Closing):
    """Walks through a provider's pages and reports the redirect that leads back to the client.

    Knows the pages of the certified provider and of the sandbox. Keeps cookies as a browser does,
    so that a second sign-in of the same person asks for nothing.

    Parameters
    ----------
    who
        Whom to sign in as.
    allow
        Whether to press *Allow* or *Deny*.

    """

    def __init__(self, who: Who = ADA, *, allow: bool = True) -> None:
        self.who = who
        self.allow = allow
        self.http = loopback_client()

    def close(self) -> None:
        """Close their connections."""
        self.http.close()

    def visit(self, url: str) -> httpx2.Response:
        """Open an address, follow every redirect, answer every page; return the last one."""
        return self._walk(url, stay=False)

    def answer(self, url: str) -> str:
        """Answer a provider's pages and return the address it sends the person back to.

        The returned address is not opened: it belongs to the client under test.

        Parameters
        ----------
        url
            The provider's authorization endpoint with a client's request.

        """
        page = self._walk(url, stay=True)
        assert page.is_redirect, f"{page.url} did not lead back to the client: {page.text}"
        return urljoin(str(page.url), page.headers["location"])

    def _walk(self, url: str, *, stay: bool) -> httpx2.Response:
        page = self.http.get(url)
        for _ in range(_MOST_STEPS):
            if page.is_redirect:
                target = urljoin(str(page.url), page.headers["location"])
                if stay and _origin(target) != _origin(url):
                    return page
                page = self.http.get(target)
            elif form := self._choose(page):
                page = self.http.request(form.method.upper(), form.action, data=form.fields)
            else:
                return page
        msg = f"still being asked after {_MOST_STEPS} pages, last at {page.url}"
        raise AssertionError(msg)

    def _choose(self, page: httpx2.Response) -> Form | None:
        forms = Forms(page.text, str(page.url))
        if form := forms.with_button(f"Continue as {self.who.name}"):
            return form
        if form := forms.with_button("Sign in"):
            form.fields["account"] = self.who.account
            return form
        return forms.with_button("Allow" if self.allow else "Deny") or forms.with_button("Continue")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
