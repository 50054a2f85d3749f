"""Where a broker rests its sessions.

A store keeps one `Record` per profile and offers a lock per profile, held while a refresh token is
used. Others come from the entry point group ``platform_auth.stores``: a function that takes the
directory for its files and returns a `Store`.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ...errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from contextlib import AbstractAsyncContextManager

    from ..record import Record

log = logging.getLogger("platform_auth")

VARIABLE: Final = "PLATFORM_AUTH_STORE"
"""Names the store of programs that have no Jupyter server to ask; ``file`` when unset."""

BUILT_IN: Final = ("file", "memory")
"""The stores that are always there."""


async def rest(store: Store, record: Record) -> None:
    """Put a record into a store.

    Where that fails it is logged and no more: the tokens are good until this process ends, and the
    refresh token they came from may be used up.
    """
    try:
        await store.save(record)
    except Exception:
        log.exception("%s: signed in, but not saved: a restart will end it", record.profile)


class Store(Protocol):
    """What a broker needs of a store."""

    async def load(self, profile: str) -> Record | None:
        """Return the record of a profile, or None."""

    async def save(self, record: Record) -> None:
        """Keep a record; when this returns it would survive whatever the store promises to."""

    async def delete(self, profile: str) -> None:
        """Forget a profile; unknown ones are fine."""

    def lock(self, profile: str) -> AbstractAsyncContextManager[object]:
        """Return a lock that one holder in the store's whole reach can have."""

    def stamp(self, profile: str) -> Hashable:
        """Return what differs once the profile's record has changed; asked at every call."""

    def describe(self) -> str:
        """Return, in a few words, where records rest and what protects them."""


def sessions_directory() -> Path:
    """Return where the files of a person's sessions are: in their Jupyter data directory."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "platform-auth" / "sessions"


def open_store(name: str, directory: Path | None = None) -> Store:
    """Return the store of a name.

    Parameters
    ----------
    name
        ``file``, ``memory``, or an entry point's.
    directory
        For its files, made when it is needed; `sessions_directory` when omitted.

    Raises
    ------
    ConfigError
        There is no such store, or its keys are malformed.

    """
    directory = directory or sessions_directory()
    if name == "memory":
        from .memory import MemoryStore

        return MemoryStore()
    if name == "file":
        from .file import FileStore

        return FileStore(directory)
    others = {point.name: point for point in entry_points(group="platform_auth.stores")}
    if name not in others:
        known = ", ".join(sorted({*BUILT_IN, *others}))
        raise ConfigError(f"There is no store {name!r}.", fix=f"Use one of: {known}.")
    store: Store = others[name].load()(directory)
    return store
