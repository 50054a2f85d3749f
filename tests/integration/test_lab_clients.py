"""Flyte's own client in a real JupyterLab: signed in to in the browser, called in the next cell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from fakes.flyte_platform import flyte_platform
from harness.broker import profile
from harness.lab import Lab
from harness.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.browser import BrowserSession
    from harness.canary import Canary
    from harness.jupyter import JupyterServer
    from harness.person import Person
    from harness.provider import OidcProvider

CELLS = [
    "%load_ext platform_auth",
    "%platform_login prod --client flytekit",
    "print([project.id for project in client.list_projects()])",
    "client",
]


def test_flytekit_is_ready_after_the_sign_in(
    browser: BrowserSession,
    person: Person,
    oidc: OidcProvider,
    jupyter_server_process: Callable[..., JupyterServer],
    tmp_path: Path,
    canary: Callable[[], Canary],
) -> None:
    strict = Strict(oidc)
    with flyte_platform(tmp_path) as platform:
        strict.attach(platform)
        prod = profile(oidc.issuer, f"https://{platform.endpoint}")
        prod["admin"] |= {"caCertFilePath": str(platform.ca), "insecure": False}
        prod["oauth"]["authorization_metadata_key"] = platform.header
        server = jupyter_server_process(
            config={"profiles": {"prod": prod}}, notebooks={"flyte.ipynb": CELLS}
        )
        oidc.allow_redirects("notebook", [server.callback_url])
        lab = Lab(browser.page(), server, "flyte.ipynb")
        lab.run_cell(0)
        lab.start_cell(1)
        with lab.page.context.expect_page() as opened:
            lab.output(1).get_by_role("link", name="Sign in").click()
        person.sign_in(opened.value)
        lab.wait_for_cell(1)
        expect(lab.output(1).get_by_text("client (flytekit) is ready")).to_be_visible()
        assert "['flytesnacks', 'forecasts']" in lab.run_cell(2, within=60)
        lab.run_cell(3)
        expect(lab.output(3).get_by_text("flytekit client · renewed automatically")).to_be_visible()
        saved = json.dumps(lab.save())
    assert strict.refused == 0
    canary().assert_absent(saved, server.log_text(), server.home, server.root)
