"""Asking the Hub's service from elsewhere: a worker, or a batch job, with a token of the Hub."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import BrokerUnavailableError
from .call import call
from .environment import HUB_TOKEN_VARIABLE
from .hub_address import HubAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 40.0
_PAUSES: Final = (0.25, 0.5, 1.0, 2.0)
"""Seconds between the tries at a service that is not there: it may just be started anew."""

_AWAY: Final = frozenset({404, 502, 503, 504})
_ERROR: Final = 400


class HubChannel:
    """Reaches the service by HTTP; it pickles as a reference, without the token.

    Parameters
    ----------
    url
        The service's address.

    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __reduce__(self) -> tuple[Any, ...]:
        return HubChannel, (self.url,)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, wait: float = 0
    ) -> tuple[int, dict[str, Any]]:
        """Put one call; again after a while where the service is not there.

        Raises
        ------
        BrokerRefusedError
            It may not be asked at this address.
        BrokerUnavailableError
            There is no answer.

        """
        address = HubAddress.parse(self.url)
        content = b"" if body is None else json.dumps(body).encode()
        for pause in _PAUSES:
            try:
                return _call(address, method, path, content, _SECONDS + wait)
            except _AwayError:
                time.sleep(pause)
        try:
            return _call(address, method, path, content, _SECONDS + wait)
        except _AwayError as error:
            raise _unavailable(str(error)) from None


class _AwayError(Exception):
    """The service cannot have got the call."""


def _call(
    address: HubAddress, method: str, path: str, content: bytes, timeout: float
) -> tuple[int, dict[str, Any]]:
    headers = {
        "Authorization": f"token {os.environ.get(HUB_TOKEN_VARIABLE, '')}",
        "Host": f"[{address.host}]" if ":" in address.host else address.host,
        "Content-Type": "application/json",
    }
    try:
        with _connected(address, timeout) as connection:
            status, answer = call(connection, method, f"{address.path}{path}", headers, content)
    except TimeoutError:
        raise _unavailable("It does not answer in time.") from None
    except (OSError, ValueError) as error:
        raise _unavailable(str(error) or type(error).__name__) from error
    return status, _parsed(status, answer)


def _connected(address: HubAddress, timeout: float) -> socket.socket:
    try:
        plain = socket.create_connection((address.host, address.port), timeout)
    except OSError as error:
        raise _AwayError(error.strerror or "Nothing answers there.") from error
    if address.scheme == "http":
        return plain
    import ssl

    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
    except OSError:
        plain.close()
        raise


def _parsed(status: int, answer: bytes) -> dict[str, Any]:
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and (status < _ERROR or isinstance(data.get("error"), dict)):
        return data
    if status in _AWAY:
        raise _AwayError(f"The Hub's proxy answers {status} in its place.")
    raise _unavailable(f"What answers there ({status}) is not the service.")


def _unavailable(why: str) -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "The Hub's service that keeps your sign-ins does not answer.",
        why=why,
        fix="Try again in a minute; if it stays away, tell the administrator of the Hub.",
    )
