from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.broker.broker import Broker
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.stores.memory import MemoryStore
from platform_auth.config import Profiles
from platform_auth.errors import (
    BrokerUnavailableError,
    ConfigError,
    SignInCancelledError,
    SignInExpiredError,
)
from platform_auth.sandbox import Sandbox
from platform_auth.sign_in import SignIn, Wish, invite, print_challenge

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> BrokerClient:
    profiles = Profiles(admin=sandbox.profiles(), user_file=None, flyte=False)
    return BrokerClient(LocalChannel(Broker(profiles, Redirects("/platform-auth/login"))))


def ignore(_view: dict[str, Any]) -> None:
    """Look away."""


def test_where_no_person_is_needed_nobody_is_asked(client: BrokerClient) -> None:
    shown: list[dict[str, Any]] = []
    view = SignIn(client, "demo-service", Wish(), shown.append).run(10)
    assert view["state"] == "signed_in"
    assert shown == []


def test_a_pasted_address_ends_the_wait(client: BrokerClient, sandbox: Sandbox) -> None:
    def person(view: dict[str, Any]) -> None:
        client.complete("demo", sandbox.sign_in_scripted(view["challenge"]["url"]))

    view = SignIn(client, "demo", Wish(redirect="paste"), person).run(10)
    assert view["signed_in_as"] == "ada@example.com"


def test_nobody_comes(client: BrokerClient) -> None:
    with pytest.raises(SignInExpiredError, match=r"within 0 seconds"):
        SignIn(client, "demo", Wish(), ignore).run(0.05)
    assert client.session("demo")["state"] == "signed_out"


def test_somebody_else_calls_it_off(client: BrokerClient) -> None:
    def person(_view: dict[str, Any]) -> None:
        threading.Thread(target=client.cancel, args=("demo",), daemon=True).start()

    with pytest.raises(SignInCancelledError):
        SignIn(client, "demo", Wish(), person).run(10)


def test_a_refresh_meanwhile_does_not_pass_for_a_sign_in_that_was_called_off(
    client: BrokerClient, sandbox: Sandbox
) -> None:
    def person(view: dict[str, Any]) -> None:
        client.complete("demo", sandbox.sign_in_scripted(view["challenge"]["url"]))

    def nobody(_view: dict[str, Any]) -> None:
        client.token("demo", stale=client.token("demo").fingerprint)
        client.cancel("demo")

    first = SignIn(client, "demo", Wish(redirect="paste"), person).run(10)
    with pytest.raises(SignInCancelledError, match="called off") as caught:
        SignIn(client, "demo", Wish(redirect="paste", force=True), nobody).run(10)
    assert "still signed in as ada" in caught.value.why
    assert client.session("demo")["expires_at"] > first["expires_at"]


