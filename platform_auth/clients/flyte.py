"""The Flyte 2 SDK (flyte), initialised and signed in.

Its only way in for tokens of somebody else's is a command of its own, which sends them in
``authorization`` whatever the platform wants, or a context around each call. So its list of ways
to sign in gets another one, which it asks for a token before each call.

The SDK has one client for the whole process: initialising it for another platform replaces the
first, for all cells and threads. To work with two at once takes two kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import flyte
import flyte.remote
from flyte.remote._client.auth._authenticators import factory
from flyte.remote._client.auth._authenticators.base import Authenticator, AuthHeaders

from ..config.endpoint import Endpoint
from ..config.tls import tls_context
from ..errors import ConfigError

if TYPE_CHECKING:
    from types import ModuleType

    from ..connection import Connection
    from . import TokenSource

AUTH_TYPE: Final = "PlatformAuth"
"""Our ``auth_type`` in the SDK."""

MODEL: Final = flyte
"""See `platform_auth.clients.model_of`."""

_sdk_authenticator = factory.get_async_authenticator
_sources: dict[str, TokenSource] = {}


class PlatformAuthenticator(Authenticator):
    """Gives the SDK its tokens; it names the one that was refused.

    Parameters
    ----------
    source
        Where they come from.

    """

    def __init__(self, source: TokenSource) -> None:
        # Not the SDK's own: it would look into the keyring for tokens.
        self._source = source

    def get_credentials(self) -> Any:  # noqa: ANN401 - the SDK asks only whether there are any
        """Return something: there are always credentials."""
        return self

    async def get_auth_headers(self) -> AuthHeaders:
        """Return the headers of a call."""
        token = await self._source.token_async()
        return AuthHeaders(creds_id=token.fingerprint, headers=token.headers)

    async def refresh_credentials(self, creds_id: str | None = None) -> None:
        """Replace a refused token."""
        await self._source.token_async(stale=creds_id)

    async def _do_refresh_credentials(self) -> Any:  # noqa: ANN401 - never answered
        raise NotImplementedError  # only the SDK's own `refresh_credentials` calls it


def _authenticator(
    endpoint: str,
    cfg_store: Any,  # noqa: ANN401 - the SDK's own
    *,
    auth_type: Any = "Pkce",  # noqa: ANN401 - one of the SDK's names, or ours
    **options: Any,  # noqa: ANN401 - the SDK's own
) -> Authenticator:
    if auth_type != AUTH_TYPE:
        return _sdk_authenticator(endpoint, cfg_store, auth_type=auth_type, **options)
    # A platform sends some calls to clusters of its own, which take the same tokens.
    own = _sources.get(Endpoint.parse(endpoint).authority)
    return PlatformAuthenticator(own or list(_sources.values())[-1])


def make(connection: Connection) -> ModuleType:
    """Return the SDK as `Connection.flyte` does."""
    return initialise(connection)


def initialise(
    connection: Connection,
    project: str | None = None,
    domain: str | None = None,
    **options: Any,  # noqa: ANN401 - flyte.init's own
) -> ModuleType:
    """Initialise the SDK for a platform, in place of any other, and return it.

    Parameters
    ----------
    connection
        To the platform.
    project, domain
        The defaults of its calls.
    options
        For `flyte.init`.

    Raises
    ------
    ConfigError
        The platform has no TLS, or its CA file cannot be used.

    """
    config = connection.config
    if config.base_url.startswith("http:"):
        raise ConfigError(
            f"The Flyte 2 SDK sends no token to {config.host}.",
            why="The profile is insecure, and without TLS the SDK signs in nowhere.",
            fix="Give the platform a certificate, or use --client grpc or --client http.",
        )
    tls_context(config)  # the SDK would say it after some seconds of retries, or not at all
    factory.get_async_authenticator = _authenticator
    authority = Endpoint.parse(config.endpoint).authority
    _sources.pop(authority, None)
    _sources[authority] = connection.tokens  # the last one is the one in use
    flyte.init(
        endpoint=config.endpoint,
        project=project,
        domain=domain,
        auth_type=cast("Any", AUTH_TYPE),  # the SDK names its own alone
        insecure_skip_verify=config.insecure_skip_verify,
        ca_cert_file_path=config.ca_cert_file_path,
        rpc_retries=config.rpc_retries,
        disable_keyring=True,
        **options,
    )
    return flyte
