from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from ipywidgets.embed import dependency_state

from platform_auth.errors import ConfigError
from platform_auth.notebook.widget import LoginWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from conftest import Host, Notebook, Person
    from platform_auth.notebook.row import SessionRow
    from platform_auth.sandbox import Sandbox


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def widget(host: Host) -> Iterator[LoginWidget]:
    widget = LoginWidget(host.client)
    yield widget
    widget.close()


def row(widget: LoginWidget, name: str = "demo") -> SessionRow:
    return widget._rows[name]


def html(widget: LoginWidget, name: str = "demo") -> str:
    return str(row(widget, name).children[0].value)


def buttons(widget: LoginWidget, name: str = "demo") -> list[str]:
    return [button.description for button in row(widget, name).children[1:]]


def press(widget: LoginWidget, label: str, name: str = "demo") -> None:
    (button,) = [each for each in row(widget, name).children[1:] if each.description == label]
    button.click()


def test_every_profile_has_a_row_with_a_real_link(widget: LoginWidget) -> None:
    assert list(widget._rows) == ["demo", "demo-device", "demo-service", "narrow"]
    assert 'href="/a%40b/platform-auth/login?profile=demo"' in html(widget)
    assert 'aria-label="Sign in to ' in html(widget)
    assert buttons(widget) == []
    assert buttons(widget, "demo-service") == ["Sign in"]


def test_it_notices_by_itself_who_signs_in_and_out(
    host: Host, widget: LoginWidget, person: Person
) -> None:
    person.sign_in()
    until(lambda: "Signed in as ada@example.com" in html(widget))
    assert buttons(widget) == ["Sign out"]
    host.client.sign_out("demo")
    until(lambda: "Signed out" in html(widget))


def test_a_button_signs_in_where_there_is_no_page(host: Host, widget: LoginWidget) -> None:
    press(widget, "Sign in", "demo-service")
    until(lambda: buttons(widget, "demo-service") == ["Sign out"])
    press(widget, "Sign out", "demo-service")
    until(lambda: buttons(widget, "demo-service") == ["Sign in"])
    assert host.client.session("demo-service")["state"] == "signed_out"


def test_a_sign_in_under_way_can_be_called_off(host: Host, widget: LoginWidget) -> None:
    host.client.sign_in("demo-device")
    until(lambda: buttons(widget, "demo-device") == ["Cancel"])
    code = host.client.session("demo-device")["challenge"]["user_code"]
    assert code in html(widget, "demo-device")
    press(widget, "Cancel", "demo-device")
    until(lambda: "Signed out" in html(widget, "demo-device"))


def test_signed_out_it_says_where_to_do_so_at_the_provider(
    host: Host, widget: LoginWidget, person: Person
) -> None:
    person.sign_in()
    until(lambda: "Sign out" in buttons(widget))
    assert "Also sign out" not in html(widget)
    press(widget, "Sign out")
    until(lambda: "Also sign out at 127.0.0.1:" in html(widget))
    person.sign_in()
    until(lambda: "Also sign out" not in html(widget))


def test_what_goes_wrong_is_said_with_its_fix(
    host: Host, widget: LoginWidget, sandbox: Sandbox
) -> None:
    sandbox.stop()
    try:
        press(widget, "Sign in", "demo-service")
        until(lambda: "Sign-in failed" in html(widget, "demo-service"))
        until(lambda: not row(widget, "demo-service").busy)
        assert "cannot be reached" in html(widget, "demo-service")
    finally:
        sandbox.start()
    press(widget, "Sign in", "demo-service")
    until(lambda: buttons(widget, "demo-service") == ["Sign out"])


def test_a_broker_that_is_away_is_said_and_forgotten_when_it_is_back(
    host: Host, widget: LoginWidget
) -> None:
    host.stop()
    widget.refresh()
    assert "cannot be reached" in widget._trouble.value
    host.start()
    widget._broker = host.client
    widget.refresh()
    assert widget._trouble.value == ""


