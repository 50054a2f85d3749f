"""The oldest JupyterLab and Notebook that are supported, with the wheel as people install it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness.broker import profile
from harness.wheel import Environment
from harness.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.browser import BrowserSession
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.provider import OidcProvider

OLDEST: Final = ("jupyterlab==4.4.*", "notebook==7.4.*")


@pytest.fixture(scope="module")
def oldest(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("oldest"), str(wheel), *OLDEST)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_oldest_versions_sign_in(
    app: str,
    oldest: Environment,
    browser: BrowserSession,
    person: Person,
    oidc: OidcProvider,
    jupyter_server_process: Callable[..., JupyterServer],
) -> None:
    assert not (oldest.bin / "node").exists()
    server = jupyter_server_process(
        app=app,
        config={"profiles": {"prod": profile(oidc.issuer, "http://flyte.example.com")}},
        jupyter=oldest.program("jupyter"),
        # No Node.js, and nothing of the environment of these tests.
        env={"PATH": f"{oldest.bin}:/nowhere", "PYTHONPATH": ""},
    )
    oidc.settings(coop="same-origin")
    oidc.allow_redirects("notebook", [server.callback_url])
    window = Window(browser.page(), server)
    window.open_panel()
    link = window.row("flyte.example.com").get_by_role("link", name="Sign in")
    person.sign_in(window.press_for_page(link))
    window.expect_state("signed_in")
    wrong = [line for line in browser.evidence.console if line.startswith(("error", "uncaught"))]
    # The provider's own page has no icon.
    assert [line for line in wrong if f"({oidc.issuer}" not in line] == []
