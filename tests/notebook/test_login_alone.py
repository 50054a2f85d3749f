"""Signing in where there is no Jupyter server of ours: the broker is in the kernel's process."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx2
import pytest

from platform_auth.broker import local
from platform_auth.notebook.display import MIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from conftest import Notebook
    from platform_auth.broker.client import BrokerClient
    from platform_auth.sandbox import Sandbox


@pytest.fixture
def redirect() -> str:
    return "auto"


@pytest.fixture
def broker(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redirect: str
) -> Iterator[BrokerClient]:
    demo: dict[str, Any] = sandbox.profiles()["demo"]
    demo = {**demo, "oauth": {**demo["oauth"], "redirect": redirect}}
    path = tmp_path / "profiles.yaml"
    path.write_text(json.dumps({"profiles": {"demo": demo}}), encoding="utf-8")
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(path))
    monkeypatch.setenv("PLATFORM_AUTH_INTERACTIVE", "always")
    local.local_client.cache_clear()
    yield local.local_client()
    local.local_client.cache_clear()


def wait_for_challenge(broker: BrokerClient) -> dict[str, Any]:
    view = broker.session("demo")
    while view["challenge"] is None:
        view = broker.session("demo", since=view["revision"], wait=10)
    return dict(view["challenge"])


def test_the_browser_comes_back_to_this_machine(
    broker: BrokerClient, notebook: Notebook, sandbox: Sandbox
) -> None:
    def person() -> None:
        url = wait_for_challenge(broker)["url"]
        with httpx2.Client(trust_env=False) as browser:
            pages.append(browser.get(sandbox.sign_in_scripted(url)).text)

    pages: list[str] = []
    thread = threading.Thread(target=person, daemon=True)
    thread.start()
    notebook.run("%platform_login")
    thread.join(timeout=10)
    asking, done = notebook.bundles
    assert MIME not in asking
    assert f'href="{sandbox.issuer}/' in asking["text/html"].replace("&amp;", "&")
    assert "href" not in done["text/html"]
    assert "You are signed in" in pages[0]
    assert notebook.run("client.get('/me').json()['email']") == "ada@example.com"


class TestPaste:
    @pytest.fixture
    def redirect(self) -> str:
        return "paste"

    def test_the_address_is_asked_for_and_not_shown(
        self,
        broker: BrokerClient,
        notebook: Notebook,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def typed(_prompt: str) -> str:
            if not answers:
                url = wait_for_challenge(broker)["url"]
                answers.append("https://elsewhere.example.com/?state=1&code=2")
                answers.append(sandbox.sign_in_scripted(url))
                return answers[0]
            return answers[1]

        answers: list[str] = []
        monkeypatch.setattr("getpass.getpass", typed)
        kernel = SimpleNamespace(_allow_stdin=True)
        monkeypatch.setattr(notebook.shell, "kernel", kernel, raising=False)
        notebook.run("%platform_login")
        assert "paste it here" in notebook.bundles[0]["text/html"]
        assert notebook.text.count("That is not it") == 1
        assert notebook.saved_secrets(answers[1]) == []
        assert notebook.run("client.get('/me').json()['email']") == "ada@example.com"

    def test_a_denial_that_is_pasted_ends_the_cell(
        self,
        broker: BrokerClient,
        notebook: Notebook,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def typed(_prompt: str) -> str:
            return sandbox.sign_in_scripted(wait_for_challenge(broker)["url"], approve=False)

        monkeypatch.setattr("getpass.getpass", typed)
        kernel = SimpleNamespace(_allow_stdin=True)
        monkeypatch.setattr(notebook.shell, "kernel", kernel, raising=False)
        with pytest.raises(Exception, match=r"declined|denied|said no"):
            notebook.run("%platform_login")
        assert "Sign-in failed" in notebook.bundles[-1]["text/html"]
