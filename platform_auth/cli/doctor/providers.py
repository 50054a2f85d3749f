"""Whether the identity providers can be reached, and agree with this machine about the time."""

from __future__ import annotations

import asyncio
import shutil
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from ...errors import PlatformAuthError
from ...oauth.discovery import discover
from ...oauth.driver import Driver
from ...oauth.grpc_calls import GrpcCalls
from ...oauth.identity import LEEWAY
from ...oauth.transport import Transport
from .configurations import configurations
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from ...config import PlatformConfig
    from ...oauth.steps import Request, Response

_PATIENCE: Final = 10.0
_NOTABLE: Final = 10.0  # seconds of clock difference worth a word


def check() -> Iterator[Finding]:
    """Ask each provider once, however many profiles it has."""
    asked: dict[Hashable, list[str]] = {}
    configs = configurations()
    for name, config in configs.items():
        asked.setdefault(_question(name, config), []).append(name)
    for names in asked.values():
        subject, config = ", ".join(names), configs[names[0]]
        try:
            yield from _profile(subject, config)
        except PlatformAuthError as error:
            yield Finding.of(error, subject)


def _question(name: str, config: PlatformConfig) -> Hashable:
    """Return what makes a difference to the answer."""
    if not config.oauth.issuer:
        return name
    way = (config.ca_cert_file_path, config.insecure_skip_verify, config.http_proxy_url)
    return (config.oauth.issuer, *way)


def _profile(subject: str, config: PlatformConfig) -> list[Finding]:
    if config.flow == "command":
        return [_command(subject, config)]
    return asyncio.run(_provider(subject, config))


def _command(name: str, config: PlatformConfig) -> Finding:
    program = config.command[0] if config.command else ""
    if shutil.which(program):
        return Finding(Level.OK, f"{name}: its tokens come from the program {program}")
    fix = "Correct admin.command, or install the program where Jupyter finds it."
    return Finding(Level.FAIL, f"{name}: there is no program {program!r}", fix=fix)


async def _provider(name: str, config: PlatformConfig) -> list[Finding]:
    transport = Transport(config, total=_PATIENCE)
    sender = _Listening(transport)
    try:
        found = (await Driver(sender, call=GrpcCalls(config)).drive(discover(config))).metadata
    finally:
        await transport.close()
    where = found.issuer or found.token_endpoint or config.host
    findings = [Finding(Level.OK, f"{name}: the identity provider {where} answers")]
    if sender.response is None:
        findings = [Finding(Level.OK, f"{name}: the identity provider {where} is written down")]
    elif (offset := _offset(sender.response, sender.sent_at)) is not None:
        findings.append(_clock(offset, where))
    return findings


class _Listening:
    """A sender that keeps the last answer, for its Date header."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.response: Response | None = None
        self.sent_at = 0.0

    async def send(self, request: Request) -> Response:
        self.sent_at = time.time()
        self.response = await self._transport.send(request)
        return self.response


def _offset(response: Response, sent_at: float) -> float | None:
    """Return the seconds by which this machine's clock is ahead; None if nobody can know."""
    try:
        theirs = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return None
    # Their clock was read in between, and its second was cut off: that much is no difference.
    earliest, latest = sent_at - theirs - 1, time.time() - theirs
    return 0.0 if earliest <= 0 <= latest else min(earliest, latest, key=abs)


def _clock(offset: float, where: str) -> Finding:
    if abs(offset) < _NOTABLE:
        return Finding(Level.OK, f"the clocks of this machine and {where} agree")
    direction = "ahead of" if offset > 0 else "behind"
    what = f"this machine's clock is {abs(offset):.0f} s {direction} that of {where}"
    level = Level.FAIL if abs(offset) > LEEWAY else Level.WARN
    why = f"Beyond {LEEWAY} s no proof of identity is accepted." if level is Level.FAIL else ""
    return Finding(level, what, why, "Set the clock, best by a time service (NTP).")
