"""A browser that may be on the server's own machine need not paste; nobody waits for any other."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from harness.ports import free_port
from platform_auth.server.visitor import may_be_here

if TYPE_CHECKING:
    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

LOGIN = "platform-auth/login?profile=flyte"


def request(host: str, remote: str = "127.0.0.1", **headers: str) -> HTTPServerRequest:
    made = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"),
        headers=HTTPHeaders({"Host": host, **headers}),
    )
    made.remote_ip = remote
    return made


@pytest.mark.parametrize("host", ["localhost:8888", "127.0.0.1:8888", "[::1]:8888", "localhost"])
@pytest.mark.parametrize("remote", ["127.0.0.1", "::1"])
def test_from_this_machine_by_its_own_name(host: str, remote: str) -> None:
    assert may_be_here(request(host, remote))


@pytest.mark.parametrize(
    "elsewhere",
    [
        request("jupyter.example.com"),
        request("localhost:8888", "10.0.0.7"),
        request("localhost:8888", "0.0.0.0"),  # noqa: S104 - what a Unix socket's peer is called
        *(
            request("localhost:8888", **{name: "x"})
            for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Scheme")
        ),
        request("localhost.evil.example"),
        request("["),
    ],
)
def test_not_from_elsewhere(elsewhere: HTTPServerRequest) -> None:
    assert not may_be_here(elsewhere)


def test_never_on_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert not may_be_here(request("localhost:8888"))


class TestPlatformWithOnePort:
    """Its only redirect URI is a port of the person's machine, as that of Flyte's client is."""

    @pytest.fixture
    def port(self) -> int:
        return free_port()

    @pytest.fixture
    def profiles(self, sandbox: Sandbox, port: int) -> Any:
        demo = sandbox.profiles()["demo"]
        uri = f"http://localhost:{port}/callback"
        return {"flyte": {**demo, "oauth": {**demo["oauth"], "redirect_uri": uri}}}

    async def test_a_browser_here_comes_back_by_itself(
        self, browser: Any, sandbox: Sandbox, port: int
    ) -> None:
        page = await browser.get(LOGIN)
        assert "<form" in page.text
        challenge = (await browser.session("flyte"))["challenge"]
        assert challenge["kind"] == "paste"
        assert "If it ends on an address that cannot be reached" in challenge["sentence"]
        answer = sandbox.sign_in_scripted(challenge["url"])
        done = await browser.http.get(answer)
        assert "You are signed in" in done.text
        assert (await browser.session("flyte"))["state"] == "signed_in"
        assert not _listens(port)

    async def test_one_that_comes_through_a_proxy_pastes(
        self, browser: Any, sandbox: Sandbox, broker: Broker, port: int
    ) -> None:
        page = await browser.get(LOGIN, headers={"X-Forwarded-For": "203.0.113.7"})
        assert "<form" in page.text
        challenge = (await broker.session("flyte")).challenge
        assert challenge is not None
        assert "It ends on an address that cannot be reached" in challenge["sentence"]
        assert not _listens(port)
        await broker.complete(sandbox.sign_in_scripted(challenge["url"]))
        assert (await browser.session("flyte"))["state"] == "signed_in"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
