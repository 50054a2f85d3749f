"""The ways in: plain Python, the command line and a notebook, each with a person to act for it."""

from __future__ import annotations

import re
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

from harness.environment import program
from harness.http import loopback_client
from platform_auth.broker.local import local_client
from platform_auth.connection import connect, default_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyter_client.blocking.client import BlockingKernelClient

PROJECTS: Final = "/api/v1/projects"
_SECONDS: Final = 60


class Face(Protocol):
    """One way to use a profile."""

    def sign_in(self, name: str, act: Callable[[str], str | None]) -> str:
        """Sign in, and return what was said in the end.

        Parameters
        ----------
        name
            The profile's.
        act
            Does what a person is asked to: opens an address, and returns what is to be pasted.

        """

    def projects(self, name: str) -> int:
        """Ask the platform for its projects, and return the status of its answer."""


class PlainPython:
    """`platform_auth.connect` in this process.

    Parameters
    ----------
    environment
        Where profiles and broker are.

    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def sign_in(self, name: str, act: Callable[[str], str | None]) -> str:
        """Sign in from code."""
        with _environment(self._environment):
            connection = connect(name)

            def show(view: dict[str, Any]) -> None:
                challenge = view["challenge"]
                url = challenge.get("verification_uri_complete") or challenge["url"]
                answer = act(url)
                if answer is not None:
                    default_client().complete(name, answer)

            view = connection.sign_in(show=show, timeout=_SECONDS)
        return f"{view['state']} {view['signed_in_as']}"

    def projects(self, name: str) -> int:
        """Ask with the ready client."""
        with _environment(self._environment), connect(name).http() as http:
            return http.get(PROJECTS).status_code


class CommandLine:
    """``platform-auth`` in a process of its own.

    Parameters
    ----------
    environment
        Where profiles and broker are.

    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def sign_in(self, name: str, act: Callable[[str], str | None]) -> str:
        """Sign in at a terminal."""
        with subprocess.Popen(
            [program("platform-auth"), "login", name, "--no-browser", f"--timeout={_SECONDS}"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            said = []
            for line in running.stdout:
                said.append(line.strip())
                if line.startswith("Waiting"):
                    answer = act([each for each in said if re.match(r"https?://", each)][-1])
                    if answer is not None:
                        running.stdin.write(f"{answer}\n")
                        running.stdin.flush()
        assert running.returncode == 0, said
        return said[-1]

    def projects(self, name: str) -> int:
        """Ask as curl would, with what ``token`` prints."""
        done = subprocess.run(
            [program("platform-auth"), "token", name, "--output", "header"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        header, _, value = done.stdout.strip().partition(": ")
        with _environment(self._environment):
            url = connect(name).config.base_url
        with loopback_client() as http:
            return http.get(f"{url}{PROJECTS}", headers={header: value}).status_code


class Notebook:
    """Magics in a kernel, with a person in front of it.

    Parameters
    ----------
    client
        The kernel's.

    """

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        self.run("%load_ext platform_auth")

    def sign_in(self, name: str, act: Callable[[str], str | None]) -> str:
        """Run ``%platform_login``."""
        walks: list[threading.Thread] = []
        answers: list[str | None] = []

        def shown(text: str) -> None:
            found = re.search(r"open (\S+)", text)
            if found and not walks:
                walk = threading.Thread(target=lambda: answers.append(act(found[1])))
                walk.start()
                walks.append(walk)

        def typed() -> str:
            walks[0].join(_SECONDS)
            return answers[0] or ""

        text = self.run(f"%platform_login {name}", shown, typed)
        for walk in walks:
            walk.join(_SECONDS)
        return text

    def projects(self, name: str) -> int:
        """Ask with the variable that the magic has bound."""
        del name
        return int(self.run(f"print(client.get({PROJECTS!r}).status_code)"))

    def run(
        self,
        code: str,
        shown: Callable[[str], None] = lambda _text: None,
        typed: Callable[[], str] = lambda: pytest.fail("nobody types anything"),
    ) -> str:
        """Run a cell and return the last text it shows."""
        texts = [""]

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            text = content.get("text") or content.get("data", {}).get("text/plain") or ""
            if text.strip():  # the end of a printed line may come by itself
                texts.append(text.strip())
                shown(text)

        reply = self._client.execute_interactive(
            code,
            allow_stdin=True,
            stdin_hook=lambda _message: self._client.input(typed()),
            output_hook=note,
            timeout=_SECONDS,
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return texts[-1]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these of a program's variables in this process, and no broker from before."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            if name.startswith(("PLATFORM_AUTH", "JUPYTER")):
                patch.setenv(name, value)
        local_client.cache_clear()
        yield
        local_client.cache_clear()
