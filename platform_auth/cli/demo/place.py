"""A place for the demo: every file that Jupyter reads or writes, apart from the person's own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .notebooks import NAME, notebooks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

# Where Jupyter is installed may be told by these two; everything else is the person's own.
_KEPT: Final = frozenset({"JUPYTER_PATH", "JUPYTER_CONFIG_PATH"})
_PERSONAL: Final = ("JUPYTER", "JPY_", "PLATFORM_AUTH_", "FLYTE", "_FLYTE")
_DIRECTORIES: Final = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
    # What the extensions of a Jupyter server leave behind, too: one starts Node.js.
    "TMPDIR": "tmp",
    "TEMP": "tmp",
    "TMP": "tmp",
}
# Also for a package that runs from a clone: what an installed one has in share/jupyter.
_EXTENSIONS: Final = {"ServerApp": {"jpserver_extensions": {"platform_auth": True}}}


class Place:
    """A temporary directory with a configuration and copies of the notebooks.

    Parameters
    ----------
    profiles
        The profiles, name -> shape; ``demo`` is the default one.
    settings
        Jupyter's settings by their full name: ``{"ServerApp.open_browser": False}``.

    """

    def __init__(self, profiles: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self._profiles, self._settings = profiles, settings
        self._directory = tempfile.TemporaryDirectory(
            prefix="platform-auth-demo-", ignore_cleanup_errors=True
        )
        self.root = Path(self._directory.name)
        self.work = self.root / "work"
        self.runtime = self.root / "runtime"
        self.log = self.root / "jupyter.log"
        self.notebook = self.work / NAME

    def __enter__(self) -> Self:
        sources = notebooks()
        for name in {"work", *_DIRECTORIES.values()}:
            (self.root / name).mkdir(mode=0o700)
        for source in sources:
            shutil.copyfile(source, self.work / source.name)
        self._write("profiles.yaml", json.dumps({"default": "demo", "profiles": self._profiles}))
        lines = (f"c.{name} = {value!r}\n" for name, value in self._settings.items())
        self._write("config/jupyter_server_config.py", "".join(lines))
        (self.root / "config/jupyter_server_config.d").mkdir()
        extensions = "config/jupyter_server_config.d/platform_auth.json"
        self._write(extensions, json.dumps(_EXTENSIONS))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._directory.cleanup()

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """Return the environment for programs that are to see this place and no other."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or not name.startswith(_PERSONAL)
        }
        own = {name: str(self.root / place) for name, place in _DIRECTORIES.items()}
        # So that a cell finds `platform-auth`, also where its environment is not activated.
        own["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
        return {**kept, **own, "PLATFORM_AUTH_CONFIG": str(self.root / "profiles.yaml")}
