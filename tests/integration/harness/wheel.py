"""The distribution as people get it: a wheel, and a virtual environment with nothing else in it."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[3]


def build_wheel(directory: Path) -> Path:
    """Build the wheel into `directory` and return its path.

    Raises
    ------
    RuntimeError
        When the build fails; with what it printed. Or when the lab extension that the wheel would
        take as it is has been built from other sources.

    """
    _check_built()
    _run([sys.executable, "-m", "build", "--wheel", "--outdir", str(directory), str(REPOSITORY)])
    [wheel] = directory.glob("*.whl")
    return wheel


def _check_built() -> None:
    """Refuse an older build: with one there, hatch builds no other."""
    built = REPOSITORY / "platform_auth" / "labextension" / "package.json"
    if not built.exists():
        return
    source = REPOSITORY / "labextension"
    files = [each for part in ("src", "style", "schema") for each in (source / part).rglob("*.*")]
    later = [
        str(each.relative_to(REPOSITORY))
        for each in files
        if "__tests__" not in each.parts and each.stat().st_mtime > built.stat().st_mtime
    ]
    if later:
        names = ", ".join(sorted(later))
        msg = f"The lab extension was built before {names} changed. Run: make setup"
        raise RuntimeError(msg)


class Environment:
    """A virtual environment of its own.

    Parameters
    ----------
    directory
        Where it is made.
    requirements
        What is installed: ``f"{wheel}[flyte]"``, names, paths.

    """

    def __init__(self, directory: Path, *requirements: str) -> None:
        venv.create(directory, with_pip=True)
        self.bin = directory / "bin"
        self.install(*requirements)

    def install(self, *requirements: str) -> None:
        """Install more."""
        _run([self.program("python"), "-m", "pip", "install", "--quiet", *requirements])

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.bin / name)


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        msg = f"{' '.join(argv)} failed:\n{done.stdout}\n{done.stderr}"
        raise RuntimeError(msg)
