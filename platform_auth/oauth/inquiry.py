"""Asking a platform how to sign in there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..errors import DiscoveryError, MissingExtraError, ProviderError, TransportError
from .flows import get_flow
from .flyte_messages import decode
from .issuer import JSON, METADATA_MAX_AGE, ask_issuer, ask_issuer_if_it_answers
from .metadata import ServerMetadata, from_platform
from .protected_resource import authorization_servers, metadata_url, same_address
from .public_client import PublicClient
from .responses import refuse_busy
from .steps import Request, Response, Rpc, RpcReply

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..config import PlatformConfig
    from .steps import Step

TOKENS_FROM_ELSEWHERE: Final = frozenset({"command", "hub"})
"""Flows in which no authorization server is asked for tokens."""

_OK, _NOT_IMPLEMENTED = 200, 501
_AUTHORIZATION_SERVER: Final = "/.well-known/oauth-authorization-server"
_OPENID: Final = "/.well-known/openid-configuration"
_CLIENT: Final = "/config/v1/flyte_client"
# Connect: a POST of JSON (https://connectrpc.com/docs/protocol); gRPC for those who know no other.
_CONNECT: Final = "/flyteidl2.auth.AuthMetadataService/Get"
_GRPC: Final = "/flyteidl.service.AuthMetadataService/Get"

_Document = dict[str, Any]


class Inquiry:
    """One round of questions to a platform; nothing in them is secret.

    What HTTP answers is taken first: it costs least, and goes through every proxy. Where HTTP is of
    no use at all, or answers nothing, gRPC is asked.

    Parameters
    ----------
    config
        The profile's.
    timeout
        Seconds that one question may take; the transport's limit when omitted.

    Attributes
    ----------
    speaks
        ``flyte``, or ``flyte2`` where the second generation's own service has answered; None for
        a platform that has shown nothing of Flyte's so far.

    """

    def __init__(self, config: PlatformConfig, *, timeout: float | None = None) -> None:
        self._config, self._timeout = config, timeout
        self._base, self._openid = config.base_url, "openid" in config.scopes
        self._by_grpc = self._declined = False
        self.speaks: str | None = None
        self._problem: ProviderError | None = None
        self._grpc_said = ""
        # Why HTTP, and why gRPC, is of no use there.
        self._no_http: TransportError | None = None
        self._no_grpc: MissingExtraError | TransportError | None = None

    # The authorization server

    def server(self) -> Generator[Step, Any, ServerMetadata]:
        """Return the authorization server of the platform.

        Raises
        ------
        DiscoveryError
            The platform says nothing of one, has none, or what it says cannot be used.
        TransportError
            It cannot be reached, or its authorization server cannot.

        """
        document = yield from self._get(metadata_url(self._base))
        issuers = authorization_servers(document or {}, platform=self._base)
        if issuers:
            return (yield from self._first_of(issuers))
        for path in (_AUTHORIZATION_SERVER, _OPENID):
            document = yield from self._get(self._base + path)
            if document is not None and _names_a_server(document):
                return (yield from self._named(document))
        document = yield from self._call("OAuth2Metadata", grpc=True)
        if document is None or not _names_a_server(document):
            raise self._nothing_found()
        return (yield from self._named(document))

    def _first_of(self, issuers: tuple[str, ...]) -> Generator[Step, Any, ServerMetadata]:
        """Return the metadata of the first issuer that has any: each will do (RFC 9728 §2)."""
        for issuer in issuers[:-1]:
            try:
                return (yield from ask_issuer(issuer, openid=self._openid))
            except (DiscoveryError, TransportError):
                continue
        return (yield from ask_issuer(issuers[-1], openid=self._openid))

    def _named(self, document: _Document) -> Generator[Step, Any, ServerMetadata]:
        """Return the server that a platform's own document names.

        What another issuer publishes itself counts more: a platform that mixes up two servers would
        have codes and refresh tokens of the one sent to the other (RFC 9700 §4.4).
        """
        claimed = from_platform(document, platform=self._base)
        if claimed.issuer is None or same_address(claimed.issuer, self._base):
            return claimed
        found = yield from ask_issuer_if_it_answers(claimed.issuer, openid=self._openid)
        return found or claimed

    # The client

    def public_client(self) -> Generator[Step, Any, PublicClient]:
        """Return what the platform says of its public client; empty where it says nothing.

        Raises
        ------
        DiscoveryError
            What it says cannot be used.
        TransportError
            It cannot be asked any longer.

        """
        document = yield from self._get(self._base + _CLIENT)
        client = PublicClient.of(document or {}, platform=self._base)
        if client != PublicClient():
            self.speaks = self.speaks or "flyte"
        else:
            document = yield from self._call("PublicClientConfig", grpc=self._needs_client)
            client = PublicClient.of(document or {}, platform=self._base)
        trouble = self._no_grpc if self._by_grpc else self._no_http
        if client == PublicClient() and trouble is not None:
            raise trouble
        return client

    @property
    def _needs_client(self) -> bool:
        # Else only a platform that speaks gRPC, and so may be Flyte's, is asked by it again.
        nameless = not self._config.client_id and get_flow(self._config.flow).interactive
        return self._by_grpc or nameless or self._config.flow in TOKENS_FROM_ELSEWHERE

    # The questions

    def _get(self, url: str) -> Generator[Step, Any, _Document | None]:
        return self._ask(
            Request(
                "GET", url, dict(JSON), replay=True, max_age=METADATA_MAX_AGE,
                plain=self._config.insecure, timeout=self._timeout,
            )
        )  # fmt: skip

    def _call(self, name: str, *, grpc: bool) -> Generator[Step, Any, _Document | None]:
        """Call the AuthMetadataService: Flyte 2's over HTTP, else Flyte 1's over gRPC."""
        headers = {**JSON, "Content-Type": "application/json", "Connect-Protocol-Version": "1"}
        document = yield from self._ask(
            Request(
                "POST", f"{self._base}{_CONNECT}{name}", headers, "{}", replay=True,
                max_age=METADATA_MAX_AGE, plain=self._config.insecure, timeout=self._timeout,
            )
        )  # fmt: skip
        if document is not None:
            self.speaks = "flyte2"
        elif grpc:
            document = yield from self._call_grpc(name)
        return document

    def _ask(self, request: Request) -> Generator[Step, Any, _Document | None]:
        """Return the JSON object that is the answer, or None."""
        if self._no_http is not None:
            return None  # one that speaks no HTTP does not learn it meanwhile
        try:
            response = yield request
            return self._object(response)
        except TransportError as error:
            self._no_http = error
        except ProviderError as error:
            self._problem = self._problem or error
        return None

    def _object(self, response: Response) -> _Document | None:
        self._declined |= response.status == _NOT_IMPLEMENTED and _is_by_flyte(response)
        refuse_busy(response)
        return response.json_object() if response.status == _OK else None

    def _call_grpc(self, name: str) -> Generator[Step, Any, _Document | None]:
        rpc = Rpc(_GRPC + name) if self._timeout is None else Rpc(_GRPC + name, b"", self._timeout)
        try:
            reply: RpcReply = yield rpc
        except (MissingExtraError, TransportError) as error:
            self._no_grpc = error
            return None
        self._declined |= reply.status == "UNIMPLEMENTED"
        if reply.status != "OK":
            self._grpc_said = f"Over gRPC it answers {reply.status}."
            return None
        self._by_grpc, self.speaks = True, "flyte"
        return decode(name, reply.message)

    # Failure

    def _nothing_found(self) -> DiscoveryError | TransportError:
        host = self._config.host
        by_hand = "set oauth.issuer, and admin.clientId for people, in the profile"
        problem = self._problem.why if self._problem else ""
        extra = self._no_grpc if isinstance(self._no_grpc, MissingExtraError) else None
        install = f" If it speaks gRPC alone: {extra.fix}" if extra else ""
        if self._no_http is not None and not self._declined:
            self._no_http.fix += install
            return self._no_http
        if self._declined:
            return DiscoveryError(
                f"{host} has no authentication configured.",
                why="It answers that it does not implement what tells clients how to sign in.",
                fix=f"If it takes calls without a token, call it so; otherwise {by_hand}.",
            )
        why = " ".join(each for each in (problem, self._grpc_said) if each)
        return DiscoveryError(
            f"{host} does not say how to sign in there.",
            why=why or "It publishes none of the documents that are known.",
            fix=f"Check the endpoint, or {by_hand}.{install}",
        )


def _is_by_flyte(response: Response) -> bool:
    """Tell a service that is switched off from a server that does not know what it is asked."""
    if urlsplit(response.url).path.endswith(_AUTHORIZATION_SERVER):
        return True
    try:
        return response.json_object().get("code") == "unimplemented"
    except ProviderError:
        return False


def _names_a_server(document: _Document) -> bool:
    # Some sites answer every path with some JSON.
    return any(document.get(name) for name in ("issuer", "token_endpoint", "tokenEndpoint"))
