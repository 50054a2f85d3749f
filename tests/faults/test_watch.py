"""The watch over all tests of faults: that it sees what it is there to see."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import pytest

from fakes.leaks import CANARY, Watch
from fakes.provider import Provider
from platform_auth.errors import PlatformAuthError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable


def _chained() -> None:
    ProviderError("What.").__cause__ = ValueError(CANARY)


def _swallowed() -> None:
    with contextlib.suppress(ProviderError):
        raise ProviderError("What.", why=f"It said {CANARY}.")


LEAKS: dict[str, Callable[[], object]] = {
    "in what happened": lambda: ProviderError(f"It said {CANARY}."),
    "in why": lambda: ProviderError("What.", why=CANARY),
    "in the fix": lambda: ProviderError("What.", fix=CANARY),
    "in one that nobody showed": _swallowed,
    "in what was behind it": _chained,
    "in one from another process": lambda: PlatformAuthError.from_dict({"what": CANARY}),
    "in the log": lambda: logging.getLogger("elsewhere").debug("sent %s", CANARY),
    "in the log of ours": lambda: logging.getLogger("platform_auth").debug("it is %s", CANARY),
    "a secret of a provider's": lambda: ProviderError("It was opaque-4711."),
    "a terminal's code": lambda: ProviderError("It said \x1b[31mred."),
    "a line that runs the other way": lambda: ProviderError("It said \u202etxt."),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_is_seen_wherever_it_is(watch: Watch, leak: Callable[[], object]) -> None:
    watch.providers.append(Provider())
    watch.providers[0].secrets.add("opaque-4711")
    leak()
    assert watch.leaks() != []
    watch.forget()


def test_what_is_no_leak_is_none(watch: Watch) -> None:
    ProviderError("It said <b>hello</b>.", why="HTTP 503, text/html.", fix="Straße, 東京.")
    logging.getLogger("platform_auth").debug("access_token=%s", CANARY)
    assert watch.leaks() == []
    assert len(watch.errors) == 1
    assert len(watch.log) == 1
