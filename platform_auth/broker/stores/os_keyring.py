"""The operating system's keyring, asked within a time limit.

Some keyrings wait for somebody to unlock them, and nothing can interrupt that: each question is put
in a thread of its own, which is left behind when it takes too long.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT: Final = 3.0
"""Seconds a question may take."""

T = TypeVar("T")


class KeyringError(Exception):
    """The keyring did not do what was asked; the message says why, for people."""


class Keyring(Protocol):
    """What is used of a backend of the package ``keyring``."""

    @property
    def name(self) -> str:
        """What people know it by."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept under a name."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep something under a name."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget what is kept under a name."""


def ask(question: Callable[[Keyring], T]) -> T:
    """Return what a question to the keyring brings.

    Parameters
    ----------
    question
        What is done with the keyring, in a thread of its own.

    Raises
    ------
    KeyringError
        There is none, or none that protects what it keeps, it failed, or it takes longer than
        `LIMIT`.

    """
    if find_spec("keyring") is None:
        raise KeyringError("the package keyring is not installed")
    answer: list[T] = []
    problem = [f"it did not answer within {LIMIT:g} seconds; it may be locked"]
    done = threading.Event()

    def work() -> None:
        try:
            answer.append(question(_backend()))
        except KeyringError as error:
            problem[0] = str(error)
        except Exception as error:  # noqa: BLE001 - backends raise whatever their system does
            problem[0] = f"it failed ({type(error).__name__})"
        done.set()

    threading.Thread(target=work, name="platform-auth keyring", daemon=True).start()
    if not done.wait(LIMIT) or not answer:
        raise KeyringError(problem[0])
    return answer[0]


def _backend() -> Keyring:
    import keyring
    from keyring.core import recommended

    found = keyring.get_keyring()
    # The rest keeps nothing (null), refuses everything (fail), or writes plain text (keyrings.alt).
    if not recommended(found):
        raise KeyringError(f"there is none that protects what it keeps, only {found.name}")
    return found
