"""Flyte's own Python client (flytekit): a `FlyteRemote` that is signed in.

flytekit takes authenticators from the entry point group ``flytekit.auth`` (since 1.16.24). Ours is
called ``platform_auth``, so that this is all it takes for ``pyflyte`` and for flytekit anywhere::

    admin:
      endpoint: dns:///flyte.example.com
      authType: platform_auth

The profile is the one with that endpoint. ``command: [platform-auth, token, PROFILE]`` names it.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from flytekit.clients import auth_helper
from flytekit.clients.auth.authenticator import Authenticator
from flytekit.configuration import AuthType, Config, DataConfig
from flytekit.configuration import PlatformConfig as FlytePlatformConfig
from flytekit.remote import FlyteRemote

from ..config import PlatformConfig
from ..config.endpoint import Endpoint
from ..connection import Connection, connect, default_client
from ..errors import ConfigError

if TYPE_CHECKING:
    from . import TokenSource

AUTH_TYPE: Final = "platform_auth"
"""Our ``authType`` in flytekit's configuration."""

MODEL: Final = FlyteRemote
"""See `platform_auth.clients.model_of`."""


class PlatformAuthenticator(Authenticator):  # type: ignore[misc] # flytekit ships no types
    """Gives flytekit its tokens (``flytekit.clients.auth_helper``, `get_authenticator`).

    Parameters
    ----------
    config
        flytekit's.
    config_store
        What the platform says of signing in, which the broker knows already.

    """

    def __init__(self, config: FlytePlatformConfig, config_store: object = None) -> None:
        del config_store
        super().__init__(config.endpoint, None)
        self._source: TokenSource = _connection(config).tokens
        self._sent = threading.local()

    def get_credentials(self) -> PlatformAuthenticator:
        """Return something: there are always credentials."""
        return self

    def fetch_grpc_call_auth_metadata(self) -> tuple[str, str]:
        """Return the metadata of a call."""
        token = self._source.token()
        self._sent.fingerprint = token.fingerprint
        return token.header, token.authorization

    def refresh_credentials(self) -> None:
        """Replace the token that this thread has sent last: flytekit does not say which failed."""
        self._source.token(stale=getattr(self._sent, "fingerprint", None))


def make(connection: Connection) -> FlyteRemote:
    """Return the remote of `Connection.flytekit`."""
    return remote(connection)


def remote(
    connection: Connection,
    project: str | None = None,
    domain: str | None = None,
    **options: Any,  # noqa: ANN401 - FlyteRemote's own
) -> FlyteRemote:
    """Return a `FlyteRemote` on the platform.

    Parameters
    ----------
    connection
        To the platform.
    project, domain
        The defaults of its calls.
    options
        For `FlyteRemote`. Its storage is set up as flytekit itself does it, from its files and
        environment.

    """
    config = Config(platform=flyte_config(connection), data_config=DataConfig.auto())
    # What is not said is None, not False: flytekit then sees by itself that this is a notebook.
    return FlyteRemote(config, default_project=project, default_domain=domain, **options)


def flyte_config(connection: Connection) -> FlytePlatformConfig:
    """Return flytekit's configuration of a platform, with our way to sign in.

    Parameters
    ----------
    connection
        To the platform.

    """
    config, command = connection.config, _command(connection.profile)
    if takes_plugins := hasattr(auth_helper, "register_authenticator_plugin"):
        auth_helper.register_authenticator_plugin(AUTH_TYPE, PlatformAuthenticator)
    return FlytePlatformConfig(
        endpoint=f"dns:///{config.host}",  # flytekit hands on what gRPC takes, and no https://
        insecure=config.insecure,
        insecure_skip_verify=config.insecure_skip_verify,
        ca_cert_file_path=config.ca_cert_file_path,
        console_endpoint=config.console_endpoint,
        # Older ones start our command: a process for each token, but the same session.
        auth_mode=AUTH_TYPE if takes_plugins else AuthType.EXTERNALCOMMAND,
        command=command,
        proxy_command=list(config.proxy_command) if config.proxy_command else None,
        rpc_retries=config.rpc_retries,
    )


def _command(profile: str) -> list[str]:
    return [sys.executable, "-m", "platform_auth.cli", "token", profile]


def _connection(config: FlytePlatformConfig) -> Connection:
    if config.command:
        return connect(config.command[-1])
    broker = default_client()
    wanted = Endpoint.parse(config.endpoint).authority
    views = [view for view in broker.profiles()["profiles"] if view["platform"] == wanted]
    chosen = [view for view in views if view["default"]] or views
    if len(chosen) > 1:
        names = ", ".join(view["profile"] for view in chosen)
        raise ConfigError(
            f"Several profiles are for {wanted}: {names}.",
            fix="Name one beside authType, as: command: [platform-auth, token, PROFILE].",
        )
    if chosen:
        return Connection(broker, chosen[0]["profile"])
    return connect(
        PlatformConfig(
            endpoint=config.endpoint,
            insecure=config.insecure,
            insecure_skip_verify=config.insecure_skip_verify,
            ca_cert_file_path=config.ca_cert_file_path,
            scopes=tuple(config.scopes or ()),
            audience=config.audience,
            http_proxy_url=config.http_proxy_url,
        )
    )
