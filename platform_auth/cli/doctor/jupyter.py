"""Whether a Jupyter server keeps the sign-ins, and whether one would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...broker.client import SocketChannel
from ...errors import PlatformAuthError
from ..address import in_browser
from ..broker import find_broker
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXTENSION: Final = "platform_auth"
_LAB_EXTENSION: Final = "platform-auth"
_LOGIN: Final = "/login?"


def check() -> Iterator[Finding]:
    """Ask the broker if there is one, and look whether the extensions are enabled."""
    yield from _broker()
    yield _server_extension()
    yield _lab_extension()


def _broker() -> Iterator[Finding]:
    channel = SocketChannel.from_environment()
    try:
        answer = find_broker().profiles()
    except PlatformAuthError as error:
        yield Finding.of(error)
        return
    keeper = f"the Jupyter server ({channel.address})" if channel else "each command by itself"
    yield Finding(Level.OK, f"sign-ins are kept by {keeper}: {answer['store']}")
    yield from _redirect_uri(answer["profiles"])


def _redirect_uri(views: list[dict[str, Any]]) -> Iterator[Finding]:
    path = next((view["sign_in_url"] for view in views if view["sign_in_url"]), None)
    if path is not None:
        url = in_browser(path.partition(_LOGIN)[0] + "/callback")
        what = f"redirect URI to register with identity providers: {url}"
        yield Finding(Level.OK, f"{what} (with the host as your browser has it)")


def _server_extension() -> Finding:
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    state = manager.get_jpserver_extensions().get(_EXTENSION)  # type: ignore[no-untyped-call]
    if state:
        return Finding(Level.OK, "the server extension is enabled")
    what = "the server extension " + ("is not enabled" if state is None else "has been disabled")
    fix = f"Run: jupyter server extension enable {_EXTENSION}"
    return Finding(Level.FAIL, what, fix=fix)


def _lab_extension() -> Finding:
    from jupyter_core.paths import jupyter_path

    for directory in jupyter_path("labextensions", _LAB_EXTENSION):
        if (Path(directory) / "package.json").exists():
            return Finding(Level.OK, "the lab extension is installed")
    what = "the lab extension is not installed: a waiting cell shows a plain link instead"
    return Finding(Level.WARN, what, fix="Run: pip install --force-reinstall platform-auth")
