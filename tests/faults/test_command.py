"""Faults of the programs that print tokens, run by a broker as profiles name them."""

from __future__ import annotations

import asyncio
import codecs
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from fakes.programs import Pulse, write_script
from fakes.provider import NOW
from fakes.world import World, failure
from platform_auth.errors import (
    ConfigError,
    PlatformAuthError,
    ProviderError,
    TokenResponseError,
    TransportError,
)
from platform_auth.oauth import process
from platform_auth.oauth.process import MAX_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = {"access_token": "at-CANARY", "expires_in": 3600}
SHOWN = json.dumps(TOKEN)
LATER = int(NOW) + 3600


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    pulse = Pulse(tmp_path / "pulse")
    yield pulse
    pulse.close()


class Tool:
    """A profile whose command is a script, and the world it is used in."""

    def __init__(self, new_world: Callable[..., World], directory: Path) -> None:
        self._new_world, self._directory = new_world, directory
        self.world: World

    def script(self, text: str, **options: Any) -> str:
        """Write a program."""
        return write_script(self._directory, text, **options)

    def token(self, text: str, seconds: float = 20) -> Any:
        """Return the token that a script prints."""
        return self.of([self.script(text)], seconds)

    def of(self, command: list[str], seconds: float = 20) -> Any:
        """Return the token that a command prints, which may take so long."""
        return self._world(command, seconds).run(lambda: self.world.broker.token("tool"))

    def fails(self, text: str, seconds: float = 20) -> PlatformAuthError:
        """Return the error that a script ends in."""
        return self.refused([self.script(text)], seconds)

    def refused(self, command: list[str], seconds: float = 20) -> PlatformAuthError:
        """Return the error that a command ends in, which says what to do."""
        world = self._world(command, seconds)
        error: PlatformAuthError = world.run(lambda: failure(world.broker.token("tool")))
        assert error.fix
        return error

    def prints(self, output: object) -> Any:
        """Return the token of a command that prints this."""
        return self.token(self._printing(output))

    def unusable(self, output: object) -> PlatformAuthError:
        """Return the error of a command that prints this."""
        return self.fails(self._printing(output))

    def _printing(self, output: object) -> str:
        data = output if isinstance(output, bytes) else json.dumps(output).encode()
        file = self._directory / "output"
        file.write_bytes(data)
        return f"cat '{file}'"

    def _world(self, command: list[str], seconds: float) -> World:
        admin = {"endpoint": "{issuer}", "authType": "ExternalCommand", "command": command}
        self.world = self._new_world(profiles={"tool": {"admin": admin}}, command_seconds=seconds)
        return self.world


@pytest.fixture
def tool(new_world: Callable[..., World], tmp_path: Path) -> Tool:
    return Tool(new_world, tmp_path)


# -- programs that do not end, or end badly ------------------------------------------------------


def test_one_that_hangs_is_ended_with_all_it_started(tool: Tool, pulse: Pulse) -> None:
    text = (
        f"exec 3>'{pulse.path}'; echo 'waiting for you; token=secret-CANARY' >&2\n"
        "sleep 1000 & echo >&3; sleep 1000"
    )
    error = tool.fails(text, seconds=1)
    assert isinstance(error, TransportError)
    assert "within 1 seconds" in error.what
    assert error.why.startswith("It said: waiting for you; token=")
    pulse.wait_for(b"\n")
    pulse.wait_for(b"")


def test_one_that_prints_without_end_is_ended_at_a_mebibyte(tool: Tool, pulse: Pulse) -> None:
    error = tool.fails(f"exec 3>'{pulse.path}'; echo >&3; exec yes secret-CANARY")
    assert isinstance(error, ProviderError)
    assert str(MAX_OUTPUT) in error.what
    pulse.wait_for(b"\n")
    pulse.wait_for(b"")


BANNER = "\x1b[1;31mWARNING: this tool is deprecated\x1b[0m\n"


