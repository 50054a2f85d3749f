"""The same in a real kernel, over real messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from platform_auth.notebook.display import MIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from jupyter_client.blocking import BlockingKernelClient
    from jupyter_client.manager import KernelManager

    from conftest import Host, Person

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"
SECONDS = 30


class Kernel:
    """A kernel as a front end with a person in front of it sees it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client
        self.messages: list[dict[str, Any]] = []

    def run(self, code: str, when_shown: Callable[[], None] | None = None) -> dict[str, Any]:
        """Run a cell and return its reply; what it shows is added to `messages`.

        ``when_shown`` is called when it shows its first display.
        """

        def note(message: dict[str, Any]) -> None:
            self.messages.append(message)
            if message["msg_type"] == "display_data" and when_shown is not None:
                when_shown()

        reply: dict[str, Any] = self.client.execute_interactive(
            code,
            allow_stdin=True,
            stdin_hook=lambda _message: pytest.fail("nobody types anything"),
            output_hook=note,
            timeout=SECONDS,
        )
        return dict(reply["content"])

    def shown(self, kind: str) -> list[dict[str, Any]]:
        return [each["content"] for each in self.messages if each["msg_type"] == kind]

    @property
    def text(self) -> str:
        return "".join(each["text"] for each in self.shown("stream"))


@pytest.fixture
def kernel(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.delenv("PLATFORM_AUTH_INTERACTIVE")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    manager, client = start_new_kernel(kernel_name="python3")
    kernel = Kernel(manager, client)
    kernel.run("%load_ext platform_auth")
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def executed(notebook: nbformat.NotebookNode, tmp_path: Path) -> nbformat.NotebookNode:
    client = NotebookClient(
        notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    return notebook


def test_the_quickstart_runs_from_top_to_bottom(host: Host, person: Person, tmp_path: Path) -> None:
    person.when_asked(person.sign_in)
    notebook = executed(nbformat.read(QUICKSTART, as_version=4), tmp_path)
    outputs = {cell["id"]: cell["outputs"] for cell in notebook.cells if "outputs" in cell}
    (login,) = outputs["sign-in"]
    assert "Signed in as ada@example.com" in login["data"]["text/html"]
    assert MIME not in login["data"]
    assert "**Weather nowcast**" in outputs["projects"][0]["data"]["text/markdown"]
    assert "ada@example.com" in outputs["me"][0]["data"]["text/plain"]
    assert "Signed in as ada@example.com" in outputs["status"][0]["data"]["text/plain"]
    saved = json.dumps(notebook)
    assert [each for each in {*host.tokens(), *person.secrets} if each in saved] == []


def test_the_quickstart_is_kept_without_outputs() -> None:
    notebook = nbformat.read(QUICKSTART, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert nbformat.writes(notebook) + "\n" == QUICKSTART.read_text(encoding="utf-8")


def test_without_a_person_it_fails_at_once_with_the_way_out(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLATFORM_AUTH_INTERACTIVE")
    notebook = nbformat.read(QUICKSTART, as_version=4)
    with pytest.raises(CellExecutionError, match="nobody is there to do it") as caught:
        executed(notebook, tmp_path)
    assert "PLATFORM_AUTH_INTERACTIVE=always" in str(caught.value)
    (login,) = [cell for cell in notebook.cells if cell["id"] == "sign-in"]
    assert [output["output_type"] for output in login["outputs"]] == ["error"]
    assert host.client.session("demo")["state"] == "signed_out"


def test_an_interrupt_calls_the_sign_in_off(host: Host, kernel: Kernel) -> None:
    reply = kernel.run("%platform_login", when_shown=kernel.manager.interrupt_kernel)
    assert reply["ename"] == "SignInCancelledError"
    assert len("".join(reply["traceback"]).splitlines()) == 2
    assert host.client.session("demo")["state"] == "signed_out"
    (update,) = kernel.shown("update_display_data")
    assert update["data"]["text/plain"] == "Sign-in called off"


def test_the_login_cell_shows_its_display_and_no_value(
    host: Host, person: Person, kernel: Kernel
) -> None:
    person.when_asked(person.sign_in)
    assert kernel.run("%platform_login")["status"] == "ok"
    (asked,) = kernel.shown("display_data")
    (update,) = kernel.shown("update_display_data")
    assert asked["transient"] == update["transient"]
    assert kernel.shown("execute_result") == []
    assert kernel.run("client")["status"] == "ok"
    (result,) = kernel.shown("execute_result")
    assert "Signed in as ada@example.com" in result["data"]["text/html"]
    everything = json.dumps(kernel.messages, default=str)
    assert [each for each in {*host.tokens(), *person.secrets} if each in everything] == []


class TestPicking:
    @pytest.fixture
    def default_profile(self) -> str | None:
        return None

    def test_a_busy_kernel_notices_the_pick(
        self, host: Host, person: Person, kernel: Kernel
    ) -> None:
        assert kernel.run("%platform_login")["status"] == "ok"
        bundle = kernel.shown("display_data")[0]["data"]
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert kernel.run("client.get('/me')")["ename"] == "SignInRequiredError"
        person.sign_in()
        wait = "import time\nwhile 'picked' in repr(client): time.sleep(0.05)"
        assert kernel.run(wait)["status"] == "ok"
        kernel.run("print(client.get('/me').json()['email'])")
        assert kernel.text.endswith("ada@example.com\n")
        everything = json.dumps(kernel.messages, default=str)
        assert "Signed in as ada@example.com" in everything
        assert [each for each in {*host.tokens(), *person.secrets} if each in everything] == []
