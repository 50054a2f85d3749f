"""A process that uses msal as documented, with msal-extensions' cache in a file they share."""

from __future__ import annotations

import logging
from typing import Any

import msal
import requests
from msal_extensions import FilePersistence, PersistedTokenCache

from load.use import order, run

_TENANT = "tenant"  # it will have one in the address


def _safe(issuer: str) -> str:
    return issuer.replace("http://", "https://")


class OverHttp:
    """Lets msal, which takes only https, talk to a provider on this machine."""

    def __init__(self, issuer: str) -> None:
        self._issuer, self._safe = issuer, _safe(issuer)
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, url: str, **given: Any) -> Any:
        url = url.replace(f"{self._safe}/{_TENANT}", self._issuer)
        return self._said(self._session.get(url.replace(self._safe, self._issuer), **given))

    def post(self, url: str, **given: Any) -> Any:
        return self._session.post(url.replace(self._safe, self._issuer), **given)

    def _said(self, answer: requests.Response) -> requests.Response:
        answer._content = answer.text.replace(self._issuer, self._safe).encode()
        return answer


def application(issuer: str, client_id: str, cache: str) -> msal.PublicClientApplication:
    """Return msal's client on the cache in a file."""
    return msal.PublicClientApplication(
        client_id,
        oidc_authority=f"{_safe(issuer)}/{_TENANT}",
        http_client=OverHttp(issuer),
        token_cache=PersistedTokenCache(FilePersistence(cache)),
    )


def main() -> None:
    """Do as ordered."""
    logging.disable(logging.CRITICAL)
    given = order()
    app = application(given.more["issuer"], given.more["client_id"], given.more["cache"])
    session = requests.Session()
    session.trust_env = False

    def call(url: str) -> int:
        (account,) = app.get_accounts()
        found = app.acquire_token_silent_with_error(given.more["scopes"], account) or {}
        if "access_token" not in found:
            raise PermissionError(f"msal has no token: {found.get('error')}")
        headers = {"Authorization": f"Bearer {found['access_token']}"}
        return session.get(url, headers=headers).status_code

    run(given, call)


if __name__ == "__main__":
    main()
