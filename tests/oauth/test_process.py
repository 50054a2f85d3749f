"""Real small programs; the bad ones stand with the faults."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.programs import Pulse, write_script
from platform_auth.errors import ConfigError, PlatformAuthError, ProviderError
from platform_auth.oauth import process
from platform_auth.oauth.process import MAX_OUTPUT, run_command
from platform_auth.oauth.steps import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs are shell scripts")


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a program and returns its path."""
    return partial(write_script, tmp_path)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    pulse = Pulse(tmp_path / "pulse")
    yield pulse
    pulse.close()


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


def test_a_failure_without_words_says_so(script: Callable[..., str]) -> None:
    assert failure(script("exit 1")).why == "It said nothing."


def test_a_signal_is_named(script: Callable[..., str]) -> None:
    assert "signal 9" in failure(script("kill -9 $$")).what


def test_standard_error_may_be_long_and_is_read_to_the_end(script: Callable[..., str]) -> None:
    text = "head -c 300000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo 'the end' >&2; exit 1"
    assert failure(script(text)).why == "It said: the end"


def test_exactly_as_much_as_the_limit_is_accepted(script: Callable[..., str]) -> None:
    full = f"head -c {MAX_OUTPUT} /dev/zero | tr '\\0' 'x'"
    assert len(run(script(full))) == MAX_OUTPUT
    assert str(MAX_OUTPUT) in failure(script(f"{full}; echo")).what


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


def test_a_program_that_its_group_may_change_is_run(script: Callable[..., str]) -> None:
    assert run(script("echo ours", mode=0o775)) == "ours\n"
