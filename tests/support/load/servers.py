"""Two servers on a Unix socket, each in a process of its own: a broker, and Tornado alone.

``python -m load.servers broker|bare DIRECTORY`` prints the variables of a kernel as JSON, and ends
with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from math import inf
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

from fakes.bench import Bench
from platform_auth.broker import handles
from platform_auth.broker.environment import ADDRESS_VARIABLE, TOKEN_FILE_VARIABLE
from platform_auth.broker.listener import Listener

ANSWER = {
    "access_token": "x" * 600,
    "token_type": "Bearer",
    "expires_at": 2e9,
    "expires_in": 300.0,
    "header": "authorization",
    "lifetime": 300.0,
}


class Bare(RequestHandler):
    """Answers as much as a broker does, and asks nobody."""

    def get(self) -> None:
        """Answer."""
        self.finish(ANSWER)


async def serve(kind: str, directory: Path) -> None:
    """Serve until the standard input ends."""
    places = await broker(directory) if kind == "broker" else bare(directory)
    sys.stdout.write(json.dumps(places) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


async def broker(directory: Path) -> dict[str, str]:
    """Serve a broker that somebody has signed in to; its clock stands still."""
    handles.RATE = handles.BURST = inf  # how fast it is, not how fast it may be
    bench = Bench()
    await bench.sign_in()
    listener = Listener(bench.broker, directory)
    listener.start()
    _kept.append(listener)
    return listener.environment


def bare(directory: Path) -> dict[str, str]:
    """Serve Tornado's own handler."""
    directory.mkdir(parents=True, exist_ok=True)
    server = HTTPServer(Application([(r"/.*", Bare)], log_function=lambda _handler: None))
    server.add_socket(bind_unix_socket(str(directory / "bare.sock")))
    _kept.append(server)
    (directory / "key").write_text("key")
    return {
        ADDRESS_VARIABLE: f"unix://{directory / 'bare.sock'}",
        TOKEN_FILE_VARIABLE: str(directory / "key"),
    }


_kept: list[Any] = []

if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
