"""A real Jupyter server, with JupyterLab or Notebook 7, as a process of its own."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import httpx2

from harness.child import Child
from harness.environment import isolated, program
from harness.http import loopback_client
from harness.notebooks import read_notebook, write_notebook
from harness.polling import wait_until
from harness.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BASE_URL: Final = "/a%40b/"
"""Every server lives under it: an escape in the path brings most URL mistakes to light."""

_START_UP: Final = 60.0

# Nothing here may ask the network, and a page object may reach the front end's command registry.
_SERVER_CONFIG: Final = """\
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = {port}
c.ServerApp.port_retries = 0
c.ServerApp.base_url = {base_url!r}
c.ServerApp.root_dir = {root!r}
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.IdentityProvider.token = {token!r}
c.LabApp.expose_app_in_browser = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.JupyterNotebookApp.expose_app_in_browser = True
"""

_FRONT_END_SETTINGS: Final = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    }
}


class JupyterServer:
    """A running server: token authentication, XSRF checks on, everything it keeps in one directory.

    Parameters
    ----------
    directory
        Holds its home, its notebooks (``work``) and its log.
    app
        ``lab`` or ``notebook``.
    config
        The traits of ``c.PlatformAuth``: ``{"profiles": {...}}``.
    server_config
        Other traits by their full name: ``{"ServerApp.trust_xheaders": True}``.
    notebooks
        Notebooks to begin with: by name, what each cell says.
    env
        More environment variables, for it and so for its kernels.
    jupyter
        The program ``jupyter`` of another environment than this one.
    labextension
        Whether our lab extension is on, as it is once installed.

    """

    def __init__(
        self,
        directory: Path,
        *,
        app: str = "lab",
        config: Mapping[str, Any] | None = None,
        server_config: Mapping[str, Any] | None = None,
        notebooks: Mapping[str, Sequence[str]] | None = None,
        env: Mapping[str, str] | None = None,
        jupyter: str | None = None,
        labextension: bool = True,
    ) -> None:
        self.directory = directory
        self.app = app
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.base_url = BASE_URL
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}{BASE_URL}"
        self.callback_url = f"{self.url}platform-auth/callback"
        self.home = directory / "home"
        self.root = directory / "work"
        self.argv = [jupyter or program("jupyter"), self.app]
        self._env = isolated(self.home, **(env or {}))
        self.runtime = self.home / "run"
        self.root.mkdir(parents=True, exist_ok=True)
        for name, cells in (notebooks or {}).items():
            write_notebook(self.root / name, cells)
        self._configure(config or {}, server_config or {})
        if not labextension:  # as `jupyter labextension disable` writes it
            page_config = self.home / "jupyter" / "config" / "labconfig" / "page_config.json"
            page_config.write_text('{"disabledExtensions": {"platform-auth": true}}')
        self._child = self._spawn()

    def _configure(self, config: Mapping[str, Any], server_config: Mapping[str, Any]) -> None:
        directory = self.home / "jupyter" / "config"
        own = _SERVER_CONFIG.format(
            port=self.port, base_url=self.base_url, root=str(self.root), token=self.token
        )
        lines = [f"c.{name} = {value!r}\n" for name, value in server_config.items()]
        (directory / "jupyter_server_config.py").write_text(own + "".join(lines), encoding="utf-8")
        lines = [f"c.PlatformAuth.{name} = {value!r}\n" for name, value in config.items()]
        path = directory / "jupyter_platform_auth_config.py"
        path.write_text("".join(lines), encoding="utf-8")
        overrides = directory / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir(exist_ok=True)
        overrides.write_text(json.dumps(_FRONT_END_SETTINGS), encoding="utf-8")

    def _spawn(self) -> Child:
        child = Child(
            self.argv,
            env=self._env,
            log=self.directory / "jupyter.log",
            cwd=self.root,
        )
        try:
            wait_until(lambda: self._answers(child), "the Jupyter server", within=_START_UP)
        except (TimeoutError, RuntimeError):
            child.kill()
            raise
        return child

    def _answers(self, child: Child) -> bool:
        if not child.running:
            msg = f"the Jupyter server ended while it started:\n{child.log_text()}"
            raise RuntimeError(msg)
        try:
            return self.fetch("api/status").is_success
        except httpx2.TransportError:
            return False

    def fetch(self, path: str, method: str = "GET", **request: Any) -> httpx2.Response:
        """Ask the server for a path under its base URL, with its token and no cookie."""
        headers = {"Authorization": f"token {self.token}", **request.pop("headers", {})}
        with loopback_client(timeout=30.0) as http:
            return http.request(method, f"{self.url}{path}", headers=headers, **request)

    def page_url(self, notebook: str | None = None) -> str:
        """Return the address that opens a notebook (or the front page) and logs the browser in."""
        home = "lab" if self.app == "lab" else "tree"
        view = "lab/tree" if self.app == "lab" else "notebooks"
        path = home if notebook is None else f"{view}/{quote(notebook)}"
        # JupyterLab would bring back what the page before had open.
        return f"{self.url}{path}?reset&token={self.token}"

    def kernels(self, notebook: str) -> list[dict[str, Any]]:
        """Return the kernels of the sessions on a notebook: ``execution_state`` and all."""
        sessions = self.fetch("api/sessions").raise_for_status().json()
        return [session["kernel"] for session in sessions if session["path"] == notebook]

    def saved(self, notebook: str) -> dict[str, Any]:
        """Return a notebook as it is on the disk."""
        return read_notebook(self.root / notebook)

    def log_text(self) -> str:
        """Return everything the server logged, over all restarts."""
        return self._child.log_text()

    def restart(self) -> None:
        """Stop it and start it again at the same port; browsers stay logged in."""
        self.stop()
        self._child = self._spawn()

    def stop(self) -> None:
        """End it and its kernels."""
        self._child.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._child.kill()
