"""What a store is given to keep, and a keyring to keep it in."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend

from platform_auth.broker.record import Record
from platform_auth.oauth.identity import Identity
from platform_auth.oauth.tokens import TokenSet
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

REFRESH = "the-refresh-token-that-nobody-may-see"


def make_record(profile: str = "prod", generation: int = 1, issued_at: float = 0) -> Record:
    """Return the record of a sign-in."""
    tokens = TokenSet(
        access_token=Secret(f"access-{generation}"),
        expires_in=300,
        refresh_token=Secret(REFRESH),
        id_token=Secret("id"),
        scopes=("openid", "api"),
        identity=Identity("https://id.example", "ada", "Ada", "ada@example.com", None),
    )
    now = issued_at or time.time()
    return Record(profile, "realm", "pkce", tokens, now, time.monotonic() + 300, generation)


class Ring(KeyringBackend):
    """A keyring in memory, as protected as the priority says."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.longest = 100_000
        self.unlocked = threading.Event()  # while it is not, whoever asks waits for somebody
        self.unlocked.set()

    @property
    def name(self) -> str:
        """What people know it by."""
        return "Ring"

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        self.unlocked.wait()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep what fits."""
        self.unlocked.wait()
        self.kept[service, username] = password[: self.longest]

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        self.unlocked.wait()
        del self.kept[service, username]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    """Be on a machine with a keyring."""
    found = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: found)
    yield found
    found.unlocked.set()  # nobody may wait for ever
