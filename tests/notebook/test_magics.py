from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.error import UsageError

from platform_auth.errors import ConfigError, ProfileNotFoundError, SignInRequiredError
from platform_auth.notebook.magics import NAMES

if TYPE_CHECKING:
    from typing import Any

    from conftest import Host, Notebook


def test_the_magics_are_there_and_explain_themselves(notebook: Notebook) -> None:
    line_magics = notebook.shell.magics_manager.magics["line"]
    for name in NAMES:
        assert f"%{name}" in line_magics[name].__doc__


def test_unloading_takes_everything_away_and_loading_brings_it_back(
    signed_in: Host, notebook: Notebook
) -> None:
    notebook.run("%platform_login\nmine = 1")
    notebook.run("%unload_ext platform_auth")
    assert not set(NAMES) & set(notebook.shell.magics_manager.magics["line"])
    assert "client" not in notebook.names
    assert notebook.names["mine"] == 1
    notebook.run("%load_ext platform_auth\n%platform_login")
    assert "client" in notebook.names


def test_unloading_leaves_what_has_become_the_users(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_login\nclient = 'mine'")
    notebook.run("%unload_ext platform_auth")
    assert notebook.names["client"] == "mine"


def test_status_shows_every_profile(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_status")
    shown = notebook.bundles[0]
    assert "Signed in as ada@example.com" in shown["text/plain"]
    assert "demo (default)" in shown["text/html"]
    assert "demo-device" in shown["text/html"]


def test_signing_out_ends_every_client_of_that_profile(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_login\nclient.get('/me').json()")
    notebook.run("%platform_logout")
    [shown] = notebook.bundles
    assert shown["text/plain"].startswith("Signed out of ")
    assert signed_in.tokens() == []
    with pytest.raises(SignInRequiredError):
        notebook.run("client.get('/me')")


def test_signing_out_everywhere(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_login demo-service --as service")
    notebook.run("%platform_logout --all")
    states = [view["state"] for view in signed_in.client.profiles()["profiles"]]
    assert states == ["signed_out"] * len(states)
    # The service has no session with the provider's pages, the person has.
    assert notebook.text.count("Signed out of ") == 1
    assert len(notebook.bundles) == 1


def test_where_to_sign_out_at_the_provider_is_a_link(signed_in: Host, notebook: Notebook) -> None:
    notebook.run("%platform_logout")
    [shown] = notebook.bundles
    assert list(shown) == ["text/html", "text/plain"]
    assert ">Also sign out at 127.0.0.1:" in shown["text/html"]
    assert "/end-session?client_id=" in shown["text/html"]
    assert "/end-session?client_id=" in shown["text/plain"]
    assert notebook.saved_secrets(*signed_in.tokens()) == []


def test_it_is_one_profile_or_all(host: Host, notebook: Notebook) -> None:
    with pytest.raises(UsageError, match="not both"):
        notebook.run("%platform_logout demo --all")


def test_an_error_is_one_readable_block_and_its_traceback_for_whoever_debugs(
    host: Host, notebook: Notebook
) -> None:
    with pytest.raises(ProfileNotFoundError):
        notebook.run("%platform_login nobody")
    assert "ProfileNotFoundError: " in notebook.text
    assert "Fix: " in notebook.text
    assert "Traceback" not in notebook.text
    assert notebook.text.count("\n") <= 5
    with pytest.raises(ProfileNotFoundError):
        notebook.run("%platform_login nobody --debug")
    assert "Traceback (most recent call last)" in notebook.text
    assert "magics.py" in notebook.text


class TestNoDefault:
    @pytest.fixture
    def default_profile(self) -> str | None:
        return None

    def test_a_person_without_a_list_to_press_is_told_the_names(
        self, host: Host, notebook: Notebook
    ) -> None:
        with pytest.raises(UsageError, match="demo, demo-device, demo-service"):
            notebook.run("%platform_login")

    def test_signing_out_of_the_only_one(self, signed_in: Host, notebook: Notebook) -> None:
        notebook.run("%platform_logout")
        assert signed_in.tokens() == []

    def test_signing_out_of_which(self, signed_in: Host, notebook: Notebook) -> None:
        notebook.run("%platform_login demo-service")
        with pytest.raises(UsageError, match="demo, demo-service"):
            notebook.run("%platform_logout")

    def test_signing_out_of_none(self, host: Host, notebook: Notebook) -> None:
        with pytest.raises(UsageError, match="not signed in anywhere"):
            notebook.run("%platform_logout")


class TestNothingConfigured:
    @pytest.fixture
    def profiles(self) -> dict[str, Any]:
        return {}

    @pytest.fixture
    def default_profile(self) -> str | None:
        return None

    def test_it_says_where_to_begin(self, host: Host, notebook: Notebook) -> None:
        with pytest.raises(ConfigError, match="No platform is configured"):
            notebook.run("%platform_login")
        notebook.run("%platform_status")
        assert "No platform is set up yet" in notebook.bundles[0]["text/plain"]


class TestBrokenProfile:
    @pytest.fixture
    def profiles(self) -> dict[str, Any]:
        return {"demo": {"admin": {"endpoint": "x.example.com", "authTyp": "Pkce"}}}

    @pytest.mark.parametrize("line", ["", "demo"])
    def test_it_says_what_is_wrong(self, host: Host, notebook: Notebook, line: str) -> None:
        with pytest.raises(ConfigError, match="authTyp"):
            notebook.run(f"%platform_login {line}")
        notebook.run("%platform_status")
        assert "authTyp" in notebook.bundles[0]["text/plain"]
