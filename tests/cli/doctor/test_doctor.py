from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from platform_auth.cli.doctor import providers, proxies, software
from platform_auth.cli.doctor.finding import Level
from platform_auth.oauth.steps import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Outcome, Server
    from platform_auth.sandbox import Sandbox

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a Jupyter of one's own, in which the server extension is enabled."""
    directory = tmp_path / "jupyter"
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(directory))
    enable(directory, enabled=True)
    lab_extension = directory / "labextensions/platform-auth/package.json"
    lab_extension.parent.mkdir(parents=True)
    lab_extension.write_text("{}")
    return directory


def enable(directory: Path, *, enabled: bool) -> None:
    path = directory / "jupyter_server_config.d/platform_auth.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    extensions = {"platform_auth": enabled}
    path.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))


def lines(found: Outcome, level: str) -> list[str]:
    return [line[6:] for line in found.out.splitlines() if line.startswith(f"{level:<4}  ")]


def test_all_is_well(server: Server, sandbox: Sandbox, run: Callable[..., Outcome]) -> None:
    found = run("doctor")
    assert (found.status, found.err) == (0, "")
    assert lines(found, "fail") == []
    assert lines(found, "warn") == []
    well = lines(found, "ok")
    assert "profiles: demo, demo-device, demo-service (default: demo)" in well
    assert "the server extension is enabled" in well
    assert "the lab extension is installed" in well
    issuer = sandbox.issuer
    assert f"demo, demo-device, demo-service: the identity provider {issuer} answers" in well
    assert f"the clocks of this machine and {issuer} agree" in well
    assert "no proxy is set for this machine" in well
    callback = "http://127.0.0.1:8888/a%40b/platform-auth/callback"
    assert any(callback in line for line in well)


def test_it_says_where_sign_ins_rest(demo: Path, run: Callable[..., Outcome]) -> None:
    found = run("doctor")
    assert found.status == 0
    assert any(
        "kept by each command by itself: encrypted in" in line for line in lines(found, "ok")
    )


