"""The broker protocol, version 1: what every face answers, without the wire.

::

    GET  /v1/profiles                                   all sessions
    GET  /v1/profiles/{name}?since=REV&wait=SECONDS     one session; long poll
    GET  /v1/profiles/{name}?explain=1                  with where its settings come from (private)
    PUT  /v1/profiles/{name}            {config, apart?} or {like, scopes}
                                                        a profile made by code, or  (private)
                                                        one like another, with more scopes
    POST /v1/profiles/{name}/sign-in    {flow?, force?, redirect?}
                                                        the challenge, or signed in
    POST /v1/profiles/{name}/complete   {url}           a pasted redirect URL
    POST /v1/profiles/{name}/cancel                     call a sign-in off
    POST /v1/profiles/{name}/sign-out                   with logout_url: str | null
    GET  /v1/profiles/{name}/qr                         a device flow's address to be scanned
    GET  /v1/profiles/{name}/token?min_ttl=SECONDS&stale=FINGERPRINT               (private)

Answers are JSON objects: a session (see `platform_auth.broker.view`), a token (see
`AccessToken.to_dict`), or ``{"error": {code, what, why, fix, retryable}}``. ``stale`` names what
was refused: the token, or the ``proxy_authorization`` that came with it. The private calls exist
where only the person's own programs can come: on the broker's socket and in process, never on the
face a browser sees.
"""

from __future__ import annotations

import json
import logging
import typing
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, runtime_checkable
from urllib.parse import unquote

from ..config import ProfileSource
from ..config.origin import explain
from ..errors import (
    BadRequestError,
    BrokerError,
    NoSuchCallError,
    PlatformAuthError,
    PolicyError,
)
from .reply import Reply, not_yours, refusal
from .view import broken_view, session_view

if TYPE_CHECKING:
    from .broker import Broker

log = logging.getLogger("platform_auth")

MAX_BODY: Final = 64 * 1024
"""Bytes a call's body may have."""

MAX_WAIT: Final = 30.0
"""Seconds a long poll may last."""

_Query = Mapping[str, str]
_Body = Mapping[str, Any]


@runtime_checkable
class Answers(typing.Protocol):
    """What answers the calls of the protocol: `Protocol`, or a broker elsewhere for it."""

    async def answer(  # noqa: PLR0913 - see `Protocol.answer`
        self,
        method: str,
        path: str,
        query: _Query,
        body: _Body,
        *,
        only: Collection[str] | None = None,
        caller: str = "",
    ) -> Reply:
        """Answer one call; whatever goes wrong is an answer, too."""


