"""Whether the identity provider is found, has what the flow needs, and agrees about the time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from ...errors import PlatformAuthError
from ...oauth.date_header import LEEWAY, clock_offset, said
from ...oauth.discovery import Discovered, discover
from ...oauth.driver import Driver
from ...oauth.grpc_calls import GrpcCalls
from ...oauth.steps import Request, origin_of
from ...oauth.transport import Transport
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config import PlatformConfig
    from ...oauth.metadata import ServerMetadata
    from ...oauth.steps import Response

_PATIENCE: Final = 10.0
_NOTABLE: Final = 10.0  # seconds of clock difference worth a word
_NEEDED: Final = {
    "pkce": ("authorization_endpoint", "token_endpoint"),
    "device": ("device_authorization_endpoint", "token_endpoint"),
    "client_credentials": ("token_endpoint",),
}


class Discovery:
    """What asking for a profile's identity provider brings to light.

    Parameters
    ----------
    config
        The profile's configuration.

    Attributes
    ----------
    found
        The provider and the completed configuration; None until it was asked, or where it failed.

    """

    def __init__(self, config: PlatformConfig) -> None:
        self._config = config
        self.found: Discovered | None = None

    def check(self) -> Iterator[Finding]:
        """Ask, then compare the clocks."""
        try:
            answer = asyncio.run(self._ask())
        except PlatformAuthError as error:
            yield Finding.of(error, "discovery")
            return
        found = self.found
        assert found is not None  # noqa: S101 - it was asked
        yield from self._endpoints(found.metadata)
        yield from self._completed(found.config)
        if answer.response is not None:
            headers, sent_at = answer.response.headers, answer.sent_at
            offset = clock_offset(headers, sent_at, answer.received_at)
            if offset is not None:
                yield _clock(offset, origin_of(answer.response.url))

    async def _ask(self) -> _Listening:
        transport = Transport(self._config, total=_PATIENCE)
        sender = _Listening(transport)
        try:
            driver = Driver(sender, call=GrpcCalls(self._config))
            self.found = await driver.drive(discover(self._config))
            endpoint = self.found.metadata.token_endpoint
            if sender.response is None and endpoint:
                await sender.send(Request("GET", endpoint))  # for the time of day
        finally:
            await transport.close()
        return sender

    def _endpoints(self, metadata: ServerMetadata) -> Iterator[Finding]:
        needed = _NEEDED.get(self._config.flow, ())
        for name in needed:
            try:
                metadata.endpoint(name)
            except PlatformAuthError as error:
                yield Finding.of(error, "discovery")
                return
        if needed:
            where = metadata.issuer or origin_of(metadata.token_endpoint or "")
            written = bool(self._config.oauth.token_endpoint and not self._config.oauth.issuer)
            how = "is written down" if written else "answers"
            yield Finding(Level.OK, f"discovery: the identity provider {where} {how}")

    def _completed(self, config: PlatformConfig) -> Iterator[Finding]:
        """Say what the platform adds to the profile."""
        for before, after, prefix in (
            (self._config, config, ""),
            (self._config.oauth, config.oauth, "oauth."),
        ):
            for each in fields(before):
                old, new = getattr(before, each.name), getattr(after, each.name)
                if old != new and each.name != "oauth":
                    shown = ", ".join(new) if isinstance(new, tuple) else new
                    what = f"discovery: {prefix}{each.name}: {shown} (the platform says so)"
                    yield Finding(Level.OK, what)


class _Listening:
    """A sender that keeps the last answer, for its Date header."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.response: Response | None = None
        self.sent_at = self.received_at = 0.0

    async def send(self, request: Request) -> Response:
        self.sent_at = time.time()
        self.response = await self._transport.send(request)
        self.received_at = time.time()
        return self.response


def _clock(offset: float, where: str) -> Finding:
    if abs(offset) < _NOTABLE:
        return Finding(Level.OK, f"clock: this machine and {where} agree")
    what = f"clock: {said(offset, where)}"
    level = Level.FAIL if abs(offset) > LEEWAY else Level.WARN
    why = f"Beyond {LEEWAY} s no proof of identity is accepted." if level is Level.FAIL else ""
    return Finding(level, what, why, "Set the clock, best by a time service (NTP).")
