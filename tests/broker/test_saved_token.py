"""A token straight from the store: as good as the broker's, or none."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.saved import make_record
from platform_auth.broker import realm as realm_module
from platform_auth.broker.realm import realm_of
from platform_auth.broker.saved_token import PREFIXES, saved_token
from platform_auth.broker.stores.directory import sessions_directory
from platform_auth.broker.stores.file import FileStore
from platform_auth.broker.stores.keys import VARIABLE
from platform_auth.config import Profiles
from platform_auth.config.entries import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600


def profile(**changes: Any) -> dict[str, Any]:
    """Return the shape of a profile."""
    admin = {"endpoint": "https://flyte.example", "authType": "Pkce", "clientId": "us"}
    oauth = {"issuer": "https://id.example"}
    for name, value in changes.items():
        (admin if name in admin else oauth)[name] = value
    return {"admin": admin, "oauth": oauth}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that writes the profiles, long ago."""
    path = tmp_path / "profiles.yaml"
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(path))
    ages = iter(range(HOUR, 0, -1))

    def written(**profiles: dict[str, Any]) -> Path:
        path.write_text(json.dumps({"profiles": profiles}))
        path.chmod(0o600)
        before = time.time() - next(ages)
        os.utime(path, (before, before))
        return path

    written(prod=profile())
    return written


def keep(name: str = "prod", **changes: Any) -> None:
    """Save a sign-in to what the profile is now."""
    realm = realm_of(Profiles().get(name).config)
    record = replace(make_record(name), **{"realm": realm, "issued_at": time.time(), **changes})
    asyncio.run(FileStore(Path(sessions_directory())).save(record))


def notes() -> list[Path]:
    return sorted(Path(sessions_directory()).glob("*.note"))


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows each time somebody looks up what a profile is."""
    times: list[str] = []

    def counted(config: Any) -> str:
        times.append("once")
        return realm_of(config)

    monkeypatch.setattr(realm_module, "realm_of", counted)
    return times


def test_it_is_what_the_broker_would_say(write: Callable[..., Path]) -> None:
    keep(issued_at=time.time() - 100)
    answer = saved_token("prod", 60)
    assert answer is not None
    assert answer.pop("expires_in") == pytest.approx(200, abs=5)
    assert answer.pop("expires_at") == pytest.approx(time.time() + 200, abs=5)
    assert answer == {
        "access_token": "access-1", "token_type": "Bearer", "header": "authorization"
    }  # fmt: skip


def test_what_a_profile_is_gets_looked_up_once(
    write: Callable[..., Path], looked_up: list[str]
) -> None:
    keep()
    assert saved_token("prod", 60)
    assert saved_token("prod", 60)
    assert looked_up == ["once"]
    [note] = notes()
    assert note.stat().st_mode & 0o777 == 0o600
    assert b"flyte.example" not in note.read_bytes()


def test_a_configuration_that_was_just_written_is_not_noted(
    write: Callable[..., Path], looked_up: list[str]
) -> None:
    """It may be written again within the same tick of the file system's clock."""
    os.utime(write(prod=profile()))
    keep()
    assert saved_token("prod", 60)
    assert saved_token("prod", 60)
    assert looked_up == ["once"] * 2
    assert notes() == []


def move(write: Callable[..., Path], _: pytest.MonkeyPatch) -> None:
    write(prod=profile(endpoint="https://elsewhere.example"))


def hide(_write: Callable[..., Path], patch: pytest.MonkeyPatch) -> None:
    other = Path(os.environ["PLATFORM_AUTH_CONFIG"]).with_name("other.yaml")
    other.write_text(json.dumps({"profiles": {"prod": profile(issuer="https://evil.example")}}))
    patch.setenv("PLATFORM_AUTH_CONFIG", str(other))


def remove(_write: Callable[..., Path], _: pytest.MonkeyPatch) -> None:
    Path(os.environ["PLATFORM_AUTH_CONFIG"]).unlink()


def break_it(_write: Callable[..., Path], _: pytest.MonkeyPatch) -> None:
    Path(os.environ["PLATFORM_AUTH_CONFIG"]).write_text("{")


@pytest.mark.parametrize("change", [move, hide, remove, break_it])
def test_a_token_does_not_follow_the_name_of_its_profile(
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Callable[..., Path], pytest.MonkeyPatch], None],
) -> None:
    keep()
    assert saved_token("prod", 60)
    assert notes()
    change(write, monkeypatch)
    assert saved_token("prod", 60) is None


