"""One replica of the Hub's service: all that belongs to it but the Hub itself.

``python -m load.replica``: an order as JSON on the standard input (``url``, ``keys``, ``issuer``,
``profiles``, ``lease_seconds``); prints its port once it is ready. SIGTERM ends it in order.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from platform_auth.broker.protocol import Protocol
from platform_auth.broker.redirects import Redirects
from platform_auth.broker.reply import refusal
from platform_auth.config import Profiles
from platform_auth.errors import PlatformAuthError
from platform_auth.hub.database import Database
from platform_auth.hub.keys import FileKeys
from platform_auth.hub.people import People


def profile(issuer: str) -> dict[str, Any]:
    """Return the shape of a profile."""
    return {
        "admin": {
            "endpoint": "platform.example.com",
            "authType": "Pkce",
            "clientId": "hub",
            "scopes": ["offline_access"],
        },
        "oauth": {"issuer": issuer},
    }


def profiles(issuer: str, names: list[str]) -> Profiles:
    """Return what there is to sign in to."""
    shapes = {name: profile(issuer) for name in names}
    return Profiles(admin=shapes, user_file=None, flyte=False)


class Token(RequestHandler):
    """``/PERSON/PROFILE``: the person's token, as the protocol has it."""

    def initialize(self, people: People) -> None:
        """Take what it works with."""
        self.people = people

    async def get(self, person: str, name: str) -> None:
        """Answer."""
        try:
            broker = await self.people.broker(person)
            path = f"/v1/profiles/{name}/token"
            reply = await Protocol(broker, private=True).answer("GET", path, {"min_ttl": "1"}, {})
        except PlatformAuthError as error:
            reply = refusal(error)
        self.set_status(reply.status)
        self.finish(reply.body)


async def serve(order: dict[str, Any]) -> None:
    """Serve until the end."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    database = Database(order["url"])
    await database.upgrade()
    people = People(
        database,
        profiles(order["issuer"], order["profiles"]),
        Redirects("/services/platform-auth/login"),
        keys=FileKeys(order["keys"]),
        lease_seconds=order["lease_seconds"],
    )
    handlers = [(r"/([^/]+)/([^/]+)", Token, {"people": people})]
    server = HTTPServer(Application(handlers, log_function=lambda _handler: None))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    sys.stdout.write(f"{sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()
    server.stop()
    await people.close()
    await server.close_all_connections()
    await database.close()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
    sys.stdout.flush()
    os._exit(0)  # threads of a driver that waits for a database which is away
