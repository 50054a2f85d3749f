"""What an audit log says of a broker's life, and what it never says."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fakes.bench import CALLBACK, HERE, PROFILES, Bench
from fakes.provider import ISSUER, reply
from platform_auth.broker.access_token import fingerprint
from platform_auth.broker.attempt import Binding
from platform_auth.broker.audit import VARIABLE, AuditFile, AuditLog, audit_of_this_process
from platform_auth.broker.event import Event, Kind
from platform_auth.broker.protocol import Protocol
from platform_auth.config import Policy, Profiles
from platform_auth.errors import CallbackError, PlatformAuthError, TransportError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = {
    *("version", "time", "event", "host", "user", "pid", "profile", "platform", "who", "result"),
    *("reason", "token", "caller", "seconds", "notices"),
}
KERNEL = "kernel 0b2c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "audit.jsonl"


@pytest.fixture
def audited(path: Path) -> Bench:
    return Bench(observer=AuditLog(AuditFile(path)))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


async def fail(call: Any) -> None:
    with pytest.raises(PlatformAuthError):
        await call


async def live(bench: Bench) -> None:
    """Do everything that is put on record."""
    broker = bench.broker
    await bench.sign_in()
    protocol = Protocol(broker, private=True)
    for _ in range(3):
        await protocol.answer("GET", "/v1/profiles/prod/token", {}, {}, caller=KERNEL)
    bench.clock.advance(301)
    await broker.token("prod")
    bench.provider.next["token"].append(TransportError("down"))
    bench.clock.advance(301)
    await fail(broker.token("prod"))
    url = await broker.begin("prod", CALLBACK, HERE)
    back = bench.provider.authorize(url, error="access_denied", code=None)
    await fail(broker.complete(back, Binding("another browser", "eve")))
    await fail(broker.complete(back, HERE))
    for _ in range(3):
        await protocol.answer("GET", "/v1/profiles/dev", {}, {}, only=["prod"], caller=KERNEL)
    await broker.sign_out("prod")
    bench.provider.next["token"].append(reply({"access_token": "at-short", "expires_in": 60}))
    await bench.sign_in()
    await broker.token("prod")
    await bench.elapse(61)


class TestLines:
    def test_what_happens_is_on_record_once(self, audited: Bench, path: Path) -> None:
        audited.run(lambda: live(audited))
        found = [(each["event"], each["result"], each["caller"]) for each in lines(path)]
        assert found == [
            ("sign_in", "ok", None),
            ("token", "ok", KERNEL),
            ("refresh", "ok", None),
            ("refresh", "unreachable", None),
            ("callback_refused", "callback_invalid", "browser of eve"),
            ("sign_in", "access_denied", None),
            ("policy_refused", "policy_refused", KERNEL),
            ("sign_out", "ok", None),
            ("revoke", "ok", None),
            ("revoke", "ok", None),
            ("sign_in", "ok", None),
            ("expired", "invalid_grant", None),
        ]

    def test_every_line_has_the_same_members(self, audited: Bench, path: Path) -> None:
        audited.run(lambda: live(audited))
        for line in lines(path):
            assert set(line) == MEMBERS
            assert line["version"] == 1
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
            assert line["pid"] > 0
            assert line["host"]
            assert line["user"]
        [first, *_] = lines(path)
        assert (first["profile"], first["platform"]) == ("prod", "flyte.example.com")
        assert (first["who"], first["reason"], first["notices"]) == ("ada@example.com", None, [])

    def test_no_token_is_in_it_nor_a_hash_that_others_know(
        self, audited: Bench, path: Path
    ) -> None:
        audited.run(lambda: live(audited))
        text = "".join(each.read_text() for each in path.parent.glob("audit.jsonl*"))
        assert "CANARY" not in text
        assert HERE.browser not in text
        given = [f"{kind}-{n}-CANARY" for kind in ("at", "rt", "code") for n in range(10)]
        for each in (*given, "at-short"):
            assert each not in text
            assert fingerprint(Secret(each)) not in text

    def test_the_lines_of_one_token_can_be_told(self, audited: Bench, path: Path) -> None:
        audited.run(lambda: live(audited))
        by_event: dict[str, list[str]] = {}
        for line in lines(path):
            by_event.setdefault(line["event"], []).append(line["token"])
        assert by_event["sign_in"][0] == by_event["token"][0]
        assert by_event["refresh"][0] != by_event["sign_in"][0]
        assert by_event["sign_out"][0] == by_event["revoke"][1] != by_event["revoke"][0]
        assert by_event["callback_refused"] == [None]
        assert by_event["sign_in"][1] is None  # the denied one brought nothing

    def test_what_a_provider_grants_otherwise_is_there(self, audited: Bench, path: Path) -> None:
        async def work() -> None:
            tokens = audited.provider.tokens() | {"scope": "openid offline_access admin"}
            audited.provider.with_id_token = False
            audited.provider.next["token"].append(reply({**tokens, "id_token": None}))
            await audited.sign_in()

        audited.run(work)
        [line] = lines(path)
        assert "admin" in " ".join(line["notices"])

    def test_a_kernel_is_named_again_after_the_next_sign_in_only(
        self, audited: Bench, path: Path
    ) -> None:
        async def work() -> None:
            for _ in range(2):
                await audited.sign_in()
                for caller in (KERNEL, KERNEL, "kernel 77", ""):
                    await audited.broker.token("prod", caller=caller)
                audited.clock.advance(301)
                await audited.broker.token("prod", caller=KERNEL)  # a refresh is no news
                await audited.broker.sign_out("prod")

        audited.run(work)
        given = [each["caller"] for each in lines(path) if each["event"] == "token"]
        assert given == [KERNEL, "kernel 77"] * 2

    def test_a_policys_refusal_is_there_again_after_an_hour(self, path: Path) -> None:
        policy = Policy(allowed_endpoints=("*.corp.example",))
        profiles = Profiles(admin=PROFILES, policy=policy, user_file=None, flyte=False)
        bench = Bench(profiles, observer=AuditLog(AuditFile(path)))
        config = {"admin": {"endpoint": "evil.example.com"}, "oauth": {"issuer": ISSUER}}

        async def work() -> None:
            protocol = Protocol(bench.broker, private=True)
            for _ in range(2):
                for _ in range(5):
                    await protocol.answer("PUT", "/v1/profiles/mine", {}, {"config": config})
                    await protocol.answer("POST", "/v1/profiles/prod/sign-in", {}, {})
                bench.clock.advance(3601)

        bench.run(work)
        found = [(each["event"], each["profile"]) for each in lines(path)]
        assert found == [("policy_refused", "mine"), ("policy_refused", "prod")] * 2
        assert "evil.example.com" in lines(path)[0]["reason"]

    def test_nothing_that_others_say_ends_a_line_or_moves_a_cursor(self, path: Path) -> None:
        log = AuditLog(AuditFile(path))
        nasty = 'a\n\x1b[2J\u2028{"event": "forged"} token=abc Bearer abcdef é'
        log.happened(Event(Kind.SIGN_IN, nasty, "x", nasty * 100, who=nasty, caller=nasty))
        log.close()
        [line] = lines(path)
        assert path.read_bytes().count(b"\n") == 1
        assert b"\x1b" not in path.read_bytes()
        assert "abcdef" not in line["reason"]
        assert len(line["reason"]) <= 500


class TestDisk:
    """Nobody waits for it, and what it cannot take is counted."""

    def test_that_hangs_holds_up_neither_tokens_nor_the_loop(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file, gate = AuditFile(path), threading.Event()
        append = file.append
        monkeypatch.setattr(file, "append", lambda line: gate.wait(30) and append(line))
        bench = Bench(observer=AuditLog(file))

        async def work() -> None:
            began = time.monotonic()
            await bench.sign_in()
            await bench.broker.token("prod", caller=KERNEL)
            assert time.monotonic() - began < 5
            assert not gate.is_set()
            gate.set()

        bench.run(work)
        assert [each["event"] for each in lines(path)] == ["sign_in", "token"]

    def test_that_hangs_for_ever_fills_no_memory(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file, gate = AuditFile(path), threading.Event()
        append = file.append
        monkeypatch.setattr(file, "append", lambda line: gate.wait(30) and append(line))
        log = AuditLog(file)
        for _ in range(3000):
            log.happened(Event(Kind.REFRESH))
        gate.set()
        log.happened(Event(Kind.SIGN_OUT))
        log.close()
        found = lines(path)
        written = [each for each in found if each["event"] != "lost"]
        lost = sum(each["count"] for each in found if each["event"] == "lost")
        assert len(written) < 1100
        assert 1900 < lost <= 3001 - len(written)

    def test_that_is_full_is_told_once_and_what_is_missing_is_counted(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        file, faults = AuditFile(path), [OSError(28, "No space left on device")] * 3
        append = file.append

        def full(line: bytes) -> None:
            if faults:
                raise faults.pop()
            append(line)

        monkeypatch.setattr(file, "append", full)
        log = AuditLog(file)
        with caplog.at_level(logging.ERROR):
            for _ in range(4):
                log.happened(Event(Kind.REFRESH))
            log.close()
        assert caplog.text.count("is not written") == 1
        assert "No space left" in caplog.text
        first, second = lines(path)
        assert (first["event"], first["count"], second["event"]) == ("lost", 3, "refresh")

    def test_that_is_open_to_others_costs_the_log_and_no_sign_in(
        self, audited: Bench, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path.parent.mkdir(mode=0o755)

        async def work() -> None:
            await audited.sign_in()
            assert (await audited.broker.token("prod")).remaining > 200

        with caplog.at_level(logging.ERROR):
            audited.run(work)
        assert "others can get at it" in caplog.text
        assert not path.exists()


class TestForThisProcess:
    def test_it_is_in_the_persons_data_directory(self) -> None:
        log = audit_of_this_process({})
        assert log is not None
        assert log._file.path.parts[-3:] == ("platform-auth", "audit", "audit.jsonl")

    def test_it_can_be_elsewhere_or_nowhere(self, path: Path) -> None:
        log = audit_of_this_process({VARIABLE: str(path)})
        assert log is not None
        log.happened(Event(Kind.SIGN_IN))
        log.close()
        assert len(lines(path)) == 1
        assert audit_of_this_process({VARIABLE: "off"}) is None

    def test_a_forked_child_writes_its_own_lines(self, path: Path) -> None:
        subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS, path], check=True, timeout=60)
        assert sorted(each["caller"] for each in lines(path)) == ["child", "parent"]
        assert len({each["pid"] for each in lines(path)}) == 2


FORKS = """
import os, sys
from pathlib import Path
from platform_auth.broker.audit import AuditFile, AuditLog
from platform_auth.broker.event import Event, Kind

log = AuditLog(AuditFile(Path(sys.argv[1])))
log.happened(Event(Kind.SIGN_IN, caller="parent"))
child = os.fork()
if not child:
    log.happened(Event(Kind.SIGN_IN, caller="child"))
log.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_what_was_waiting_is_written_before_the_end(path: Path) -> None:
    log = AuditLog(AuditFile(path))
    for number in range(200):
        log.happened(replace(Event(Kind.REFRESH), seconds=float(number)))
    log.close()
    assert [each["seconds"] for each in lines(path)] == list(range(200))


def test_a_refused_callback_is_an_error_all_the_same(audited: Bench) -> None:
    async def work() -> None:
        with pytest.raises(CallbackError):
            await audited.broker.complete(f"{CALLBACK}?code=x&state=y", HERE)

    audited.run(work)
