"""``metrics``: what Prometheus asks of this replica."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .answer import Answer


class MetricsHandler(Answer):
    """Shows counts and times; none of them names a person or a profile."""

    def get(self) -> None:
        """Answer in Prometheus' own form."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest())
