"""What a kernel holds: a profile and a source of its tokens, which together make clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from .broker.client import BrokerClient, channel_of_environment
from .broker.source import TokenSource
from .errors import ConfigError, PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    import grpc
    import grpc.aio
    import httpx2
    import requests.auth
    from flytekit.remote import FlyteRemote

    from .config import PlatformConfig

_Session = TypeVar("_Session")

DEFAULT_TIMEOUT: Final = 600.0
"""Seconds a call waits for a person to sign in."""


def connect(profile: str | PlatformConfig | None = None) -> Connection:
    """Return a connection to a platform.

    Nobody is asked to sign in by it; a call that needs a token says so if somebody must.

    Parameters
    ----------
    profile
        The name of a profile; or a configuration, which becomes a profile for as long as the
        Jupyter server (or, without one, this process) runs; or None for the default profile.

    Raises
    ------
    ProfileNotFoundError, PolicyError, ConfigError
        There is no such profile, or it may not be used.
    BrokerUnavailableError
        The Jupyter server that keeps the sign-ins cannot be reached.

    """
    client = default_client()
    if profile is None:
        profile = _default_profile(client)
    elif isinstance(profile, str):
        client.session(profile)  # a name that is none is said here, where it was written
    else:
        from .ad_hoc import put_configuration

        profile = put_configuration(client, profile)
    return Connection(client, profile)


def default_client() -> BrokerClient:
    """Return the client of the Jupyter server's broker, or of this process's own without one."""
    channel = channel_of_environment()
    if channel is not None:
        return BrokerClient(channel)
    from .broker.local import local_client

    return local_client()


def connection_of(source: TokenSource) -> Connection:
    """Return a connection whose tokens come from a source."""
    return Connection(source.client, source.profile)


def _default_profile(client: BrokerClient) -> str:
    answer = client.profiles()
    if answer["default"] is not None:
        return str(answer["default"])
    names = ", ".join(view["profile"] for view in answer["profiles"])
    if names:
        fix = f"Name one of: {names}."
        raise ConfigError("There are several profiles and none is the default.", fix=fix)
    for problem in answer["problems"]:
        raise PlatformAuthError.from_dict(problem)  # what is there is broken: say that, not this
    fix = "Write one down: platform-auth profiles --add HOST:PORT. Or give its endpoint alone."
    raise ConfigError("No platform is configured.", fix=fix)


class Connection:
    """A profile and a source of its tokens.

    It holds no token that outlives a few minutes, and pickles as a reference: the profile's name
    and the way to its broker. A worker on the same machine asks the same broker; elsewhere it is
    one of the worker's own, or an error that says so when it is first used.

    Parameters
    ----------
    client
        The broker.
    profile
        The profile's name.

    Attributes
    ----------
    profile
        The profile's name.
    tokens
        Where clients get their tokens.

    """

    def __init__(self, client: BrokerClient, profile: str) -> None:
        self.profile = profile
        self._broker = client
        self.tokens = TokenSource(client, profile)
        self._config: PlatformConfig | None = None

    def status(self) -> dict[str, Any]:
        """Return the session as every face shows it (see `platform_auth.broker.view`)."""
        view = self._broker.session(self.profile)
        # For programs: an HTTP proxy's password would be in it, and people print what they get.
        del view["config"]
        return view

    @property
    def config(self) -> PlatformConfig:
        """The profile's configuration, without its secrets."""
        if self._config is None:
            from .config import Profile, ProfileSource

            shape = self._broker.session(self.profile)["config"]
            source = ProfileSource.SESSION
            self._config = Profile.from_mapping(self.profile, shape, source=source).config
        return self._config

    def access_token(self, min_ttl: float = 60) -> str:
        """Return an access token in clear.

        Parameters
        ----------
        min_ttl
            Seconds it is good for at least, where tokens live so long.

        Raises
        ------
        SignInRequiredError
            A person must sign in; a mere expiry is dealt with.

        """
        return self.tokens.token(min_ttl=min_ttl).value.reveal()

    def http(self, **options: Any) -> httpx2.Client:  # noqa: ANN401 - httpx2's own
        """Return an `httpx2.Client` on the platform; options are the client's own."""
        from .clients.http import http_client

        return http_client(self.config, self.tokens, **options)

    def http_async(self, **options: Any) -> httpx2.AsyncClient:  # noqa: ANN401 - httpx2's own
        """Return an `httpx2.AsyncClient` on the platform; options are the client's own."""
        from .clients.http import async_http_client

        return async_http_client(self.config, self.tokens, **options)

    def http_auth(self) -> httpx2.Auth:
        """Return the authentication alone, for an httpx2 client of your own.

        It refuses to work for a platform with a header of its own for tokens, which httpx2 would
        carry along where a redirect leads: `authenticate` serves for every platform.
        """
        from .clients.http import PlatformHttpAuth

        return PlatformHttpAuth(self.tokens, self.config.base_url)

    def authenticate(self, session: _Session) -> _Session:
        """Have all requests of a session of your own to the platform carry a fresh token.

        Parameters
        ----------
        session
            A client of httpx2 or httpx, of either kind, or a `requests.Session`.

        Returns
        -------
        The session.

        Raises
        ------
        ConfigError
            It is none of these.

        """
        from .clients.sessions import authenticate

        authenticate(session, self.tokens, self.config.base_url)
        return session

    def requests_auth(self) -> requests.auth.AuthBase:
        """Return the authentication alone, for requests of the library requests."""
        from .clients.requests import PlatformRequestsAuth

        return PlatformRequestsAuth(self.tokens, self.config.base_url)

    def grpc_channel(self, options: Sequence[tuple[str, Any]] = ()) -> grpc.Channel:
        """Return an authenticated `grpc.Channel` to the platform.

        Parameters
        ----------
        options
            Channel arguments; they win over flytekit's, which are the defaults.

        """
        from .clients import client_module

        made: grpc.Channel = client_module("grpc").channel(self.config, self.tokens, options)
        return made

    def grpc_channel_async(self, options: Sequence[tuple[str, Any]] = ()) -> grpc.aio.Channel:
        """Return the asynchronous twin of `grpc_channel`, of the running event loop."""
        from .clients import client_module

        grpc_clients = client_module("grpc")
        made: grpc.aio.Channel = grpc_clients.aio_channel(self.config, self.tokens, options)
        return made

    def grpc_credentials(self) -> grpc.CallCredentials:
        """Return the call credentials alone, for a TLS channel of your own."""
        from .clients import client_module

        made: grpc.CallCredentials = client_module("grpc").call_credentials(self.tokens)
        return made

    def flytekit(
        self,
        project: str | None = None,
        domain: str | None = None,
        **options: Any,  # noqa: ANN401 - FlyteRemote's own
    ) -> FlyteRemote:
        """Return a `flytekit.remote.FlyteRemote` on the platform.

        Parameters
        ----------
        project, domain
            The defaults of its calls.
        options
            For `FlyteRemote`.

        """
        from .clients import client_module

        return client_module("flytekit").remote(self, project, domain, **options)

    def flyte(
        self,
        project: str | None = None,
        domain: str | None = None,
        **options: Any,  # noqa: ANN401 - flyte.init's own
    ) -> ModuleType:
        """Initialise the Flyte 2 SDK for the platform, in place of any other, and return it.

        Parameters
        ----------
        project, domain
            The defaults of its calls.
        options
            For `flyte.init`.

        Raises
        ------
        ConfigError
            The platform has no TLS: there the SDK sends no token.

        """
        from .clients import client_module

        module: ModuleType = client_module("flyte").initialise(self, project, domain, **options)
        return module

    def sign_in(
        self,
        *,
        flow: str | None = None,
        force: bool = False,
        redirect: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        show: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        """Sign in, waiting for the person if there is one in it; return the session.

        Interrupting it calls the sign-in off.

        Parameters
        ----------
        flow
            Another than the profile's.
        force
            Also when signed in already.
        redirect
            Another way home for the browser: ``server``, ``loopback`` or ``paste``.
        timeout
            Seconds to wait.
        show
            Puts the session, whose ``challenge`` says what to do, before the person; called
            again only if there is something else to do. By default the address is printed.

        Raises
        ------
        SignInError
            It was denied, called off or not finished in time.
        PlatformAuthError
            It failed for another reason.

        """
        from .sign_in import SignIn, Wish, invite

        wish = Wish(flow, force, redirect)
        show = show or invite(self._broker, self.profile)
        view = SignIn(self._broker, self.profile, wish, show).run(timeout)
        self.tokens.forget()
        return view

    def sign_out(self) -> str | None:
        """Sign out, for every kernel, terminal and tool that shares the session.

        Returns
        -------
        The page where the person can sign out at the identity provider, too, if it has one.

        """
        self.tokens.forget()
        page: str | None = self._broker.sign_out(self.profile).get("logout_url")
        return page

    def __repr__(self) -> str:
        return f"<Connection {self.profile}>"

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        """Show the platform, who is signed in, and until when (an IPython protocol)."""
        from .notebook.about import about  # a notebook asks, and nobody else

        try:
            return about(self.status(), "connection")
        except PlatformAuthError:
            return {"text/plain": repr(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        return Connection, (self._broker, self.profile)
