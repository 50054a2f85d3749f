"""The user's own profiles from the browser: found out, added, changed, removed, chosen."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_server.auth import Authorizer

from platform_auth.oauth import prospect
from platform_auth.server import user_profiles as module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_auth.broker.broker import Broker
    from platform_auth.sandbox import Sandbox

API = "platform-auth/api/v1"
OWN = f"{API}/user-profiles"
MINE = {"admin": {"endpoint": "mine.example.com"}}
SECRET = "correct-horse"


async def put(browser: Any, path: str, **body: Any) -> Any:
    return await browser.http.put(path, json=body, headers=browser.xsrf)


async def delete(browser: Any, path: str) -> Any:
    return await browser.http.delete(path, headers=browser.xsrf)


class Saved:
    """The file of the user's profiles."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def text(self) -> str:
        return self._path.read_text()

    def write(self, text: str) -> None:
        self._path.write_text(text)


@pytest.fixture(autouse=True)
def own_file(jp_config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """Return the user's profiles, whatever directory the server has for its own."""
    path = jp_config_dir / "mine" / "profiles.yaml"
    path.parent.mkdir(mode=0o700)
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(path))
    saved = Saved(path)
    saved.write("# Mine.\n")
    return saved


@pytest.fixture
def nobody() -> Iterator[socket.socket]:
    """A platform that notes who calls, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def address(server: socket.socket) -> str:
    host, port = server.getsockname()
    return f"{host}:{port}"


def was_called(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


class TestDiscover:
    async def test_an_endpoint_is_enough(self, browser: Any, sandbox: Sandbox) -> None:
        answer = await browser.post(f"{API}/discover", json={"endpoint": sandbox.platform_url})
        found = answer.json()

        assert answer.status_code == 200, answer.text
        assert found["name"] == "local"
        assert found["entry"] == {
            "admin": {"endpoint": sandbox.platform_url, "authType": "Pkce"},
            "oauth": {},
        }
        assert found["flows"] == ["pkce", "device", "client_credentials"]
        assert found["needs_client"] is True
        facts = {each["what"]: (each["value"], each["source"]) for each in found["found"]}
        metadata = f"{sandbox.issuer}/.well-known/"
        assert facts["issuer"][0] == sandbox.issuer
        assert facts["token_endpoint"][0].startswith(sandbox.issuer)
        assert all(source.startswith(metadata) for _, source in facts.values())

    async def test_what_the_person_says_is_taken(self, browser: Any, sandbox: Sandbox) -> None:
        asked = {"endpoint": "127.0.0.1:1", "issuer": sandbox.issuer, "client_id": "notebook"}
        found = (await browser.post(f"{API}/discover", json=asked)).json()

        assert found["entry"] == {
            "admin": {"endpoint": "127.0.0.1:1", "authType": "Pkce", "clientId": "notebook"},
            "oauth": {"issuer": sandbox.issuer},
        }
        assert found["needs_client"] is False
        assert {"what": "client_id", "value": "notebook", "source": "given"} in found["found"]

    async def test_names_do_not_collide(self, browser: Any, sandbox: Sandbox) -> None:
        asked = {"endpoint": sandbox.platform_url}
        await put(browser, f"{OWN}/local", entry=MINE)
        assert (await browser.post(f"{API}/discover", json=asked)).json()["name"] == "local-2"

    async def test_who_does_not_say_is_told_what_to_do(self, browser: Any) -> None:
        endpoint = browser.origin.removeprefix("http://")  # Jupyter itself says nothing of it
        asked = {"endpoint": endpoint, "insecure": True}
        answer = await browser.post(f"{API}/discover", json=asked)

        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "discovery_failed")
        assert "oauth.issuer" in answer.json()["error"]["fix"]

    async def test_who_does_not_answer_is_not_waited_for(
        self, browser: Any, nobody: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(prospect.look_at, "__kwdefaults__", {"seconds": 0.2})
        async with asyncio.timeout(5):
            asked = {"endpoint": address(nobody), "insecure": True}
            answer = await browser.post(f"{API}/discover", json=asked)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unreachable")
        assert was_called(nobody)

    async def test_only_so_many_at_once(
        self, browser: Any, nobody: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_AT_ONCE", 0)
        asked = {"endpoint": address(nobody), "insecure": True}
        answer = await browser.post(f"{API}/discover", json=asked)
        assert (answer.status_code, answer.json()["error"]["retryable"]) == (503, True)
        assert not was_called(nobody)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"endpoint": ""},
            {"endpoint": 1},
            {"endpoint": "x", "insecure": "yes"},
            {"endpoint": "x", "issuer": ["y"]},
            {"endpoint": "ada:secret@x"},
            {"endpoint": "file:///etc/passwd"},
            {"endpoint": "http://169.254.169.254/latest"},
            {"endpoint": "x", "issuer": "http://169.254.169.254/"},
            {"endpoint": "x", "ca_cert_file_path": "/etc/passwd"},
        ],
    )
    async def test_what_cannot_be_asked_is_not(self, browser: Any, body: dict[str, Any]) -> None:
        answer = await browser.post(f"{API}/discover", json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["fix"]
        assert "secret" not in answer.text
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("settings", "more", "rule"),
    [
        ({"allow_user_profiles": False}, {}, "allow_user_profiles"),
        ({"allowed_endpoints": ["*.example.com", "127.0.0.1:1"]}, {}, "allowed_endpoints"),
        ({"allow_insecure": False}, {"insecure_skip_verify": True}, "allow_insecure"),
    ],
)
class TestPolicy:
    async def test_what_it_refuses_nobody_is_asked(
        self, browser: Any, nobody: socket.socket, more: dict[str, Any], rule: str
    ) -> None:
        asked = {"endpoint": address(nobody), **more}
        answer = await browser.post(f"{API}/discover", json=asked)

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_refused")
        assert rule in answer.text
        assert not was_called(nobody)

    async def test_what_it_refuses_is_not_saved(
        self, browser: Any, own_file: Saved, more: dict[str, Any], rule: str
    ) -> None:
        flags = {"insecureSkipVerify": True} if more else {}
        entry = {"admin": {"endpoint": "127.0.0.1:2", **flags}}
        answer = await put(browser, f"{OWN}/mine", entry=entry)

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_refused")
        assert own_file.text() == "# Mine.\n"


class TestOwn:
    async def test_a_profile_comes_changes_and_goes(
        self, browser: Any, own_file: Saved, broker: Broker
    ) -> None:
        added = await put(browser, f"{OWN}/mine", entry=MINE)
        assert (added.status_code, added.json()["entry"]) == (200, MINE)
        view = await browser.session("mine")
        assert (view["source"], view["locked"], view["endpoint"]) == (
            "user",
            False,
            "https://mine.example.com",
        )

        shown = (await browser.get(f"{OWN}/mine")).json()
        assert shown["revision"] == added.json()["revision"]
        changed = {"admin": {**MINE["admin"], "authType": "DeviceFlow"}}
        again = await put(browser, f"{OWN}/mine", entry=changed, revision=shown["revision"])
        assert again.json()["entry"] == changed
        assert (await browser.session("mine"))["flow"] == "device"

        stale = await put(browser, f"{OWN}/mine", entry=MINE, revision=shown["revision"])
        taken = await put(browser, f"{OWN}/mine", entry=MINE)
        for refused in (stale, taken):
            assert refused.status_code == 409
            assert refused.json()["error"]["code"] == "profile_changed"

        assert (await delete(browser, f"{OWN}/mine")).status_code == 200
        assert (await delete(browser, f"{OWN}/mine")).status_code == 404
        assert (broker.names(), own_file.text()) == (["demo"], "# Mine.\n")

    async def test_who_removes_it_is_signed_out_first(
        self,
        browser: Any,
        sandbox: Sandbox,
        broker: Broker,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        entry = sandbox.profiles()["demo"]
        assert (await put(browser, f"{OWN}/mine", entry=entry)).status_code == 200
        await browser.get(sandbox.sign_in_scripted(await browser.begin("mine")))
        session = await broker.session("mine")
        assert session.record is not None

        caplog.clear()
        await delete(browser, f"{OWN}/mine")
        assert session.record is None
        assert caplog.messages.count("200 POST /revoke") == 2  # the refresh token, and the other
        await put(browser, f"{OWN}/mine", entry=entry)
        assert (await browser.session("mine"))["state"] == "signed_out"

    async def test_a_broken_one_can_be_removed(self, browser: Any, own_file: Saved) -> None:
        own_file.write("profiles:\n  mine: {admin: {endpoit: x}}\n")
        assert (await delete(browser, f"{OWN}/mine")).status_code == 200
        assert own_file.text() == ""

    async def test_secrets_do_not_come_out(self, browser: Any, own_file: Saved) -> None:
        entry = {**MINE, "oauth": {"client_secret": SECRET}}
        answers = [
            await put(browser, f"{OWN}/mine", entry=entry),
            await browser.get(f"{OWN}/mine"),
        ]
        kept = answers[1].json()
        assert kept["entry"]["oauth"] == {"client_secret": {"kept": True}}
        answers.append(await put(browser, f"{OWN}/mine", **kept))
        assert [each.status_code for each in answers] == [200] * 3
        assert all(SECRET not in each.text for each in answers)
        assert SECRET in own_file.text()

    async def test_the_administrators_is_locked(self, browser: Any, own_file: Saved) -> None:
        for answer in (
            await browser.get(f"{OWN}/demo"),
            await put(browser, f"{OWN}/demo", entry=MINE, revision="x"),
            await delete(browser, f"{OWN}/demo"),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_refused")
            assert "the administrator's" in answer.json()["error"]["what"]
        assert (await put(browser, f"{OWN}/demo", entry=MINE)).status_code == 409
        assert own_file.text() == "# Mine.\n"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"entry": []},
            {"entry": MINE, "revision": 1},
            {"entry": {"admin": {"endpoint": "x", "nonsense": 1}}},
            {"entry": {"admin": {"endpoint": {"kept": True}}}},
        ],
    )
    async def test_what_is_wrong_is_refused(
        self, browser: Any, own_file: Saved, body: dict[str, Any]
    ) -> None:
        answer = await put(browser, f"{OWN}/mine", **body)
        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"code", "what", "why", "fix", "retryable"}
        assert own_file.text() == "# Mine.\n"

    async def test_the_default_is_chosen(self, browser: Any, own_file: Saved) -> None:
        await put(browser, f"{OWN}/mine", entry=MINE)
        for name in ("mine", "demo"):
            chosen = await put(browser, f"{API}/default-profile", name=name)
            assert (chosen.status_code, chosen.json()) == (200, {"default": name})
            assert f"default: {name}\n" in own_file.text()
            assert (await browser.get(f"{API}/profiles")).json()["default"] == name
        assert (await put(browser, f"{API}/default-profile", name="nobody")).status_code == 404
        assert (await put(browser, f"{API}/default-profile")).status_code == 400

    async def test_nothing_changes_without_the_xsrf_header(
        self, browser: Any, own_file: Saved
    ) -> None:
        for method, path in (
            ("POST", f"{API}/discover"),
            ("PUT", f"{OWN}/mine"),
            ("DELETE", f"{OWN}/demo"),
            ("PUT", f"{API}/default-profile"),
        ):
            body = {"entry": MINE, "endpoint": "127.0.0.1:1", "name": "demo"}
            answer = await browser.http.request(method, path, json=body)
            assert answer.status_code == 403, path
            assert answer.json()["error"]["code"] == "broker_refused"
        assert own_file.text() == "# Mine.\n"

    async def test_there_is_nothing_else_here(self, browser: Any) -> None:
        for method, path in (
            ("POST", f"{OWN}/mine"),
            ("GET", f"{API}/discover"),
            ("GET", f"{API}/default-profile"),
            ("DELETE", f"{API}/default-profile"),
        ):
            answer = await browser.http.request(method, path, headers=browser.xsrf)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_call")


class NoKernels(Authorizer):
    def is_authorized(self, handler: Any, user: Any, action: Any, resource: Any) -> bool:
        return bool(resource != "kernels")


class TestPrograms:
    COMMAND: dict[str, Any] = {  # noqa: RUF012 - never changed
        "admin": {**MINE["admin"], "authType": "ExternalCommand", "command": ["id"]}
    }

    async def test_whoever_may_run_any_may_have_them(self, browser: Any) -> None:
        answer = await put(browser, f"{OWN}/mine", entry=self.COMMAND)
        assert answer.status_code == 200
        assert answer.json()["entry"]["admin"]["command"] == {"kept": True}
        assert (await browser.session("mine"))["flow"] == "command"

    @pytest.mark.parametrize("settings", [{"allow_commands": False}])
    async def test_not_where_the_administrator_forbids_them(
        self, browser: Any, own_file: Saved
    ) -> None:
        answer = await put(browser, f"{OWN}/mine", entry=self.COMMAND)
        assert (answer.status_code, "allow_commands" in answer.text) == (403, True)
        assert own_file.text() == "# Mine.\n"

    @pytest.mark.parametrize("server_settings", [{"authorizer_class": NoKernels}])
    @pytest.mark.parametrize("key", ["command", "proxyCommand"])
    async def test_not_for_somebody_who_may_not_run_any(
        self, browser: Any, own_file: Saved, key: str
    ) -> None:
        entry = {"admin": {**MINE["admin"], key: ["id"]}}
        answer = await put(browser, f"{OWN}/mine", entry=entry)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_refused")
        assert own_file.text() == "# Mine.\n"
        assert (await put(browser, f"{OWN}/mine", entry=MINE)).status_code == 200


class TestVisitor:
    @pytest.fixture
    def server_settings(self, named_users: Any) -> Any:
        return {"identity_provider_class": named_users}

    async def test_of_a_hub_gets_nowhere(
        self,
        stranger: Any,
        nobody: socket.socket,
        own_file: Saved,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("JUPYTERHUB_USER", "ada")
        stranger.http.cookies.set("_xsrf", "ab" * 16, domain="127.0.0.1", path="/")
        headers = {**stranger.xsrf, "X-Remote-User": "grace"}
        body = {"entry": MINE, "endpoint": address(nobody), "insecure": True, "name": "demo"}
        for method, path in (
            ("POST", f"{API}/discover"),
            ("GET", f"{OWN}/mine"),
            ("PUT", f"{OWN}/mine"),
            ("DELETE", f"{OWN}/mine"),
            ("PUT", f"{API}/default-profile"),
        ):
            answer = await stranger.http.request(method, path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_refused")
            assert "ada's" in answer.json()["error"]["what"]
        assert own_file.text() == "# Mine.\n"
        assert not was_called(nobody)
