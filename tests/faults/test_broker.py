"""Faults between a kernel and its broker, over real sockets.

A kernel keeps a token that lives, whatever becomes of its broker; it is told what is wrong in words
it can act on; and nothing ever makes it wait for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from fakes.served import Served, served
from fakes.silent import Tunnel, saying
from platform_auth.broker import client as client_module
from platform_auth.broker import handles
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.place import Place
from platform_auth.broker.stores import open_store
from platform_auth.connection import Connection
from platform_auth.errors import BrokerRefusedError, BrokerUnavailableError, PolicyError
from platform_auth.sandbox import Sandbox, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fakes.leaks import Watch

OLD = (
    b"HTTP/1.0 404 Not Found\r\n\r\n"
    + json.dumps(
        {"error": {"code": "no_such_call", "what": "The broker has no call GET /v1/profiles."}}
    ).encode()
)


@pytest.fixture
def server(short: Path, watch: Watch) -> Iterator[Served]:
    with served(short / "run") as server:
        watch.providers.append(server.bench.provider)
        yield server


@pytest.fixture
def kernel(server: Served) -> Connection:
    """What a kernel holds that has used its token once; halfway through what it has to spare."""
    server.sign_in()
    connection = Connection(server.client(server.grant()), "prod")
    connection.access_token()
    return connection


def age(kernel: Connection) -> None:
    """Have a kernel's token be one that the broker should be asked about by now."""
    kept = kernel.tokens._kept
    assert kept is not None
    kernel.tokens._kept = type(kept)(kept.token, kept.header, 0.0)


def is_asked(kernel: Connection) -> None:
    """Wait until the question in the background has had its answer."""
    assert kernel.tokens._asking is not None
    kernel.tokens._asking.join(20)


# -- The broker is not what it should be -----------------------------------------------------------


@contextlib.contextmanager
def down(server: Served, _path: Path) -> Iterator[str]:
    server.stop()
    yield "ended"
    server.start()


@contextlib.contextmanager
def replaced(server: Served, path: Path, answer: bytes | None) -> Iterator[None]:
    """Put something else in the broker's place, with the kernel's key still there."""
    handle = server.listener._handles._by_digest.copy()
    server.listener._server.stop()
    path.unlink()
    with saying(path, answer):
        yield
    path.unlink(missing_ok=True)
    server.stop()
    server.start()
    assert handle


@contextlib.contextmanager
def no_extension(server: Served, path: Path) -> Iterator[str]:
    """Leave the socket's file behind, as a server does that was killed."""
    server.listener._server.stop()
    path.unlink()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    yield "without the extension platform_auth"
    server.stop()
    server.start()


@contextlib.contextmanager
def busy(server: Served, path: Path) -> Iterator[str]:
    with replaced(server, path, None):
        yield "busy"


@contextlib.contextmanager
def of_another_version(server: Served, path: Path) -> Iterator[str]:
    with replaced(server, path, OLD):
        yield "another version"


@contextlib.contextmanager
def somebody_else(server: Served, path: Path) -> Iterator[str]:
    with replaced(server, path, b"SSH-2.0-OpenSSH_9.9\r\n"):
        yield "does not speak HTTP"


