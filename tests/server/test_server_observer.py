from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

from platform_auth.server import server_observer
from platform_auth.server.events import SESSION_SCHEMA_ID

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox


def _count(name: str, result: Any) -> Any:
    return REGISTRY.get_sample_value(f"platform_auth_{name}_total", {"result": result}) or 0


@pytest.fixture
def emitted(jp_serverapp: ServerApp) -> Any:
    events = []

    async def listen(logger: Any, schema_id: Any, data: Any) -> Any:
        events.append(data)

    logger = jp_serverapp.event_logger
    logger.add_listener(schema_id=SESSION_SCHEMA_ID, listener=listen)
    return events


async def test_a_sign_in_emits_its_states(
    browser: Any, sandbox: Sandbox, emitted: Any, jp_serverapp: ServerApp
) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    await jp_serverapp.event_logger.gather_listeners()
    states = [event["state"] for event in emitted]
    revisions = [event["revision"] for event in emitted]

    assert states[0] == "signing_in"
    assert states[-1] == "signed_in"
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == (await browser.session())["revision"]


async def test_an_event_names_no_person(
    browser: Any, sandbox: Sandbox, emitted: Any, jp_serverapp: ServerApp
) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    await jp_serverapp.event_logger.gather_listeners()

    assert emitted
    assert {key for event in emitted for key in event if not key.startswith("__")} == {
        "profile",
        "state",
        "revision",
    }
    assert "ada" not in json.dumps(emitted)


async def test_an_event_that_fails_stops_no_sign_in(
    browser: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(logger: Any, session: Any) -> Any:
        raise ValueError("a listener of somebody else's")

    monkeypatch.setattr(server_observer.events, "emit_session", fail)
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))

    assert (await browser.session())["state"] == "signed_in"


async def test_sign_ins_are_counted_by_how_they_end(browser: Any, sandbox: Sandbox) -> None:
    names = ("ok", "access_denied", "cancelled")
    before = {name: _count("sign_ins", name) for name in names}
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    await browser.get(sandbox.sign_in_scripted(await browser.begin("demo&force=1"), approve=False))
    await browser.begin("demo&force=1")
    await browser.post("platform-auth/api/v1/profiles/demo/cancel")
    await asyncio.sleep(0)

    assert {name: _count("sign_ins", name) - before[name] for name in names} == {
        "ok": 1,
        "access_denied": 1,
        "cancelled": 1,
    }


async def test_tokens_and_refreshes_are_counted(
    browser: Any, sandbox: Sandbox, broker: Broker
) -> None:
    seconds = "platform_auth_refresh_seconds_count"
    before = [_count("token_requests", "ok"), _count("refreshes", "ok")]
    timed = REGISTRY.get_sample_value(seconds)
    refused = _count("token_requests", "sign_in_required")
    with pytest.raises(Exception, match="not signed in"):
        await broker.token("demo")
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    token = await broker.token("demo")
    await broker.token("demo", stale=token.fingerprint)

    assert [_count("token_requests", "ok"), _count("refreshes", "ok")] == [
        before[0] + 2,
        before[1] + 1,
    ]
    assert _count("token_requests", "sign_in_required") == refused + 1
    assert REGISTRY.get_sample_value(seconds) == timed + 1


async def test_the_server_shows_the_metrics_without_names(browser: Any, sandbox: Sandbox) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    page = (await browser.get("metrics")).text
    ours = [line for line in page.splitlines() if line.startswith("platform_auth_")]

    assert any(line.startswith('platform_auth_sign_ins_total{result="ok"}') for line in ours)
    assert not [line for line in ours if "demo" in line or "ada" in line]
