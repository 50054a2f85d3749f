"""What the pages that a browser is sent to have in common in a Jupyter server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from ..broker.browser.page import Page
from .visitor import refuse_visitor, user_name

if TYPE_CHECKING:
    from ..broker.broker import Broker


class PageHandler(Page, JupyterHandler):
    """A page of a Jupyter server: its owner's, and nobody else's."""

    def initialize(self, broker: Broker) -> None:
        """Take what the route gives."""
        self.broker = broker

    async def admit(self) -> None:
        """Let only the owner go on; see `refuse_visitor`."""
        refuse_visitor(self)

    @property
    def visitor(self) -> str:
        """The Jupyter user; see `user_name`."""
        return user_name(self)

    @property
    def cookie_path(self) -> str:
        """The extension's own part of the server."""
        path: str = url_path_join(self.base_url, "platform-auth/")
        return path
