"""A kernel of the Jupyter server, spoken to as a front end does: REST and a web socket."""

from __future__ import annotations

import json
import socket
import time
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import nbformat.v4

from ...errors import ServerFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from .server import Server

Output = dict[str, Any]
Message = dict[str, Any]

_PROTOCOL: Final = "5.3"
_CELL_SECONDS: Final = 120.0
_KINDS: Final = frozenset({"stream", "display_data", "execute_result", "error"})


class Kernel:
    """A Python kernel, for as long as the ``with`` block lasts.

    Parameters
    ----------
    server
        The server that starts it and so gives it its environment.
    notebook
        The notebook's path on the server.

    """

    def __init__(self, server: Server, notebook: str) -> None:
        self._server, self._notebook = server, notebook
        self._session = uuid.uuid4().hex

    def __enter__(self) -> Self:
        import websocket  # of the package websocket-client, which jupyter-server brings

        kernel = {"name": "python3"}
        names = {"path": self._notebook, "name": self._notebook, "type": "notebook"}
        session = self._server.ask("POST", "api/sessions", {**names, "kernel": kernel})
        path = f"api/kernels/{session['kernel']['id']}/channels?session_id={self._session}"
        url = f"{self._server.url}{path}".replace("http://", "ws://", 1)
        # With a socket of our own no proxy of the environment's gets in between.
        address = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
        plain = socket.create_connection(address, timeout=_CELL_SECONDS)
        self._socket: Any = websocket.create_connection(
            url, header=self._server.headers, socket=plain
        )
        self._id, self._kernel = session["id"], session["kernel"]["id"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        if error is None:
            self._server.ask("DELETE", f"api/sessions/{self._id}")

    def run(self, code: str, shown: Callable[[Output], None] | None = None) -> list[Output]:
        """Run a cell and return its outputs, in the notebook format.

        Parameters
        ----------
        code
            The cell.
        shown
            Called with each output when it appears, while the cell may still be running.

        Raises
        ------
        ServerFailedError
            The cell does not end.

        """
        outputs = _Outputs()
        for message in self._messages(self._ask(code)):
            new = outputs.take(message)
            if new is not None and shown is not None:
                shown(new)
        return outputs.found

    def interrupt(self) -> None:
        """End the cell that is running."""
        self._server.ask("POST", f"api/kernels/{self._kernel}/interrupt")

    def _ask(self, code: str) -> str:
        request, now = uuid.uuid4().hex, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        header = {
            "msg_id": request, "session": self._session, "username": "", "date": now,
            "msg_type": "execute_request", "version": _PROTOCOL,
        }  # fmt: skip
        # A front end that would take input has a person before it: the login waits for them.
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return request

    def _messages(self, request: str) -> Iterator[Message]:
        """Yield what belongs to a request, until it has been dealt with."""
        deadline, missing = time.monotonic() + _CELL_SECONDS, {"idle", "reply"}
        while missing:
            if time.monotonic() > deadline:
                raise ServerFailedError(f"A cell has not ended after {_CELL_SECONDS:.0f} seconds.")
            message = self._receive()
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "execute_reply":
                missing.discard("reply")
            elif message["content"].get("execution_state") == "idle":
                missing.discard("idle")
            yield message

    def _receive(self) -> Message:
        import websocket

        try:
            message: Message = json.loads(self._socket.recv())
        except websocket.WebSocketTimeoutException:
            what = f"The kernel has said nothing for {_CELL_SECONDS:.0f} seconds."
            raise ServerFailedError(what) from None
        return message


class _Outputs:
    """The outputs of one cell; a display that is updated stays where it was."""

    def __init__(self) -> None:
        self.found: list[Output] = []
        self._by_id: dict[str, Output] = {}

    def take(self, message: Message) -> Output | None:
        """Take a message in, and return the output that it adds."""
        content = message["content"]
        display = content.get("transient", {}).get("display_id")
        if message["msg_type"] == "update_display_data" and display in self._by_id:
            self._by_id[display].update(data=content["data"], metadata=content["metadata"])
        if message["msg_type"] not in _KINDS:
            return None
        output: Output = nbformat.v4.output_from_msg(message)  # type: ignore[no-untyped-call]
        self.found.append(output)
        if display:
            self._by_id[display] = output
        return output
