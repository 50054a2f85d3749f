"""Whether a Jupyter server can be asked, and whether the extensions are there and enabled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..._version import __version__
from ...errors import PlatformAuthError
from ..broker import find_broker
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXTENSION: Final = "platform_auth"
_LAB_EXTENSION: Final = "platform-auth"


def check() -> Iterator[Finding]:
    """Ask the broker if there is one, and look whether the extensions are enabled."""
    try:
        find_broker().profiles()
    except PlatformAuthError as error:
        yield Finding.of(error)
    yield _server_extension()
    yield _lab_extension()


def _server_extension() -> Finding:
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    state = manager.get_jpserver_extensions().get(_EXTENSION)  # type: ignore[no-untyped-call]
    if state:
        return Finding(Level.OK, "the server extension is enabled")
    what = "the server extension " + ("is not enabled" if state is None else "has been disabled")
    fix = f"Run: jupyter server extension enable {_EXTENSION}; then restart Jupyter."
    return Finding(Level.FAIL, what, fix=fix)


def _lab_extension() -> Finding:
    from jupyter_core.paths import jupyter_path

    found = (Path(each) / "package.json" for each in jupyter_path("labextensions", _LAB_EXTENSION))
    package = next((path for path in found if path.exists()), None)
    if package is None:
        what = "the lab extension is not installed: a waiting cell shows a plain link instead"
        fix = "Run: pip install --force-reinstall platform-auth"
        return Finding(Level.WARN, what, fix=fix)
    if _is_disabled():
        what = "the lab extension has been disabled: a waiting cell shows a plain link instead"
        fix = f"Run: jupyter labextension enable {_LAB_EXTENSION}; then reload the page."
        return Finding(Level.WARN, what, fix=fix)
    return _version(package)


def _is_disabled() -> bool:
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.config_manager import BaseJSONConfigManager, recursive_update

    page_config: dict[str, Any] = {}
    for directory in reversed(jupyter_config_path()):  # as jupyterlab_server reads it
        manager = BaseJSONConfigManager(config_dir=str(Path(directory) / "labconfig"))
        recursive_update(page_config, manager.get("page_config"))
    disabled = page_config.get("disabledExtensions", {})
    if isinstance(disabled, list):
        disabled = dict.fromkeys(disabled, True)
    return any(on and name.partition(":")[0] == _LAB_EXTENSION for name, on in disabled.items())


def _version(package: Path) -> Finding:
    try:
        version = json.loads(package.read_text(encoding="utf-8")).get("version")
    except (OSError, ValueError):
        version = None
    if version == __version__:
        return Finding(Level.OK, "the lab extension is installed")
    what = f"the lab extension is of another version ({version}) than the package ({__version__})"
    fix = "Run: pip install --force-reinstall platform-auth; then reload the page."
    return Finding(Level.WARN, what, fix=fix)
