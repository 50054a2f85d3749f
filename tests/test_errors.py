from __future__ import annotations

import json
import pickle
import re
from typing import TYPE_CHECKING

import pytest

from platform_auth import errors
from platform_auth.errors import PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Iterator


def kinds(root: type[PlatformAuthError] = PlatformAuthError) -> Iterator[type[PlatformAuthError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("platform_auth."):
            yield from kinds(child)


EVERY = [kind for kind in kinds() if kind.__module__ == errors.__name__]


def test_each_kind_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in kinds()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_the_tree_is_the_one_in_the_documentation() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert set(drawn) == {kind.__name__ for kind in EVERY} - {"PlatformAuthError"}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("retryable", [True, False])
def test_there_and_back(kind: type[PlatformAuthError], retryable: bool) -> None:
    error = kind("What.", why="Why.", fix="Fix.", retryable=retryable)
    data = json.loads(json.dumps(error.to_dict()))
    for back in (PlatformAuthError.from_dict(data), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert type(back) is kind
        assert back.to_dict() == error.to_dict()
        assert str(back) == str(error) == "What.\nWhy: Why.\nFix: Fix."


@pytest.mark.parametrize("data", [{}, {"code": 5}, {"code": "new_one", "what": None, "why": None}])
def test_an_unknown_one_is_one_all_the_same(data: dict[str, object]) -> None:
    error = PlatformAuthError.from_dict(data)
    assert type(error) is PlatformAuthError
    assert error.what
    assert error.why == ""
    assert not error.retryable


def test_only_what_can_pass_by_itself_is_worth_another_try() -> None:
    retryable = {kind.__name__ for kind in EVERY if kind.retryable}
    assert retryable == {"TransportError", "ProxyError", "BrokerUnavailableError"}


def test_empty_parts_are_left_out() -> None:
    assert str(PlatformAuthError("What.")) == "What."
    assert str(PlatformAuthError("What.", fix="Fix.")) == "What.\nFix: Fix."


def test_a_notebook_shows_three_sentences_and_no_traceback() -> None:
    error = errors.SignInRequiredError("What.", fix="Fix.")
    assert error._render_traceback_() == ["SignInRequiredError: What.\nFix: Fix."]
