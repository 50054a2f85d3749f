from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

PROFILES = "platform-auth/api/v1/profiles"
DEMO = f"{PROFILES}/demo"


async def test_lists_the_profiles(browser: Any, sandbox: Sandbox) -> None:
    answer = await browser.get(PROFILES)
    body = answer.json()

    assert answer.status_code == 200
    assert (body["version"], body["default"], body["problems"]) == (1, "demo", [])
    (view,) = body["profiles"]
    assert (view["profile"], view["state"], view["source"]) == ("demo", "signed_out", "admin")
    assert view["sign_in_url"] == "/a%40b/platform-auth/login?profile=demo"


@pytest.mark.parametrize("allowed", [True, False])
async def test_says_whether_there_may_be_profiles_of_ones_own(
    browser: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch, *, allowed: bool
) -> None:
    policy = replace(broker.profiles.policy, allow_user_profiles=allowed)
    monkeypatch.setattr(broker.profiles, "_policy", policy)
    assert (await browser.get(PROFILES)).json()["can_add"] is allowed


@pytest.mark.parametrize("chosen", ["", "demo"])
async def test_says_whether_ones_own_choice_of_a_default_counts(
    browser: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch, *, chosen: str
) -> None:
    monkeypatch.setattr(broker.profiles, "_user_path", lambda: Path("profiles.yaml"))
    monkeypatch.setattr(broker.profiles, "_default", chosen)
    assert (await browser.get(PROFILES)).json()["can_choose"] is not bool(chosen)


@pytest.mark.parametrize("path", [PROFILES, f"{PROFILES}/demo", f"{PROFILES}/demo/qr"])
async def test_answers_stay_out_of_caches(browser: Any, path: str) -> None:
    answer = await browser.get(path)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "etag" not in answer.headers


async def test_signs_in_up_to_the_challenge_and_cancels(browser: Any) -> None:
    asked = await browser.post(f"{DEMO}/sign-in", json={})
    assert asked.json()["state"] == "signing_in"
    assert asked.json()["challenge"]["url"] == "/a%40b/platform-auth/login?profile=demo"

    cancelled = await browser.post(f"{DEMO}/cancel")
    assert cancelled.json()["state"] == "signed_out"


async def test_signs_out(browser: Any, sandbox: Sandbox) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    assert (await browser.session())["state"] == "signed_in"

    assert (await browser.post(f"{DEMO}/sign-out")).json()["state"] == "signed_out"
    assert (await browser.session())["state"] == "signed_out"


async def test_a_long_poll_ends_with_the_next_change(browser: Any) -> None:
    before = await browser.session()
    poll = asyncio.create_task(browser.get(f"{DEMO}?since={before['revision']}&wait=20"))
    # As the poll came first, it sees the change or the revision after it: never the wait's end.
    await browser.post(f"{DEMO}/sign-in", json={})
    async with asyncio.timeout(5):
        answer = await poll

    assert answer.json()["state"] == "signing_in"
    assert answer.json()["revision"] > before["revision"]


async def test_a_long_poll_ends_with_its_wait(browser: Any) -> None:
    before = await browser.session()
    async with asyncio.timeout(5):
        answer = await browser.get(f"{DEMO}?since={before['revision']}&wait=0.05")

    assert answer.json()["revision"] == before["revision"]


async def test_the_private_calls_do_not_exist(
    browser: Any, sandbox: Sandbox, broker: Broker
) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    token = (await broker.token("demo")).value.reveal()
    config = {"config": {"admin": {"endpoint": "127.0.0.1:1"}}}
    for method, path, body in (
        ("GET", f"{DEMO}/token", None),
        ("GET", f"{DEMO}/token?min_ttl=1", None),
        ("POST", f"{DEMO}/token", {}),
        ("PUT", f"{PROFILES}/mine", config),
    ):
        answer = await browser.http.request(method, path, json=body, headers=browser.xsrf)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_call"), path
        assert token not in answer.text
    assert broker.names() == ["demo"]


async def test_no_answer_holds_a_token(browser: Any, sandbox: Sandbox, broker: Broker) -> None:
    await browser.get(sandbox.sign_in_scripted(await browser.begin()))
    texts = [
        (await browser.get(PROFILES)).text,
        (await browser.get(DEMO)).text,
        (await browser.post(f"{DEMO}/sign-in", json={})).text,
    ]
    tokens = (await broker.session("demo")).record.tokens
    secrets = [tokens.access_token.reveal(), tokens.refresh_token.reveal()]

    assert all(text and secret not in text for text in texts for secret in secrets)


async def test_malformed_bodies_are_refused_in_the_shape_of_the_protocol(browser: Any) -> None:
    for body in (
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"flow": "' + b"x" * 70_000 + b'"}',
    ):
        answer = await browser.post(f"{DEMO}/sign-in", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request"), body


async def test_errors_have_the_shape_of_the_protocol(browser: Any) -> None:
    for path, status, code in (
        (f"{PROFILES}/nobody", 404, "profile_not_found"),
        ("platform-auth/api/v2/profiles", 404, "no_such_call"),
        (f"{DEMO}?since=x", 400, "bad_request"),
        (f"{DEMO}?since=%ff", 400, "bad_request"),
        (f"{PROFILES}/%2e%2e%2f%00", 404, "profile_not_found"),
    ):
        answer = await browser.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), path


async def test_without_the_xsrf_header_nothing_changes(browser: Any) -> None:
    answer = await browser.http.post(f"{DEMO}/sign-in", json={})

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "broker_refused"
    assert (await browser.session())["state"] == "signed_out"


async def test_another_site_is_refused(browser: Any) -> None:
    answer = await browser.post(
        f"{DEMO}/sign-in", json={}, headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code in {403, 404}
    assert (await browser.session())["state"] == "signed_out"


async def test_a_token_in_the_header_serves_programs(jp_fetch: Any) -> None:
    answer = await jp_fetch(f"{DEMO}/sign-in", method="POST", body="{}")

    assert json.loads(answer.body)["state"] == "signing_in"


async def test_polls_do_not_keep_a_server_from_being_culled(
    browser: Any, jp_serverapp: ServerApp
) -> None:
    await browser.get(DEMO)
    assert "api_last_activity" not in jp_serverapp.web_app.settings

    await browser.post(f"{DEMO}/cancel")
    assert "api_last_activity" in jp_serverapp.web_app.settings
