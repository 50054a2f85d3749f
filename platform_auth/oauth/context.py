"""What a flow is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import PlatformConfig
    from .metadata import ServerMetadata
    from .steps import Now


@dataclass(frozen=True, slots=True)
class FlowContext:
    """All that a flow works with.

    Parameters
    ----------
    config
        What to reach and as which client.
    metadata
        The authorization server.
    now
        Wall clock, seconds since the epoch: an id_token's claims are in it.
    redirect_uri
        Where the browser will come back to, for flows that send it away.
    speaks
        Which protocol the platform has shown to speak (``flyte``, ``flyte2``).
    mark
        What a state begins with, for whoever must pass the answer on to the right place.

    """

    config: PlatformConfig
    metadata: ServerMetadata
    now: Now
    redirect_uri: str | None = None
    speaks: str | None = None
    mark: str = ""
