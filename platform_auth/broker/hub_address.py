"""Where the service of a JupyterHub is that keeps the sign-ins, and what proves who asks it.

User servers, workers and batch jobs find it by ``PLATFORM_AUTH_HUB_SERVICE``, and show it the token
that the Hub gave them, in ``JUPYTERHUB_API_TOKEN``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ..errors import BrokerRefusedError
from .environment import SERVICE_VARIABLE, hub_service_of_environment

# Endings of names that lead nowhere outside of a site (RFC 6762, RFC 8375, Kubernetes).
_INSIDE: Final = (".local", ".internal", ".svc", ".localhost", ".home.arpa")


@dataclass(frozen=True, slots=True)
class HubAddress:
    """The address of a service, taken apart.

    Parameters
    ----------
    url
        As the environment has it, without a slash at its end.
    scheme, host, port
        Of it.
    path
        Of it, the Hub's own prefix included; escapes as they are.

    """

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of_environment(cls) -> HubAddress | None:
        """Return what the environment names, or None where there is no service.

        Raises
        ------
        BrokerRefusedError
            The token would go out in the clear to another site.

        """
        url = hub_service_of_environment()
        return cls.parse(url) if url else None

    @classmethod
    def parse(cls, url: str) -> HubAddress:
        """Return an address; see `of_environment`."""
        try:
            parts = urlsplit(url.rstrip("/"))
            scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        except ValueError:
            scheme, host, port = "", "", None
        if scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise _refused("It is no address of that kind.")
        if scheme == "http" and not _is_inside(host):
            raise _refused(f"Anybody on the way to {host} could read the Hub's token.")
        return cls(
            parts.geturl(), scheme, host, port or (443 if scheme == "https" else 80), parts.path
        )


def _is_inside(host: str) -> bool:
    """Tell whether a host is this machine, or one of the Hub's own network."""
    if "." not in host and ":" not in host:
        return True  # names without a dot are of the network that one is in
    own = urlsplit(os.environ.get("JUPYTERHUB_API_URL", "")).hostname
    return host == own or host.endswith(_INSIDE) or _is_private(host)


def _is_private(host: str) -> bool:
    import ipaddress  # late: names are more usual

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private


def _refused(why: str) -> BrokerRefusedError:
    return BrokerRefusedError(
        f"{SERVICE_VARIABLE} is not the address of a service that may be asked.",
        why=why,
        fix="Ask the administrator of the Hub: https, or http inside of its own network.",
    )
