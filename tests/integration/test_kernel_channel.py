"""The way from a kernel to its broker: in workers of every kind, and over everybody's end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.broker import broker_client
from harness.jupyter_user import JupyterUser
from harness.kernel import ServerKernel
from harness.polling import wait_until
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.errors import BrokerRefusedError, BrokerUnavailableError
from platform_auth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.jupyter import JupyterServer

WORKERS = 3

# What a notebook's author has in a module of their own, as workers want it.
MODULE = """
import multiprocessing

def use(connection, client):
    token = connection.tokens.token()
    return token.fingerprint, client.get("/api/v1/projects").status_code

def started(method):
    def run(connection, client, workers):
        with multiprocessing.get_context(method).Pool(workers) as pool:
            return pool.starmap(use, [(connection, client)] * workers)
    return run

def loky(connection, client, workers):
    from joblib import Parallel, delayed
    return Parallel(workers, backend="loky")(
        delayed(use)(connection, client) for _ in range(workers)
    )

def dask(connection, client, workers):
    from distributed import Client, LocalCluster
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as there:
        calls = [there.submit(use, connection, client, pure=False) for _ in range(workers)]
        return there.gather(calls)

WAYS = {"loky": loky, "dask": dask}
WAYS.update((method, started(method)) for method in ("fork", "spawn", "forkserver"))
"""

CONNECT = """
    import os, pickle, module_of_theirs
    from platform_auth import connect
    connection = connect("demo")
    client = connection.http()
    client.get("/api/v1/projects").raise_for_status()
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@contextmanager
def signed_in(start: Callable[..., JupyterServer], sandbox: Sandbox) -> Iterator[JupyterServer]:
    server = start(config={"profiles": sandbox.profiles()})
    (server.root / "module_of_theirs.py").write_text(MODULE)
    with closing(JupyterUser(server)) as user:
        user.come_back(sandbox.sign_in_scripted(user.begin("demo").headers["location"]))
        assert user.session("demo")["state"] == "signed_in"
    yield server


@pytest.fixture(scope="module")
def server(
    sandbox: Sandbox, module_jupyter_server_process: Callable[..., JupyterServer]
) -> Iterator[JupyterServer]:
    with signed_in(module_jupyter_server_process, sandbox) as server:
        yield server


@pytest.fixture
def server_of_its_own(
    sandbox: Sandbox, jupyter_server_process: Callable[..., JupyterServer]
) -> Iterator[JupyterServer]:
    with signed_in(jupyter_server_process, sandbox) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(server: JupyterServer) -> Iterator[ServerKernel]:
    with ServerKernel(server) as kernel:
        assert kernel.run(CONNECT) == ""
        yield kernel


def channel_of(kernel: ServerKernel) -> SocketChannel:
    """Return the way a kernel has to its broker."""
    names = ("PLATFORM_AUTH_BROKER", "PLATFORM_AUTH_BROKER_TOKEN_FILE")
    address, token_file = kernel.run(
        f"import os\nfor name in {names}: print(os.environ[name])"
    ).splitlines()
    return SocketChannel(address, token_file)


class TestWorkers:
    @pytest.mark.parametrize("way", ["fork", "spawn", "forkserver", "loky", "dask"])
    def test_they_share_the_kernels_sign_in(
        self, kernel: ServerKernel, sandbox: Sandbox, way: str
    ) -> None:
        """A connection and a client that are handed to them ask the same broker, once more."""
        before = len(sandbox.requests)
        said = kernel.run(f"""
            found = module_of_theirs.WAYS[{way!r}](connection, client, {WORKERS})
            print(len(found), {{status for _, status in found}})
            print({{token for token, _ in found}} == {{connection.tokens.token().fingerprint}})
            pickled = pickle.dumps((connection, client, connection.tokens))
            print(connection.access_token().encode() in pickled)
        """)
        assert said.splitlines()[-3:] == [f"{WORKERS} {{200}}", "True", "False"]
        assert len(sandbox.requests) == before  # the provider hears nothing of them

    def test_one_that_knows_neither_the_broker_nor_the_profile_is_told_so(
        self, kernel: ServerKernel, tmp_path: Path
    ) -> None:
        """As on another machine: no environment, and no key where the kernel's was."""
        said = kernel.run(f"""
            import subprocess, sys
            elsewhere = pickle.dumps(connection).replace(
                os.environ["PLATFORM_AUTH_BROKER_TOKEN_FILE"].encode(),
                b"/" + b"x" * (len(os.environ["PLATFORM_AUTH_BROKER_TOKEN_FILE"]) - 1),
            )
            code = "import pickle, sys; pickle.load(sys.stdin.buffer).access_token()"
            bare = {{"PATH": os.environ["PATH"], "HOME": {str(tmp_path)!r}}}
            bare["PYTHONPATH"] = os.pathsep.join(each for each in sys.path if each)
            ran = subprocess.run(
                [sys.executable, "-c", code], input=elsewhere, env=bare, capture_output=True
            )
            print(ran.stderr.decode().strip().splitlines()[-3:])
        """)
        assert "BrokerUnavailableError" in said
        assert "has ended, or was elsewhere" in said


