"""One HTTP request and its response, in the shape Authlib works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from platform_auth.sandbox.tokens import Family

Parameters = dict[str, list[str]]


class Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib is untyped
    """The parameters of a request.

    A parameter without a value counts as omitted (RFC 6749 §3.1).
    """

    def __init__(self, parameters: Parameters) -> None:
        self._lists = parameters
        self._first = {name: values[0] for name, values in parameters.items()}

    @property
    def data(self) -> dict[str, str]:
        """Return the first value of each parameter."""
        return self._first

    @property
    def datalist(self) -> Parameters:
        """Return every value of each parameter."""
        return self._lists


class Request(OAuth2Request):  # type: ignore[misc]  # Authlib is untyped
    """A request to one of the provider's endpoints.

    Parameters
    ----------
    http
        The request as Tornado has it.

    """

    def __init__(self, http: HTTPServerRequest) -> None:
        super().__init__(str(http.method), http.full_url(), headers=http.headers)
        self._form = Payload(_decoded(http.body_arguments))
        self.payload = Payload(_decoded(http.arguments))
        self.family: Family | None = None

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters of the body."""
        return self._form.data

    def repeated(self) -> list[str]:
        """Return the parameters that came more than once, which none may (RFC 6749 §3.2)."""
        return sorted(name for name, values in self.payload.datalist.items() if len(values) > 1)


def _decoded(arguments: dict[str, list[bytes]]) -> Parameters:
    texts = {name: [value.decode() for value in values] for name, values in arguments.items()}
    return {name: kept for name, values in texts.items() if (kept := [v for v in values if v])}


@dataclass
class Response:
    """What to answer.

    Parameters
    ----------
    status
        The HTTP status.
    body
        Text, or an object to send as JSON.
    headers
        In order; a name may repeat.

    """

    status: int
    body: str | dict[str, Any] = ""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def location(self) -> str | None:
        """The address to redirect to, which Authlib extends with ``iss`` (RFC 9207 §2)."""
        return dict(self.headers).get("Location")

    @location.setter
    def location(self, value: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0] != "Location"]
        self.headers.append(("Location", value))
