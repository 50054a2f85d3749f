from __future__ import annotations

import io
import logging
from typing import Any

import pytest

from platform_auth.server.broker_log import NAME, BrokerLog


@pytest.fixture
def jupyters() -> Any:
    log = logging.getLogger("Jupyter of a test")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler(io.StringIO()))
    return log


def test_the_broker_speaks_through_jupyters_log(jupyters: Any) -> None:
    ours = logging.getLogger(NAME)
    before = (ours.level, list(ours.handlers))
    shared = BrokerLog(jupyters)
    shared.start()
    ours.info("from the broker")
    ours.debug("too much")
    shared.stop()
    ours.error("afterwards")

    assert jupyters.handlers[0].stream.getvalue() == "from the broker\n"
    assert (ours.level, list(ours.handlers)) == before
