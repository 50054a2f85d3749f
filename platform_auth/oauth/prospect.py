"""Looking at a platform before there is a profile of it: what it says, and where it says so."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..errors import PlatformAuthError, TransportError
from .discovery import Discovered, discover
from .driver import Driver
from .flyte_messages import decode
from .grpc_calls import GrpcCalls
from .metadata import in_snake_case
from .transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..config import PlatformConfig
    from .driver import Caller, Sender
    from .steps import Request, Response, Rpc, RpcReply

LOOK_SECONDS: Final = 25.0
"""Seconds that looking may take, with all its questions."""

_QUESTION_SECONDS: Final = 10.0
_OK: Final = 200
_SERVER: Final = (
    "issuer", "authorization_endpoint", "token_endpoint", "device_authorization_endpoint",
    "revocation_endpoint",
)  # fmt: skip
_CLIENT: Final = ("client_id", "scopes", "audience")
_CLIENT_OAUTH: Final = ("redirect_uri", "authorization_metadata_key")
_NEEDED: Final = {
    "pkce": ("authorization_endpoint", "token_endpoint"),
    "device": ("device_authorization_endpoint", "token_endpoint"),
    "client_credentials": ("token_endpoint",),
}
_GIVEN: Final = "given"
AUTH_TYPES: Final = {
    "pkce": "Pkce",
    "device": "DeviceFlow",
    "client_credentials": "ClientSecret",
}
"""What each flow is called in ``admin.authType``."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was found.

    Parameters
    ----------
    what
        Its name: of RFC 8414, or of Flyte's client configuration.
    value
        What it is.
    source
        The address of the document that says so; ``given`` where whoever asked has said it.

    """

    what: str
    value: str
    source: str

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return {"what": self.what, "value": self.value, "source": self.source}


@dataclass(frozen=True, slots=True)
class Prospect:
    """A platform as it presents itself.

    Parameters
    ----------
    config
        What was asked with.
    found
        What it says, the most telling first.
    flows
        The flows that can work there, the easiest first.
    needs_client
        Whether nobody says as which client people sign in.

    """

    config: PlatformConfig
    found: tuple[Fact, ...]
    flows: tuple[str, ...]
    needs_client: bool


async def look_at(config: PlatformConfig, *, seconds: float = LOOK_SECONDS) -> Prospect:
    """Ask a platform how to sign in there, as a sign-in would: nothing else is sent.

    Parameters
    ----------
    config
        How to reach it.
    seconds
        How long it may take.

    Raises
    ------
    ConfigError
        It cannot be asked so.
    DiscoveryError
        It does not say, or says what cannot be used.
    TransportError
        It does not answer, or not in time.

    """
    transport = Transport(config, total=_QUESTION_SECONDS)
    heard = _Heard()
    driver = Driver(_Listening(transport, heard), call=_listening(GrpcCalls(config), heard))
    try:
        async with asyncio.timeout(seconds):
            found = await driver.drive(discover(config))
    except TimeoutError:
        what = f"{config.host} has not said in {seconds:g} seconds how to sign in there."
        raise TransportError(what) from None
    finally:
        await transport.close()
    flows = tuple(
        flow
        for flow, needed in _NEEDED.items()
        if all(getattr(found.metadata, name) for name in needed)
    )
    facts = tuple(_facts(config, found, heard))
    return Prospect(config, facts, flows, found.config.client_id is None)


def _facts(config: PlatformConfig, found: Discovered, heard: _Heard) -> Iterator[Fact]:
    for name in _SERVER:
        value = getattr(found.metadata, name)
        if value:
            said = getattr(config.oauth, name, None)
            yield Fact(name, value, _GIVEN if said == value else heard.source_of(name))
    for names, before, after in (
        (_CLIENT, config, found.config),
        (_CLIENT_OAUTH, config.oauth, found.config.oauth),
    ):
        for name in names:
            value, given = getattr(after, name), getattr(before, name)
            if value:
                shown = " ".join(value) if isinstance(value, tuple) else str(value)
                yield Fact(name, shown, _GIVEN if given == value else heard.source_of(name))


@dataclass
class _Heard:
    """The documents that were answered, in their order."""

    documents: list[tuple[str, frozenset[str]]] = field(default_factory=list)

    def note(self, address: str, document: Mapping[str, Any]) -> None:
        names = frozenset(name for name, value in in_snake_case(document).items() if value)
        self.documents.append((address, names))

    def source_of(self, name: str) -> str:
        """Return where a value was said last: an issuer's own word counts more than others'."""
        return next((where for where, names in reversed(self.documents) if name in names), "")


class _Listening:
    """A sender that notes where documents came from."""

    def __init__(self, sender: Sender, heard: _Heard) -> None:
        self._sender, self._heard = sender, heard

    async def send(self, request: Request) -> Response:
        response = await self._sender.send(request)
        if response.status == _OK:
            with suppress(PlatformAuthError):  # whoever asked finds out, too
                self._heard.note(request.url, response.json_object())
        return response


def _listening(call: GrpcCalls, heard: _Heard) -> Caller:
    async def make(rpc: Rpc, metadata: Mapping[str, str]) -> RpcReply:
        reply = await call(rpc, metadata)
        if reply.status == "OK":
            with suppress(PlatformAuthError):
                heard.note(rpc.method, decode(rpc.method.rpartition("/Get")[2], reply.message))
        return reply

    return make


def suggested_name(config: PlatformConfig) -> str:
    """Return what a person may call a platform: the first telling word of its host.

    Examples
    --------
    >>> from platform_auth.config import PlatformConfig
    >>> suggested_name(PlatformConfig("dns:///api.flyte.example.com:443"))
    'flyte'

    """
    host = urlsplit(config.base_url).hostname or ""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit() or labels[-1] == "localhost":
        return "local"
    telling = (each for each in labels[:-1] if each not in _EVERYWHERE)
    return next(telling, labels[0])[:32]


_EVERYWHERE: Final = frozenset({"api", "app", "console", "grpc", "www"})