def test_a_change_that_changes_nothing_is_noted_anew(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, looked_up: list[str]
) -> None:
    keep()
    saved_token("prod", 60)
    write(prod=profile(), dev=profile())
    assert saved_token("prod", 60)
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "https://flyte.example")
    assert saved_token("prod", 60)
    assert saved_token("prod", 60)
    assert looked_up == ["once"] * 3


def test_a_file_that_appears_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, looked_up: list[str]
) -> None:
    """Flyte's own, which stands behind the user's profiles."""
    home = Path(os.environ["HOME"]) / ".flyte"
    home.mkdir()
    (home / "config.yaml").write_text("admin: {endpoint: flyte.example, authType: Pkce}")
    before = time.time() - HOUR
    os.utime(home / "config.yaml", (before, before))
    keep("default")
    assert saved_token("default", 60)
    assert notes()
    (home / "config").write_text("[platform]\nurl = other.example\n")
    assert saved_token("default", 60) is None


def test_every_variable_that_a_profile_can_depend_on_counts() -> None:
    assert [entry.variable for entry in ENTRIES if not entry.variable.startswith(PREFIXES)] == []


@pytest.mark.parametrize(
    ("age", "min_ttl", "serves"),
    [
        (0, 60, True),
        (230, 60, True),
        (250, 60, False),
        (250, 10, True),
        (301, 0, False),
        (-HOUR, 60, True),
    ],
)
def test_how_long_it_must_live_is_as_for_the_broker(
    write: Callable[..., Path], age: float, min_ttl: float, serves: bool
) -> None:
    keep(issued_at=time.time() - age)
    answer = saved_token("prod", min_ttl)
    assert (answer is not None) == serves
    if answer is not None:  # a clock that was set back prolongs nothing
        assert answer["expires_in"] <= 300


def test_the_header_is_the_platforms_unless_the_profile_says(
    write: Callable[..., Path],
) -> None:
    keep(header="flyte-authorization")
    answer = saved_token("prod", 60)
    assert answer is not None
    assert answer["header"] == "flyte-authorization"
    write(prod=profile(authorization_metadata_key="x-token"))
    for _ in range(2):
        answer = saved_token("prod", 60)
        assert answer is not None
        assert answer["header"] == "x-token"


def test_nobody_has_signed_in(write: Callable[..., Path]) -> None:
    assert saved_token("prod", 60) is None
    assert not Path(sessions_directory()).exists()  # asking leaves nothing behind


@pytest.mark.parametrize("store", ["memory", "keyring", "vault"])
def test_another_store_is_the_brokers_business(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    keep()
    monkeypatch.setenv("PLATFORM_AUTH_STORE", store)
    assert saved_token("prod", 60) is None


@pytest.mark.parametrize("damage", [b"", b"PA2" + bytes(60), b"PA1" + bytes(60), b"rubbish"])
def test_a_damaged_note_is_written_anew(
    write: Callable[..., Path], looked_up: list[str], damage: bytes
) -> None:
    keep()
    saved_token("prod", 60)
    [note] = notes()
    note.write_bytes(damage)
    assert saved_token("prod", 60)
    assert note.read_bytes() != damage
    assert looked_up == ["once"] * 2


def test_the_note_of_another_profile_says_nothing(write: Callable[..., Path]) -> None:
    """Nor does a saved session: each opens as what it is, and under its own name."""
    write(prod=profile(), dev=profile(endpoint="https://dev.example"))
    for name in ("prod", "dev"):
        keep(name)
        saved_token(name, 60)
    one, other = notes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(other.with_suffix(".session").read_bytes())
    write(prod=profile(issuer="https://moved.example"), dev=profile(issuer="https://moved.example"))
    assert saved_token("prod", 60) is None
    assert saved_token("dev", 60) is None


@pytest.mark.parametrize("fault", ["open to others", "damaged", "another key", "directory open"])
def test_what_cannot_be_used_is_for_the_broker_to_tell(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    keep()
    saved_token("prod", 60)
    [path] = Path(sessions_directory()).glob("*.session")
    if fault == "open to others":
        path.chmod(0o644)
    elif fault == "damaged":
        path.write_bytes(path.read_bytes()[:-1])
    elif fault == "another key":
        (path.parent / "key").unlink()
        monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(32)).decode())
    else:
        path.parent.chmod(0o755)
    assert saved_token("prod", 60) is None
