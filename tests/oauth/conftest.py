from __future__ import annotations

import pytest

from fakes.provider import Provider


@pytest.fixture
def provider() -> Provider:
    return Provider()
