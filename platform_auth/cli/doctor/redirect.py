"""Whether a browser that comes back from the identity provider arrives somewhere."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

import httpx2

from ...broker.loopback import LoopbackListener
from ...broker.redirects import PASTE_REDIRECT_URI, Redirects, Way
from ...config import Profile, ProfileSource
from ...errors import PlatformAuthError
from ...oauth.flows import get_flow
from ...oauth.steps import origin_of
from ..address import in_browser, is_certain
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config import PlatformConfig

_PATIENCE: Final = 5.0
_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500


def check(view: dict[str, Any], config: PlatformConfig) -> Iterator[Finding]:
    """Look at the way home that a sign-in from here would take, if its flow has one.

    Parameters
    ----------
    view
        The session.
    config
        Its configuration, completed by discovery.

    """
    if not get_flow(config.flow).redirects:
        return
    login_path, fixed = (view["sign_in_url"] or "").partition("?")[0], config.oauth.redirect_uri
    profile = Profile(view["profile"], config, ProfileSource(view["source"]))
    try:
        way = Redirects(login_path or None).way(profile)
    except PlatformAuthError as error:
        yield Finding.of(error, "redirect URI")
        return
    if way is Way.PASTE:
        uri = fixed or PASTE_REDIRECT_URI
        yield Finding(Level.OK, f"redirect URI: {uri}, to be pasted: nobody needs to listen there")
    elif way is Way.LOOPBACK:
        yield _loopback(fixed)
    else:
        yield from _server(fixed or in_browser(view["redirect_uri"]))


def _loopback(fixed: str | None) -> Finding:
    try:
        asyncio.run(_listen(fixed))
    except PlatformAuthError as error:
        return Finding.of(error, "redirect URI")
    uri = fixed or "http://127.0.0.1/callback with any port"
    if os.environ.get("SSH_CONNECTION"):
        why = "You are here by ssh, and your browser is not."
        fix = "Sign in with `--redirect paste`, or set oauth.redirect to paste."
        return Finding(Level.WARN, f"redirect URI: {uri}", why, fix)
    return Finding(Level.OK, f"redirect URI: {uri}; a port here can be listened on")


async def _listen(fixed: str | None) -> None:
    async def answered(_url: str) -> None:
        """Nobody comes: no sign-in has begun."""

    listener = LoopbackListener(answered)
    try:
        await listener.start(fixed)
    finally:
        await listener.close()


def _server(uri: str) -> Iterator[Finding]:
    if uri.startswith("/"):
        what = f"redirect URI: https://YOUR-JUPYTER{uri}"
        yield Finding(Level.NOTE, what, fix="Register it with your Jupyter's address in front.")
        return
    yield _arrival(uri)
    host = "" if is_certain(uri) else ", with the host as your browser shows it"
    yield Finding(Level.NOTE, f"redirect URI: register exactly {uri}{host}")


def _arrival(uri: str) -> Finding:
    """Go there as a browser would, with nothing to say."""
    what = f"redirect URI: {origin_of(uri)} cannot be reached from here"
    try:
        answer = httpx2.get(uri, timeout=_PATIENCE)
    except httpx2.HTTPError as error:
        fix = "Is the Jupyter server running, and is that its address?"
        if is_certain(uri):
            fix += " What counts is whether your browser gets there."
        return Finding(Level.WARN if is_certain(uri) else Level.FAIL, what, str(error), fix)
    if answer.status_code == _NOT_FOUND or answer.status_code >= _SERVER_ERROR:
        what = f"redirect URI: the server answers {answer.status_code} at {uri}"
        fix = "Enable the extension and restart the Jupyter server, or correct redirect_base_url."
        return Finding(Level.FAIL, what, fix=fix)
    return Finding(Level.OK, f"redirect URI: {uri} is there")
