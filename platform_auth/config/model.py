"""`PlatformConfig`: which platform to reach, and how to authenticate there."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from ..errors import ConfigError
from ..secret import Secret
from .auth_type import AuthType
from .endpoint import Endpoint, check_proxy, without_password
from .oauth_settings import OAuthSettings, path, texts
from .secret_file import read_secret_file, secret_in_variable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

DEFAULT_ENDPOINT = "localhost:30080"
DEFAULT_RETRIES = 3
_NOT_SAID = cast("AuthType", None)  # in the constructor only; `PlatformConfig` then decides


@dataclass(frozen=True, repr=False)
class PlatformConfig:
    """The settings of one platform: flytekit's fields, in flytekit's order, and an OAuth block.

    Hashable; lists are kept as tuples; no secret shows in its ``repr``.

    Parameters
    ----------
    endpoint
        ``host[:port]`` or a URL; ``dns:///`` is taken off. ``http://`` needs `insecure`, but for
        loopback.
    insecure
        Whether to speak plaintext to the platform.
    insecure_skip_verify
        Whether to accept any certificate.
    ca_cert_file_path
        A PEM file with the authorities to trust; ``~`` is expanded.
    console_endpoint
        The web console, when it is not at the endpoint.
    command, proxy_command
        Arguments of a program that prints a token for the platform, or for a proxy in front of it,
        to which it goes as ``Proxy-Authorization``: with requests to the platform's origin alone.
    client_id
        The OAuth client identifier.
    client_credentials_secret
        The OAuth client secret; blanks around it are taken off.
    scopes
        The OAuth scopes to ask for.
    auth_mode
        How to authenticate. When omitted: with a client secret, client credentials; else PKCE.
    audience
        The audience to ask for.
    rpc_retries
        How often a failed call is tried again.
    http_proxy_url
        The HTTP proxy for requests to the identity provider; not for calls to the platform.
    oauth
        What else there is to say about the identity provider.
    client_secret_file, client_secret_env_var
        Where `client_secret` reads the secret again on each use, because mounted secrets rotate.

    Raises
    ------
    ConfigError
        A value cannot be used.

    """

    endpoint: str = DEFAULT_ENDPOINT
    insecure: bool = False
    insecure_skip_verify: bool = False
    ca_cert_file_path: str | None = None
    console_endpoint: str | None = None
    command: tuple[str, ...] | None = None
    proxy_command: tuple[str, ...] | None = None
    client_id: str | None = None
    client_credentials_secret: Secret | None = None
    scopes: tuple[str, ...] = ()
    auth_mode: AuthType = _NOT_SAID
    audience: str | None = None
    rpc_retries: int = DEFAULT_RETRIES
    http_proxy_url: str | None = None
    oauth: OAuthSettings = field(default_factory=OAuthSettings)
    client_secret_file: str | None = field(default=None, kw_only=True)
    client_secret_env_var: str | None = field(default=None, kw_only=True)

    if TYPE_CHECKING:
        # What the generated constructor accepts is wider than what the fields hold.
        def __init__(  # noqa: PLR0913, PLR0917, RUF100 - flytekit's fields, in flytekit's order
            self,
            endpoint: str = DEFAULT_ENDPOINT,
            insecure: bool = False,  # noqa: FBT001, FBT002
            insecure_skip_verify: bool = False,  # noqa: FBT001, FBT002
            ca_cert_file_path: str | os.PathLike[str] | None = None,
            console_endpoint: str | None = None,
            command: Sequence[str] | None = None,
            proxy_command: Sequence[str] | None = None,
            client_id: str | None = None,
            client_credentials_secret: Secret | str | None = None,
            scopes: Sequence[str] | None = (),
            auth_mode: AuthType | str | None = None,
            audience: str | None = None,
            rpc_retries: int = DEFAULT_RETRIES,
            http_proxy_url: str | None = None,
            oauth: OAuthSettings = ...,
            *,
            client_secret_file: str | os.PathLike[str] | None = None,
            client_secret_env_var: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in given.items():
            if value is not None or name in _REQUIRED:
                object.__setattr__(self, name, CHECKS[name](value))
        if given["auth_mode"] is None:
            object.__setattr__(self, "auth_mode", self._mode_not_said())
        self._refuse_plain_http()

    def _mode_not_said(self) -> AuthType:
        # flytekit opens a browser here although it was given a secret.
        given = (
            self.client_credentials_secret,
            self.client_secret_file,
            self.client_secret_env_var,
        )
        return AuthType.CLIENTSECRET if any(given) else AuthType.STANDARD

    def _refuse_plain_http(self) -> None:
        address = Endpoint.parse(self.endpoint)
        if address.scheme == "http" and not (self.insecure or address.is_loopback):
            what = f"The endpoint {self.endpoint!r} is plain http, and insecure is not set."
            fix = (
                "Use https://, or set insecure: true if tokens may cross this network in the clear."
            )
            raise ConfigError(what, fix=fix)

    @classmethod
    def for_endpoint(cls, endpoint: str, insecure: bool = False) -> PlatformConfig:  # noqa: FBT001, FBT002
        """Return the configuration of one endpoint; nothing is read from anywhere."""
        return cls(endpoint=endpoint, insecure=insecure)

    @classmethod
    def auto(cls, config_file: str | os.PathLike[str] | None = None) -> PlatformConfig:
        """Read Flyte's settings: the environment, else the file, else the default, one by one.

        The file is `config_file`, else the one ``FLYTECTL_CONFIG`` names, else ``~/.flyte/config``
        (INI), else ``~/.flyte/config.yaml``. The current directory is never searched.

        Parameters
        ----------
        config_file
            A YAML file when its name ends so, else an INI file.

        Raises
        ------
        ConfigError
            A file or a variable is wrong, or `config_file` does not exist.

        """
        from .flyte_files import auto  # it imports this module

        return auto(config_file)

    @property
    def base_url(self) -> str:
        """Where the platform speaks HTTP, without a slash at the end."""
        address = Endpoint.parse(self.endpoint)
        scheme = address.scheme or ("http" if self.insecure else "https")
        return f"{scheme}://{address.authority}{address.path}"

    @property
    def host(self) -> str:
        """``host[:port]``, for people."""
        return Endpoint.parse(self.endpoint).authority

    @property
    def flow(self) -> str:
        """The flow: what ``oauth.flow`` names, else what `auth_mode` stands for."""
        return self.oauth.flow or self.auth_mode.flow

    def client_secret(self) -> Secret | None:
        """Return the client secret as it is now.

        The named environment variable wins over the file, and the file over the secret itself, as
        in flytekit; variable and file are read anew.

        Raises
        ------
        ConfigError
            The file cannot be read, or the client credentials flow finds its variable not set.

        """
        variable = self.client_secret_env_var
        from_variable = secret_in_variable(variable) if variable else None
        if from_variable:
            return from_variable
        if self.client_secret_file:
            return read_secret_file(self.client_secret_file, "clientSecretLocation")
        if variable and not self.client_credentials_secret and self.flow == "client_credentials":
            what = f"The client secret is to come from {variable}, but that variable is not set."
            raise ConfigError(what, fix=f"Set {variable} where this program starts.")
        return self.client_credentials_secret

    def __repr__(self) -> str:
        """Show what differs from the default, and no secret."""
        shown = (f"{name}={text}" for name, text in self._shown() if text)
        return f"PlatformConfig({', '.join(shown)})"

    def _shown(self) -> Iterator[tuple[str, str]]:
        yield "endpoint", repr(self.endpoint)
        for each in fields(self)[1:]:
            value = getattr(self, each.name)
            if value and value not in (each.default, OAuthSettings()):
                yield each.name, SHOWN.get(each.name, repr)(value)


def _command_shown(command: tuple[str, ...]) -> str:
    return f"({command[0]!r}, …)"  # the arguments may hold a secret


def _proxy_shown(url: str) -> str:
    return repr(without_password(url))


SHOWN: dict[str, Callable[[Any], str]] = {
    "command": _command_shown,
    "proxy_command": _command_shown,
    "http_proxy_url": _proxy_shown,
}
_REQUIRED = frozenset({"endpoint", "insecure", "insecure_skip_verify", "scopes", "rpc_retries"})


def _wrong(name: str, wanted: str) -> ConfigError:
    return ConfigError(f"{name} is not {wanted}.", fix=f"Give {name} as {wanted}.")


def _text(name: str) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        if not isinstance(value, str):
            raise _wrong(name, "a string")
        return value.strip() or None

    return check


def _flag(name: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        # Truthiness would make insecure="false" true (a defect of the flyte SDK).
        if not isinstance(value, bool):
            raise _wrong(name, "True or False")
        return value

    return check


def _command(name: str) -> Callable[[Sequence[str]], tuple[str, ...] | None]:
    return lambda value: texts(value, name) or None


def _endpoint(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong("endpoint", "a string such as flyte.example.com:443")
    Endpoint.parse(value)
    return value.strip().removeprefix("dns:///")


def _proxy(value: object) -> str | None:
    text = _text("http_proxy_url")(value)
    return check_proxy(text) if text else None


def _secret(value: object) -> Secret | None:
    if not isinstance(value, str | Secret):
        raise _wrong("client_credentials_secret", "a string")
    text = (value.reveal() if isinstance(value, Secret) else value).strip()
    return Secret(text) if text else None


def _scopes(value: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(scope.strip() for scope in texts(value or (), "scopes") if scope.strip())


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong("rpc_retries", "a number, 0 or more")
    return value


def _oauth(value: object) -> OAuthSettings:
    if not isinstance(value, OAuthSettings):
        raise _wrong("oauth", "OAuthSettings")
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    "endpoint": _endpoint,
    "insecure": _flag("insecure"),
    "insecure_skip_verify": _flag("insecure_skip_verify"),
    "ca_cert_file_path": path("ca_cert_file_path"),
    "console_endpoint": _text("console_endpoint"),
    "command": _command("command"),
    "proxy_command": _command("proxy_command"),
    "client_id": _text("client_id"),
    "client_credentials_secret": _secret,
    "scopes": _scopes,
    "auth_mode": AuthType.parse,
    "audience": _text("audience"),
    "rpc_retries": _count,
    "http_proxy_url": _proxy,
    "oauth": _oauth,
    "client_secret_file": path("client_secret_file"),
    "client_secret_env_var": _text("client_secret_env_var"),
}
