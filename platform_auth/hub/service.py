"""The Hub's service: one web server, of which there may be many alike."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from ..broker.protocol import MAX_BODY
from ..errors import ConfigError
from .admin_handler import AdminHandler
from .answer import Nowhere
from .api_handler import ApiHandler
from .callback_handler import CallbackHandler
from .cookie_keys import SealedState, SigningKeys
from .health_handler import HealthHandler
from .home_handler import HomeHandler
from .hub_oauth import ServiceOAuth
from .login_handler import LoginHandler, OAuthCallbackHandler
from .metrics_handler import MetricsHandler
from .namesakes import Namesakes
from .protocol_handler import ProtocolHandler
from .request_log import log_request
from .token_owners import FRESH_SECONDS, TokenOwners

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from .hub_place import HubPlace
    from .keys import Keys
    from .people import People
    from .register import Register
    from .settings import Settings

log = logging.getLogger("platform_auth")

LEAVING_SECONDS: Final = 25.0
"""Seconds that requests under way have when a replica ends; Kubernetes gives it 30 in all."""

_ROUTES: Final[tuple[tuple[str, type[web.RequestHandler]], ...]] = (
    (r"v1/.*", ProtocolHandler),
    (r"api/v1/.*", ApiHandler),
    (r"", HomeHandler),
    (r"login", LoginHandler),
    (r"callback", CallbackHandler),
    (r"oauth_callback", OAuthCallbackHandler),
    (r"admin", AdminHandler),
    (r"health", HealthHandler),
    (r"metrics", MetricsHandler),
)


class Service:
    """One replica of the service.

    Parameters
    ----------
    people
        All users' brokers.
    register
        All users' sessions.
    keys
        The store's; cookies are signed with what is derived from them.
    place
        Where the Hub is.
    settings
        What the administrator says.

    Attributes
    ----------
    people, settings
        Those.
    prefix, base_url
        The service's path, and the Hub's.
    oauth
        The Hub's login.
    owners
        Knows whose tokens are.
    namesakes
        Keeps what a deleted user has left from a new one of the same name.
    register
        All users' sessions, for administrators.

    """

    def __init__(
        self,
        people: People,
        register: Register,
        keys: Keys,
        place: HubPlace,
        settings: Settings,
    ) -> None:
        self.register = register
        self.people, self.settings, self.place = people, settings, place
        self.prefix, self.base_url = place.prefix, place.base_url
        self._signing = SigningKeys(keys)
        self.oauth = ServiceOAuth(SealedState(keys), **_traits(place))
        self.namesakes = Namesakes(self.oauth, register)
        self.owners = TokenOwners(self.oauth, self.namesakes)
        self._under_way: set[web.RequestHandler] = set()
        self._leaving, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self.application = web.Application(
            [
                (f"{re.escape(self.prefix)}{path}", handler, {"service": self})
                for path, handler in _ROUTES
            ],
            default_handler_class=Nowhere,
            default_handler_args={"service": self},
            cookie_secret=self._signing,
            key_version=self._signing.version,
            xsrf_cookies=True,
            xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
            log_function=log_request,
        )
        # Whom a proxy speaks for is a part of what an XSRF token is good for, and of nothing else.
        self._server = HTTPServer(self.application, xheaders=True, max_body_size=MAX_BODY)

    def follow_keys(self) -> None:
        """Sign with the newest key there is by now."""
        self.application.settings["key_version"] = self._signing.version

    # Life

    def listen(self) -> list[socket.socket]:
        """Begin to take requests, and return where.

        Raises
        ------
        ConfigError
            The address cannot be had.

        """
        host, port = self.place.address
        try:
            sockets = bind_sockets(port, host)
        except OSError as error:
            what = f"The service cannot listen at {self.place.listen}."
            raise ConfigError(what, why=error.strerror or str(error)) from None
        self._server.add_sockets(sockets)
        log.info("the service listens at %s%s", self.place.listen.rstrip("/"), self.prefix)
        return sockets

    def begin(self, answer: web.RequestHandler) -> None:
        """Note that an answer is being worked at."""
        self._under_way.add(answer)
        self._idle.clear()

    def end(self, answer: web.RequestHandler) -> None:
        """Note that it is not any more."""
        self._under_way.discard(answer)
        if not self._under_way:
            self._idle.set()

    @property
    def is_leaving(self) -> bool:
        """Whether this replica takes no new requests."""
        return self._leaving.is_set()

    async def until_leaving(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Return when a task has ended, or this replica is about to."""
        leaving = asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait({leaving, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()

    async def leave(self, within: float = LEAVING_SECONDS) -> None:
        """End: take nothing new, answer what is under way, and finish refreshes.

        Long polls are answered at once, so that whoever waits asks another replica.

        Parameters
        ----------
        within
            Seconds after which whoever still waits is left alone.

        """
        self._leaving.set()
        self._server.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._idle.wait()
        await self._server.close_all_connections()
        await self.people.close()


def _traits(place: HubPlace) -> dict[str, Any]:
    return {
        "api_url": place.api_url,
        "api_token": place.api_token.reveal(),
        "base_url": place.prefix,
        "hub_prefix": f"{place.base_url}hub/",
        "oauth_client_id": f"service-{place.name}",
        "access_scopes": {f"access:services!service={place.name}", "access:services"},
        "cache_max_age": int(FRESH_SECONDS),
        "allow_token_in_url": False,
    }
