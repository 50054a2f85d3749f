"""A whole life with everything logged, and then a search for what must not be found."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from platform_auth.broker.access_token import fingerprint
from platform_auth.broker.attempt import Binding
from platform_auth.broker.audit import AuditFile, AuditLog
from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.listener import Listener
from platform_auth.broker.protocol import Protocol
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.source import TokenSource
from platform_auth.clients.http import http_client
from platform_auth.config import Profiles
from platform_auth.errors import PlatformAuthError
from platform_auth.oauth import redaction
from platform_auth.sandbox import Sandbox
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_auth.broker.session import Session

CALLBACK = "http://127.0.0.1:8888/platform-auth/callback"
HERE = Binding("browser-0f3c1d5e7a", "ada")
ONE_TIME = ("code", "state", "nonce")


class Life:
    """Everything that happens, what was secret in it, and what was seen."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self.sandbox = sandbox
        self.profiles = sandbox.profiles()
        profiles = Profiles(admin=self.profiles, user_file=None, flyte=False)
        self.audit = directory / "audit" / "audit.jsonl"
        log = AuditLog(AuditFile(self.audit))
        self.broker = Broker(profiles, Redirects("/platform-auth/login"), observer=log)
        self.listener = Listener(self.broker, directory)
        self.secrets = {
            HERE.browser,
            self.profiles["demo-service"]["oauth"]["client_secret"],
        }
        self.seen: list[str] = []
        self.errors: list[BaseException] = []

    async def live(self) -> None:
        """Sign in, use, refresh, fail in several ways and sign out."""
        self.listener.start()
        _address, key = self.listener.environment.values()
        self.secrets.add(_text(key))
        try:
            await self.fail(self.broker.token("demo"))
            await self.sign_in()
            await asyncio.to_thread(self.use)
            await self.fail(self.sign_in(approve=False))
            await self.fail(self.sign_in("grace"))
            await self.fail(self.broker.complete(f"{CALLBACK}?code=x&state=y", HERE))
            await self.refresh()
            await self.broker.token("demo-service")
            self.note(await self.broker.session("demo-service"))
            await self.look()
            await self.end()
            await self.look()
        finally:
            self.listener.stop()
            await self.broker.close()

    async def sign_in(self, who: str = "ada", *, approve: bool = True) -> None:
        url = await self.broker.begin("demo", CALLBACK, HERE)
        back = await asyncio.to_thread(self.sandbox.sign_in_scripted, url, who, approve=approve)
        for address in (url, back):
            fields = dict(parse_qsl(urlsplit(address).query))
            self.secrets |= {fields[name] for name in ONE_TIME if name in fields}
        session = await self.broker.session("demo")
        self.look_at(session)
        await self.broker.complete(back, HERE)
        self.note(session)

    async def refresh(self) -> None:
        token = await self.broker.token("demo")
        await self.broker.token("demo", stale=token.fingerprint)
        self.note(await self.broker.session("demo"))

    async def end(self) -> None:
        """Let the provider forget everybody: the next refresh ends the session."""
        session = await self.broker.session("demo")
        assert session.record is not None
        used_up = dataclasses.replace(
            session.record.tokens, refresh_token=Secret("used-up-5b1d7f2c")
        )
        session.record = dataclasses.replace(session.record, tokens=used_up)
        self.secrets.add("used-up-5b1d7f2c")
        token = session.record.tokens.access_token
        await self.fail(self.broker.token("demo", stale=fingerprint(token)))
        await self.sign_in()
        await self.broker.sign_out("demo")

    def use(self) -> None:
        """Be a kernel."""
        channel = SocketChannel(*self.listener.environment.values())
        client = BrokerClient(channel)
        source = TokenSource(client, "demo")
        config = self.broker.profiles.get("demo").config
        with http_client(config, source) as http:
            assert http.get("/api/v1/projects").status_code == 200
            self.sandbox.revoke_access_tokens()
            assert http.get("/api/v1/projects").status_code == 200
            self.seen += [repr(each) for each in (http, source, client, channel, source.token())]
        try:
            client.complete("demo", f"{CALLBACK}?code=x&state=y")
        except PlatformAuthError as error:
            self.errors.append(error)

    async def look(self) -> None:
        """Take what every face shows."""
        for private in (True, False):
            protocol = Protocol(self.broker, private=private)
            for path in ("/v1/profiles", "/v1/profiles/demo", "/v1/profiles/demo-service"):
                answer = await protocol.answer("GET", path, {}, {})
                self.seen.append(json.dumps(answer.body))
        self.seen += [repr(each) for each in reachable(self.broker)]
        self.seen += [repr(each) for each in reachable(self.listener)]

    def look_at(self, session: Session) -> None:
        self.seen += [repr(each) for each in reachable(session)]

    def note(self, session: Session) -> None:
        """Remember what must not be seen."""
        assert session.record is not None
        tokens = session.record.tokens
        held = (tokens.access_token, tokens.refresh_token, tokens.id_token)
        self.secrets |= {each.reveal() for each in held if each is not None}

    async def fail(self, work: Any) -> None:
        with pytest.raises(PlatformAuthError) as caught:
            await work
        self.errors.append(caught.value)


