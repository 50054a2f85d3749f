from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

from platform_auth.broker.audit import default_path
from platform_auth.server.app import PlatformAuth

if TYPE_CHECKING:
    from pathlib import Path

    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox


async def _lines(broker: Broker, path: Path) -> list[dict[str, Any]]:
    broker._observer.close()  # what is waiting is written
    return [json.loads(line) for line in await asyncio.to_thread(_read, path)]


def _read(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


class TestUsual:
    async def test_a_sign_in_in_the_browser_is_on_record(
        self, browser: Any, sandbox: Sandbox, broker: Broker
    ) -> None:
        address = sandbox.sign_in_scripted(await browser.begin())
        await browser.get(address.replace("state=", "state=x"))
        await browser.get(address)
        refused, signed_in = await _lines(broker, default_path())
        assert (refused["event"], refused["result"]) == ("callback_refused", "callback_invalid")
        assert refused["caller"] == "browser"
        assert (signed_in["event"], signed_in["result"]) == ("sign_in", "ok")
        assert (signed_in["profile"], signed_in["who"]) == ("demo", "ada@example.com")

    async def test_the_expiry_of_what_is_in_use_is_a_metric(
        self, browser: Any, sandbox: Sandbox, broker: Broker
    ) -> None:
        name = "platform_auth_token_expiry_seconds"
        assert REGISTRY.get_sample_value(name) != REGISTRY.get_sample_value(name)  # NaN
        await browser.get(sandbox.sign_in_scripted(await browser.begin()))
        token = await broker.token("demo")
        seconds = REGISTRY.get_sample_value(name)
        assert seconds == pytest.approx(token.remaining, abs=5)
        page = (await browser.get("metrics")).text
        assert f"\n{name} " in page


class TestElsewhere:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Any:
        path = str(tmp_path / "records" / "pa.jsonl")
        return {"audit_file": path, "audit_max_bytes": 4096, "audit_files": 1}

    async def test_it_is_where_and_as_large_as_the_administrator_says(
        self, browser: Any, sandbox: Sandbox, broker: Broker, tmp_path: Path
    ) -> None:
        for _ in range(20):
            await browser.get(sandbox.sign_in_scripted(await browser.begin("demo&force=1")))
        path = tmp_path / "records" / "pa.jsonl"
        assert await _lines(broker, path)
        sizes = {each.name: each.stat().st_size for each in path.parent.glob("pa.jsonl*")}
        assert set(sizes) == {"pa.jsonl", "pa.jsonl.1"}
        assert max(sizes.values()) <= 4096
        assert not default_path().exists()


class TestOff:
    @pytest.fixture
    def settings(self) -> Any:
        return {"audit": False}

    async def test_nothing_is_on_record(
        self, browser: Any, sandbox: Sandbox, broker: Broker
    ) -> None:
        await browser.get(sandbox.sign_in_scripted(await browser.begin()))
        assert await _lines(broker, default_path()) == []


class TestPolicy:
    @pytest.fixture
    def settings(self) -> Any:
        return {"allowed_endpoints": ["*.corp.example"]}

    async def test_what_it_refuses_a_browser_is_on_record_once(
        self, browser: Any, broker: Broker
    ) -> None:
        for _ in range(3):
            await browser.get("platform-auth/login?profile=demo")
        [line] = await _lines(broker, default_path())
        assert (line["event"], line["profile"]) == ("policy_refused", "demo")
        assert line["caller"] == "browser"


def test_the_settings_are_those_of_the_extension() -> None:
    own = {"audit", "audit_file", "audit_max_bytes", "audit_files"}
    traits = PlatformAuth.class_traits(config=True)
    assert own <= set(traits)
    assert all("Default: " in traits[name].help for name in own)
