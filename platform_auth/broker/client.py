"""Asking a broker, with nothing but the standard library.

A kernel, a terminal or a tool finds its broker by ``PLATFORM_AUTH_BROKER`` (``unix:///path`` or
``http://127.0.0.1:PORT``) and ``PLATFORM_AUTH_BROKER_TOKEN_FILE``. The file is read for each call,
so that a restarted server is found again. Both pickle, as references: they name places, no key.
Where there is no Jupyter server, `hub_channel` asks the Hub's service.
"""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

from ..errors import BrokerRefusedError, BrokerUnavailableError, PlatformAuthError
from .call import call, connect
from .environment import ADDRESS_VARIABLE, broker_of_environment, hub_service_of_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .access_token import AccessToken

_UNIX: Final = "unix://"
_MEMBERS: Final = {"access_token", "token_type", "expires_at", "expires_in", "header"}
_NO_SUCH_CALL: Final = "no_such_call"
_SECONDS: Final = 40.0  # a refresh inside the broker may take 30
_TOO_MANY: Final = 429
_PAUSES: Final = (0.25, 0.5, 1.0)
"""Seconds to wait, at most, before the next try at a broker that is asked too much."""


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

    def put(self, name: str, config: Mapping[str, Any], *, apart: bool = False) -> dict[str, Any]:
        """Take in a profile made by code, in the shape of ``profiles.yaml``.

        Where it is to be kept ``apart`` from one of that name that has another secret, the answer's
        ``profile`` is what it is called.
        """
        return self._call(
            "PUT", _path(name), {"config": config} | ({"apart": True} if apart else {})
        )

    def put_like(self, name: str, other: str, scopes: Sequence[str]) -> dict[str, Any]:
        """Have a profile made that is like another one, its secrets too, but for more scopes."""
        return self._call("PUT", _path(name), {"like": other, "scopes": list(scopes)})

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
        from .access_token import AccessToken

        answer = self.token_answer(name, min_ttl=min_ttl, stale=stale)
        try:
            return AccessToken.from_dict(answer)
        except (KeyError, TypeError, ValueError):
            raise _other_version() from None

    def token_answer(
        self, name: str, *, min_ttl: float = 60, stale: str | None = None
    ) -> dict[str, Any]:
        """Return the same as the broker says it: `AccessToken.to_dict`."""
        query: dict[str, Any] = {"min_ttl": min_ttl}
        if stale is not None:
            query["stale"] = stale
        answer = self._call("GET", _path(name, "token", query=query))
        if not answer.keys() >= _MEMBERS:
            raise _other_version()
        return answer

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> dict[str, Any]:
        status, answer = self._channel.call(method, path, body, wait=wait)
        if status < 400:  # noqa: PLR2004 - client and server errors
            return answer
        error = answer.get("error")
        if not isinstance(error, dict) or error.get("code") == _NO_SUCH_CALL:
            raise _other_version()
        raise PlatformAuthError.from_dict(error)


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
        found = broker_of_environment()
        return cls(*found) if found else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _reattached, (self.address, self.token_file)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> tuple[int, dict[str, Any]]:
        """Put one call; again after a while where the broker is asked too much."""
        content = b"" if body is None else json.dumps(body).encode()
        for pause in _PAUSES:
            status, answer = self._call(method, path, content, _SECONDS + wait)
            if status != _TOO_MANY:
                return status, answer
            _rest(pause)
        return self._call(method, path, content, _SECONDS + wait)

    def _call(
        self, method: str, path: str, content: bytes, timeout: float
    ) -> tuple[int, dict[str, Any]]:
        # On a connection of its own: nothing is shared with a forked child.
        family, place = _place(self.address)
        headers = {
            "Authorization": f"Bearer {self._secret()}",
            "Host": "127.0.0.1",
            "Content-Type": "application/json",
        }
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout)
                connect(connection, place)
                status, answer = call(connection, method, path, headers, content)
            return status, _json_object(answer)
        except TimeoutError as error:
            raise _unavailable("It is busy: it does not answer in time.") from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            why = "It was stopped, or runs without the extension platform_auth."
            raise _unavailable(why) from error
        except (OSError, ValueError, RecursionError) as error:
            raise _unavailable(str(error) or type(error).__name__) from error

    def _secret(self) -> str:
        try:
            with open(self.token_file, encoding="ascii") as file:  # noqa: PTH123 - see `call`
                return file.read().strip()
        except FileNotFoundError as error:
            why = f"{self.token_file} is gone: its kernel or server has ended, or was elsewhere."
            raise _unavailable(why) from error
        except (OSError, ValueError) as error:
            raise _unavailable(f"{self.token_file} cannot be read.") from error


def _reattached(address: str, token_file: str) -> Channel:
    """Return the channel of an object that came from another process.

    Where that process's key is not to be had (it has ended, or was on another machine), this one
    may have a broker of its own.
    """
    channel = SocketChannel(address, token_file)
    if not os.path.exists(token_file):  # noqa: PTH110 - see `call`
        return channel_of_environment() or channel
    return channel


def channel_of_environment() -> Channel | None:
    """Return the channel that the environment names, or None.

    To the Jupyter server that this process belongs to; else, as for a worker or a batch job that
    has a Hub's token, to the Hub's service.
    """
    channel, service = SocketChannel.from_environment(), hub_service_of_environment()
    if channel is not None or service is None:
        return channel
    from .hub_channel import HubChannel  # few are there

    return HubChannel(service)


def _rest(seconds: float) -> None:
    import random  # few ever come here

    time.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - spreads load, hides nothing


def _json_object(body: bytes) -> dict[str, Any]:
    data = json.loads(body)
    if isinstance(data, dict):
        return data
    msg = "it does not answer with a JSON object"
    raise ValueError(msg)


def _place(address: str) -> tuple[socket.AddressFamily, Any]:
    """Return where a broker is, as a socket wants it."""
    if address.startswith(_UNIX):
        return socket.AF_UNIX, address.removeprefix(_UNIX)
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
    return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port)


def _unavailable(why: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "The Jupyter server that keeps your sign-ins cannot be reached.",
        why=why,
        fix="If the server was restarted, restart this kernel too; then try again.",
    )


def _other_version() -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "The Jupyter server has another version of platform-auth than this kernel.",
        fix="Install the same one for both, then restart the server and the kernel.",
        retryable=False,
    )
