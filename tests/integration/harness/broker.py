"""A kernel's view of a server's broker: its socket and secret, found as kernels find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.environment import ADDRESS_VARIABLE, TOKEN_FILE_VARIABLE
from platform_auth.broker.place import _short

if TYPE_CHECKING:
    from harness.jupyter import JupyterServer


def broker_client(server: JupyterServer) -> BrokerClient:
    """Return a client of the broker that runs in a server."""
    [token_file] = server.runtime.glob("platform-auth-*/server.token")
    place = token_file.parent
    # A long path has the socket elsewhere: how long it is here is up to who runs the tests.
    [socket] = [each for each in (place, _short(place)) if (each / "broker.sock").exists()]
    socket /= "broker.sock"
    return BrokerClient(SocketChannel(f"unix://{socket}", str(token_file)))


def broker_environment(server: JupyterServer) -> dict[str, str]:
    """Return the variables by which the server's terminals find its broker."""
    channel = broker_client(server)._channel
    assert isinstance(channel, SocketChannel)
    return {ADDRESS_VARIABLE: channel.address, TOKEN_FILE_VARIABLE: channel.token_file}


def profile(issuer: str, platform: str, **more: Any) -> dict[str, Any]:
    """Return a profile, in the shape of ``profiles.yaml``, of the certified provider."""
    return {
        "admin": {
            "endpoint": platform,
            "insecure": True,
            "authType": "Pkce",
            "clientId": "notebook",
            "scopes": ["openid", "profile", "email", "offline_access", "api"],
        },
        "oauth": {"issuer": issuer, **more},
    }
