from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome, Server
    from platform_auth.sandbox import Sandbox

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


def test_where_every_setting_comes_from(
    profiles_file: Callable[..., Path],
    run: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = profiles_file(f"default: ci\nprofiles:\n  ci: {json.dumps(CI)}\n")
    flyte = Path.home() / ".flyte" / "config.yaml"
    flyte.parent.mkdir()
    flyte.write_text("admin: {endpoint: other.example.com}\n")
    monkeypatch.setenv("FLYTE_PLATFORM_URL", "third.example.com")
    found = run("profiles", "--explain")
    lines = [" ".join(line.split()) for line in found.out.splitlines()]
    assert lines[0] == f"ci, the default (default in {path}, line 1, column 10)"
    assert f"admin.endpoint flyte.example.com {path}, line 3, column 30" in lines
    assert "admin.rpcRetries 3 default" in lines
    below = lines.index("admin.endpoint third.example.com FLYTE_PLATFORM_URL in the environment")
    assert lines[below + 1] == f"overrode admin.endpoint in {flyte}, line 1, column 19"
    assert SECRET not in found.out
    assert found.status == 0


def test_where_every_setting_comes_from_for_programs(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    path = profiles_file({"profiles": {"prod": PROD}})
    [profile] = json.loads(run("profiles", "--explain", "--json").out)["profiles"]
    client = next(each for each in profile["settings"] if each["setting"] == "client")
    assert client["value"] == "flytekit"
    assert client["origin"].startswith(f"client in {path}, line 1")
    assert (client["overrode"], profile["hides"]) == ([], [])


def test_the_server_explains_its_profiles_to_its_terminals(
    server: Server, run: Callable[..., Outcome], demo: Path
) -> None:
    found = run("profiles", "--explain")
    assert found.out.startswith("demo, the default (default in ")
    assert f"{demo}, line 1" in found.out


@pytest.mark.parametrize("explain", [(), ("--explain",)])
def test_where_there_is_none_it_is_said(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome], explain: tuple[str, ...]
) -> None:
    profiles_file({})
    assert run("profiles", *explain).out.startswith("No platform is configured")


def test_an_endpoint_is_looked_at_and_written_down(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome], sandbox: Sandbox
) -> None:
    path = profiles_file("# Mine.\n")
    nameless = run("profiles", "--add", sandbox.platform_url)
    assert (nameless.status, path.read_text()) == (1, "# Mine.\n")
    assert "--client-id" in nameless.err

    added = run("profiles", "--add", sandbox.platform_url, "--name", "mine", "--client-id", "x")
    assert added.status == 0
    assert any(row.split()[:2] == ["issuer", sandbox.issuer] for row in added.out.splitlines())
    assert "platform-auth login mine" in added.out
    assert path.read_text().startswith("# Mine.\nprofiles:\n  mine:\n")
    again = run("profiles", "--add", sandbox.platform_url, "--name", "mine", "--client-id", "x")
    assert (again.status, "already" in again.err) == (1, True)


def test_a_profile_is_chosen_and_removed(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    path = profiles_file({"profiles": {"prod": PROD, "ci": CI}})
    assert run("profiles", "--default", "ci").status == 0
    assert json.loads(run("profiles", "--json").out)["default"] == "ci"
    assert run("profiles", "--remove", "ci").out == "ci is removed.\n"
    assert json.loads(run("profiles", "--json").out)["default"] == "prod"
    assert SECRET not in path.read_text()
    missing = run("profiles", "--remove", "ci")
    assert (missing.status, "no profile 'ci' of yours" in missing.err) == (1, True)