def test_a_press_never_waits_for_the_broker(widget: LoginWidget) -> None:
    held = threading.Event()

    def slow(_name: str) -> dict[str, Any]:
        held.wait(10)
        return {}

    widget._broker.sign_in = slow
    press(widget, "Sign in", "demo-service")
    assert row(widget, "demo-service").busy
    held.set()
    until(lambda: not row(widget, "demo-service").busy)


def test_what_is_picked_is_used_once_and_another_by_its_button(host: Host, person: Person) -> None:
    used: list[str] = []

    def use(view: dict[str, Any]) -> str:
        used.append(view["profile"])
        return "client is ready."

    widget = LoginWidget(host.client, use=use, use_label="Use as client")
    person.sign_in()
    until(lambda: "client is ready." in html(widget))
    press(widget, "Sign in", "demo-service")
    until(lambda: buttons(widget, "demo-service") == ["Use as client", "Sign out"])
    assert used == ["demo"]
    press(widget, "Use as client", "demo-service")
    until(lambda: "client is ready." in html(widget, "demo-service"))
    assert used == ["demo", "demo-service"]
    assert "client is ready." not in html(widget)
    widget.close()


def test_a_pick_that_fails_is_said(signed_in: Host) -> None:
    def use(_view: dict[str, Any]) -> str:
        what = "There is no client 'pigeon'."
        raise ConfigError(what)

    widget = LoginWidget(signed_in.client, use=use)
    press(widget, "Use")
    until(lambda: "no client &#x27;pigeon&#x27;" in html(widget))
    widget.close()


def test_closed_it_asks_no_more(host: Host) -> None:
    widget = LoginWidget(host.client)
    (thread,) = [each for each in threading.enumerate() if each.name == "platform-auth-widget"]
    widget.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_its_state_and_its_display_hold_no_secret(
    host: Host, widget: LoginWidget, person: Person
) -> None:
    person.sign_in()
    host.client.sign_in("demo-service")
    until(lambda: buttons(widget, "demo-service") == ["Sign out"])
    saved = json.dumps(dependency_state(widget, drop_defaults=False))
    shown = repr(widget) + json.dumps(widget._repr_mimebundle_())
    assert "Signed in as ada@example.com" in saved
    assert "Signed in as ada@example.com" in shown
    for secret in {*host.tokens(), *host.tokens("demo-service"), *person.secrets}:
        assert secret not in saved
        assert secret not in shown


def test_programs_without_widgets_get_the_links(widget: LoginWidget) -> None:
    bundle = widget._repr_mimebundle_()
    assert 'href="/a%40b/platform-auth/login?profile=demo"' in bundle["text/html"]
    assert bundle["text/plain"] == "<LoginWidget: demo, demo-device, demo-service, narrow>"


class TestPicker:
    """`%platform_login` without a default; a kernel is what makes a widget possible."""

    @pytest.fixture
    def default_profile(self) -> str | None:
        return None

    @pytest.fixture(autouse=True)
    def _kernel(self, notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notebook.shell, "kernel", object(), raising=False)

    def test_a_pick_makes_the_client(self, host: Host, notebook: Notebook, person: Person) -> None:
        notebook.run("%platform_login --as remote")
        assert "no platform picked yet" in repr(notebook.names["remote"])
        with pytest.raises(Exception, match="No platform has been picked yet"):
            notebook.run("remote.get('/me')")
        person.sign_in()
        until(lambda: "picked" not in repr(notebook.names["remote"]))
        assert notebook.run("remote.get('/me').json()['email']") == "ada@example.com"

    def test_running_it_again_replaces_the_list(self, host: Host, notebook: Notebook) -> None:
        notebook.run("%platform_login\n%platform_login")
        watching = [each for each in threading.enumerate() if each.name == "platform-auth-widget"]
        until(lambda: sum(each.is_alive() for each in watching) == 1)

    def test_it_replaces_no_variable_before_a_pick(self, host: Host, notebook: Notebook) -> None:
        notebook.run("client = 1\n%platform_login")
        assert notebook.names["client"] == 1