@pytest.mark.parametrize("interrupted_in", ["showing", "waiting"])
def test_an_interrupt_calls_it_off(
    client: BrokerClient, monkeypatch: pytest.MonkeyPatch, interrupted_in: str
) -> None:
    def interrupt(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    show = interrupt if interrupted_in == "showing" else ignore
    session = client.session
    if interrupted_in == "waiting":
        monkeypatch.setattr(client, "session", interrupt)
    with pytest.raises(KeyboardInterrupt):
        SignIn(client, "demo", Wish(), show).run(10)
    assert session("demo")["state"] == "signed_out"


def test_what_is_refused_leaves_the_sign_in_of_another_notebook_alone(
    client: BrokerClient,
) -> None:
    client.sign_in("demo")
    with pytest.raises(ConfigError):
        SignIn(client, "demo", Wish(flow="pigeon"), ignore).run(10)
    assert client.session("demo")["state"] == "signing_in"


def test_a_broker_that_stays_away_is_the_reason_given(
    client: BrokerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: object, **_more: object) -> None:
        what = "not there"
        raise BrokerUnavailableError(what)

    monkeypatch.setattr(client, "session", away)
    with pytest.raises(BrokerUnavailableError, match="not there"):
        SignIn(client, "demo", Wish(), ignore).run(0.1)


class Restarting:
    """A way to a server that is started anew so quickly that nobody finds it away."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._store, self._admin = MemoryStore(), sandbox.profiles()
        self.away = 0
        self.restart()

    def restart(self) -> None:
        """Come back with what was saved, and nothing else."""
        profiles = Profiles(admin=self._admin, user_file=None, flyte=False)
        broker = Broker(profiles, Redirects("/platform-auth/login"), store=self._store)
        self._channel = LocalChannel(broker)

    def call(self, *given: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        """Ask the server of now."""
        if self.away:
            self.away -= 1
            what = "not there"
            raise BrokerUnavailableError(what)
        return self._channel.call(*given, **more)


@pytest.mark.parametrize("before", ["signed_out", "signed_in"])
def test_a_server_that_restarts_between_two_questions_asks_the_person_anew(
    sandbox: Sandbox, before: str
) -> None:
    channel = Restarting(sandbox)
    client = BrokerClient(channel)
    urls: list[str] = []

    def complete(view: dict[str, Any]) -> None:
        client.complete("demo", sandbox.sign_in_scripted(view["challenge"]["url"]))

    def person(view: dict[str, Any]) -> None:
        urls.append(view["challenge"]["url"])
        if len(urls) == 1:
            channel.restart()
        else:
            complete(view)

    if before == "signed_in":
        SignIn(client, "demo", Wish(redirect="paste"), complete).run(10)
    view = SignIn(client, "demo", Wish(redirect="paste", force=True), person).run(10)
    assert view["state"] == "signed_in"
    assert len(set(urls)) == 2


def test_what_is_called_off_while_the_server_is_busy_does_not_begin_again(
    sandbox: Sandbox,
) -> None:
    channel = Restarting(sandbox)
    client = BrokerClient(channel)
    shown: list[dict[str, Any]] = []

    def person(view: dict[str, Any]) -> None:
        shown.append(view)
        client.cancel("demo")
        channel.away = 1

    with pytest.raises(SignInCancelledError, match="called off"):
        SignIn(client, "demo", Wish(redirect="paste"), person).run(10)
    assert len(shown) == 1


def test_a_challenge_is_printed_as_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    device = {"kind": "device", "verification_uri": "https://id.example.com/d", "user_code": "AB-C"}
    print_challenge({"challenge": device})
    print_challenge({"challenge": {"kind": "open", "url": "https://id.example.com/a"}})
    printed = capsys.readouterr().out
    assert "Open https://id.example.com/d and enter AB-C" in printed
    assert printed.endswith("\nhttps://id.example.com/a\n")


PASTE = {"kind": "paste", "url": "https://id.example.com/a", "sentence": "Paste it here."}


def test_an_address_to_be_pasted_says_so_or_leads_to_the_servers_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_challenge({"challenge": PASTE, "sign_in_url": None})
    assert capsys.readouterr().out.endswith("\nhttps://id.example.com/a\nPaste it here.\n")
    print_challenge({"challenge": PASTE, "sign_in_url": "/platform-auth/login?profile=x"})
    assert capsys.readouterr().out.endswith("\n/platform-auth/login?profile=x\n")


class TestAlone:
    """Plain Python, without a Jupyter server whose page takes what is pasted."""

    @pytest.fixture
    def client(self, sandbox: Sandbox) -> BrokerClient:
        profiles = Profiles(admin=sandbox.profiles(), user_file=None, flyte=False)
        return BrokerClient(LocalChannel(Broker(profiles, Redirects())))

    def test_the_address_is_typed(
        self, client: BrokerClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def type_answer(_prompt: str) -> str:
            url = client.session("demo")["challenge"]["url"]
            return wrong.pop() if wrong else sandbox.sign_in_scripted(url)

        wrong = ["https://example.com/?code=x&state=y"]
        monkeypatch.setattr("getpass.getpass", type_answer)
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
        wish = Wish(redirect="paste")
        view = SignIn(client, "demo", wish, invite(client, "demo")).run(20)
        assert view["signed_in_as"] == "ada@example.com"
        assert not wrong

    def test_nobody_types_where_there_is_no_terminal(
        self, client: BrokerClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("getpass.getpass", lambda _prompt: pytest.fail("somebody was asked"))
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
        with pytest.raises(SignInExpiredError):
            SignIn(client, "demo", Wish(redirect="paste"), invite(client, "demo")).run(0.05)
