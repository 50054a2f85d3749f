"""The certified OpenID provider (npm's oidc-provider) as the tests see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.child import Child
from harness.environment import isolated, program
from harness.http import loopback_client
from harness.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

HOME: Final = Path(__file__).parent.parent / "oidc"
AUDIENCE: Final = "https://platform.example/api"
"""What the access tokens with the scope ``api`` are for."""


class OidcProvider:
    """A running provider.

    Clients: ``notebook`` (public, web), ``cli`` (public, native: any loopback port), ``device``
    (public), ``confidential``, ``service`` and ``service-post`` (with `client_secret`). Accounts:
    ``ada`` and ``grace``. PKCE with S256 is required, refresh tokens rotate, and the use of an old
    one revokes its whole family.

    Parameters
    ----------
    directory
        Where its log goes.
    host
        The host in its issuer: ``localhost``, so that it is another site than a Jupyter server at
        127.0.0.1 and browsers treat the two as strangers.
    issuer
        Another one, where something in front of it answers.
    settings
        Its first settings, see ``oidc/settings.mjs``; every `reset` goes back to them.

    """

    audience = AUDIENCE
    client_secret = "the-confidential-clients-secret"

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "localhost",
        issuer: str | None = None,
        **settings: Any,
    ) -> None:
        if not (HOME / "node_modules" / "oidc-provider").is_dir():
            msg = f"{HOME.name}: the provider's packages are missing: run `make setup`"
            raise FileNotFoundError(msg)
        self.child = Child(
            [program("node"), str(HOME / "server.mjs")],
            env=isolated(directory / "home"),
            log=directory / "oidc-provider.log",
            cwd=HOME,
            talk=True,
        )
        given = {"host": host, "settings": settings} | ({"issuer": issuer} if issuer else {})
        self.issuer, self.port = self._begin(given)
        where = self.issuer if issuer is None else f"http://127.0.0.1:{self.port}"
        self._control = loopback_client(base_url=f"{where}/_test/")

    def _begin(self, given: dict[str, Any]) -> tuple[str, int]:
        stdin, stdout = self.child.process.stdin, self.child.process.stdout
        assert stdin is not None
        assert stdout is not None
        line = json.dumps({**given, "audience": self.audience, "secret": self.client_secret})
        stdin.write(line.encode() + b"\n")
        stdin.flush()
        ready = stdout.readline()
        if not ready:
            msg = f"the OpenID provider did not start:\n{self.child.log_text()}"
            raise RuntimeError(msg)
        said = json.loads(ready)
        return said["issuer"], said["port"]

    def stop(self) -> None:
        """End it."""
        self._control.close()
        self.child.stop()

    def log_text(self) -> str:
        """Return what it printed and the requests it got, for a failure's report."""
        lines = [json.dumps(entry) for entry in self.log()] if self.child.running else []
        return "\n".join([self.child.log_text(), *lines])

    def allow_redirects(self, client_id: str, uris: Iterable[str]) -> None:
        """Add redirect URIs to a client's; they are compared character by character."""
        known = self.register(client_id)["redirect_uris"]
        self.register(client_id, redirect_uris=sorted({*known, *uris}))

    def register(self, client_id: str, **metadata: Any) -> dict[str, Any]:
        """Make a client, or change one (RFC 7591 §2 names the metadata); return all of it."""
        client: dict[str, Any] = self._post("clients", {"client_id": client_id, **metadata})
        return client

    def settings(self, **changes: Any) -> None:
        """Change settings until the next `reset`: ``settings(access_token_ttl=2)``."""
        self._post("settings", changes)

    def fault(self, kind: str, *, endpoint: str = "token", count: int = 1, **details: Any) -> None:
        """Spoil the next `count` requests to `endpoint`; ``oidc/faults.mjs`` lists the kinds."""
        self._post("faults", {"kind": kind, "endpoint": endpoint, "count": count, **details})

    def wait_for_held(self, count: int = 1) -> None:
        """Wait until `count` requests are held by a ``hold`` fault."""
        wait_until(lambda: self._get("held")["held"] >= count, f"{count} held requests")

    def release(self) -> None:
        """Let every held request go on."""
        self._post("release", {})

    def reset(self) -> None:
        """Forget every sign-in, client, fault, setting and record of the tests before."""
        self._post("reset", {})

    def log(self, endpoint: str | None = None, **wanted: Any) -> list[dict[str, Any]]:
        """Return the requests so far, oldest first, those that match; never a secret in them."""
        wanted = wanted if endpoint is None else {"endpoint": endpoint, **wanted}
        entries: list[dict[str, Any]] = self._get("log")
        return [
            entry
            for entry in entries
            if all(entry.get(name) == value for name, value in wanted.items())
        ]

    def secrets(self) -> dict[str, list[str]]:
        """Return every token, code and verifier of the tests so far, to search leaks for."""
        found: dict[str, list[str]] = self._get("secrets")
        return found | {"client_secret": [self.client_secret]}

    def _get(self, path: str) -> Any:
        return self._control.get(path).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._control.post(path, json=body)
        if answer.is_error:
            msg = f"the OpenID provider refused {path} {body}: {answer.text}"
            raise ValueError(msg)
        return answer.json()
