"""One HTTP call to a program on this machine, and its answer.

Without `http.client`, which takes longer to import than all else that printing a token takes: other
tools wait for that before each call of theirs. It is HTTP/1.0 (RFC 1945), so that an answer ends
where the connection does.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from .waits import pieces

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes that are read of an answer."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: |\Z)")
_AT_ONCE = 64 * 1024
_PAUSE: Final = 0.02


def connect(connection: socket.socket, place: Any) -> None:  # noqa: ANN401 - as its family has it
    """Connect to a program, however many do so at the same time.

    Parameters
    ----------
    connection
        A new one; its timeout is for all tries together.
    place
        Where the program listens.

    Raises
    ------
    OSError
        It does not listen, or let nobody in for too long (`TimeoutError`).

    """
    deadline = time.monotonic() + (connection.gettimeout() or 0)
    while True:
        try:
            return connection.connect(place)
        except BlockingIOError:  # a Unix socket whose queue is full: nobody waits in connect(2)
            if time.monotonic() >= deadline:
                raise TimeoutError from None
        _rest()


def _rest() -> None:
    time.sleep(_PAUSE)


def call(
    connection: socket.socket,
    method: str,
    target: str,
    headers: Mapping[str, str],
    content: bytes = b"",
) -> tuple[int, bytes]:
    """Put a call and return the status and the content of the answer.

    Parameters
    ----------
    connection
        A new one; the answer ends with it. Its timeout is for the whole of the answer.
    method, target, headers, content
        What is sent.

    Raises
    ------
    OSError
        The connection broke, or it took too long.
    ValueError
        A header cannot be sent, or the answer is no whole one in HTTP.

    """
    lines = [f"{method} {target} HTTP/1.0", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not all(line.isascii() and line.isprintable() for line in lines):
        msg = "what is to be sent holds characters that no header may"
        raise ValueError(msg)
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + content)
    return _parsed(_read(connection))


def _read(connection: socket.socket) -> bytes:
    answer = bytearray()
    for piece in pieces(connection.gettimeout()):
        connection.settimeout(piece)
        try:
            part = connection.recv(_AT_ONCE)
        except TimeoutError:
            continue
        answer += part
        if not part or len(answer) > MAX_ANSWER:
            return bytes(answer)
    msg = "it took too long"
    raise TimeoutError(msg)


def _parsed(answer: bytes) -> tuple[int, bytes]:
    head, end, content = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.split(b"\r\n")
    status = _STATUS.match(status_line)
    if status is None or not end:
        msg = "it does not speak HTTP"
        raise ValueError(msg)
    headers = {name.strip().lower(): value.strip() for name, _, value in map(_halves, lines)}
    if int(headers.get(b"content-length", len(content))) != len(content):
        msg = "its answer was cut off"
        raise ValueError(msg)
    return int(status[1]), content


def _halves(line: bytes) -> tuple[bytes, bytes, bytes]:
    return line.partition(b":")
