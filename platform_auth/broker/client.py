"""Asking a broker, with nothing but the standard library.

A kernel, a terminal or a tool finds its broker by ``PLATFORM_AUTH_BROKER`` (``unix:///path`` or
``http://127.0.0.1:PORT``) and ``PLATFORM_AUTH_BROKER_TOKEN_FILE``. The file is read for each call,
so that a restarted server is found again.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

from ..errors import BrokerRefusedError, BrokerUnavailableError, PlatformAuthError
from .access_token import AccessToken

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS_VARIABLE: Final = "PLATFORM_AUTH_BROKER"
TOKEN_FILE_VARIABLE: Final = "PLATFORM_AUTH_BROKER_TOKEN_FILE"  # noqa: S105 - a variable's name

_UNIX: Final = "unix://"
_SECONDS = 40.0  # a refresh inside the broker may take 30
_MAX_ANSWER = 4 * 1024 * 1024


class Channel(Protocol):
    """A way to put a call to a broker."""

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and JSON object of the answer; ``wait`` is how long it may take more.

        Raises
        ------
        BrokerUnavailableError, BrokerRefusedError
            There is no answer, or none for us.

        """


class BrokerClient:
    """The broker protocol as methods; every one may raise any `PlatformAuthError`.

    Parameters
    ----------
    channel
        How to reach the broker.

    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def profiles(self) -> dict[str, Any]:
        """Return all sessions: ``{"version", "default", "profiles", "problems"}``."""
        return self._call("GET", "/v1/profiles")

    def session(self, name: str, *, since: int | None = None, wait: float = 0) -> dict[str, Any]:
        """Return one session; with ``since``, once its revision is another or after ``wait`` s."""
        query = {} if since is None else {"since": since, "wait": wait}
        return self._call("GET", _path(name, query=query), wait=wait)

    def explanation(self, name: str) -> dict[str, Any]:
        """Return one session with its ``settings``: value, origin and what that overrode."""
        return self._call("GET", _path(name, query={"explain": 1}))

    def put(self, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """Take in a profile made by code, in the shape of ``profiles.yaml``."""
        return self._call("PUT", _path(name), {"config": config})

    def sign_in(
        self,
        name: str,
        *,
        flow: str | None = None,
        force: bool = False,
        redirect: str | None = None,
    ) -> dict[str, Any]:
        """Begin to sign in and return the session, with its challenge where a person must act."""
        wish = {"flow": flow, "force": force, "redirect": redirect}
        return self._call("POST", _path(name, "sign-in"), wish)

    def complete(self, name: str, url: str) -> dict[str, Any]:
        """Hand over a pasted redirect URL."""
        return self._call("POST", _path(name, "complete"), {"url": url})

    def cancel(self, name: str) -> dict[str, Any]:
        """Call a sign-in off."""
        return self._call("POST", _path(name, "cancel"))

    def sign_out(self, name: str) -> dict[str, Any]:
        """Sign out; the answer's ``logout_url`` is where to do so at the provider, too, or None."""
        return self._call("POST", _path(name, "sign-out"))

    def token(self, name: str, *, min_ttl: float = 60, stale: str | None = None) -> AccessToken:
        """Return a fresh access token; see `platform_auth.broker.broker.Broker.token`."""
        query: dict[str, Any] = {"min_ttl": min_ttl}
        if stale is not None:
            query["stale"] = stale
        answer = self._call("GET", _path(name, "token", query=query))
        try:
            return AccessToken.from_dict(answer)
        except (KeyError, TypeError, ValueError):
            raise _unavailable("it speaks another version of the protocol") from None

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> dict[str, Any]:
        status, answer = self._channel.call(method, path, body, wait=wait)
        if status < 400:  # noqa: PLR2004 - client and server errors
            return answer
        error = answer.get("error")
        raise PlatformAuthError.from_dict(error if isinstance(error, dict) else {})


def _path(name: str, verb: str = "", *, query: Mapping[str, Any] | None = None) -> str:
    path = f"/v1/profiles/{quote(name, safe='')}"
    return path + (f"/{verb}" if verb else "") + (f"?{urlencode(query)}" if query else "")


class SocketChannel:
    """Reaches a broker through its socket.

    Parameters
    ----------
    address
        ``unix:///path`` or ``http://127.0.0.1:PORT``.
    token_file
        Where its secret is.

    """

    def __init__(self, address: str, token_file: str) -> None:
        self.address, self.token_file = address, token_file

    @classmethod
    def from_environment(cls) -> SocketChannel | None:
        """Return the channel that the environment names, or None."""
        address, token_file = os.environ.get(ADDRESS_VARIABLE), os.environ.get(TOKEN_FILE_VARIABLE)
        return cls(address, token_file) if address and token_file else None

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> tuple[int, dict[str, Any]]:
        """Put one call, on a connection of its own: nothing is shared with a forked child."""
        connection = _connection(self.address, _SECONDS + wait)
        headers = {
            "Authorization": f"Bearer {self._secret()}",
            "Host": "127.0.0.1",
            "Content-Type": "application/json",
        }
        try:
            content = json.dumps(body) if body is not None else None
            connection.request(method, path, content, headers)
            with connection.getresponse() as answer:
                status, data = answer.status, _json_object(answer.read(_MAX_ANSWER))
        except TimeoutError as error:
            raise _unavailable("it does not answer in time") from error
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise _unavailable(str(error) or type(error).__name__) from error
        finally:
            connection.close()
        return status, data

    def _secret(self) -> str:
        try:
            return Path(self.token_file).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise _unavailable(f"{self.token_file} cannot be read") from error


def _json_object(body: bytes) -> dict[str, Any]:
    data = json.loads(body)
    if isinstance(data, dict):
        return data
    msg = "it does not answer with a JSON object"
    raise ValueError(msg)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("127.0.0.1", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(address: str, timeout: float) -> http.client.HTTPConnection:
    if address.startswith(_UNIX):
        return _UnixConnection(address.removeprefix(_UNIX), timeout)
    # The secret must not go anywhere else, whatever the environment says.
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not address.startswith("http://") or host not in {"127.0.0.1", "::1"} or not port:
        raise BrokerRefusedError(
            f"{ADDRESS_VARIABLE} is not the address of a broker on this machine.",
            fix="Unset it, or restart the kernel.",
        )
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _unavailable(why: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "The Jupyter server that keeps your sign-ins cannot be reached.",
        why=why,
        fix="If the server was restarted, restart this kernel too; then try again.",
    )
