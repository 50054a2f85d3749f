"""Where the Hub is, and where the service is in it: what the Hub says in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ..errors import ConfigError
from ..secret import Secret

_VARIABLES: Final = {
    "JUPYTERHUB_API_TOKEN": "the token that the Hub knows the service by",
    "JUPYTERHUB_API_URL": "where the service reaches the Hub, http://hub:8081/hub/api",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/platform-auth/, below the Hub's own prefix",
    "JUPYTERHUB_SERVICE_URL": "where the service listens, http://0.0.0.0:8080",
}


@dataclass(frozen=True, slots=True)
class HubPlace:
    """The service's place in a Hub.

    Parameters
    ----------
    api_url, api_token
        The Hub's interface for programs, and the service's own token there.
    prefix
        The service's path, from ``/`` to ``/``, as browsers write it.
    listen
        Where it listens: ``http://host:port``.
    name
        The service's at the Hub.

    """

    api_url: str
    api_token: Secret
    prefix: str
    listen: str
    name: str = "platform-auth"

    @classmethod
    def from_environment(cls) -> HubPlace:
        """Return what the Hub says.

        Raises
        ------
        ConfigError
            It does not say all of it.

        """
        missing = [name for name in _VARIABLES if not os.environ.get(name)]
        if missing:
            raise ConfigError(
                "This is to be started by JupyterHub, or with what JupyterHub would tell it.",
                why=f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
                fix=" ".join(f"{name}: {_VARIABLES[name]}." for name in missing),
            )
        token, api_url, prefix, listen = (os.environ[name] for name in _VARIABLES)
        name = os.environ.get("JUPYTERHUB_SERVICE_NAME") or "platform-auth"
        return cls(api_url, Secret(token), f"/{prefix.strip('/')}/", listen, name)

    @property
    def base_url(self) -> str:
        """The Hub's own prefix."""
        return self.prefix.removesuffix(f"services/{self.name}/")

    @property
    def address(self) -> tuple[str, int]:
        """Where to listen: host and port.

        Raises
        ------
        ConfigError
            It is no address of that kind.

        """
        parts = urlsplit(self.listen)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme != "http" or not parts.hostname or port is None:
            raise ConfigError(
                f"The service cannot listen at {self.listen!r}.",
                fix="Write http://host:port; proxies in front of it speak TLS.",
            )
        return parts.hostname, port
