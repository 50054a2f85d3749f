"""Whether the extensions are there and enabled, and whether sign-ins can be saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from platform_auth.sandbox import Sandbox

    Lines = Callable[[Any, str], list[str]]
    Run = Callable[..., Any]


def write(path: Path, shape: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(shape))


@pytest.mark.parametrize("state", ["unknown", "disabled"])
def test_a_server_extension_that_would_not_be_loaded(
    demo: Path,
    config: Path,
    run: Run,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    # Where the package is installed, the environment's own configuration enables it.
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(config)])
    path = config / "jupyter_server_config.d/platform_auth.json"
    if state == "disabled":
        write(path, {"ServerApp": {"jpserver_extensions": {"platform_auth": False}}})
    else:
        path.unlink()
    found = run("doctor")
    assert found.status == 1
    assert any("extension" in line for line in lines(found, "fail"))
    assert "Run: jupyter server extension enable platform_auth" in found.out


@pytest.mark.parametrize(
    "disabled", [{"platform-auth": True}, ["platform-auth"], {"platform-auth:login": True}]
)
def test_a_lab_extension_that_has_been_disabled(
    demo: Path, config: Path, run: Run, lines: Lines, disabled: Any
) -> None:
    write(config / "labconfig/page_config.json", {"disabledExtensions": disabled})
    found = run("doctor")
    assert found.status == 0
    assert any("the lab extension has been disabled" in line for line in lines(found, "warn"))
    assert "Run: jupyter labextension enable platform-auth" in found.out


def test_other_extensions_may_be_disabled(demo: Path, config: Path, run: Run, lines: Lines) -> None:
    disabled = {"platform-auth": False, "other": True}
    write(config / "labconfig/page_config.json", {"disabledExtensions": disabled})
    assert "the lab extension is installed" in lines(run("doctor"), "ok")


def test_a_lab_extension_of_another_version(
    demo: Path, config: Path, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = config / "labextensions/platform-auth"
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(package)])
    write(package / "package.json", {"version": "0.0.1"})
    found = run("doctor")
    assert any("of another version (0.0.1)" in line for line in lines(found, "warn"))


def test_a_lab_extension_that_is_not_there(
    demo: Path, config: Path, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(config / "no")])
    found = run("doctor")
    assert found.status == 0
    assert any("the lab extension is not installed" in line for line in lines(found, "warn"))


def test_where_sign_ins_rest(demo: Path, run: Run, lines: Lines) -> None:
    well = lines(run("doctor"), "ok")
    assert "sign-ins are kept by each command by itself" in well
    assert any(line.startswith("they rest encrypted in ") for line in well)
    assert "they can be saved there" in well


def test_the_jupyter_server_keeps_them(server: Any, run: Run, lines: Lines) -> None:
    well = lines(run("doctor"), "ok")
    assert any(line.startswith("sign-ins are kept by the Jupyter server (unix://") for line in well)
    assert "they rest in memory, until this process ends" in well  # as its administrator wants it


def test_in_memory_none_outlives_its_command(
    demo: Path, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_STORE", "memory")
    found = run("doctor")
    assert any("none outlives its command" in line for line in lines(found, "warn"))
    assert "Unset PLATFORM_AUTH_STORE" in found.out


def test_a_directory_that_cannot_be_made(
    demo: Path, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file"))
    found = run("doctor")
    assert found.status == 1
    assert "sign-ins cannot be saved and end with it" in lines(found, "fail")
    assert "Not a directory" in found.out
    assert "Make the directory writable" in found.out


def test_a_directory_that_is_open_to_others(
    demo: Path, config: Path, run: Run, lines: Lines
) -> None:
    directory = config / "platform-auth" / "sessions"
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    found = run("doctor")
    assert found.status == 1
    assert "sign-ins cannot be saved and end with it" in lines(found, "fail")


def test_a_directory_that_has_become_read_only(
    demo: Path, sandbox: Sandbox, run: Run, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")  # root may write anywhere else

    monkeypatch.setattr("platform_auth.cli.doctor.store.write_private", full)
    found = run("doctor")
    assert found.status == 1
    assert any(line.startswith("sign-ins cannot be saved in ") for line in lines(found, "fail"))
    assert "Why: Read-only file system" in found.out
