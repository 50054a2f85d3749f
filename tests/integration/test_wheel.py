"""What people install: complete, and small enough to install without Node.js or a compiler."""

from __future__ import annotations

import json
import subprocess
import zipfile
from typing import TYPE_CHECKING

from harness.demo import assert_all_is_well, run_check
from harness.documentation import PAGES
from harness.environment import isolated

if TYPE_CHECKING:
    from pathlib import Path

    from harness.wheel import Environment


def test_wheel_brings_the_built_lab_extension(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    data = next(name.split("/")[0] for name in names if ".data/" in name) + "/data"
    home = f"{data}/share/jupyter/labextensions/platform-auth"
    assert f"{home}/package.json" in names
    assert f"{home}/install.json" in names
    assert any(name.startswith(f"{home}/static/remoteEntry.") for name in names)
    assert f"{data}/etc/jupyter/jupyter_server_config.d/platform_auth.json" in names


def test_the_lab_extension_is_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        static = [each for each in archive.infolist() if "/static/" in each.filename]
    assert not [each.filename for each in static if each.filename.endswith(".map")]
    scripts = [each.file_size for each in static if each.filename.endswith(".js")]
    assert 10_000 < sum(scripts) < 100_000  # what a browser loads, and that uncompressed


def test_wheel_brings_no_sources_of_the_build(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if "node_modules" in name or name.endswith(".ts")]
    assert not [name for name in names if name.startswith("tests/")]


def test_wheel_brings_the_notebooks_of_the_demo(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.endswith(".ipynb")}
    assert names == {
        f"platform_auth/sandbox/notebooks/{page}.ipynb" for page in ("quickstart", *PAGES)
    }


def test_wheel_says_what_types_it_has(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert "platform_auth/py.typed" in archive.namelist()


def test_server_extension_is_on_after_installing(wheel_environment: Environment) -> None:
    argv = [wheel_environment.program("jupyter"), "server", "extension", "list"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert "platform_auth enabled" in _plain(done.stdout + done.stderr)


def test_importing_loads_neither_jupyter_nor_oauth(wheel_environment: Environment) -> None:
    code = "import json, sys, platform_auth; print(json.dumps(sorted(sys.modules)))"
    argv = [wheel_environment.program("python"), "-I", "-c", code]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    heavy = {"authlib", "httpx2", "ipywidgets", "jupyter_server", "joserfc", "yaml", "tornado"}
    assert not heavy & set(json.loads(done.stdout))


def test_demo_runs_without_jupyterlab_node_or_a_browser(
    wheel_environment: Environment, tmp_path: Path
) -> None:
    env = isolated(tmp_path / "home")
    env.pop("PYTHONPATH", None)
    program = [wheel_environment.program("platform-auth")]

    without_a_kernel = run_check(program, env)
    assert without_a_kernel.returncode == 1
    assert 'Run: pip install "platform-auth[demo]"' in without_a_kernel.stderr

    wheel_environment.install("ipykernel")  # of what the extra brings, this alone is needed
    assert_all_is_well(run_check(program, env))

    doctor = subprocess.run(
        [*program, "doctor"], env=env, check=True, capture_output=True, text=True
    )
    assert "✓ the server extension is enabled" in doctor.stdout
    assert "✓ the lab extension is installed" in doctor.stdout


def test_jupyter_knows_the_command(wheel_environment: Environment) -> None:
    argv = [wheel_environment.program("jupyter"), "platform-auth", "--version"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("platform-auth ")


def _plain(text: str) -> str:
    """Take the colours out."""
    for code in ("\x1b[32m", "\x1b[0m"):
        text = text.replace(code, "")
    return " ".join(text.split())