@pytest.mark.parametrize(
    "output",
    [
        BANNER + SHOWN,
        f"{SHOWN}\n\n",
        f"{{not json}}\n{SHOWN}",
        f'{{"access_token": "old-CANARY"}}\n{SHOWN}\n',
        f"{SHOWN}\ntook 3 ms\n",
    ],
)
def test_of_what_is_printed_around_it_the_last_object_counts(tool: Tool, output: str) -> None:
    """No strict mode refuses it: who wants one has a tool that prints less."""
    assert tool.prints(output.encode()).value.reveal() == "at-CANARY"


def test_a_banner_is_told_to_whoever_reads_the_log(
    tool: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    tool.prints((BANNER + SHOWN).encode())
    assert "printed more than its token" in caplog.text


def test_what_is_said_on_standard_error_is_none_of_it(tool: Tool) -> None:
    text = f"""echo '{{"access_token": "other-CANARY"}}' >&2; echo '{SHOWN}'"""
    assert tool.token(text).value.reveal() == "at-CANARY"


def test_a_failure_counts_whatever_was_printed(tool: Tool) -> None:
    error = tool.fails(f"echo '{SHOWN}'; echo 'not today, Bearer secret-CANARY' >&2; exit 3")
    assert isinstance(error, ProviderError)
    assert error.what == "The command get-token failed (3)."
    assert error.why.startswith("It said: not today, Bearer ")


@pytest.mark.parametrize("output", [b"", b"\n", b" \r\n\t", b"\x1b[0m"])
def test_nothing_is_said_to_be_nothing(tool: Tool, output: bytes) -> None:
    assert "printed nothing" in tool.unusable(output).what


# -- what is printed -----------------------------------------------------------------------------


def test_what_is_no_text_is_named_by_its_place(tool: Tool) -> None:
    assert "byte 4" in tool.unusable(b"CANA\xff\xfeRY").what


@pytest.mark.parametrize(
    "output",
    [
        codecs.BOM_UTF8 + SHOWN.encode(),
        SHOWN.encode("utf-16"),
        codecs.BOM_UTF16_BE + SHOWN.encode("utf-16-be"),
        SHOWN.encode() + b"\r\n",
        b"at-CANARY\r\n",
    ],
)
def test_marks_and_line_ends_of_windows_harm_nobody(tool: Tool, output: bytes) -> None:
    assert tool.prints(output).value.reveal() == "at-CANARY"


@pytest.mark.parametrize(
    ("output", "member"),
    [
        ({"expires_in": 60}, "access_token"),
        ({"access_token": 5}, "access_token"),
        ({"access_token": "a b"}, "access_token"),
        ({**TOKEN, "expires_in": "soon"}, "expires_in"),
        ({**TOKEN, "expires_in": -5}, "expires_in"),
        ({"Version": 2, "AccessToken": "at-CANARY"}, "Version"),
        ({"Version": 1, "AccessToken": "at", "Expiration": "2020-01-01T00:00:00Z"}, "Expiration"),
        ({"Version": 1, "AccessToken": "at", "Expiration": "2030-01-01T00:00:00"}, "Expiration"),
        ({"Version": 1, "AccessToken": "at", "Expiration": "tomorrow"}, "Expiration"),
        ({"Version": 1, "AccessToken": "at", "Expiration": []}, "Expiration"),
        ({"kind": "ExecCredential", "status": {"token": "at"}}, "apiVersion"),
        ({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1"}, "status"),
        (
            {
                "kind": "ExecCredential",
                "apiVersion": "client.authentication.k8s.io/v1",
                "status": {"token": 5},
            },
            "status.token",
        ),
    ],
)
def test_what_is_wrong_is_named_as_the_command_has_it(
    tool: Tool, output: dict[str, Any], member: str
) -> None:
    error = tool.unusable(output)
    assert isinstance(error, TokenResponseError)
    assert f"({member})" in error.what
    assert "documented JSON shapes" in error.fix


# -- programs that are none ----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["no-such-program", "/no/such/program", "~nobody/x", "x" * 5000])
def test_a_program_that_is_not_there_is_said_to_be_missing(tool: Tool, word: str) -> None:
    """What a profile cannot name is a hint of how to install it: there is no setting for one."""
    error = tool.refused([word])
    assert isinstance(error, ConfigError)
    assert "was not found" in error.what


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"#!/bin/sh\necho x", 0o644, "is not executable"),
        (b"#!/bin/sh\necho x", 0o777, "Every user of this machine can change"),
        (b"#!/no/such/interpreter\n", 0o755, "cannot be started"),
        (b"\x7fELF of another machine", 0o755, "cannot be started"),
    ],
)
def test_a_file_that_cannot_or_should_not_be_run_says_why(
    tool: Tool, tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    path.chmod(mode)
    error = tool.refused([str(path)])
    assert isinstance(error, ConfigError)
    assert words in error.what


def test_a_directory_is_called_one(tool: Tool, tmp_path: Path) -> None:
    assert "is a directory" in tool.refused([str(tmp_path)]).what


def test_a_relative_path_is_refused_wherever_the_broker_runs(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.script("echo a stranger")
    monkeypatch.chdir(tmp_path)
    assert "relative path" in tool.refused(["bin/get-token"]).what
    assert "relative path" in tool.refused(["./bin/get-token"]).what
    monkeypatch.setenv("PATH", "bin", prepend=os.pathsep)
    assert "relative directory" in tool.refused(["get-token"]).what


# -- programs that want a person -----------------------------------------------------------------


def test_one_that_asks_has_nobody_to_ask(tool: Tool) -> None:
    """Neither standard input, though the server has one, nor a terminal, nor a screen."""
    reader, writer = os.pipe()
    os.write(writer, b"typed into the server\n")
    ours = os.dup(0)
    os.dup2(reader, 0)
    try:
        text = (
            'read line || line=eof; (: >/dev/tty) 2>/dev/null && tty=yes; echo "$line$tty$DISPLAY"'
        )
        assert tool.token(text).value.reveal() == "eof"
    finally:
        os.dup2(ours, 0)
        for fd in (reader, writer, ours):
            os.close(fd)


def test_a_grandchild_that_holds_the_output_open_is_not_waited_for(
    tool: Tool, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.2)
    began = time.monotonic()
    text = f"exec 3>'{pulse.path}'; echo >&3; sleep 1000 & echo at-CANARY"
    assert tool.token(text).value.reveal() == "at-CANARY"
    assert time.monotonic() - began < 10
    pulse.wait_for(b"\n")
    pulse.wait_for(b"")


# -- many who ask, and what they may see ---------------------------------------------------------


def test_many_who_ask_at_once_share_one_run_until_it_expires(tool: Tool, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = [tool.script(f"echo x >>'{runs}'; echo '{SHOWN}'")]
    world = tool._world(command, 20)

    async def ask() -> None:
        await asyncio.gather(*(world.broker.token("tool") for _ in range(20)))
        world.clock.advance(1000)
        await world.broker.token("tool")
        assert runs.read_text().count("x") == 1
        world.clock.advance(2700)
        await asyncio.gather(*(world.broker.token("tool") for _ in range(20)))
        assert runs.read_text().count("x") == 2

    world.run(ask)


def test_a_failure_is_the_answer_for_ten_seconds(tool: Tool, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    world = tool._world([tool.script(f"echo x >>'{runs}'; exit 1")], 20)

    async def ask() -> None:
        await asyncio.gather(*(failure(world.broker.token("tool")) for _ in range(20)))
        world.clock.advance(9)
        await failure(world.broker.token("tool"))
        assert runs.read_text().count("x") == 1
        world.clock.advance(2)
        await failure(world.broker.token("tool"))
        assert runs.read_text().count("x") == 2

    world.run(ask)


def test_it_inherits_no_secret_and_its_words_are_cleaned(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JUPYTER_TOKEN", "PLATFORM_AUTH_BROKER", "FLYTE_CREDENTIALS_CLIENT_SECRET", "X"):
        monkeypatch.setenv(name, "secret-CANARY")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    error = tool.fails("env | grep -c secret-CANARY >&2; exit 1")
    assert error.why == "It said: 0"
    error = tool.fails("env | grep AWS_ >&2; exit 1")
    assert error.why == "It said: AWS_PROFILE=prod"
    error = tool.fails("echo 'refused: access_token=one-CANARY Bearer two-CANARY' >&2; exit 1")
    assert error.why.startswith("It said: refused: access_token=")