def reachable(root: object) -> Iterator[object]:
    """Walk over our own objects, and through whatever holds them."""
    seen, waiting = set[int](), [root]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, str | bytes | int | float | type | None):
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple | set | frozenset):
            waiting += each
        elif type(each).__module__.startswith("platform_auth"):
            yield each
            waiting += getattr(each, "__dict__", {}).values()
            waiting += [getattr(each, name, None) for name in getattr(each, "__slots__", ())]


def _text(path: Path | str) -> str:
    return Path(path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Life, str]:
    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    lines: list[str] = []
    handler, root = Kept(logging.DEBUG), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    redaction.install()
    try:
        with Sandbox() as sandbox:
            life = Life(sandbox, tmp_path_factory.mktemp("runtime"))
            asyncio.run(life.live())
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return life, "\n".join(lines)


def found(secrets: set[str], text: str) -> list[str]:
    return [secret for secret in secrets if secret in text]


def test_there_was_something_to_find(life: tuple[Life, str]) -> None:
    lived, log = life
    assert len(lived.secrets) >= 20
    assert all(len(secret) >= 10 for secret in lived.secrets)
    assert "httpcore2" not in log or "connect_tcp" in log
    assert log.count("HTTP Request") > 20
    assert len(lived.errors) >= 6
    assert len(lived.seen) > 50


def test_no_secret_is_in_a_log(life: tuple[Life, str]) -> None:
    lived, log = life
    assert found(lived.secrets, log) == []


def test_no_secret_is_in_the_audit_log(life: tuple[Life, str]) -> None:
    lived, _log = life
    text = _text(lived.audit)
    assert {json.loads(line)["event"] for line in text.splitlines()} == {
        *("sign_in", "token", "refresh", "callback_refused", "sign_out", "revoke")
    }
    assert found(lived.secrets, text) == []
    fingerprints = {fingerprint(Secret(secret)) for secret in lived.secrets}
    assert found(fingerprints, text) == []


def test_no_secret_is_in_a_view_or_a_repr(life: tuple[Life, str]) -> None:
    lived, _log = life
    for text in lived.seen:
        assert found(lived.secrets, text) == [], text[:200]


def test_no_secret_is_in_an_error_or_its_traceback(life: tuple[Life, str]) -> None:
    lived, _log = life
    for error in lived.errors:
        assert isinstance(error, PlatformAuthError)
        report = traceback.TracebackException.from_exception(error)
        texts = (str(error), repr(error), json.dumps(error.to_dict()), *report.format())
        for text in texts:
            assert found(lived.secrets, text) == [], text[:200]
