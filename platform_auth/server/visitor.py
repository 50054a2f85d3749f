"""Who uses the server: its owner, or somebody it is shared with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
)

from ..errors import PolicyError
from ..oauth.metadata import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_server.base.handlers import JupyterHandler
    from tornado.httputil import HTTPServerRequest

_Method = TypeVar("_Method", bound="Callable[..., Any]")

RESOURCE: Final = "platform_auth:sessions"
"""What authorizers are asked about."""

# Jupyter's own know one person, under a name made up per browser or even per request.
_NAMELESS: Final = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)


def authorized_to(action: Literal["read", "write"]) -> Callable[[_Method], _Method]:
    """Return the decorator that asks the server's authorizer; `web.authenticated` goes above it.

    Action and resource are always said: Jupyter's bare one keeps what its first call was about.
    """
    return cast("Callable[[_Method], _Method]", authorized(action, resource=RESOURCE))


def refuse_visitor(handler: JupyterHandler) -> None:
    """Let only the owner of a Hub's server use its sign-ins.

    Raises
    ------
    PolicyError
        It is somebody else, who would act in the owner's name.

    """
    owner = os.environ.get("JUPYTERHUB_USER")
    if owner and handler.current_user.username != owner:
        raise PolicyError(
            f"This server is {owner}'s, and so are its sign-ins.",
            why=f"You are {handler.current_user.username}.",
            fix="Start a server of your own and sign in there.",
        )


def may_be_here(request: HTTPServerRequest) -> bool:
    """Tell whether a browser may be on the server's own machine.

    Never so on a Hub, nor for one that comes through a proxy or from another address. It may still
    be elsewhere: the end of a tunnel (``ssh -L``) looks the same.
    """
    if os.environ.get("JUPYTERHUB_USER") or any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(request.remote_ip) and is_loopback(request.host_name.strip("[]"))


_FORWARDED: Final = (
    "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP",
    "X-Scheme",
)  # fmt: skip


def browser_of(handler: JupyterHandler) -> str:
    """Return whose browser it is, for the record."""
    name = user_name(handler)
    return f"browser of {name}" if name else "browser"


def user_name(handler: JupyterHandler) -> str:
    """Return the name of the user where the server can tell users apart, else nothing."""
    if type(handler.identity_provider) in _NAMELESS or handler.token_authenticated:
        return ""
    name: str = handler.current_user.username
    return name
