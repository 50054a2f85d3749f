"""The user's own profiles, for the front end: finding out, adding, changing, removing, choosing.

::

    POST   /v1/discover  {endpoint, insecure?, insecure_skip_verify?, ca_cert_file_path?, issuer?,
                          client_id?}
                                            -> {name, entry, found, flows, needs_client, cautions}
    GET    /v1/user-profiles/{name}         -> {name, entry, revision, warnings}
    PUT    /v1/user-profiles/{name}         {entry, revision?}: without a revision, a new one
    DELETE /v1/user-profiles/{name}         signs out first
    PUT    /v1/default-profile              {name}

They are for the browser's face alone: what kernels make is gone with the server, and never in a
file. In an entry ``{"kept": true}`` stands for what is not shown, and says to leave it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from ..broker.reply import Reply, refusal
from ..config.caution import cautions
from ..config.profile_edit import OwnEntry, ProfileEditor
from ..errors import (
    BadRequestError,
    BrokerError,
    BrokerUnavailableError,
    NoSuchCallError,
    PlatformAuthError,
    PolicyError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ..broker.broker import Broker

log = logging.getLogger("platform_auth")

_AT_ONCE: Final = 2
"""How many platforms are looked at at a time."""

_COMMANDS: Final = ("command", "proxyCommand")
_TEXTS: Final = {
    "endpoint": ("admin", "endpoint"),
    "ca_cert_file_path": ("admin", "caCertFilePath"),
    "client_id": ("admin", "clientId"),
    "issuer": ("oauth", "issuer"),
}
_FLAGS: Final = {
    "insecure": ("admin", "insecure"),
    "insecure_skip_verify": ("admin", "insecureSkipVerify"),
}


class UserProfiles:
    """Answers these calls from a broker.

    Parameters
    ----------
    broker
        Whose profiles.

    """

    def __init__(self, broker: Broker) -> None:
        self._broker, self._editor = broker, ProfileEditor(broker.profiles)
        self._looking = 0

    async def answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        caller: str,
        may_run_programs: Callable[[], Awaitable[bool]],
    ) -> Reply:
        """Answer one call; whatever goes wrong is an answer, too.

        Parameters
        ----------
        method, path
            As in the table above; the path percent-encoded.
        body
            Decoded.
        caller
            Who asks, for the record.
        may_run_programs
            Asked before a profile may name a program to be run.

        """
        parts = [unquote(part) for part in path.strip("/").split("/")]
        try:
            return Reply(200, await self._route(method, parts, body, may_run_programs))
        except PlatformAuthError as error:
            if isinstance(error, PolicyError):
                self._broker.refused("", error, caller)
            return refusal(error)
        except Exception:
            # Its text may hold anything: the person gets none of it, the log gets it redacted.
            log.exception("a profile could not be changed")
            return refusal(BrokerError("The server failed; its log says why."))

    async def _route(
        self,
        method: str,
        parts: list[str],
        body: Mapping[str, Any],
        may_run_programs: Callable[[], Awaitable[bool]],
    ) -> dict[str, Any]:
        match method, parts:
            case "POST", ["v1", "discover"]:
                return await self._discover(body)
            case "PUT", ["v1", "default-profile"]:
                return await self._choose(_text(body, "name"))
            case (("GET" | "PUT" | "DELETE"), ["v1", "user-profiles", name]):
                return await self._own(method, name, body, may_run_programs)
        raise NoSuchCallError(f"There is no call {method} {'/'.join(parts)[:100]}.")

    async def _own(
        self,
        method: str,
        name: str,
        body: Mapping[str, Any],
        may_run_programs: Callable[[], Awaitable[bool]],
    ) -> dict[str, Any]:
        if method == "GET":
            return _shown(await asyncio.to_thread(self._editor.show, name))
        if method == "DELETE":
            return await self._remove(name)
        entry, revision = body.get("entry"), body.get("revision")
        if not isinstance(entry, dict) or not isinstance(revision, str | None):
            what = "The body needs a member entry, an object; revision is a string."
            raise BadRequestError(what)
        if _names_program(entry) and not await may_run_programs():
            raise PolicyError(
                f"The profile {name!r} would run a program, and you may not run any here.",
                why="This server does not let you start kernels.",
                fix="Ask the owner of this server.",
            )
        return _shown(await asyncio.to_thread(self._editor.save, name, entry, revision))

    async def _remove(self, name: str) -> dict[str, Any]:
        await asyncio.to_thread(self._editor.show, name)  # nobody is signed out of what stays
        await self._broker.leave(name)
        await asyncio.to_thread(self._editor.remove, name)
        return {"name": name}

    async def _choose(self, name: str) -> dict[str, Any]:
        await asyncio.to_thread(self._editor.make_default, name)
        return {"default": self._broker.profiles.default}

    async def _discover(self, body: Mapping[str, Any]) -> dict[str, Any]:
        from ..oauth.prospect import AUTH_TYPES, look_at, suggested_name  # late: it imports httpx2

        entry = _asked(body)
        # Before anything is sent: what is refused, nobody is asked.
        config = self._editor.check("new", entry).config
        if self._looking >= _AT_ONCE:
            raise BrokerUnavailableError("Other platforms are being looked at just now.")
        self._looking += 1
        try:
            prospect = await look_at(config)
        finally:
            self._looking -= 1
        if prospect.flows:
            entry["admin"]["authType"] = AUTH_TYPES[prospect.flows[0]]
        return {
            "name": self._free(suggested_name(config)),
            "entry": entry,
            "found": [fact.to_dict() for fact in prospect.found],
            "flows": list(prospect.flows),
            "needs_client": prospect.needs_client,
            "cautions": list(cautions(config)),
        }

    def _free(self, name: str) -> str:
        taken, number = self._broker.profiles.source_of, 2
        free = name
        while taken(free) is not None:
            free, number = f"{name}-{number}", number + 1
        return free


def _asked(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entry that a question describes."""
    entry: dict[str, dict[str, Any]] = {"admin": {}, "oauth": {}}
    for name, (block, key) in _TEXTS.items():
        if name == "endpoint" or body.get(name) not in (None, ""):
            entry[block][key] = _text(body, name).strip()
    for name, (block, key) in _FLAGS.items():
        value = body.get(name, False)
        if not isinstance(value, bool):
            raise BadRequestError(f"{name} is true or false.")
        if value:
            entry[block][key] = True
    return entry


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRequestError(f"The body needs a member {name}, a string.")
    return value


def _names_program(entry: Mapping[str, Any]) -> bool:
    admin = entry.get("admin")
    return isinstance(admin, dict) and any(admin.get(key) for key in _COMMANDS)


def _shown(own: OwnEntry) -> dict[str, Any]:
    return {
        "name": own.name,
        "entry": own.entry,
        "revision": own.revision,
        "warnings": list(own.warnings),
    }
