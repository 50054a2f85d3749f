"""The audit log of the Hub's service: everybody's sign-ins in one, at any replica."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import CALLBACK, HERE, PROFILES
from fakes.hub import key
from fakes.provider import reply
from platform_auth.broker.attempt import Binding
from platform_auth.config import Profiles
from platform_auth.errors import CallbackError, ConfigError, PlatformAuthError, UnsafeFileError
from platform_auth.hub.audit import AuditStream, SharedFingerprints, open_audit
from platform_auth.hub.keys import FileKeys
from platform_auth.hub.register import Register
from platform_auth.hub.settings import Settings
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.hub import HubBench
    from platform_auth.broker.audit import AuditLog


def settings(**given: Any) -> Settings:
    return Settings.of({"profiles": PROFILES, **given})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "audit.jsonl"


def opened(hub: HubBench, path: Path) -> AuditLog:
    (log,) = open_audit(settings(audit_file=str(path)), FileKeys(hub.key_file))
    return log


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_holds_who_did_what_and_at_which_replica(hub: HubBench, path: Path) -> None:
    logs = [opened(hub, path), opened(hub, path)]

    async def work() -> None:
        here, there = [await hub.replica(observer=each) for each in logs]
        register = Register(hub.databases[0], here)
        await hub.sign_in(here, "ada")
        await hub.sign_in(here, "bob")
        await (await there.broker("ada")).token("prod", caller="server of ada")
        await (await there.broker("ada")).sign_out("prod", caller="browser of ada")
        assert await register.revoke("bob", None, "administrator boss") == 1
        back = hub.provider.authorize(
            await (await here.broker("ada")).begin("prod", CALLBACK, HERE)
        )
        with pytest.raises(CallbackError):
            await (await here.broker("ada")).complete(back, Binding("another browser", "ada"))

    hub.run(work)
    for each in logs:
        each.close()
    written = lines(path)
    told = {(line["event"], line["user"], line["caller"], line["result"]) for line in written}
    assert told == {
        ("sign_in", "ada", None, "ok"),
        ("sign_in", "bob", None, "ok"),
        ("token", "ada", "server of ada", "ok"),
        ("sign_out", "ada", "browser of ada", "ok"),
        ("revoke", "ada", "browser of ada", "ok"),
        ("sign_out", "bob", "administrator boss", "ok"),
        ("revoke", "bob", "administrator boss", "ok"),
        ("callback_refused", "ada", "browser of ada", "callback_invalid"),
    }
    assert {(line["host"], line["pid"]) for line in written} == {
        (socket.gethostname(), os.getpid())
    }
    of_ada = {line["token"] for line in written if line["event"] in {"sign_in", "token"}}
    assert len(of_ada - {None}) == 2  # ada's at both replicas, and bob's
    assert not [secret for secret in hub.provider.secrets if secret in path.read_text()]


def test_a_refresh_that_fails_is_in_it(hub: HubBench, path: Path) -> None:
    log = opened(hub, path)

    async def work() -> None:
        people = await hub.replica(observer=log)
        await hub.sign_in(people)
        hub.clock.advance(301)
        hub.provider.next["token"].append(reply({"error": "invalid_grant"}, 400))
        with pytest.raises(PlatformAuthError):
            await (await people.broker("ada")).token("prod")

    hub.run(work)
    log.close()
    (refresh,) = (line for line in lines(path) if line["event"] == "refresh")
    assert (refresh["user"], refresh["profile"]) == ("ada", "prod")
    assert refresh["result"] != "ok"
    assert refresh["reason"]


def test_a_revocation_is_in_it_when_its_profile_has_been_taken_away(
    hub: HubBench, path: Path
) -> None:
    log = opened(hub, path)

    async def work() -> None:
        await hub.sign_in(await hub.replica())
        left = {name: shape for name, shape in PROFILES.items() if name != "prod"}
        profiles = Profiles(admin=left, user_file=None, flyte=False)
        people = await hub.replica(profiles=profiles, observer=log)
        await Register(hub.databases[1], people).revoke("ada", "prod", "administrator boss")

    hub.run(work)
    log.close()
    (line,) = lines(path)
    assert (line["event"], line["user"], line["profile"]) == ("sign_out", "ada", "prod")
    assert line["caller"] == "administrator boss"


def test_on_a_stream_each_line_is_whole(tmp_path: Path) -> None:
    there = tmp_path / "stream"
    descriptor = os.open(there, os.O_WRONLY | os.O_CREAT)
    stream = AuditStream(descriptor)
    for line in (b'{"a": 1}', b'{"b": 2}'):
        stream.append(line)
    os.close(descriptor)
    assert there.read_bytes() == b'{"a": 1}\n{"b": 2}\n'


def test_it_is_off_unless_it_is_asked_for(hub: HubBench) -> None:
    keys = FileKeys(hub.key_file)
    assert open_audit(settings(), keys) == []
    assert len(open_audit(settings(audit_file="-"), keys)) == 1


def test_where_it_cannot_be_is_said_at_once(hub: HubBench, tmp_path: Path) -> None:
    keys = FileKeys(hub.key_file)
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(UnsafeFileError):
        open_audit(settings(audit_file=str(tmp_path / "open" / "audit.jsonl")), keys)
    with pytest.raises(ConfigError, match="Correct audit_file"):
        open_audit(settings(audit_file=str(hub.key_file / "below" / "audit.jsonl")), keys)
    for given in ({"audit_file": ""}, {"audit_files": -1}, {"audit_max_bytes": "many"}):
        with pytest.raises(ConfigError, match="audit_"):
            settings(**given)


def test_fingerprints_say_nothing_of_tokens_under_another_key(
    hub: HubBench, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text(key(7))
    token = Secret("at-CANARY")
    one, two = (SharedFingerprints(FileKeys(file)) for file in (hub.key_file, hub.key_file))
    assert one.fingerprint(token) == two.fingerprint(token)
    assert SharedFingerprints(FileKeys(other)).fingerprint(token) != one.fingerprint(token)
