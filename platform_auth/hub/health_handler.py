"""``health``: what load balancers ask."""

from __future__ import annotations

from http import HTTPStatus

from .answer import Answer


class HealthHandler(Answer):
    """Says whether this replica takes requests.

    A database that is away is no reason not to: what is in memory is still handed out, and without
    any replica nothing would be.
    """

    def get(self) -> None:
        """Answer 200, or 503 while the replica ends."""
        leaving = self.service.is_leaving
        self.set_status(HTTPStatus.SERVICE_UNAVAILABLE if leaving else HTTPStatus.OK)
        self.finish({"status": "leaving" if leaving else "ok"})

    def head(self) -> None:
        """Answer the same, in short."""
        self.get()
