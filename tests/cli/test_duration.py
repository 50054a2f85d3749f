from __future__ import annotations

import time

import pytest

from platform_auth.cli.duration import for_how_long

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (-5, "for 0 s"),
        (90, "for 90 s"),
        (300, "for 5 min"),
        (7200, "for 2 h"),
        (3 * 86400, "for 3 d"),
    ],
)
def test_how_long_it_lasts(monkeypatch: pytest.MonkeyPatch, left: float, words: str) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    view = {"state": "signed_in", "expires_at": NOW + left, "next_refresh": None}
    assert for_how_long(view) == words


@pytest.mark.parametrize(("due", "words"), [(-60, ""), (90, " in 90 s"), (600, " in 10 min")])
def test_what_is_renewed_has_no_end(
    monkeypatch: pytest.MonkeyPatch, due: float, words: str
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    view = {"state": "signed_in", "expires_at": NOW + 1200, "next_refresh": NOW + due}
    assert for_how_long(view) == f"renewed by itself{words}"


def test_nothing_to_last() -> None:
    view = {"state": "signed_out", "expires_at": None, "next_refresh": None}
    assert for_how_long(view) == ""
