"""The ready client: a stand-in that becomes the real one when it is first used."""

# mypy: allow-untyped-calls
# InteractiveShell.push has no types.

from __future__ import annotations

import keyword
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

from ..clients import PROCESS_WIDE
from ..errors import PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ..connection import Connection

_USER_NAMESPACE = threading.Lock()
_OURS = __package__

Client: TypeAlias = Any
"""Whatever the kind of client is."""


class LazyClient:
    """A client of a platform, made when something of it is used for the first time.

    One that the whole process has is made at once: it may be used without this variable.

    All attributes, ``dir()``, ``isinstance`` and ``with`` are the real client's. Looking at it, as
    tab completion does, makes none. It pickles as a reference; the process that unpickles it
    connects on its own.

    Parameters
    ----------
    connection
        What it is a client of; also there afterwards, as ``client.connection``.
    kind
        Which client; see `platform_auth.clients.make_client`. What fits the session by then, if
        None.
    quiet
        Tells whether it is no news just now, so that showing it shows nothing.

    """

    __slots__ = ("__weakref__", "_client", "_kind", "_lock", "_quiet", "connection")

    _client: Client
    _kind: str | None
    _lock: threading.Lock
    _quiet: Callable[[], bool] | None
    connection: Connection

    def __init__(
        self,
        connection: Connection,
        kind: str | None = None,
        quiet: Callable[[], bool] | None = None,
    ) -> None:
        for name, value in (
            ("connection", connection),
            ("_kind", kind),
            ("_quiet", quiet),
            ("_lock", threading.Lock()),
            ("_client", None),
        ):
            object.__setattr__(self, name, value)
        if kind in PROCESS_WIDE:
            self._real()

    def _real(self) -> Client:
        if self._client is None:
            with self._lock:
                if self._client is None:  # not made by another thread meanwhile
                    from ..clients import make_client

                    made = make_client(self._kind_by_now(), self.connection)
                    object.__setattr__(self, "_client", made)
        return self._client

    def _kind_by_now(self) -> str:
        if self._kind is None:
            from ..clients import kind_for

            object.__setattr__(self, "_kind", kind_for(self.connection.status()))
        return str(self._kind)

    def _model(self) -> Client:
        """Return what is like the real client: its class, so that none need be made."""
        if self._client is not None:
            return self._client
        from ..clients import model_of

        model = model_of(self._kind_by_now())
        return self._real() if model is None else model

    @property
    def is_made(self) -> bool:
        """Whether the real client is there."""
        return self._client is not None

    @property  # type: ignore[misc]  # read-only, as unittest.mock has it
    def __class__(self) -> Client:
        """The real client's class, for ``isinstance``."""
        try:
            model = self._model()
        except PlatformAuthError:
            return LazyClient  # it cannot be made just now; using it says why
        return model if isinstance(model, type) else type(model)

    def __getattr__(self, name: str) -> Client:
        if name.startswith(("_repr_", "_ipython_")):
            raise AttributeError(name)  # how it is shown is decided here
        # Those who look at everything, such as jedi, ask whether it wraps something and the like.
        if name.startswith("__") and not hasattr(self._model(), name):
            raise AttributeError(name)
        return getattr(self._real(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._real(), name)

    def __dir__(self) -> list[str]:
        try:
            names = dir(self._model())
        except PlatformAuthError:
            names = dir(object)
        return sorted({*names, "connection"})

    def __enter__(self) -> Client:
        return self._real().__enter__()

    def __exit__(self, *reason: object) -> Client:
        return self._real().__exit__(*reason)

    async def __aenter__(self) -> Client:
        return await self._real().__aenter__()

    async def __aexit__(self, *reason: object) -> Client:
        return await self._real().__aexit__(*reason)

    def __reduce_ex__(self, _protocol: object) -> tuple[Any, ...]:
        return _unpickled, (self.connection, self._kind)

    def __repr__(self) -> str:
        kind = f"{self._kind} " if self._kind else ""
        return f"<{kind}client of the platform {self.connection.profile}>"

    @property
    def _ipython_display_(self) -> Callable[[], None] | None:
        """Nothing to show, or None for the usual way (an IPython protocol)."""
        return _show_nothing if self._quiet is not None and self._quiet() else None

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        """Show the platform, who is signed in, and the kind of client (an IPython protocol)."""
        from .about import about

        try:
            return about(self.connection.status(), f"{self._kind_by_now()} client")
        except PlatformAuthError:
            return {"text/plain": repr(self)}


def _unpickled(connection: Connection, kind: str | None) -> LazyClient:
    return LazyClient(connection, kind)


def _show_nothing() -> None:
    """Show nothing."""


def check_name(name: str) -> None:
    """Raise a `UsageError` unless a variable can have that name."""
    from IPython.core.error import UsageError

    if not name.isidentifier() or keyword.iskeyword(name):
        what = f"--as: {name!r} is no name for a variable."
        raise UsageError(what)


def inject(shell: InteractiveShell, name: str, client: object) -> str:
    """Bind a client to a variable of the user's; safe from any thread.

    Parameters
    ----------
    shell
        Whose variable.
    name
        Checked before.
    client
        What it will be.

    Returns
    -------
    A sentence about what was replaced, or "".

    """
    with _USER_NAMESPACE:
        old = shell.user_ns.get(name)
        shell.push({name: client})
    if old is None or type(old).__module__.startswith(_OURS):
        return ""
    return f"{name} was your {type(old).__name__}; now it is the platform's client."
