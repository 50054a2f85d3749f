"""The documentation's examples for kinds of Hubs: a Hub starts with each, and people sign in."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from harness.child import Child
from harness.environment import isolated, program
from harness.hub_example import example
from harness.hub_user import HubUser
from harness.people import ADA
from harness.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.hub import Hub
    from harness.provider import OidcProvider


def _signs_in(hub: Hub, oidc: OidcProvider) -> None:
    oidc.allow_redirects("notebook", [f"{hub.url}services/platform-auth/callback"])
    hub.start_server("ada")
    with HubUser(hub, "ada") as ada:
        ada.visit(f"{hub.server_url('ada')}tree")
        page = ada.sign_in_by_service("prod")
        assert (page.status_code, ADA.email in page.text) == (200, True)
        assert ada.session("prod")["signed_in_as"] == ADA.email


def test_the_littlest_jupyterhub(
    start_hub: Callable[..., Hub], oidc: OidcProvider, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    here = {"127.0.0.1:10701": address, "/opt/tljh/state": str(tmp_path)}
    hub = start_hub(config=example("tljh_config.py", oidc.issuer, here))
    _signs_in(hub, oidc)
    assert (tmp_path / "platform_auth.sqlite").exists()


def test_zero_to_jupyterhub(
    start_hub: Callable[..., Hub], oidc: OidcProvider, tmp_path: Path
) -> None:
    address, token = f"http://127.0.0.1:{free_port()}", "the-services-own-token-at-the-hub"
    hub = start_hub(
        config=example("z2jh_config.py", None, {"http://platform-auth:8080": address}),
        env={"PLATFORM_AUTH_SERVICE_TOKEN": token},
    )
    settings = tmp_path / "settings.yaml"
    settings.write_text(example("z2jh_service.yaml", oidc.issuer, {}), encoding="utf-8")
    service = Child(
        [program("platform-auth"), "hub-service", "--settings", str(settings)],
        env=isolated(
            tmp_path / "home",
            JUPYTERHUB_API_TOKEN=token,
            JUPYTERHUB_API_URL=hub.api_url.rstrip("/"),
            JUPYTERHUB_SERVICE_PREFIX=f"{hub.base_url}services/platform-auth/",
            JUPYTERHUB_SERVICE_URL=address,
            PLATFORM_AUTH_DATABASE_URL=f"sqlite:///{tmp_path}/sessions.sqlite",
            PLATFORM_AUTH_STORE_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        ),
        log=tmp_path / "service.log",
        cwd=tmp_path,
    )
    with closing(_Ending(service)):
        _signs_in(hub, oidc)


class _Ending:
    def __init__(self, child: Child) -> None:
        self.close = child.stop
