"""A real JupyterHub with its real proxy, whose users are users of the operating system."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import httpx2

from harness.child import Child
from harness.environment import isolated, program
from harness.for_everybody import for_everybody
from harness.http import loopback_client
from harness.polling import wait_until
from harness.ports import free_port
from harness.system_users import SystemUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASE_URL: Final = "/h%20b/"
"""The Hub lives under it: an escape in the path brings most URL mistakes to light.

It is one that the Hub's own HTTP client leaves alone: with ``%40`` no user server can reach it.
"""

ADMIN: Final = "boss"
"""The first part of the name of the Hub's administrator."""

PROXY: Final = Path(__file__).parent.parent / "hub/node_modules/.bin/configurable-http-proxy"
"""JupyterHub's own proxy."""
_START_UP: Final = 60.0
_SERVER_START: Final = 60.0

# Comes after whatever an example or a test says, so that it decides where everything is.
_CONFIG: Final = """\
c = get_config()
people, port = {people!r}, {port}
{examples}
{more}
c.JupyterHub.bind_url = {bind_url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.db_url = "sqlite:///{state}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{state}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "{state}/proxy.pid"
c.JupyterHub.authenticator_class = {authenticator!r}
c.Authenticator.allowed_users = {users!r}
c.Authenticator.admin_users = {admins!r}
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.JupyterHub.allow_named_servers = True
c.LocalProcessSpawner.interrupt_timeout = 3
c.Spawner.cmd = [{singleuser!r}]
c.Spawner.start_timeout = c.Spawner.http_timeout = {start_timeout:.0f}
c.Spawner.environment.update({{"JUPYTER_CONFIG_PATH": {settings!r}}})
c.JupyterHub.services.append({{"name": "tests", "api_token": {token!r}}})
c.JupyterHub.load_roles.append({{
    "name": "tests",
    "services": ["tests"],
    "scopes": ["admin:users", "admin:servers", "access:servers", "tokens", "proxy", "read:hub"],
}})
"""

# Nothing a front end loads may ask the network.
_SERVER_CONFIG: Final = """\
c.LabApp.expose_app_in_browser = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
"""


