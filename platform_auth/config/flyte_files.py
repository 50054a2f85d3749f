"""The files of Flyte's own tools: which there are, and what they say."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .entries import ENTRIES
from .file import exists
from .reading import Reading
from .sources import Environment, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import PlatformConfig
    from .origin import Origin

_NAMED = re.compile(r"config-(.+)\.yaml")
# The first is set by pyflyte for its children; flytekit lets it hide the second.
_VARIABLES = ("_FLYTECTL_CONFIG_PYFLYTE_OVERRIDE", "FLYTECTL_CONFIG")
_ENDPOINT_VARIABLE = next(entry.variable for entry in ENTRIES if entry.field == "endpoint")


def auto(config_file: str | os.PathLike[str] | None = None) -> PlatformConfig:
    """Read one file and the environment, as `PlatformConfig.auto` says."""
    import logging

    path = default_file() if config_file is None else Path(config_file).expanduser().absolute()
    config, warnings, _origins = read(path, environment=True, fetch_secret=True)
    for warning in warnings:
        logging.getLogger(__name__).warning("%s", warning)
    return config


def read(
    path: Path | None,
    *,
    environment: bool,
    fetch_secret: bool = False,
) -> tuple[PlatformConfig, tuple[str, ...], dict[str, Origin]]:
    """Return what a file says, the warnings, and where each value came from.

    Parameters
    ----------
    path
        The file; None for the environment alone.
    environment
        Whether ``FLYTE_*`` variables win over the file.
    fetch_secret
        Whether a secret kept elsewhere is read now, not only when it is used.

    Raises
    ------
    ConfigError
        Something is wrong there; the error says where.

    """
    file = open_source(path) if path else None
    layers = (Environment() if environment else None, file)
    reading = Reading([layer for layer in layers if layer is not None])
    reading.prefer_client_secret()
    if fetch_secret:
        reading.fetch_secret()
    warnings = (
        *missing_file_warning(path),
        *(file.warnings() if file else ()),
        *reading.warnings(),
    )
    return reading.config(), warnings, reading.origins


def named_file() -> Path | None:
    """Return the file that ``FLYTECTL_CONFIG`` names.

    Raises
    ------
    ConfigError
        The path is relative: nothing is read from the current directory.

    """
    variable = next((name for name in _VARIABLES if name in os.environ), None)
    text = os.environ[variable] if variable else ""
    if not text:
        return None
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - the other one raises
    if not path.is_absolute():
        what = f"{variable} is the relative path {text!r}."
        why = "Nothing is read from the current directory, which may be somebody else's repository."
        raise ConfigError(what, why=why, fix="Give an absolute path, or one that begins with ~/.")
    return path


def default_file() -> Path | None:
    """Return the first file there is: flytekit's order, without the current directory."""
    return next((path for path in candidates() if exists(path)), None)


def candidates() -> list[Path]:
    """Return where `default_file` looks."""
    named, home = named_file(), directory()
    usual = [home / "config", home / "config.yaml"] if home else []
    return [named, *usual] if named else usual


def missing_file_warning(used: Path | None) -> Iterator[str]:
    """Yield a warning when the file that ``FLYTECTL_CONFIG`` names is not there."""
    try:
        named = named_file()
    except ConfigError:
        return
    if named and named != used and not exists(named):
        instead = f"{used} was read instead" if used else "no file was read instead"
        yield f"FLYTECTL_CONFIG names {named}, which does not exist; {instead}."


def named_files() -> dict[str, Path]:
    """Return ``~/.flyte/config-NAME.yaml`` by NAME."""
    home = directory()
    try:
        files = sorted(os.listdir(home)) if home else []  # noqa: PTH208 - half the time of iterdir
    except OSError:
        return {}
    found = (_NAMED.fullmatch(file) for file in files)
    return {each[1]: home / each[0] for each in found if each and home}


def is_configured() -> bool:
    """Whether Flyte's tools are set up here: a file of theirs, or their endpoint variable."""
    return bool(os.environ.get(_ENDPOINT_VARIABLE, "").strip()) or default_file() is not None


def directory() -> Path | None:
    """Return ``~/.flyte``; None for a user without a home."""
    try:
        return Path.home() / ".flyte"
    except RuntimeError:
        return None
