"""Where on a JupyterHub this server is, from what the Hub has told it.

One redirect URI serves everybody: ``{hub}/hub/user-redirect/platform-auth/callback`` takes a
browser to its own person's default server. A sign-in bears the name of the server that began it
(nothing for the one without a name) in front of its state, so that the default server can pass the
browser on: on a Hub with ``default_server_name`` that one has a name, too.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from jupyter_server.utils import url_path_join

from ..oauth.authorization import callback_parameters

if TYPE_CHECKING:
    from typing import Self

    from tornado.httputil import HTTPServerRequest

_CALLBACK: Final = "platform-auth/callback"
_SHARED: Final = "hub/user-redirect/platform-auth/callback"

# What JupyterHub 6 allows servers to be called. Nothing else leads a browser anywhere.
_NAME: Final = re.compile(r"[a-z0-9-]{1,30}", re.ASCII)
_END_OF_NAME: Final = "."  # no random state holds one


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A place on a Hub.

    Parameters
    ----------
    base_url
        The Hub's own prefix: ``/`` or ``/jupyter/``; escapes as they are.
    prefix
        This server's: ``/jupyter/user/ada/`` or ``/jupyter/user/ada/work/``.
    server
        This server's name; empty for the one without.
    public_url
        The Hub's address in a browser, if the Hub knows it; it ends in ``/hub/``.

    """

    base_url: str
    prefix: str
    server: str = ""
    public_url: str = ""

    @classmethod
    def of_environment(cls, base_url: str) -> Self | None:
        """Return where a server with this base URL is; None where it is not a Hub's.

        A server that somebody starts inside of a Hub's has the same variables, but not the prefix.
        """
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
        hub = os.environ.get("JUPYTERHUB_BASE_URL", "")
        if not (hub and prefix and prefix.rstrip("/") == base_url.rstrip("/")):
            return None
        public, host = (os.environ.get(f"JUPYTERHUB_{each}") for each in ("PUBLIC_HUB_URL", "HOST"))
        if host and not public:  # sub-domains, before JupyterHub 5
            public = url_path_join(host, hub, "hub/")
        return cls(hub, prefix, os.environ.get("JUPYTERHUB_SERVER_NAME", ""), public or "")

    @property
    def callback_path(self) -> str:
        """The root-relative redirect URI, where only the browser's request tells the host."""
        path: str = url_path_join(self.base_url, _SHARED)
        return path

    def redirect_uri(self, request: HTTPServerRequest) -> str:
        """Return the redirect URI, as the browser of this request must see it."""
        if self.public_url:
            uri: str = url_path_join(self.public_url, "user-redirect", _CALLBACK)
            return uri
        return f"{browser_scheme(request)}://{request.host}{self.callback_path}"

    @property
    def mark(self) -> str:
        """What the states of sign-ins that begin here start with."""
        return f"{self.server}{_END_OF_NAME}" if _may_lead(self.server) else ""

    def elsewhere(self, request_uri: str) -> str | None:
        """Return where a browser that has come back must go on to; None where it is right here.

        The address leads to another server of the same person's and can lead nowhere else.

        Parameters
        ----------
        request_uri
            Path and query that it came to.

        Raises
        ------
        CallbackError
            It is not an answer of an identity provider's.

        """
        name, dot, _ = callback_parameters(request_uri).get("state", "").partition(_END_OF_NAME)
        if not dot or name == self.server or not _may_lead(name):
            return None
        path = url_path_join(self._person, quote(name), _CALLBACK)
        return f"{path}?{urlsplit(request_uri).query}"

    @property
    def _person(self) -> str:
        """The prefix that all servers of this person's share."""
        own = f"{quote(self.server)}/" if self.server else ""
        return self.prefix.removesuffix(own)


def _may_lead(name: str) -> bool:
    return not name or _NAME.fullmatch(name) is not None


def browser_scheme(request: HTTPServerRequest) -> str:
    """Return the scheme that the browser uses, by the outermost of the proxies on the way.

    Tornado goes by the innermost one, which on a Hub is the Hub's own and speaks plain HTTP where
    TLS ends in front of it. Whoever makes it up sends nobody astray but themselves.
    """
    from jupyterhub.utils import get_browser_protocol  # a server of a Hub's has it

    scheme: str = get_browser_protocol(request)
    return scheme