class TestHandles:
    def test_each_kernel_and_the_terminals_have_their_own(
        self, server: JupyterServer, kernel: ServerKernel
    ) -> None:
        with ServerKernel(server) as other:
            terminals: Any = broker_client(server)._channel
            channels = [channel_of(kernel), channel_of(other), terminals]
            assert len({channel.address for channel in channels}) == 1
            keys = {Path(channel.token_file).read_text() for channel in channels}
            assert len(keys) == 3
            log = server.log_text()
            for key in keys:
                assert key not in log

    def test_a_key_ends_with_its_kernel_but_not_with_a_restart(
        self, server: JupyterServer, tmp_path: Path
    ) -> None:
        """What a kernel has left running has no more access than the kernel."""
        with ServerKernel(server) as kernel:
            channel = channel_of(kernel)
            (tmp_path / "copy").write_text(Path(channel.token_file).read_text())
            copied = BrokerClient(SocketChannel(channel.address, str(tmp_path / "copy")))
            kernel.restart()
            assert channel_of(kernel).token_file == channel.token_file
            assert copied.token("demo")
        with pytest.raises(BrokerRefusedError, match="does not know"):
            copied.token("demo")
        with pytest.raises(BrokerUnavailableError):
            BrokerClient(channel).token("demo")

    def test_a_killed_servers_go_and_its_terminals_find_the_next_one(
        self, server_of_its_own: JupyterServer
    ) -> None:
        """A program in tmux, say, that outlives the server; the sign-in does, too."""
        server = server_of_its_own
        terminal = broker_client(server)
        token = terminal.token("demo")
        with ServerKernel(server) as kernel:
            channel = channel_of(kernel)
            server.kill()
            with pytest.raises(BrokerUnavailableError):
                terminal.token("demo")
            assert Path(channel.token_file).exists()
            server.restart()
            assert not Path(channel.token_file).exists()
            assert terminal.token("demo").fingerprint == token.fingerprint
            with pytest.raises(BrokerUnavailableError):
                BrokerClient(channel).token("demo")


class TestServerThatHangs:
    @pytest.fixture
    def stopped(self, server_of_its_own: JupyterServer) -> Iterator[JupyterServer]:
        pid = server_of_its_own._child.process.pid
        yield server_of_its_own
        os.kill(pid, signal.SIGCONT)

    def test_a_kernel_works_on_with_its_token_and_can_be_interrupted(
        self, stopped: JupyterServer
    ) -> None:
        with ServerKernel(stopped) as kernel:
            kernel.run(CONNECT)
            pid = int(kernel.run("print(os.getpid())"))
            os.kill(stopped._child.process.pid, signal.SIGSTOP)
            began = time.monotonic()
            assert kernel.run('print(client.get("/api/v1/projects").status_code)') == "200"
            assert time.monotonic() - began < 5
            cell = kernel.begin("print('asking')\nconnect('demo').access_token()")
            assert kernel.first_line(cell) == "asking"
            began = time.monotonic()
            os.kill(pid, signal.SIGINT)
            assert kernel.end(cell).startswith("KeyboardInterrupt")
            assert time.monotonic() - began < 1
            os.kill(stopped._child.process.pid, signal.SIGCONT)
            wait_until(lambda: stopped.fetch("api/status").is_success, "the server again")
            assert kernel.run("print(connect('demo').access_token() != '')") == "True"
