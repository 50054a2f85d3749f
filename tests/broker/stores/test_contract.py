"""Every store of ours keeps the contract that others are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_auth.broker.stores import open_store
from platform_auth.broker.stores.file import FileStore
from platform_auth.testing.stores import StoreContract

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.saved import Ring
    from platform_auth.broker.stores import Store


class TestFileStore(StoreContract):
    def open(self, directory: Path) -> Store:
        return FileStore(directory, keyring=False)


class TestKeyringStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _keyring(self, ring: Ring) -> None:
        """Be on a machine with one."""

    def open(self, directory: Path) -> Store:
        return open_store("keyring", directory)


class TestMemoryStore(StoreContract):
    shared = False

    def open(self, directory: Path) -> Store:
        return open_store("memory", directory)
