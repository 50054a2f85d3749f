"""``platform-auth setup flyte PROFILE``: Flyte's own tools get their tokens from here."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..config import ProfileSource
from ..config.flyte_block import PROGRAM, admin_block, with_admin
from ..connection import connect
from ..errors import ConfigError
from .exit_status import ExitStatus
from .terminal import show

if TYPE_CHECKING:
    import argparse

    from ..connection import Connection

_TOOLS: Final = ("flyte",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("tool", choices=_TOOLS, help="flyte: pyflyte, flytectl and the Flyte 2 SDK")
    parser.add_argument("profile", metavar="PROFILE", help="the platform's profile")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="PATH",
        help="the file (default: what FLYTECTL_CONFIG names, or ~/.flyte/config.yaml)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show the change, and leave it at that"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration."""
    connection = connect(arguments.profile)
    path = (arguments.file or _usual_file()).expanduser().absolute()
    before = _read(path)
    after = with_admin(before, _block(connection, before, path))
    if after == before:
        show(f"{path} gets its tokens from the profile {connection.profile} already.")
        return ExitStatus.DONE
    show(*_difference(before, after, path), "")
    if arguments.dry_run:
        show("Nothing was written.")
        return ExitStatus.DONE
    _write(path, after)
    _tell_header(connection)
    return ExitStatus.DONE


def _usual_file() -> Path:
    from ..config.flyte_files import directory, named_file

    home = directory()
    path = named_file() or (home / "config.yaml" if home else None)
    if path is None:
        raise ConfigError("You have no home directory.", fix="Name a file with --file.")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{path} cannot be read.", why=str(reason)) from None


def _block(connection: Connection, before: str, path: Path) -> dict[str, object]:
    import yaml

    profile = connection.status()
    if profile["source"] == ProfileSource.FLYTE.value:
        raise ConfigError(
            f"The profile {connection.profile} is what Flyte's own file says.",
            why="A file cannot get its tokens from itself.",
            fix="Write the platform into profiles.yaml, under another name, and use that.",
        )
    try:
        old = yaml.safe_load(before)
    except yaml.YAMLError:
        raise ConfigError(f"{path} is not YAML.", fix="Correct it, or move it away.") from None
    admin = old.get("admin") if isinstance(old, dict) else None
    if old is not None and not isinstance(old, dict):
        raise ConfigError(f"{path} is no Flyte configuration.", fix="Move it away.")
    kept = admin if isinstance(admin, dict) else {}
    return admin_block(connection.config, [_program(), "token", connection.profile], kept)


def _program() -> str:
    """Return where our command is: other tools look for it in other places."""
    beside = shutil.which(PROGRAM, path=str(Path(sys.executable).parent))
    return beside or shutil.which(PROGRAM) or PROGRAM


def _difference(before: str, after: str, path: Path) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    return list(difflib.unified_diff(old, new, str(path), f"{path} (new)", lineterm=""))


def _write(path: Path, text: str) -> None:
    """Replace a file, and keep what it was."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        backup = path.with_name(f"{path.name}.{time.strftime('%Y%m%dT%H%M%S')}.backup")
        shutil.copy2(path, backup)
        show(f"What it was is in {backup}.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.touch(mode=0o600, exist_ok=False)
        unfinished.write_text(text, encoding="utf-8")
        if path.exists():
            shutil.copymode(path, unfinished)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        raise ConfigError(f"{path} cannot be written.", why=why) from None
    show(f"Written: {path}")


def _tell_header(connection: Connection) -> None:
    header = connection.config.oauth.authorization_metadata_key or "authorization"
    if header != "authorization":
        show(
            f"The platform takes tokens in {header}. flytekit and flytectl ask it for that name;",
            "the Flyte 2 SDK does not when it runs a command: use connection.flyte() with it.",
        )