class Hub:
    """A running Hub: two users and an administrator, each a user of the system, named servers.

    Parameters
    ----------
    users
        The beginnings of its users' names; the default has one that URLs must escape.
    settings
        The traits of ``c.PlatformAuth`` for all user servers, in a file that only root can change.
    examples
        Files to load as part of ``jupyterhub_config.py``, as they are.
    config
        More lines of it; ``people`` is a dict of what the users are called, ``port`` the proxy's.
    env
        More environment variables for the Hub itself.
    authenticator
        The class, by its name at the Hub; the default lets everybody in with any password.
    origin
        Where browsers find it if that is not its proxy: ``https://127.0.0.1:8443``.

    Attributes
    ----------
    url
        Its address in a browser, which ends in its prefix.
    people
        Its users by the beginnings of their names, ``boss`` included.
    token
        A token that may do all the tests need.

    """

    def __init__(
        self,
        *,
        users: Sequence[str] = ("ada", "grace+"),
        settings: Mapping[str, Any] | None = None,
        examples: Sequence[Path] = (),
        config: str = "",
        env: Mapping[str, str] | None = None,
        authenticator: str = "dummy",
        origin: str | None = None,
    ) -> None:
        if not PROXY.exists():
            msg = f"{PROXY.name} is missing: run `make setup`"
            raise FileNotFoundError(msg)
        self.token = secrets.token_hex(16)
        self.port, self.hub_port, self.api_port = free_port(), free_port(), free_port()
        self.proxy_origin = f"http://127.0.0.1:{self.port}"
        self.origin = origin or self.proxy_origin
        self.base_url = BASE_URL
        # Below /tmp anybody could put a file aside: what is read there is not the administrator's.
        self.directory = Path(tempfile.mkdtemp(prefix="pa-", dir="/run"))
        self.directory.chmod(0o755)
        self.people: dict[str, SystemUser] = {}
        try:
            for name in (*users, ADMIN):
                self.people[name.rstrip("+")] = SystemUser(name, self.directory)
            self._configure(settings or {}, examples, config, authenticator)
            self._env = isolated(self.directory / "state" / "home", **(env or {}))
            self._child = self._spawn()
        except BaseException:
            self.remove()
            raise

    # Places

    @property
    def url(self) -> str:
        """Its address in a browser."""
        return f"{self.origin}{self.base_url}"

    @property
    def callback_url(self) -> str:
        """The one redirect URI for all users without a service."""
        return f"{self.url}hub/user-redirect/platform-auth/callback"

    def name(self, person: str) -> str:
        """Return a person's name at the Hub."""
        return self.people[person].name

    def server_url(self, person: str, server: str = "") -> str:
        """Return the address of a person's server, by its name; the default one without."""
        name = f"{quote(server)}/" if server else ""
        return f"{self.url}user/{quote(self.name(person), safe='@~')}/{name}"

    @property
    def api_url(self) -> str:
        """Its interface for programs, past the proxy."""
        return f"http://127.0.0.1:{self.hub_port}{BASE_URL}hub/api/"

    # Its interface for programs

    def api(self, method: str, path: str, token: str = "", **request: Any) -> httpx2.Response:
        """Call the Hub's own interface (``users/…``), by default with all rights."""
        headers = {"Authorization": f"token {token or self.token}"}
        with loopback_client(timeout=30.0) as http:
            return http.request(method, f"{self.api_url}{path}", headers=headers, **request)

    def new_token(self, person: str, scopes: Sequence[str] | None = None) -> str:
        """Return a new token of a person's, with these scopes; with all of theirs by default."""
        body = {"note": "tests"} | ({} if scopes is None else {"scopes": list(scopes)})
        made = self.api("POST", f"{self._user(person)}/tokens", json=body).raise_for_status()
        token: str = made.json()["token"]
        return token

    def start_server(self, person: str, server: str = "") -> None:
        """Start a person's server and wait until it answers."""
        self.api("POST", self._server(person, server), json={}).raise_for_status()
        wait_until(
            lambda: self.server(person, server).get("ready"),
            f"{person}'s server {server}",
            within=_SERVER_START,
        )

    def stop_server(self, person: str, server: str = "") -> None:
        """Stop a person's server and wait until it is gone."""
        self.api("DELETE", self._server(person, server)).raise_for_status()
        wait_until(
            lambda: not self.server(person, server),
            f"the end of {person}'s server {server}",
            within=_SERVER_START,
        )

    def server(self, person: str, server: str = "") -> dict[str, Any]:
        """Return what the Hub knows of a server; nothing where it is stopped."""
        model = self.api("GET", self._user(person)).raise_for_status().json()
        found: dict[str, Any] = model["servers"].get(server, {})
        return found if found.get("ready") or found.get("pending") else {}

    def _user(self, person: str) -> str:
        return f"users/{quote(self.name(person), safe='@~')}"

    def _server(self, person: str, server: str) -> str:
        user = self._user(person)
        return f"{user}/servers/{quote(server)}" if server else f"{user}/server"

    # Life

    def _configure(
        self,
        settings: Mapping[str, Any],
        examples: Sequence[Path],
        config: str,
        authenticator: str,
    ) -> None:
        state, shared = self.directory / "state", self.directory / "etc"
        state.mkdir(mode=0o700)
        shared.mkdir()
        traits = "".join(f"c.PlatformAuth.{name} = {value!r}\n" for name, value in settings.items())
        (shared / "jupyter_server_config.py").write_text(_SERVER_CONFIG + traits, encoding="utf-8")
        self._file = state / "jupyterhub_config.py"
        own = _CONFIG.format(
            examples="\n".join(f"load_subconfig({str(path)!r})" for path in examples),
            more=config,
            authenticator=authenticator,
            people={key: each.name for key, each in self.people.items()},
            port=self.port,
            bind_url=f"{self.proxy_origin}{BASE_URL}",
            hub_port=self.hub_port,
            api_port=self.api_port,
            proxy=str(PROXY),
            state=state,
            settings=str(shared),
            users={each.name for each in self.people.values()},
            admins={self.people[ADMIN].name},
            singleuser=program("jupyterhub-singleuser"),
            start_timeout=_SERVER_START,
            token=self.token,
        )
        self._file.write_text(own, encoding="utf-8")

    def _spawn(self) -> Child:
        child = Child(
            for_everybody([program("jupyterhub"), "--config", str(self._file)]),
            env=self._env,
            log=self.directory / "state" / "jupyterhub.log",
            cwd=self.directory / "state",
        )
        try:
            wait_until(lambda: self._answers(child), "the Hub", within=_START_UP)
        except (TimeoutError, RuntimeError):
            child.kill()
            raise
        return child

    def wait_until_reachable(self) -> None:
        """Wait until its proxy leads to it; that comes after all services of its have answered."""
        wait_until(
            lambda: any(route["data"].get("hub") for route in self.routes().values()),
            "the Hub behind its proxy",
            within=_START_UP,
        )

    def routes(self) -> dict[str, Any]:
        """Return where its proxy leads."""
        found: dict[str, Any] = self.api("GET", "proxy").raise_for_status().json()
        return found

    def _answers(self, child: Child) -> bool:
        if not child.running:
            msg = f"the Hub ended while it started:\n{child.log_text()}"
            raise RuntimeError(msg)
        try:
            return self.api("GET", "").is_success
        except httpx2.TransportError:
            return False

    def log_text(self) -> str:
        """Return everything the Hub, its services and its servers logged, over all restarts."""
        return self._child.log_text()

    def stop(self) -> None:
        """End it and, as it does by itself, its proxy and all servers."""
        self._child.stop()

    def restart(self) -> None:
        """Stop it and start it again at the same ports; browsers stay logged in."""
        self.stop()
        self._child = self._spawn()

    def remove(self) -> None:
        """End all of it, and remove its users."""
        if hasattr(self, "_child"):
            self.stop()
        for person in self.people.values():
            person.remove()
        shutil.rmtree(self.directory)
