from __future__ import annotations

import pytest

from platform_auth.broker.windows import (
    LEAST_SPREAD,
    LONGEST,
    MOST_SPREAD,
    hard_window,
    new_spread,
    stale_window,
)

LIVES = (1, 10, 60, 300, 3600, 24 * 3600)


@pytest.mark.parametrize("lifetime", LIVES)
def test_a_token_of_any_life_is_fresh_then_stale_then_due(lifetime: float) -> None:
    for spread in (LEAST_SPREAD, MOST_SPREAD):
        stale = stale_window(lifetime, spread)
        assert 0 < hard_window(lifetime, 60) < stale < 0.61 * lifetime


def test_a_long_lived_one_is_stale_for_twenty_minutes_and_its_spread() -> None:
    assert stale_window(36_000, 0.05) == LONGEST + 1800


def test_an_outage_of_twenty_minutes_leaves_an_hours_token_time_for_two_more_tries() -> None:
    assert stale_window(3600, LEAST_SPREAD) - LONGEST > 2 * 60


def test_the_spread_differs_from_token_to_token() -> None:
    drawn = {new_spread() for _ in range(500)}
    assert len(drawn) > 400
    assert min(drawn) >= LEAST_SPREAD
    assert max(drawn) <= MOST_SPREAD
    assert max(drawn) - min(drawn) >= 0.05


@pytest.mark.parametrize(("margin", "window"), [(30, 45.0), (1000, 165.0)])
def test_the_administrators_margin_is_at_most_half_a_life(margin: float, window: float) -> None:
    assert stale_window(300, 0.05, margin) == window
