"""A kernel of a real Jupyter server, spoken to over its own sockets."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from jupyter_client.blocking.client import BlockingKernelClient

from fakes.closing import Closing

if TYPE_CHECKING:
    from harness.jupyter import JupyterServer

_SECONDS: Final = 120


def start_kernel(server: JupyterServer) -> str:
    """Have a server start a kernel, and return its identifier."""
    started = server.fetch("api/kernels", "POST", json={"name": "python3"}).raise_for_status()
    kernel_id: str = started.json()["id"]
    return kernel_id


class ServerKernel(Closing):
    """A kernel that a server has started; ends with the block.

    Parameters
    ----------
    server
        The server.
    kernel_id
        Of one that has been started already.

    """

    def __init__(self, server: JupyterServer, kernel_id: str | None = None) -> None:
        self._server = server
        self.kernel_id = kernel_id or start_kernel(server)
        self._client = BlockingKernelClient()
        self._client.load_connection_file(str(server.runtime / f"kernel-{self.kernel_id}.json"))
        self._client.start_channels(hb=False)  # a busy machine is not a dead kernel
        self._client.wait_for_ready(timeout=_SECONDS)

    def close(self) -> None:
        """Shut it down."""
        self._client.stop_channels()
        self._server.fetch(f"api/kernels/{self.kernel_id}", "DELETE")

    def begin(self, code: str) -> str:
        """Run a cell, and return without waiting for its end."""
        message: str = self._client.execute(textwrap.dedent(code))
        return message

    def end(self, message: str) -> str:
        """Return what a cell has printed, or the name of the error it ended with."""
        said: list[str] = []
        while True:
            got = self._client.get_iopub_msg(timeout=_SECONDS)
            if got["parent_header"].get("msg_id") != message:
                continue
            content: dict[str, Any] = got["content"]
            if got["msg_type"] == "stream":
                said.append(content["text"])
            elif got["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}")
            elif got["msg_type"] == "status" and content["execution_state"] == "idle":
                return "".join(said).strip()

    def first_line(self, message: str) -> str:
        """Return what a cell prints first."""
        while True:
            got = self._client.get_iopub_msg(timeout=_SECONDS)
            if got["parent_header"].get("msg_id") == message and got["msg_type"] == "stream":
                text: str = got["content"]["text"]
                return text.strip()

    def run(self, code: str) -> str:
        """Run a cell and return what it printed."""
        return self.end(self.begin(code))

    def restart(self) -> None:
        """Restart it, as the button does."""
        self._server.fetch(f"api/kernels/{self.kernel_id}/restart", "POST").raise_for_status()
        self._client.wait_for_ready(timeout=_SECONDS)