def test_a_broken_file_is_told_with_line_and_column(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    path = profiles_file("profiles:\n  prod: {admin: [}\n")
    found = run("doctor")
    assert found.status == 1
    assert any(f"{path}, line 2, column " in line for line in lines(found, "fail"))
    assert "Fix: Correct the file at that line." in found.out


def test_one_fault_of_a_file_is_told_once(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    profiles_file("profiles:\n  prod:\n    admin: {endpoit: flyte.example.com}\n")
    found = run("doctor")
    assert found.status == 1
    assert sum("admin.endpoit" in line for line in lines(found, "fail")) == 1


def test_no_platform_at_all(run: Callable[..., Outcome]) -> None:
    found = run("doctor")
    assert "no platform can be used" in lines(found, "warn")
    assert any("none yet; they would be in" in line for line in lines(found, "ok"))


def test_a_server_that_is_gone(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_BROKER", f"unix://{tmp_path}/gone.sock")
    monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", str(tmp_path / "gone.token"))
    found = run("doctor")
    assert found.status == 1
    assert any("cannot be reached" in line for line in lines(found, "fail"))


@pytest.mark.parametrize("state", ["unknown", "disabled"])
def test_a_server_extension_that_would_not_be_loaded(
    demo: Path,
    config: Path,
    run: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    # Where the package is installed, the environment's own configuration enables it.
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(config)])
    if state == "disabled":
        enable(config, enabled=False)
    else:
        (config / "jupyter_server_config.d/platform_auth.json").unlink()
    found = run("doctor")
    assert found.status == 1
    assert any("extension" in line for line in lines(found, "fail"))
    assert "Run: jupyter server extension enable platform_auth" in found.out


def test_a_provider_that_does_not_answer(
    sandbox: Sandbox, profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    shape = sandbox.profiles()["demo"] | {"oauth": {"issuer": "http://127.0.0.1:1"}}
    profiles_file({"profiles": {"prod": shape}})
    found = run("doctor")
    assert found.status == 1
    assert any(line.startswith("prod: http://127.0.0.1:1 cannot") for line in lines(found, "fail"))


def test_a_program_that_is_not_there(
    profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    admin = {"endpoint": "127.0.0.1", "authType": "ExternalCommand", "command": ["no-such-program"]}
    profiles_file({"profiles": {"ci": {"admin": admin}}})
    found = run("doctor")
    assert found.status == 1
    assert any("no-such-program" in line for line in lines(found, "fail"))


def test_certificates(
    sandbox: Sandbox,
    profiles_file: Callable[..., Path],
    run: Callable[..., Outcome],
    tmp_path: Path,
) -> None:
    demo = sandbox.profiles()["demo"]
    missing = str(tmp_path / "missing.pem")
    trusting = demo | {"admin": demo["admin"] | {"insecureSkipVerify": True}}
    broken = demo | {"admin": demo["admin"] | {"caCertFilePath": missing}}
    profiles_file({"profiles": {"trusting": trusting, "broken": broken}})
    found = run("doctor")
    assert found.status == 1
    assert any(line.startswith("trusting: any certificate") for line in lines(found, "warn"))
    assert any(line.startswith("broken: The CA file") for line in lines(found, "fail"))


def test_certificates_named_by_the_environment(
    demo: Path, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    found = run("doctor")
    assert found.status == 1
    assert any("SSL_CERT_FILE names" in line for line in lines(found, "fail"))


def test_one_check_that_breaks_hides_no_other(
    demo: Path, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Iterator[None]:
        raise RuntimeError("Bearer abcdefgh")

    monkeypatch.setattr(software, "check", fail)
    found = run("doctor")
    assert found.status == 1
    assert any("the software could not be checked" in line for line in lines(found, "fail"))
    assert "abcdefgh" not in found.out
    assert "no proxy is set for this machine" in lines(found, "ok")


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(0, Level.OK), (0.9, Level.OK), (30, Level.WARN), (-30, Level.WARN), (90, Level.FAIL)],
)
def test_clocks(monkeypatch: pytest.MonkeyPatch, ahead: float, level: Level) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + ahead + 0.1)
    response = Response(200, {"date": formatdate(NOW, usegmt=True)})
    offset = providers._offset(response, sent_at=NOW + ahead)
    assert offset is not None
    finding = providers._clock(offset, "id.example.com")
    assert finding.level is level
    if level is not Level.OK:
        assert "behind" if ahead < 0 else "ahead of" in finding.what
        assert finding.fix


@pytest.mark.parametrize("headers", [{}, {"date": "soon"}])
def test_no_clock_to_compare_with(headers: dict[str, str]) -> None:
    assert providers._offset(Response(200, headers), sent_at=NOW) is None


def test_proxies_without_their_passwords(
    demo: Path, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,.example.com")
    found = run("doctor")
    assert "hunter2" not in found.out
    well = lines(found, "ok")
    assert "proxy for https: http://proxy.example.com:3128 (with a password)" in well
    assert any(line.startswith("no proxy for 127.0.0.1,.example.com") for line in well)


@pytest.mark.parametrize("url", ["http://", "http://proxy:port", "http://[::1"])
def test_a_proxy_that_is_no_address(url: str) -> None:
    assert proxies._shown("proxy for https", url).level is Level.FAIL


def test_a_profiles_own_proxy(
    sandbox: Sandbox, profiles_file: Callable[..., Path], run: Callable[..., Outcome]
) -> None:
    demo = sandbox.profiles()["demo"]
    admin = demo["admin"] | {"httpProxyURL": "http://me:hunter2@proxy.example.com:3128"}
    profiles_file({"profiles": {"demo": demo | {"admin": admin}}})
    found = run("doctor")
    assert "demo: proxy: http://proxy.example.com:3128 (with a password)" in lines(found, "ok")
    assert "hunter2" not in found.out