@pytest.mark.parametrize(
    "state", [down, no_extension, busy, of_another_version, somebody_else], ids=lambda f: f.__name__
)
def test_a_kernel_whose_broker_is_away_keeps_its_token_and_finds_the_broker_again(
    server: Served, kernel: Connection, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    """Down or restarting, an old socket file, busy, another version."""
    monkeypatch.setattr(client_module, "_SECONDS", 0.3)
    fresh = Connection(BrokerClient(pickle.loads(pickle.dumps(kernel._broker._channel))), "prod")  # noqa: S301
    terminal = server.channel()
    token = kernel.access_token()
    with state(server, Path(server.listener.address.removeprefix("unix://"))) as words:
        age(kernel)
        began = time.monotonic()
        assert kernel.access_token() == token
        assert time.monotonic() - began < 0.2
        is_asked(kernel)
        assert kernel.access_token() == token
        with pytest.raises(BrokerUnavailableError) as caught:
            fresh.access_token()
        assert words in f"{caught.value.what} {caught.value.why}"
        assert "restart" in caught.value.fix
    assert BrokerClient(terminal).token("prod").value.reveal() == token


def test_what_a_killed_server_left_is_swept_and_never_connected_to(short: Path) -> None:
    """Its address may be another's by now; only a process that is surely gone has its files go."""
    script = """
        import sys, pathlib, signal, os
        from platform_auth.broker.broker import Broker
        from platform_auth.broker.listener import Listener
        from platform_auth.broker.redirects import Redirects
        from platform_auth.config import Profiles
        import asyncio
        async def main():
            broker = Broker(Profiles(user_file=None, flyte=False), Redirects())
            listener = Listener(broker, pathlib.Path(sys.argv[1]))
            listener.start()
            print(*listener.environment.values(), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    argv = [sys.executable, "-c", textwrap.dedent(script), str(short)]
    died = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    address, token_file = died.stdout.split()
    assert Path(token_file).exists()
    alive = Place(short)
    alive.take()
    assert list(short.iterdir()) == [alive.path]
    with pytest.raises(BrokerUnavailableError, match="cannot be reached"):
        BrokerClient(SocketChannel(address, token_file)).profiles()
    alive.leave()


# -- A kernel asks for more than it may ------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, _view: client.token("prod"),
        lambda client, view: client.put("dev", _with_more_scopes(view)),
        lambda client, view: client.put("dev", _for_another_audience(view)),
        lambda client, view: client.put("prod", view["config"]),
        lambda client, _view: client.sign_in("prod"),
        lambda client, _view: client.sign_out("prod"),
        lambda client, _view: client.session("prod"),
    ],
    ids=["profile", "scope", "audience", "name", "sign-in", "sign-out", "state"],
)
def test_a_limited_kernel_that_asks_for_more_is_refused_and_put_on_record(
    server: Served, watch: Watch, ask: Callable[[BrokerClient, dict[str, Any]], object]
) -> None:
    server.sign_in()
    client = server.client(server.grant("kernel 0b2c", ["dev"]))
    view = client.session("dev")
    events: list[Any] = []
    server.broker._observer._observers = (Recorder(events),)
    with pytest.raises(PolicyError, match="may not use") as caught:
        ask(client, view)
    assert "dev" in caught.value.fix
    assert [(event.kind, event.caller) for event in events] == [("policy_refused", "kernel 0b2c")]
    assert any("kernel 0b2c may not" in line for line in watch.log)
    assert server.client().token("prod")


class Recorder:
    """An observer that remembers events."""

    def __init__(self, events: list[Any]) -> None:
        self.happened = events.append

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


def _with_more_scopes(view: dict[str, Any]) -> dict[str, Any]:
    admin = view["config"]["admin"]
    return {**view["config"], "admin": {**admin, "scopes": [*admin.get("scopes", []), "admin"]}}


def _for_another_audience(view: dict[str, Any]) -> dict[str, Any]:
    return {**view["config"], "admin": {**view["config"]["admin"], "audience": "another"}}


# -- Strangers at the socket -----------------------------------------------------------------------


class Knock:
    """A request, sent by hand."""

    def __init__(self, server: Served) -> None:
        self.server, self.handle = server, server.grant()
        self.key = self.handle.file.read_text()

    def __call__(self, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(20)
            stream.connect(self.server.listener.address.removeprefix("unix://"))
            connection = http.client.HTTPConnection("127.0.0.1")
            connection.sock = stream
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(
                method, "/v1/profiles", body, {"Authorization": f"Bearer {self.key}", **named}
            )
            with connection.getresponse() as answer:
                return answer.status, json.loads(answer.read())


def stale_key(knock: Knock, _patch: pytest.MonkeyPatch) -> int:
    knock.server.listener.revoke(knock.handle)
    return knock()[0]


def wrong_user(knock: Knock, patch: pytest.MonkeyPatch) -> int:
    # Whoever connects is somebody else, from here on.
    somebody_else = os.geteuid() + 1
    patch.setattr(os, "geteuid", lambda: somebody_else)
    return knock()[0]


def browser_origin(knock: Knock, _patch: pytest.MonkeyPatch) -> int:
    return knock(Origin="https://evil.example")[0]


def evil_host(knock: Knock, _patch: pytest.MonkeyPatch) -> int:
    return knock(Host="evil")[0]


def ten_megabytes(knock: Knock, _patch: pytest.MonkeyPatch) -> int:
    return knock("POST", b"x" * 10_000_000)[0]


@pytest.mark.parametrize(
    ("come", "status"),
    [(stale_key, 401), (wrong_user, 403), (browser_origin, 403), (evil_host, 403),
     (ten_megabytes, 413)],
    ids=lambda each: getattr(each, "__name__", None),
)  # fmt: skip
def test_a_stranger_gets_nothing_and_the_log_says_who(
    server: Served, watch: Watch, come: Any, status: int
) -> None:
    knock = Knock(server)
    with pytest.MonkeyPatch.context() as patch:
        assert come(knock, patch) == status
    if status != 413:
        assert any("was refused" in line for line in watch.log)
    assert server.client().profiles()["version"] == 1


def test_a_thousand_requests_a_second_are_held_back_and_hurt_nobody_else(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop gone wild may cost its own kernel something, but not the server its other work."""
    knock, other = Knock(server), server.client()
    monkeypatch.setattr(handles, "RATE", 1.0)  # this machine may be slower than any loop
    knock.handle._calls = 30.0  # most of what it may do at once it has done
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(knock) for _ in range(300)]
        assert other.profiles()["version"] == 1
        statuses = [each.result()[0] for each in work]
    assert set(statuses) == {200, 429}
    # A client of ours waits for its turn instead.
    monkeypatch.setattr(client_module, "_rest", lambda _seconds: _full(knock))
    knock.handle._calls = 0.0
    assert server.client(knock.handle).profiles()["version"] == 1


