"""Real small programs, good and bad ones."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from platform_auth.errors import ConfigError, PlatformAuthError, ProviderError, TransportError
from platform_auth.oauth import process
from platform_auth.oauth.process import MAX_OUTPUT, run_command
from platform_auth.oauth.steps import Run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs are shell scripts")


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a program and returns its path."""

    def write(text: str, name: str = "get-token", mode: int = 0o755) -> str:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return str(path)

    return write


class Pulse:
    """A pipe that tells whether any process that got hold of it still lives."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_for(self, wanted: bytes, within: float = 10) -> None:
        """Wait for what is written into it; for nothing (b""): until all writers are gone."""
        deadline = time.monotonic() + within
        while (seen := self._read()) != wanted:
            assert time.monotonic() < deadline, f"waited for {wanted!r}, saw {seen!r}"
            time.sleep(0.005)

    def _read(self) -> bytes | None:
        try:
            return os.read(self._end, 100)
        except BlockingIOError:
            return None

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def pulse(tmp_path: Path) -> Pulse:
    return Pulse(tmp_path / "pulse")


def run(*argv: str, timeout: float = 20) -> str:
    return asyncio.run(run_command(Run(argv, timeout)))


def failure(*argv: str, timeout: float = 20) -> PlatformAuthError:
    with pytest.raises(PlatformAuthError) as caught:
        run(*argv, timeout=timeout)
    assert caught.value.__cause__ is None
    assert caught.value.fix
    return caught.value


# What comes back


def test_returns_what_was_printed(script: Callable[..., str]) -> None:
    assert run(script("echo the-token")) == "the-token\n"


def test_arguments_arrive_as_they_are_because_no_shell_reads_them(
    script: Callable[..., str],
) -> None:
    odd = ["$HOME", "a b", "`id`", "; exit 1", "*", ""]
    assert run(script('printf "<%s>" "$@"'), *odd) == "".join(f"<{each}>" for each in odd)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_and_line_ends_of_windows_are_no_fault(
    script: Callable[..., str], tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "output").write_bytes("the-token\r\n".encode(encoding))
    assert run(script(f"cat '{tmp_path}/output'")).strip() == "the-token"


def test_what_is_no_text_is_named_by_its_place_and_not_repeated(script: Callable[..., str]) -> None:
    error = failure(script(r"printf 'abcd\377secret'"))
    assert isinstance(error, ProviderError)
    assert "byte 4" in error.what
    assert "secret" not in repr(error.__context__) + str(error)


def test_a_name_is_looked_up_in_path(
    script: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(script("echo found")).parent), prepend=os.pathsep)
    assert run("get-token") == "found\n"


def test_a_tilde_is_the_home(script: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path(script("echo found")).parent))
    assert run("~/get-token") == "found\n"


# What it inherits


def test_nothing_can_be_read_from_standard_input(script: Callable[..., str]) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"typed into the server\n")
    ours = os.dup(0)
    os.dup2(reader, 0)
    try:
        assert run(script('read line && echo "$line" || echo nothing')) == "nothing\n"
    finally:
        os.dup2(ours, 0)
        for fd in (reader, writer, ours):
            os.close(fd)


def test_there_is_no_terminal_to_ask_at(script: Callable[..., str]) -> None:
    assert run(script("(echo x >/dev/tty) 2>/dev/null || echo none")) == "none\n"


def test_the_environment_holds_no_secret_of_ours(
    script: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JUPYTER_TOKEN", "PLATFORM_AUTH_BROKER", "FLYTE_CREDENTIALS_CLIENT_SECRET", "X"):
        monkeypatch.setenv(name, "not-for-commands")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    seen = run(script("env"))
    assert "not-for-commands" not in seen
    assert "AWS_PROFILE=prod\n" in seen
    assert "https_proxy=http://proxy.example:3128\n" in seen


def test_it_works_beside_itself_and_not_among_the_notebooks(
    script: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (notebooks / "getpass.py").write_text("print('a stranger')")
    monkeypatch.chdir(notebooks)
    assert run(script("pwd -P")).strip() == os.path.realpath(tmp_path / "bin")
    assert run(sys.executable, "-c", "import getpass; print(getpass.__name__)") == "getpass\n"


def test_a_command_cannot_start_itself_over_and_over(
    script: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("env")
    assert f"{process.INSIDE}=1\n" in run(path)
    monkeypatch.setenv(process.INSIDE, "1")  # as a platform-auth sees it that a command starts
    error = failure(path)
    assert isinstance(error, ConfigError)
    assert "inside another" in error.what


# What goes wrong


def test_a_failure_says_the_last_line_of_standard_error_without_secrets(
    script: Callable[..., str],
) -> None:
    text = """
        echo '{"access_token": "printed-token"}'
        echo 'first line' >&2
        echo 'refused: access_token=secret-one Bearer secret-two' >&2
        exit 3"""
    error = failure(script(text))
    assert isinstance(error, ProviderError)
    assert error.what == "The command get-token failed (3)."
    assert error.why.startswith("It said: refused: access_token=")
    assert not any(word in str(error) for word in ("printed", "first", "secret-"))


def test_a_failure_without_words_says_so(script: Callable[..., str]) -> None:
    assert failure(script("exit 1")).why == "It said nothing."


def test_a_signal_is_named(script: Callable[..., str]) -> None:
    assert "signal 9" in failure(script("kill -9 $$")).what


def test_standard_error_may_be_long_and_is_read_to_the_end(script: Callable[..., str]) -> None:
    text = "head -c 300000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo 'the end' >&2; exit 1"
    assert failure(script(text)).why == "It said: the end"


def test_one_that_prints_for_ever_is_stopped_at_the_limit(
    script: Callable[..., str], pulse: Pulse
) -> None:
    began = time.monotonic()
    error = failure(script(f"exec 3>'{pulse.path}'; echo >&3; exec yes secret"))
    assert isinstance(error, ProviderError)
    assert str(MAX_OUTPUT) in error.what
    assert "secret" not in str(error)
    assert time.monotonic() - began < 10
    pulse.wait_for(b"\n")
    pulse.wait_for(b"")


def test_exactly_as_much_as_the_limit_is_accepted(script: Callable[..., str]) -> None:
    full = f"head -c {MAX_OUTPUT} /dev/zero | tr '\\0' 'x'"
    assert len(run(script(full))) == MAX_OUTPUT
    assert str(MAX_OUTPUT) in failure(script(f"{full}; echo")).what


def test_one_that_hangs_is_ended_with_all_it_started(
    script: Callable[..., str], pulse: Pulse
) -> None:
    text = f"exec 3>'{pulse.path}'; echo waiting for you >&2; sleep 1000 & echo >&3; sleep 1000"
    error = failure(script(text), timeout=1)
    assert isinstance(error, TransportError)
    assert error.retryable
    assert "within 1 seconds" in error.what
    assert error.why == "It said: waiting for you"
    pulse.wait_for(b"\n")
    pulse.wait_for(b"")


def test_whoever_gives_up_waiting_ends_it_and_leaves_nothing(
    script: Callable[..., str], pulse: Pulse
) -> None:
    async def main() -> None:
        argv = (script(f"exec 3>'{pulse.path}'; sleep 1000 & echo >&3; sleep 1000"),)
        work = asyncio.create_task(run_command(Run(argv)))
        await asyncio.to_thread(pulse.wait_for, b"\n")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    pulse.wait_for(b"")
    assert not [each for each in threading.enumerate() if each.name.startswith("waitpid")]


@pytest.mark.parametrize("steps", range(2, 10))
def test_giving_up_while_it_starts_is_no_different(
    script: Callable[..., str], pulse: Pulse, steps: int
) -> None:
    async def main() -> None:
        text = f"exec 3>'{pulse.path}'; sleep 1000 & echo >&3; sleep 1000"
        work = asyncio.create_task(run_command(Run((script(text),))))
        for _ in range(steps):
            await asyncio.sleep(0)
        pulse.wait_for(b"\n")  # the loop stands still: it knows the process, but not its pipes
        work.cancel()
        async with asyncio.timeout(20):
            with pytest.raises(asyncio.CancelledError):
                await work

    asyncio.run(main())
    pulse.wait_for(b"")


def test_a_grandchild_that_holds_the_output_open_is_not_waited_for(
    script: Callable[..., str], pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.2)
    text = f"exec 3>'{pulse.path}'; echo >&3; sleep 1000 & echo the-token"
    assert run(script(text)) == "the-token\n"
    pulse.wait_for(b"\n")
    pulse.wait_for(b"")


# What is not run at all


def test_a_program_that_is_not_there_is_a_matter_of_the_configuration() -> None:
    for word in ("no-such-program", "/no/such/program", "", "~nobody/x", "with\0nul", "x" * 5000):
        error = failure(word)
        assert isinstance(error, ConfigError)
        assert "was not found" in error.what or "cannot be started" in error.what, word


def test_a_whole_line_in_place_of_a_list_is_not_repeated() -> None:
    error = failure("curl --header x-api-key:a/secret")
    assert error.what == "The command curl was not found."
    assert "list" in error.fix


def test_a_relative_path_is_refused_wherever_the_broker_runs(
    script: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("echo a stranger")
    monkeypatch.chdir(tmp_path)
    assert "relative path" in failure("bin/get-token").what
    assert "relative path" in failure("./bin/get-token").what
    monkeypatch.setenv("PATH", "bin", prepend=os.pathsep)
    assert "relative directory" in failure("get-token").what


def test_what_is_no_program_is_refused_with_the_way_out(
    script: Callable[..., str], tmp_path: Path
) -> None:
    assert "is a directory" in failure(str(tmp_path)).what
    error = failure(script("echo", mode=0o644))
    assert "is not executable" in error.what
    assert "chmod +x" in error.fix


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"#!/no/such/interpreter\n", "No such file or directory"),
        (b"\x7fELF but of another machine", "Exec format error"),
        (b"", "Exec format error"),
    ],
)
def test_what_the_system_cannot_start_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    path.chmod(0o755)
    error = failure(str(path))
    assert isinstance(error, ConfigError)
    assert (error.what, error.why) == ("The command program cannot be started.", why)
    assert "#!" in error.fix


def test_arguments_that_cannot_be_handed_over_are_an_error_for_people() -> None:
    assert "cannot be started" in failure("true", "with\0nul").what


def test_a_program_that_anybody_could_have_changed_is_refused(script: Callable[..., str]) -> None:
    error = failure(script("echo a stranger", mode=0o777))
    assert isinstance(error, ConfigError)
    assert "Every user" in error.what
    assert "chmod o-w" in error.fix
    assert run(script("echo ours", mode=0o775)) == "ours\n"
