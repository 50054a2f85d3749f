"""What a JupyterHub tells of a person: to their own server, or to a service of the Hub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ..errors import ConfigError, ProviderError, TransportError
from ..secret import Secret
from .steps import Response, origin_of

if TYPE_CHECKING:
    import ssl

API_VARIABLE: Final = "JUPYTERHUB_API_URL"
"""Where programs that belong to a Hub ask it."""

TOKEN_VARIABLE: Final = "JUPYTERHUB_API_TOKEN"  # noqa: S105 - a name
"""What they ask it with."""

USER_VARIABLE: Final = "JUPYTERHUB_USER"
"""Whose server it is."""

_SECONDS: Final = 10.0
_FORBIDDEN: Final = (401, 403)


class HubUser:
    """Asks the Hub that this process belongs to, by the environment it was started with.

    Parameters
    ----------
    name
        Of whom; by default the person whose server this is. A service needs the scopes
        ``read:users!user=NAME`` and ``admin:auth_state`` for that.

    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name

    async def __call__(self) -> dict[str, Any]:
        """Return the Hub's model of the person; it may hold tokens.

        Raises
        ------
        ConfigError
            This process belongs to no Hub.
        ProviderError
            The Hub does not know this process any more.
        TransportError
            The Hub does not answer.

        """
        api, token = _place()
        name = self._name or os.environ.get(USER_VARIABLE, "")
        # Not ``/user``: there the Hub says of auth_state only that one may see it.
        response = await _get(f"{api}/users/{quote(name, safe='')}", token)
        if response.status in _FORBIDDEN:
            raise ProviderError(
                "The Hub does not let this server ask about you.",
                why=f"It answered HTTP {response.status}.",
                fix="Stop the server in the Hub's control panel, and start it again.",
            )
        if response.status != 200:  # noqa: PLR2004 - OK
            what = f"The Hub answered HTTP {response.status}."
            raise TransportError(what, fix="Try again in a minute; nothing is lost.")
        return response.json_object()


def _place() -> tuple[str, Secret]:
    api, token = os.environ.get(API_VARIABLE, ""), os.environ.get(TOKEN_VARIABLE, "")
    if api.startswith(("http://", "https://")) and token:
        return api.rstrip("/"), Secret(token)
    raise ConfigError(
        "The flow hub works below a JupyterHub only, and this is none of its servers.",
        why=f"{API_VARIABLE} and {TOKEN_VARIABLE} are not set.",
        fix="Choose another flow for this profile: pkce, for one.",
    )


async def _get(url: str, token: Secret) -> Response:
    import httpx2  # late: few profiles are of this flow

    # The Hub's own network: neither a proxy's nor the platform's settings are for it.
    client = httpx2.AsyncClient(verify=_tls(), trust_env=False, timeout=_SECONDS)
    try:
        async with client:
            answer = await client.get(url, headers={"Authorization": f"token {token.reveal()}"})
            return Response(answer.status_code, {}, answer.content, url)
    except httpx2.HTTPError as error:
        why = type(error).__name__
    # Not inside: a library's exception may hold the request, and that the token.
    raise TransportError(
        f"The Hub at {origin_of(url)} does not answer.",
        why=f"{why}.",
        fix="Try again in a minute; nothing is lost.",
    )


def _tls() -> ssl.SSLContext | bool:
    """Return what the Hub's certificates are checked with: its own, where it has made some."""
    import ssl

    authority = os.environ.get("JUPYTERHUB_SSL_CLIENT_CA")
    if not authority:
        return True
    context = ssl.create_default_context(cafile=authority)
    certificate = os.environ.get("JUPYTERHUB_SSL_CERTFILE")
    if certificate:
        context.load_cert_chain(certificate, os.environ.get("JUPYTERHUB_SSL_KEYFILE"))
    return context