def _full(knock: Knock) -> None:
    knock.handle._calls = 30.0


# -- A kernel that is elsewhere --------------------------------------------------------------------


def test_a_remote_kernel_comes_through_a_tunnel_with_a_copy_of_its_key(
    server: Served, tmp_path: Path
) -> None:
    """As docs/remote-kernels.md says: TCP and a path, never a token in the environment."""
    server.sign_in()
    handle = server.grant("kernel far away", ["prod"])
    key = tmp_path / "key"
    key.write_text(handle.file.read_text())
    with Tunnel(server.listener.address.removeprefix("unix://")) as line:
        address = f"http://127.0.0.1:{line.port}"
        far = Connection(BrokerClient(SocketChannel(address, str(key))), "prod")
        assert far.access_token() == server.client().token("prod").value.reveal()
        server.listener.revoke(handle)
        with pytest.raises(BrokerRefusedError, match="does not know"):
            far.tokens.token(stale=far.tokens.token().fingerprint)


# -- What a person can see of it -------------------------------------------------------------------


def test_nothing_that_a_notebook_shows_holds_a_token_or_a_key(
    server: Served, kernel: Connection
) -> None:
    """``client``, a token, an error, ``locals()``, ``%debug``'s values, a traceback with them."""
    held = kernel.tokens.token()
    client = kernel.http()
    shell = InteractiveShell()
    shell.user_ns.update(connection=kernel, client=client, held=held, tokens=kernel.tokens)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        for line in (
            "client", "connection", "held", "tokens", "held.value", "str(held.value)",
            "f'{held}'", "vars(tokens)", "vars(connection)", "locals()", "[*map(repr, [held])]",
            "print(held, client, connection, tokens)", "connection.status()", "held.value + 1",
            "raise ValueError(held)", "tokens.token(stale=object())",
        ):  # fmt: skip
            shell.run_cell(line, store_history=True)
    try:
        _fail(held, client, kernel)
    except ValueError as error:
        found = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown.write("".join(found.format()))
    assert "Connection prod" in shown.getvalue()
    channel: Any = kernel._broker._channel
    for secret in (held.value.reveal(), channel._secret()):
        assert secret not in shown.getvalue()
        assert secret not in repr(shell.user_ns)


def _fail(held: Any, client: Any, kernel: Connection) -> None:
    msg = f"{held} {client} {kernel}"
    raise ValueError(msg)


# -- Other processes, other loops, interrupts ------------------------------------------------------


def test_what_is_pickled_is_a_reference(kernel: Connection) -> None:
    """Its twin in real workers: tests/integration/test_kernel_channel.py."""
    token, key = kernel.access_token(), kernel._broker._channel._secret()  # type: ignore[attr-defined]
    for held in (kernel, kernel.tokens, kernel._broker, kernel.http(), kernel.http_async()):
        pickled = pickle.dumps(held)
        assert token.encode() not in pickled
        assert key.encode() not in pickled
        assert type(pickle.loads(pickled)) is type(held)  # noqa: S301 - our own
    again = pickle.loads(pickle.dumps(kernel))  # noqa: S301 - our own
    assert again.access_token() == token


def another_thread(kernel: Connection) -> str:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(kernel.access_token).result(20)


def another_loop(kernel: Connection) -> str:
    async def ask() -> str:
        return (await kernel.tokens.token_async()).value.reveal()

    assert asyncio.run(ask()) == asyncio.run(ask())
    kernel.tokens.forget()
    return asyncio.run(ask())


def inside_a_running_loop(kernel: Connection) -> str:
    async def ask() -> str:
        return kernel.access_token()  # as in any cell

    return asyncio.run(ask())


def nested_loops(kernel: Connection) -> str:
    # nest_asyncio2 changes asyncio for good, so in a process of its own.
    pickled = pickle.dumps(kernel)
    code = f"""
        import asyncio, pickle, nest_asyncio2
        nest_asyncio2.apply()
        kernel = pickle.loads({pickled!r})
        async def outer():
            async def inner():
                return (await kernel.tokens.token_async()).fingerprint
            return asyncio.get_event_loop().run_until_complete(inner())
        print(asyncio.run(outer()))
    """
    assert run(code).strip() == kernel.tokens.token().fingerprint
    return kernel.access_token()


