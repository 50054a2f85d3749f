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


def test_what_is_renewed_has_no_end() -> None:
    view = {"state": "signed_in", "expires_at": NOW, "next_refresh": NOW - 60}
    assert for_how_long(view) == "renewed by itself"


def test_nothing_to_last() -> None:
    view = {"state": "signed_out", "expires_at": None, "next_refresh": None}
    assert for_how_long(view) == ""
