"""Where a broker rests its sessions.

A store keeps one `Record` per profile and offers a lock per profile, held while a refresh token is
used. Others come from the entry point group ``platform_auth.stores``: a function that takes the
directory for its files and returns a `Store`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ...errors import ConfigError, PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from ..record import Record

VARIABLE: Final = "PLATFORM_AUTH_STORE"
"""Names the store of programs that have no Jupyter server to ask; ``file`` when unset."""

BUILT_IN: Final = ("file", "keyring", "memory")
"""The stores that are always there."""


async def rest(store: Store, record: Record) -> None:
    """Put a record into a store.

    Where that fails it is logged and no more: the tokens are good until this process ends, and the
    refresh token they came from may be used up.
    """
    try:
        await store.save(record)
    except Exception as error:
        import logging  # late: see `session_files`

        log = logging.getLogger("platform_auth")
        known = isinstance(error, PlatformAuthError)
        what = "%s: signed in, but not saved: a restart will end it (%s)"
        log.warning(what, record.profile, error, exc_info=not known)


class Hold(Protocol):
    """A store's lock while it is held, where it may be lost."""

    def assure(self) -> None:
        """Make sure that it lasts as long as a request that is sent now; raise where it may not."""


def assure(held: object) -> None:
    """Make sure of a lock before a refresh token is sent under it; most cannot be lost."""
    if hasattr(held, "assure"):
        held.assure()


def is_inherited(held: object) -> bool:
    """Tell whether whoever held a lock before died with it, perhaps with an answer in hand."""
    return bool(getattr(held, "is_inherited", False))


class Store(Protocol):
    """What a broker needs of a store."""

    @property
    def key_source(self) -> str | None:
        """``environment``, ``keyring`` or ``file``, where the key comes from, once one was needed.

        ``memory`` where nothing is encrypted, because nothing is at rest.
        """

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None."""

    async def save(self, record: Record) -> None:
        """Keep a record; when this returns it would survive whatever the store promises to."""

    async def delete(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine."""

    def lock(self, profile: str) -> AbstractAsyncContextManager[object]:
        """Return a lock that one holder in the store's whole reach can have.

        What it is entered with is a `Hold`, where the lock may be lost meanwhile.
        """

    def stamp(self, profile: str) -> Hashable:
        """Return what differs once the profile's record has changed; asked at every call."""

    def notice(self, profile: str) -> str | None:
        """Return what people must know of a profile's record: that a restart will end it."""

    def describe(self) -> str:
        """Return, in a few words, where records rest and what protects them."""


def open_store(name: str, directory: Path | None = None) -> Store:
    """Return the store of a name.

    Parameters
    ----------
    name
        ``file``, ``keyring``, ``memory``, or an entry point's.
    directory
        For its files, made when it is needed; `sessions_directory` when omitted.

    Raises
    ------
    ConfigError
        There is no such store, or its keys are malformed.

    """
    if name == "memory":
        from .memory import MemoryStore

        return MemoryStore()
    from pathlib import Path

    from .directory import sessions_directory

    directory = directory or Path(sessions_directory())
    if name == "file":
        from .file import FileStore

        return FileStore(directory)
    if name == "keyring":
        from .keyring import KeyringStore

        return KeyringStore(directory)
    return _other(name)(directory)


def _other(name: str) -> Callable[[Path], Store]:
    from importlib.metadata import entry_points

    others = {point.name: point for point in entry_points(group="platform_auth.stores")}
    if name not in others:
        known = ", ".join(sorted({*BUILT_IN, *others}))
        raise ConfigError(f"There is no store {name!r}.", fix=f"Use one of: {known}.")
    found: Callable[[Path], Store] = others[name].load()
    return found
