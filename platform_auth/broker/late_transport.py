"""A transport that is made when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import PlatformConfig
    from ..oauth.steps import Request, Response
    from ..oauth.transport import Transport


class LateTransport:
    """Sends as `Transport` does, which it makes for the first request.

    Importing httpx2 takes 0.1 s, and a TLS context 40 ms for each profile: nothing that a list of
    profiles should wait for.

    Parameters
    ----------
    config
        How to reach the other side.

    """

    def __init__(self, config: PlatformConfig) -> None:
        self._config = config
        self._transport: Transport | None = None

    async def send(self, request: Request) -> Response:
        """Send a request; see `platform_auth.oauth.transport.Transport.send`.

        Raises
        ------
        ConfigError
            Also where the proxy's address or the CA file is wrong.

        """
        if self._transport is None:
            from ..oauth.transport import Transport

            self._transport = Transport(self._config)
        return await self._transport.send(request)
