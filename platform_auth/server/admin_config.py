"""What the administrator says: configuration that only root can change.

Jupyter lets ``~/.jupyter`` overrule ``/etc/jupyter``. What root-owned files outside the home say
about `PlatformAuth` is therefore read once more and put on top. It keeps accidents out; a hostile
user, whose own configuration is code in the same process, is kept out by the Hub service only.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_core import paths
from traitlets.config import Config
from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# In Jupyter's own order: later ones win.
_FILES: Final = ("jupyter_config", "jupyter_platform_auth_config", "jupyter_server_config")
_LOADERS: Final = {".py": PyFileConfigLoader, ".json": JSONFileConfigLoader}


def load_admin_config(
    directories: Iterable[Path] | None = None,
    *,
    is_protected: Callable[[Path], bool] | None = None,
) -> Config:
    """Return the section ``PlatformAuth`` of the administrator's files; empty without any.

    Parameters
    ----------
    directories
        Where to look, least important first; `admin_directories` when omitted.
    is_protected
        Whether a file is the administrator's; by default the function of that name.

    Raises
    ------
    ConfigError
        One of the files cannot be read or fails: without it nobody knows what is allowed.

    """
    found = Config()
    places = list(admin_directories() if directories is None else directories)
    for name in _FILES:
        for directory in places:
            for path in _files(directory, name):
                if (is_protected or _is_protected)(path):
                    found.merge(_read(path))
    section: Config = found.PlatformAuth
    return section


def admin_directories() -> list[Path]:
    """Return Jupyter's configuration directories outside the home, least important first."""
    home = Path.home().resolve()
    own = Path(paths.jupyter_config_dir()).resolve()
    # The system's own are named once more: JUPYTER_NO_CONFIG hides them.
    all_of_them = [*paths.SYSTEM_CONFIG_PATH, *reversed(paths.jupyter_config_path())]
    places = dict.fromkeys(Path(each).resolve() for each in all_of_them)
    return [place for place in places if place != own and not _is_below(place, home)]


def _is_below(place: Path, home: Path) -> bool:
    # Containers with a made-up user have / as a home, and /etc is not in anybody's home.
    return home != Path(home.anchor) and place.is_relative_to(home)


def _files(directory: Path, name: str) -> Iterator[Path]:
    for suffix in _LOADERS:
        path = directory / f"{name}{suffix}"
        if path.is_file():
            yield path


def _is_protected(path: Path) -> bool:
    """Whether nobody but root can change a file, by itself or by a directory on the way to it."""
    if os.name != "posix":  # pragma: no cover - elsewhere every file seems to be root's
        return False
    target = path.resolve()
    places = {path, *path.parents, target, *target.parents}
    return all(_only_root_writes(place.stat()) for place in places)


def _only_root_writes(status: os.stat_result) -> bool:
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(path: Path) -> Config:
    loader = _LOADERS[path.suffix](path.name, path=str(path.parent))
    try:
        return loader.load_config()
    except Exception as error:  # noqa: BLE001 - it is somebody's program
        # Neither its text nor its cause: they may quote a secret of the file.
        raise ConfigError(
            f"The administrator's configuration {path} cannot be used.",
            why=f"It fails with {type(error).__name__}.",
            fix="Ask the administrator of this server to repair it.",
        ) from None
