"""One call in ``jupyterhub_config.py``: the service, its role, and its place in user servers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from traitlets.config.loader import LazyConfigValue

from ..broker.environment import PAGES_VARIABLE
from ..errors import ConfigError
from .roles import extend_role, extend_server_tokens, grant, list_of, spawners
from .settings import Settings, hand_over

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from traitlets.config import Config

NAME: Final = "platform-auth"
"""The service's name at the Hub, and so in its address: ``/services/platform-auth/``."""

VARIABLE: Final = "PLATFORM_AUTH_HUB_SERVICE"
"""Tells user servers where the service is; they show it the token that the Hub gives them."""

_PORT: Final = 10701


def configure(  # noqa: PLR0913 - what there is to be said, nearly all of it with a default
    c: Config,
    profiles: Mapping[str, Any] | None = None,
    *,
    url: str | None = None,
    api_token: str | None = None,
    server_url: str | None = None,
    everybody: bool = True,
    directory: str | Path = ".",
    **settings: Any,  # noqa: ANN401 - of `Settings`
) -> None:
    """Add the service to a Hub; to be called last in ``jupyterhub_config.py``.

    Without more the Hub starts the service itself. With an ``api_token`` it is started by somebody
    else, as often as wanted, and `url` is where the Hub's proxy reaches it.

    Parameters
    ----------
    c
        The Hub's configuration.
    profiles
        For everybody: name -> the shape of ``profiles.yaml``. Secrets are best named by file or
        variable (``clientSecretLocation``, ``clientSecretEnvVar``).
    url
        Where the service listens: ``http://127.0.0.1:10701`` by default.
    api_token
        The token of a service that the Hub does not start; the same as its JUPYTERHUB_API_TOKEN.
    server_url
        Where user servers reach the service, if not at `url`: ``http://proxy-public``. The Hub's
        prefix and the service's path are added.
    everybody
        Whether all users may use the service; else only those whose roles have the scope
        ``access:services!service=platform-auth``.
    directory
        Of the file by which the Hub hands the settings over, mode 0600, to a service it starts.
    settings
        ``default_profile``, ``database_url``, ``public_url``, ``sign_in_timeout``,
        ``refresh_margin``, ``audit_file`` and the like, and the policy: ``allowed_endpoints``,
        ``allowed_flows``, ``allowed_scopes``, ``allow_user_profiles`` and ``allow_insecure``. See
        `Settings` and `Policy`.

    Raises
    ------
    ConfigError
        Something in it is wrong.

    """
    url = (url or f"http://127.0.0.1:{_PORT}").rstrip("/")
    service = {"name": NAME, "url": url, "oauth_no_confirm": True}
    if api_token is not None:
        if profiles is not None or settings:
            what = "A service that the Hub does not start has its settings in a file of its own."
            raise ConfigError(what, fix="Give configure() no profiles, or no api_token.")
        service |= {"api_token": api_token}
    else:
        given = {"profiles": dict(profiles or {}), **settings}
        Settings.of(given)  # what is wrong is said here, and not in a log of the service
        file = hand_over(given, Path(directory).absolute())
        # Of this very Python: the Hub's PATH may lead to none, or to another's.
        command = [sys.executable, "-m", "platform_auth.cli", "hub-service"]
        service |= {"command": [*command, "--settings", str(file)]}
    _register(c, service)
    access = [f"access:services!service={NAME}"]
    grant(c, NAME, ["read:users", *_of_hub_logins(profiles or {})])
    if everybody:
        extend_role(c, "user", access)
    extend_server_tokens(c, access)
    _tell_servers(c, {VARIABLE: _address((server_url or url).rstrip("/")), PAGES_VARIABLE: _pages})


def _of_hub_logins(profiles: Mapping[str, Any]) -> list[str]:
    """Return the scope that the flow ``hub`` needs, where a profile is of it."""
    flows = [dict(each.get("oauth") or {}).get("flow") for each in profiles.values()]
    return ["admin:auth_state"] if "hub" in flows else []


def _register(c: Config, service: dict[str, Any]) -> None:
    services = list_of(c, "services")
    if any(each.get("name") == NAME for each in services):
        what = f"The Hub has a service {NAME} already."
        raise ConfigError(what, fix="Call configure() once, and define no service of that name.")
    services.append(service)


def _tell_servers(c: Config, variables: dict[str, Callable[[Any], str]]) -> None:
    for spawner in spawners(c):
        given = spawner.get("environment")
        if isinstance(given, dict):
            given.update(variables)
        elif spawner is c.Spawner or isinstance(given, LazyConfigValue):
            spawner.environment.update(variables)


def _address(origin: str) -> Callable[[Any], str]:
    """Return a function of a spawner: only a Hub that runs knows its prefix."""

    def address(spawner: Any) -> str:  # noqa: ANN401 - the Hub's
        return f"{origin}{_path(spawner)}"

    return address


def _pages(spawner: Any) -> str:  # noqa: ANN401 - the Hub's
    """Return the service's address in a browser on a Hub with sub-domains, else nothing."""
    settings = spawner.user.settings
    host = urlsplit(settings.get("subdomain_host") or "")
    if not host.hostname:
        return ""
    domain = settings["subdomain_hook"](NAME, host.hostname, kind="service")
    port = f":{host.port}" if host.port else ""
    return f"{host.scheme}://{domain}{port}{_path(spawner)}"


def _path(spawner: Any) -> str:  # noqa: ANN401 - the Hub's
    prefix = str(spawner.hub.base_url).removesuffix("hub/")
    return f"{prefix}services/{NAME}/"
