from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from platform_auth.errors import AccessDeniedError
from platform_auth.notebook.display import MIME, LoginDisplay, login_data, waiting_bundle

if TYPE_CHECKING:
    from typing import Any

    from conftest import Host, Notebook


@pytest.fixture
def asked(host: Host) -> dict[str, Any]:
    return host.client.sign_in("demo")


def test_the_live_form_comes_first_and_plain_text_last(asked: dict[str, Any]) -> None:
    assert list(waiting_bundle(asked)) == [MIME, "text/html", "text/plain"]


def test_the_live_form_holds_paths_and_names_only(asked: dict[str, Any]) -> None:
    data = login_data(asked)
    assert data == {
        "version": 1,
        "profile": "demo",
        "platform": asked["platform"],
        "sign_in_path": "/a%40b/platform-auth/login?profile=demo",
        "session_path": "/a%40b/platform-auth/api/v1/profiles/demo",
    }
    json.dumps(data)


def test_a_name_with_anything_in_it_is_encoded(host: Host) -> None:
    view = {**host.client.session("demo"), "profile": "a b&c?"}
    view["sign_in_url"] = host.broker.redirects.sign_in_url(view["profile"])
    assert login_data(view)["session_path"].endswith("/profiles/a%20b%26c%3F")


def test_without_a_server_there_is_no_live_form(asked: dict[str, Any]) -> None:
    challenge = {"kind": "open", "url": "https://id.example.com/authorize"}
    bundle = waiting_bundle({**asked, "sign_in_url": None, "challenge": challenge})
    assert list(bundle) == ["text/html", "text/plain"]
    assert "https://id.example.com/authorize" in bundle["text/plain"]
    assert "on your Jupyter server" not in bundle["text/plain"]


def test_what_was_granted_otherwise_stays_beside_who_signed_in(
    asked: dict[str, Any], notebook: Notebook
) -> None:
    granted = {**asked, "state": "signed_in", "notices": ["The scope admin was not granted."]}
    notebook.shell.push({"display": LoginDisplay("client", "http"), "asked": asked, "in": granted})
    notebook.run("display.wait(asked); display.succeed(globals()['in'])")
    assert "The scope admin was not granted." in notebook.bundles[-1]["text/html"]


def test_what_is_asked_anew_replaces_what_was_asked(
    asked: dict[str, Any], notebook: Notebook
) -> None:
    display = LoginDisplay("client", "http")
    notebook.shell.push({"display": display, "asked": asked})
    notebook.run("display.wait(asked); display.wait(asked)")
    first, second = notebook.transients
    assert first["display_id"] == second["display_id"]


def test_an_outcome_holds_neither_link_nor_code(asked: dict[str, Any], notebook: Notebook) -> None:
    display = LoginDisplay("client", "http")
    error = AccessDeniedError("Ada said no.")
    notebook.shell.push({"display": display, "asked": asked, "error": error})
    notebook.run("display.wait(asked); display.fail(error)")
    assert notebook.bundles[-1]["text/plain"] == "Sign-in failed"
    assert "href" not in notebook.bundles[-1]["text/html"]


def test_where_nobody_was_asked_there_is_nothing_to_bring_up_to_date(notebook: Notebook) -> None:
    notebook.shell.push({"display": LoginDisplay("client", "http")})
    notebook.shell.push({"error": AccessDeniedError("no")})
    notebook.run("display.fail(error)")
    assert notebook.bundles == []


def test_another_kind_of_client_is_named(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    LoginDisplay("remote", "flytekit").succeed(asked)
    assert capsys.readouterr().out.endswith("remote (flytekit) is ready\n")
