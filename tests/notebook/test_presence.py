from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from platform_auth.errors import ConfigError, SignInRequiredError
from platform_auth.notebook.presence import VARIABLE, is_person_there

if TYPE_CHECKING:
    from conftest import Host, Notebook


@pytest.mark.parametrize("takes_input", [True, False])
def test_by_default_the_front_end_decides(
    monkeypatch: pytest.MonkeyPatch, takes_input: bool
) -> None:
    monkeypatch.setenv(VARIABLE, "auto")
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=takes_input))
    assert is_person_there(shell) is takes_input


@pytest.mark.parametrize(("wish", "there"), [("Always", True), ("1", True), ("never", False)])
def test_the_variable_decides_otherwise(
    monkeypatch: pytest.MonkeyPatch, wish: str, there: bool
) -> None:
    monkeypatch.setenv(VARIABLE, wish)
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=not there))
    assert is_person_there(shell) is there


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "perhaps")
    with pytest.raises(ConfigError, match="perhaps") as caught:
        is_person_there(SimpleNamespace())
    assert "never" in caught.value.fix


def test_a_shell_without_a_terminal_has_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "stdin", None)
    assert not is_person_there(SimpleNamespace())


class TestNobody:
    @pytest.fixture(autouse=True)
    def _nobody(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, "never")

    @pytest.mark.parametrize("line", ["demo", "demo --no-wait", "demo-service --flow device"])
    def test_nobody_is_asked_and_the_way_out_is_named(
        self, host: Host, notebook: Notebook, line: str
    ) -> None:
        with pytest.raises(SignInRequiredError, match="nobody is there") as caught:
            notebook.run(f"%platform_login {line}")
        assert "PLATFORM_AUTH_INTERACTIVE=always" in caught.value.fix
        assert notebook.bundles == []
        assert host.client.session(line.split(maxsplit=1)[0])["state"] == "signed_out"

    def test_a_profile_without_a_person_just_works(self, host: Host, notebook: Notebook) -> None:
        notebook.run("%platform_login demo-service")
        assert notebook.run("client.get('/api/v1/projects').json()['projects']")

    def test_so_does_a_person_who_has_signed_in_before(
        self, signed_in: Host, notebook: Notebook
    ) -> None:
        notebook.run("%platform_login")
        assert notebook.run("client.get('/me').json()['email']") == "ada@example.com"
