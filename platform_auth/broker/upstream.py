"""A broker that keeps nothing: it asks the Hub's service, in the same protocol.

The refresh tokens and client secrets of all users are there and nowhere else. What is here are
access tokens while they live, so that nobody notices when the service is started anew.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ..errors import BrokerError, NoSuchCallError, PlatformAuthError
from .kept_tokens import KeptTokens
from .protocol import MAX_WAIT, parts_of
from .reply import Reply, not_yours, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from .hub_service import HubService

log = logging.getLogger("platform_auth")

_LONGEST: Final = 4  # v1, profiles, a name, a verb
_NOT_FOR_BROWSERS: Final = (
    "config", "settings", "hides", "redirect_uri", "store", "default_origin",
)  # fmt: skip


class Upstream:
    """Answers the calls of the protocol for one user, as `Protocol` does from a broker.

    Parameters
    ----------
    service
        Who is asked.
    sign_in_url
        Returns the root-relative address at which a browser signs in to a profile from here.

    """

    def __init__(self, service: HubService, sign_in_url: Callable[[str], str]) -> None:
        self.service, self._sign_in_url = service, sign_in_url
        self._tokens = KeptTokens(self._ask_for_token)
        self.private = Face(self, private=True)
        self.public = Face(self, private=False)

    async def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any],
        only: Collection[str] | None,
    ) -> Reply:
        """Answer a call that may be made; see `Protocol.answer`.

        Raises
        ------
        BrokerUnavailableError
            The service does not answer.

        """
        parts = parts_of(path)
        name, path = "".join(parts[2:3]), "/" + "/".join(quote(each, safe="") for each in parts)
        if method == "GET" and parts[3:] == ["token"]:
            return await self._tokens.answer(name, query)
        if method != "GET":
            self._tokens.drop(name)
        wait = 0.0
        with suppress(ValueError):
            wait = min(max(float(query.get("wait", 0)), 0.0), MAX_WAIT)
        try:
            reply = await self.service.ask(method, path, query, body, wait=wait)
        finally:
            if method != "GET":  # a token that was under way meanwhile may be the old one
                self._tokens.drop(name)
        return Reply(reply.status, self._shown(reply.body, only))

    async def _ask_for_token(self, name: str, query: Mapping[str, str], patient: bool) -> Reply:  # noqa: FBT001 - see `KeptTokens`
        path = f"/v1/profiles/{quote(name, safe='')}/token"
        return await self.service.ask("GET", path, query, {}, patient=patient)

    def _shown(self, body: dict[str, Any], only: Collection[str] | None) -> dict[str, Any]:
        """Return an answer with the addresses that hold here, and nothing of other profiles."""
        views = body.get("profiles")
        if not isinstance(views, list):
            return self._view(body)
        listed = [self._view(each) for each in views if isinstance(each, dict)]
        if only is None:
            return body | {"profiles": listed}
        default = body.get("default")
        return body | {
            "profiles": [each for each in listed if each.get("profile") in only],
            "default": default if default in only else None,
        }

    def _view(self, view: dict[str, Any]) -> dict[str, Any]:
        name, challenge = view.get("profile"), view.get("challenge")
        if not isinstance(name, str) or view.get("sign_in_url") is None:
            return view
        url = self._sign_in_url(name)
        if isinstance(challenge, dict) and str(challenge.get("url", "")).startswith("/"):
            challenge = challenge | {"url": url}
        return view | {"sign_in_url": url, "challenge": challenge}

    async def close(self) -> None:
        """Close its connections."""
        await self.service.close()


class Face:
    """What may be asked here, and by whom; `answer` is that of `Protocol`.

    Parameters
    ----------
    upstream
        Has the answers.
    private
        Whether tokens may be handed out here.

    """

    def __init__(self, upstream: Upstream, *, private: bool) -> None:
        self._upstream, self._private = upstream, private

    async def answer(  # noqa: PLR0913 - a request, and whose it is
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any],
        *,
        only: Collection[str] | None = None,
        caller: str = "",
    ) -> Reply:
        """Answer one call; whatever goes wrong is an answer, too."""
        del caller  # the service knows whose server asks
        try:
            self._check(method, path, only)
            reply = await self._upstream.answer(method, path, query, body, only)
        except PlatformAuthError as error:
            return refusal(error)
        except Exception:
            # Its text may hold anything: the person gets none of it, the log gets it redacted.
            log.exception("the Hub's service could not be asked")
            return refusal(BrokerError("The broker failed; its log says why."))
        return reply if self._private else Reply(reply.status, _for_browsers(reply.body))

    def _check(self, method: str, path: str, only: Collection[str] | None) -> None:
        parts = parts_of(path)
        known = parts[:2] == ["v1", "profiles"] and len(parts) <= _LONGEST
        if not known or {".", "..", ""} & set(parts):
            raise NoSuchCallError(f"There is no call {method} {path[:100]} here.")
        if not self._private and (method == "PUT" or parts[3:] == ["token"]):
            raise NoSuchCallError("Tokens are not handed out here.")
        named = parts[2:3]
        if only is not None and named and (named[0] not in only or method == "PUT"):
            raise not_yours(named[0], only)


def _for_browsers(body: dict[str, Any]) -> dict[str, Any]:
    views = body.get("profiles")
    shown = {name: value for name, value in body.items() if name not in _NOT_FOR_BROWSERS}
    if isinstance(views, list):
        shown["profiles"] = [_for_browsers(each) for each in views if isinstance(each, dict)]
    return shown
