"""Ready clients of a platform, each imported only when asked for.

All a client knows of the rest is a `TokenSource`. Others come from the entry point group
``platform_auth.clients``: a function that takes a `platform_auth.Connection` and returns a client.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..broker.access_token import AccessToken
    from ..connection import Connection

_BUILT_IN: Final = ("flyte", "flytekit", "grpc", "http")
_FITTING: Final = {"flyte": ("flytekit", "flyte"), "flyte2": ("flyte",)}
"""For each protocol that a platform may show to speak: its clients, the usual one first."""

PROCESS_WIDE: Final = frozenset({"flyte"})
"""Kinds of which a process has one, which people reach by an import of their own, too."""


class TokenSource(Protocol):
    """Where a client gets its tokens."""

    def header(self) -> tuple[str, str]:
        """Return the header for a call: name and value."""

    def token(self, *, min_ttl: float | None = None, stale: str | None = None) -> AccessToken:
        """Return a token; ``stale`` is the fingerprint of one the platform refused."""

    async def token_async(
        self, *, min_ttl: float | None = None, stale: str | None = None
    ) -> AccessToken:
        """Do the same without holding up an event loop."""


def kind_for(view: Mapping[str, Any]) -> str:
    """Return the kind of client for a session, where nobody has asked for another.

    That is what its profile says; else, for a platform that has shown to be Flyte when it was asked
    how to sign in, or that Flyte's own files configure, the client of Flyte's that is installed;
    else ``http``, which every platform speaks.

    Parameters
    ----------
    view
        The session, as every face shows it (see `platform_auth.broker.view`).

    """
    if view["client"]:
        return str(view["client"])
    speaks = view.get("speaks") or view["source"]
    return next((kind for kind in _FITTING.get(speaks, ()) if find_spec(kind)), "http")


def make_client(kind: str, connection: Connection) -> Any:  # noqa: ANN401 - any client at all
    """Return a client of a kind.

    Parameters
    ----------
    kind
        ``http``, ``grpc``, ``flytekit``, ``flyte``, or the name of an entry point.
    connection
        What it is a client of.

    Raises
    ------
    ConfigError
        There is no such kind.

    """
    check_kind(kind)
    if kind in _BUILT_IN:
        return client_module(kind).make(connection)
    point = next(p for p in entry_points(group="platform_auth.clients") if p.name == kind)
    return point.load()(connection)


def model_of(kind: str) -> Any | None:  # noqa: ANN401 - a class of any client
    """Return what shows how to use a client of a kind before there is one: its class.

    It is the module where the client is a module. None for a kind that only a client shows.

    Raises
    ------
    ConfigError
        There is no such kind, or what it makes clients with is not installed.

    """
    check_kind(kind)
    return client_module(kind).MODEL if kind in _BUILT_IN else None


def client_module(kind: str) -> Any:  # noqa: ANN401 - modules have no protocol of their own
    """Import the module of a kind of client that comes with this package.

    Raises
    ------
    ConfigError
        What it makes clients with is not installed.

    """
    try:
        return import_module(f".{kind}", __name__)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __name__.partition(".")[0]:
            raise
        raise ConfigError(
            f"Clients of the kind {kind} need {error.name}, which is not installed.",
            fix=f'Run: pip install "platform-auth[{kind}]", and restart the kernel.',
        ) from None


def check_kind(kind: str) -> None:
    """Raise a `ConfigError` that lists the kinds there are, unless ``kind`` is one of them."""
    if kind in _BUILT_IN:
        return
    others = {point.name for point in entry_points(group="platform_auth.clients")}
    if kind not in others:
        known = ", ".join(sorted({*_BUILT_IN, *others}))
        raise ConfigError(f"There is no client {kind!r}.", fix=f"Use one of: {known}.")