class Protocol:
    """Answers the calls of the protocol from a broker.

    Parameters
    ----------
    broker
        Whose sessions.
    private
        Whether tokens may be handed out and profiles taken in here.

    """

    def __init__(self, broker: Broker, *, private: bool) -> None:
        self._broker, self._private = broker, private

    async def answer(  # noqa: PLR0913 - a request, and whose it is
        self,
        method: str,
        path: str,
        query: _Query,
        body: _Body,
        *,
        only: Collection[str] | None = None,
        caller: str = "",
    ) -> Reply:
        """Answer one call; whatever goes wrong is an answer, too.

        Parameters
        ----------
        method, path
            As in the table above; the path percent-encoded.
        query, body
            Decoded; empty where there is none.
        only
            The profiles that whoever asks may use; None for all. Within them nothing can be had
            that they do not say: a profile made by code is another one.
        caller
            Who asks, for the record: ``kernel 0b2c…``.

        """
        try:
            call = self._route(method, path, only, caller)
            return Reply(200, await call(query, body))
        except PlatformAuthError as error:
            if isinstance(error, PolicyError):
                self._broker.refused(parts_of(path)[2], error, caller)
            return refusal(error)
        except Exception:
            # Its text may hold anything: the person gets none of it, the log gets it redacted.
            log.exception("the broker failed to answer %s", method)
            return refusal(BrokerError("The broker failed; its log says why."))

    def _route(
        self, method: str, path: str, only: Collection[str] | None, caller: str
    ) -> Callable[[_Query, _Body], Awaitable[dict[str, Any]]]:
        parts = parts_of(path)
        if parts == ["v1", "profiles"] and method == "GET":
            return lambda _query, _body: self._profiles(only)
        match (method, parts):
            case ("GET" | "PUT", ["v1", "profiles", name]):
                verb = {"GET": "show", "PUT": "put"}[method]
            case ("POST" | "GET", ["v1", "profiles", name, verb]) if _METHOD.get(verb) == method:
                pass
            case _:
                raise NoSuchCallError(f"The broker has no call {method} {path[:100]}.")
        if verb in {"put", "token"} and not self._private:
            raise NoSuchCallError("Tokens are not handed out here.")
        if only is not None and (name not in only or verb == "put"):
            raise not_yours(name, only)
        if verb == "token":
            return lambda query, _body: self._token(name, query, caller)
        if verb == "sign-out":
            return lambda _query, _body: self._sign_out(name, caller)
        call = getattr(self, f"_{verb.replace('-', '_')}")
        return lambda query, body: call(name, query, body)

    async def _profiles(self, only: Collection[str] | None) -> dict[str, Any]:
        broker = self._broker
        names = [name for name in broker.names() if only is None or name in only]
        views = [await self._listed(name) for name in names]
        # A broken profile says so itself; the rest are of the files and the environment.
        said = [view["error"] for view in views]
        problems = [p for each in broker.profiles.problems if (p := each.to_dict()) not in said]
        default = broker.profiles.default
        default = default if only is None or default in only else None
        answer = {"version": 1, "default": default, "profiles": views, "problems": problems}
        if not self._private:
            return answer
        return answer | {"store": broker.store, "default_origin": broker.profiles.default_origin}

    async def _listed(self, name: str) -> dict[str, Any]:
        try:
            return session_view(await self._broker.session(name), self._broker)
        except PlatformAuthError as error:
            return broken_view(name, error.to_dict(), self._broker)

    async def _show(self, name: str, query: _Query, _body: _Body) -> dict[str, Any]:
        session = await self._broker.session(name)
        if "since" in query:
            wait = min(_number(query, "wait", 0), MAX_WAIT)
            await session.changed(int(_number(query, "since", 0)), wait)
            session = await self._broker.session(name)
        view = session_view(session, self._broker)
        if self._private:
            view["config"] = session.profile.to_mapping(secrets=False)
        if self._private and query.get("explain") == "1":
            view["settings"] = [each.to_dict() for each in explain(session.profile)]
            view["hides"] = list(session.profile.hides)
            view["redirect_uri"] = self._broker.redirects.callback_url()
        return view

    async def _put(self, name: str, _query: _Query, body: _Body) -> dict[str, Any]:
        config, apart = body.get("config"), body.get("apart", False)
        if "like" in body:
            config = await self._like(body["like"], body.get("scopes"))
        if not isinstance(config, Mapping) or not isinstance(apart, bool):
            what = "The body needs a member config, an object; apart is true or false."
            raise BadRequestError(what)
        return session_view(await self._broker.put(name, config, apart=apart), self._broker)

    async def _like(self, name: object, scopes: object) -> dict[str, Any]:
        """Return the shape of a profile with more scopes: its secrets have not left the broker."""
        listed = scopes if isinstance(scopes, list) else [None]
        if not isinstance(name, str) or not all(isinstance(each, str) for each in listed):
            raise BadRequestError("like is the name of a profile, and scopes is a list of strings.")
        session = await self._broker.session(name)
        profile, scopes = session.profile, await self._broker.scopes(session)
        config = replace(profile.config, scopes=tuple(dict.fromkeys((*scopes, *listed))))
        return replace(profile, config=config, source=ProfileSource.SESSION).to_mapping()

    async def _sign_in(self, name: str, _query: _Query, body: _Body) -> dict[str, Any]:
        flow, redirect, force = body.get("flow"), body.get("redirect"), body.get("force", False)
        texts = all(each is None or isinstance(each, str) for each in (flow, redirect))
        if not texts or not isinstance(force, bool):
            what = "flow and redirect are strings, and force is true or false."
            raise BadRequestError(what)
        session = await self._broker.sign_in(name, flow=flow, force=force, redirect=redirect)
        return session_view(session, self._broker)

    async def _complete(self, name: str, _query: _Query, body: _Body) -> dict[str, Any]:
        url = body.get("url")
        if not isinstance(url, str) or not url.strip():
            raise BadRequestError("The body needs a member url: the address the browser ended on.")
        await self._broker.session(name)
        return session_view(await self._broker.complete(url.strip()), self._broker)

    async def _cancel(self, name: str, _query: _Query, _body: _Body) -> dict[str, Any]:
        return session_view(await self._broker.cancel(name), self._broker)

    async def _sign_out(self, name: str, caller: str) -> dict[str, Any]:
        left = await self._broker.sign_out(name, caller=caller)
        return {**session_view(left.session, self._broker), "logout_url": left.logout_url}

    async def _qr(self, name: str, _query: _Query, _body: _Body) -> dict[str, Any]:
        from ..qr_code import qr_code  # few sign-ins show a code

        challenge = (await self._broker.session(name)).challenge or {}
        url = challenge.get("verification_uri_complete") or challenge.get("verification_uri", "")
        code = qr_code(url)
        return {"qr": None if code is None else {"size": code.size, "path": code.path}}

    async def _token(self, name: str, query: _Query, caller: str) -> dict[str, Any]:
        min_ttl, stale = _number(query, "min_ttl", 60), query.get("stale")
        token = await self._broker.token(name, min_ttl=min_ttl, stale=stale, caller=caller)
        return token.to_dict()


_METHOD: Final = {
    "sign-in": "POST",
    "complete": "POST",
    "cancel": "POST",
    "sign-out": "POST",
    "qr": "GET",
    "token": "GET",
}


def parts_of(path: str) -> list[str]:
    """Return the segments of a call's path, decoded."""
    return [unquote(part) for part in path.strip("/").split("/")]


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a call's body holds; none is an empty one.

    Raises
    ------
    BadRequestError
        It holds something else.

    """
    try:
        data = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadRequestError("The body is not a JSON object.")
    return data


def _number(query: _Query, name: str, default: float) -> float:
    try:
        value = float(query.get(name, default))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e15:  # noqa: PLR2004 - neither negative, infinite nor NaN
        raise BadRequestError(f"{name} is a number that is not negative.")
    return value
