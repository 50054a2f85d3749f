"""A real JupyterLab in a real Chromium, under a base URL with an escape in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from harness.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from harness.browser import BrowserSession
    from harness.jupyter import JupyterServer

NOTEBOOKS = {
    "sums.ipynb": ["1 + 1", "name = 'ada'\nprint(name)", "1 / 0"],
    "waits.ipynb": ["import threading; threading.Event().wait(600)", "'free again'"],
    "all.ipynb": ["first = 1", "first + 1"],
}


@pytest.fixture(scope="module")
def server(module_jupyter_server_process: Callable[..., JupyterServer]) -> JupyterServer:
    return module_jupyter_server_process(notebooks=NOTEBOOKS)


def test_server_wants_a_token(server: JupyterServer, http: httpx2.Client) -> None:
    assert http.get(f"{server.url}api/kernels").status_code == 403
    assert server.fetch("api/kernels").is_success
    assert server.token not in " ".join(server.argv)


def test_server_checks_xsrf(server: JupyterServer, http: httpx2.Client) -> None:
    http.get(f"{server.url}lab?token={server.token}", follow_redirects=True)
    assert http.get(f"{server.url}api/kernels").is_success
    assert http.post(f"{server.url}api/kernels").status_code == 403


def test_server_keeps_to_its_own_home(server: JupyterServer) -> None:
    config = server.fetch("api/config/notebook")
    assert config.is_success
    assert list(server.runtime.glob("jpserver-*.json"))


def test_cells_run(browser: BrowserSession, server: JupyterServer) -> None:
    lab = Lab(browser.page(), server, "sums.ipynb")
    assert lab.run_cell(0) == "2"
    expect(lab.output(0)).to_have_text("2")
    assert lab.run_cell(1) == "ada\n"
    assert "ZeroDivisionError" in lab.run_cell(2)
    saved = lab.save()
    assert saved["cells"][0]["outputs"][0]["data"]["text/plain"] in ("2", ["2"])


def test_run_all_runs_everything(browser: BrowserSession, server: JupyterServer) -> None:
    lab = Lab(browser.page(), server, "all.ipynb")
    lab.run_all()
    lab.wait_for_cell(1)
    assert lab.text(1) == "2"


def test_restarted_kernel_has_forgotten(browser: BrowserSession, server: JupyterServer) -> None:
    lab = Lab(browser.page(), server, "all.ipynb")
    lab.run_cell(0)
    lab.restart_kernel()
    assert "NameError" in lab.run_cell(1)


def test_waiting_cell_survives_a_reload_and_ends_by_interrupt(
    browser: BrowserSession, server: JupyterServer
) -> None:
    lab = Lab(browser.page(), server, "waits.ipynb")
    lab.start_cell(0)
    lab.wait_until_busy()
    [kernel] = server.kernels("waits.ipynb")
    lab.reload()
    # Its state does not tell: a page that connects anew makes the server note it as idle.
    assert [each["id"] for each in server.kernels("waits.ipynb")] == [kernel["id"]]
    lab.interrupt()
    assert lab.run_cell(1) == "'free again'"


def test_notebook_7_runs_cells(
    browser: BrowserSession, jupyter_server_process: Callable[..., JupyterServer]
) -> None:
    server = jupyter_server_process(app="notebook", notebooks=NOTEBOOKS)
    lab = Lab(browser.page(), server, "sums.ipynb")
    assert lab.run_cell(0) == "2"


def test_server_comes_back_at_the_same_address(
    browser: BrowserSession, jupyter_server_process: Callable[..., JupyterServer]
) -> None:
    server = jupyter_server_process()
    page = browser.page()
    page.goto(server.page_url())
    server.restart()
    status = page.goto(f"{server.url}api/status")
    assert status is not None
    assert status.ok


@pytest.mark.parametrize("popups", [True, False])
def test_pop_up_blocker_can_be_on(
    browser: BrowserSession, server: JupyterServer, popups: bool
) -> None:
    page = browser.page(popups=popups)
    # A script at load time has no click behind it, unlike anything that Playwright evaluates.
    page.add_init_script("window.opened = window.open('about:blank') !== null")
    page.goto(f"{server.url}api")
    assert page.evaluate("() => window.opened") is popups
