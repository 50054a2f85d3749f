from __future__ import annotations

import importlib
import json
import pickle
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import platform_auth
from platform_auth import errors
from platform_auth.errors import PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = (Path(__file__).parents[1] / "docs" / "errors.md").read_text(encoding="utf-8")


def kinds(root: type[PlatformAuthError] = PlatformAuthError) -> Iterator[type[PlatformAuthError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("platform_auth."):
            yield from kinds(child)


EVERY = [kind for kind in kinds() if kind.__module__ == errors.__name__]


def test_there_is_one_tree_in_one_place() -> None:
    for module in pkgutil.walk_packages(platform_auth.__path__, "platform_auth."):
        if not module.name.endswith(("__main__", "migrations.env")):  # which are run
            importlib.import_module(module.name)
    assert {kind.__module__ for kind in kinds()} == {errors.__name__}


def test_each_kind_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in kinds()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_the_tree_is_the_one_in_the_documentation() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert set(drawn) == {kind.__name__ for kind in EVERY} - {"PlatformAuthError"}


class TestDocument:
    """docs/errors.md."""

    def test_it_explains_each_code_once_and_in_the_order_of_the_tree(self) -> None:
        assert re.findall(r"^## (\w+)$", DOCUMENT, re.MULTILINE) == [kind.code for kind in EVERY]

    def test_its_list_leads_to_each_and_names_its_class(self) -> None:
        rows = re.findall(
            r"^\| \[`(\w+)`\]\(#(\w+)\) \| `(\w+)` \| (.+) \|$", DOCUMENT, re.MULTILINE
        )
        assert [row[:3] for row in rows] == [(k.code, k.code, k.__name__) for k in EVERY]

    @pytest.mark.parametrize("kind", EVERY)
    def test_an_explanation_is_more_than_a_word(self, kind: type[PlatformAuthError]) -> None:
        text = DOCUMENT.partition(f"\n## {kind.code}\n")[2].partition("\n## ")[0]
        assert len(text.split()) >= 12


@pytest.mark.parametrize("kind", EVERY[1:])
def test_each_kind_knows_what_usually_helps(kind: type[PlatformAuthError]) -> None:
    assert kind("What.").fix == kind.usual_fix != ""
    assert kind("What.", fix="This.").fix == "This."


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


class TestNotebook:
    """What IPython shows of an error."""

    def test_three_sentences_and_no_traceback(self) -> None:
        error = errors.SignInRequiredError("What.", fix="Fix.")
        assert error._render_traceback_() == ["SignInRequiredError: What.\nFix: Fix."]

    def test_where_it_came_from_for_whoever_debugs_but_no_secret(self) -> None:
        cause = ValueError("sent Bearer secret-CANARY to https://id.example/cb?code=CANARY")
        with pytest.raises(PlatformAuthError) as caught:
            raise errors.ProviderError("What.") from cause
        caught.value.debug = True
        lines = caught.value._render_traceback_()
        assert lines[-1].startswith("ProviderError: What.\nFix: ")
        shown = "\n".join(lines)
        assert "Traceback (most recent call last)" in shown
        assert "test_errors.py" in shown
        assert "sent Bearer ••••••" in shown
