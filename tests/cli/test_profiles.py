from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

PROD = {
    "admin": {"endpoint": "dns:///flyte.example.com", "authType": "Pkce"},
    "oauth": {"issuer": "https://id.example.com"},
    "client": "flytekit",
}
SECRET = "correct-horse"
CI = {
    "admin": {"endpoint": "flyte.example.com", "authType": "ClientSecret", "clientId": "ci"},
    "oauth": {"issuer": "https://id.example.com", "client_secret": SECRET},
}


def test_what_there_is(profiles_file: Callable[..., Path], run: Callable[..., Outcome]) -> None:
    profiles_file({"default": "prod", "profiles": {"prod": PROD, "ci": CI}})
    assert run("profiles").out.splitlines() == [
        "PROFILE  ENDPOINT                   FLOW                CLIENT    FROM",
        "prod *   https://flyte.example.com  pkce                flytekit  profiles.yaml",
        "ci       https://flyte.example.com  client_credentials  http      profiles.yaml",
    ]


def test_for_programs(profiles_file: Callable[..., Path], run: Callable[..., Outcome]) -> None:
    profiles_file({"default": "prod", "profiles": {"prod": PROD}})
    assert json.loads(run("profiles", "--json").out) == {
        "version": 1,
        "default": "prod",
        "profiles": [
            {
                "name": "prod",
                "endpoint": "https://flyte.example.com",
                "flow": "pkce",
                "client": "flytekit",
                "source": "user",
                "locked": False,
                "default": True,
                "warnings": [],
            }
        ],
        "problems": [],
    }


def test_no_secret_is_shown(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    profiles_file({"profiles": {"ci": CI}})
    shown = [run("profiles"), run("profiles", "--json"), run("status", "--json")]
    assert all(SECRET not in found.out + found.err for found in shown)


def test_what_is_wrong_stands_below_with_its_place(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    path = profiles_file("profiles:\n  prod:\n    admin: {endpoit: flyte.example.com}\n")
    found = run("profiles")
    assert "cannot be used" in found.out
    assert f"{path}, line 3, column 13" in found.err
    assert "Did you mean 'endpoint'?" in found.err
