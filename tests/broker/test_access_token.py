from __future__ import annotations

import json
import time
from math import inf

import pytest

from platform_auth.broker.access_token import AccessToken, fingerprint
from platform_auth.secret import Secret


def token(**changes: object) -> AccessToken:
    given = {"value": Secret("CANARY"), "expires_at": 2e9, "deadline": time.monotonic() + 300}
    return AccessToken(**{**given, **changes})  # type: ignore[arg-type]


def test_what_it_says() -> None:
    found = token(header="flyte-authorization")
    assert found.authorization == "Bearer CANARY"
    assert found.header == "flyte-authorization"
    assert found.remaining == pytest.approx(300, abs=5)
    assert found.lifetime == inf


def test_it_shows_no_token() -> None:
    assert "CANARY" not in f"{token()!r} {token()}"


def test_a_fingerprint_names_it_and_gives_nothing_away() -> None:
    assert token().fingerprint == fingerprint(Secret("CANARY"))
    assert len(token().fingerprint) == 32
    assert token().fingerprint != token(value=Secret("other")).fingerprint
    assert "CANARY" not in token().fingerprint


@pytest.mark.parametrize("lifetime", [300.0, inf])
def test_there_and_back(lifetime: float) -> None:
    before = token(lifetime=lifetime, header="x")
    after = AccessToken.from_dict(json.loads(json.dumps(before.to_dict(), allow_nan=False)))
    assert after == before
    assert after.remaining == pytest.approx(before.remaining, abs=5)
    assert after.lifetime == lifetime


def test_a_wall_clock_that_jumps_does_not_change_how_long_it_lives() -> None:
    data = token().to_dict() | {"expires_at": 0.0}
    assert AccessToken.from_dict(data).remaining == pytest.approx(300, abs=5)
