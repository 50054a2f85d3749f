"""A person of the Hub, in a browser that has come to the service."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jupyterhub.services.auth import HubOAuthenticated, UserNotAllowed
from jupyterhub.utils import get_browser_protocol
from tornado import web

from ..broker.browser.page import Page
from ..errors import BrokerUnavailableError
from .answer import Answer

if TYPE_CHECKING:
    from .service import Service


class HubVisitor(HubOAuthenticated, Answer):
    """Knows the visitor by the Hub's login, and asks the Hub without making others wait.

    Only the cookie of that login counts; see `ServiceOAuth`.
    """

    def initialize(self, service: Service) -> None:
        """Take what the route gives."""
        super().initialize(service)
        self.hub_auth = service.oauth

    async def prepare(self) -> None:
        """Find out who it is."""
        await super().prepare()
        self.service.follow_keys()
        try:
            self.current_user = await self._visitor()
        except UserNotAllowed:
            raise web.HTTPError(HTTPStatus.FORBIDDEN) from None
        except web.HTTPError as error:
            if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            raise web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE) from None  # the Hub is away
        except BrokerUnavailableError:
            raise web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE) from None

    async def _visitor(self) -> dict[str, Any] | None:
        model = await self.hub_auth.get_user(self, sync=False)
        if not model:
            return None
        allowed: dict[str, Any] | None = self.check_hub_user(model)
        if not allowed or allowed.get("kind") != "user":
            return None
        await self.service.namesakes.check(allowed["name"], self.hub_auth.get_token(self))
        return allowed

    def get_current_user(self) -> None:
        """Return nobody: `prepare` says who it is, and JupyterHub's own would block the loop."""


class ServicePage(Page, HubVisitor):
    """A page of the service, for whoever is logged in to the Hub."""

    server = "sign-in service"

    async def admit(self) -> None:
        """Open the visitor's own sign-ins."""
        self.broker = await self.service.people.broker(self.visitor)

    @property
    def visitor(self) -> str:
        """The name at the Hub."""
        name: str = self.current_user["name"]
        return name

    @property
    def cookie_path(self) -> str:
        """All of the service."""
        return self.service.prefix

    @property
    def is_https(self) -> bool:
        """Whether the browser came by https, however many proxies are in between."""
        return bool(get_browser_protocol(self.request) == "https")