def after_a_loop_was_closed(kernel: Connection) -> str:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(kernel.tokens.token_async())
    loop.close()
    kernel.tokens.forget()
    return kernel.access_token()


@pytest.mark.parametrize(
    "use",
    [another_thread, another_loop, inside_a_running_loop, nested_loops, after_a_loop_was_closed],
    ids=lambda f: f.__name__,
)
def test_a_connection_works_wherever_it_is_used(
    server: Served, kernel: Connection, use: Callable[[Connection], str]
) -> None:
    kernel.tokens.forget()
    assert use(kernel) == server.client().token("prod").value.reveal()


@pytest.mark.parametrize("way", ["token", "token_async"])
def test_an_interrupt_ends_a_call_that_hangs(short: Path, way: str) -> None:
    """Ctrl-C while the server does not answer, and once more at what comes after it."""
    (short / "key").write_text("key")
    code = f"""
        import asyncio
        from platform_auth.broker.client import BrokerClient, SocketChannel
        from platform_auth.broker.source import TokenSource
        channel = SocketChannel("unix://{short}/sock", "{short}/key")
        source = TokenSource(BrokerClient(channel), "prod")
        async def ask():
            print("asking", flush=True)
            await source.token_async()
        for _ in range(2):
            try:
                if {way!r} == "token":
                    print("asking", flush=True)
                    source.token()
                else:
                    asyncio.run(ask())
            except KeyboardInterrupt:
                print("interrupted", flush=True)
    """
    with saying(short / "sock", None) as asked, started(code) as child:
        assert child.stdout is not None
        for again in (True, way == "token"):
            assert child.stdout.readline() == "asking\n"
            if again:  # tasks join the question that is under way instead
                assert asked.wait(20)
                asked.clear()
            began = time.monotonic()
            child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == "interrupted\n"
            assert time.monotonic() - began < 1
        _, said = child.communicate(timeout=20)
        assert time.monotonic() - began < 2
        assert (child.returncode, said) == (0, "")


@contextlib.contextmanager
def started(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that is spoken to."""
    argv = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(argv, text=True, **pipes) as child:
        try:
            yield child
        finally:
            child.kill()


def run(code: str, **environment: str) -> str:
    """Run a program that must end well and quietly."""
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    env = {**os.environ, **environment}
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


# -- The end of the process ------------------------------------------------------------------------

PROGRAM = """
    import sys, threading
    from platform_auth.broker import local

    local._GRACE = float(sys.argv[1])
    sys.stdin.readline()
    client = local.local_client()
    print(client.sign_in("demo", redirect="paste")["challenge"]["url"], flush=True)
    client.complete("demo", sys.stdin.readline().strip())
    token = client.token("demo")
    print("signed in", flush=True)
    sys.stdin.readline()
    threading._register_atexit(print, "ending", flush=True)
    stale = {"stale": token.fingerprint}
    threading.Thread(target=client.token, args=("demo",), kwargs=stale, daemon=True).start()
    sys.stdin.readline()  # by then the request is under way
"""


class Held:
    """Holds what comes to the sandbox's token endpoint, until it is let go or turned away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.released, self.serve = threading.Event(), threading.Event(), True
        self.released.set()
        post = routes.Token.post

        async def late(handler: routes.Token) -> None:
            self.reached.set()
            await asyncio.to_thread(self.released.wait, 30)
            if self.serve:
                post(handler)
            else:
                handler.send_error(503)

        monkeypatch.setattr(routes.Token, "post", late)

    def hold(self, *, serve: bool) -> None:
        self.reached.clear()
        self.released.clear()
        self.serve = serve


@pytest.mark.parametrize("answers", [True, False])
def test_a_process_that_ends_while_a_token_is_renewed_loses_nothing_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """The provider rotates in the last moment, or never hears of it: what is saved fits it."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(tmp_path / "profiles.yaml"))
    provider = Held(monkeypatch)
    with Sandbox() as sandbox, started(PROGRAM, "20" if answers else "0.3") as child:
        (tmp_path / "profiles.yaml").write_text(json.dumps({"profiles": sandbox.profiles()}))
        tell(child, "begin")
        tell(child, sandbox.sign_in_scripted(told(child)))
        assert told(child) == "signed in"
        before = sandbox.refresh_tokens()
        provider.hold(serve=answers)
        tell(child, "renew")
        assert provider.reached.wait(20)
        tell(child, "end")
        assert told(child) == "ending"
        if answers:
            provider.released.set()
        _, complaints = child.communicate(timeout=20)
        provider.released.set()
        assert (child.returncode, complaints) == (0, "")
        after = sandbox.refresh_tokens()
        assert (after != before) == answers
        saved = asyncio.run(open_store("file").load("demo"))
        assert saved is not None
        assert saved.tokens.refresh_token == after[-1]


def tell(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{line}\n")
    child.stdin.flush()


def told(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()
