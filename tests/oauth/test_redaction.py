from __future__ import annotations

import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_auth.oauth import redaction
from platform_auth.oauth.redaction import RedactingFilter, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        "GET https://u:CANARY@id.example/cb",
        "GET https://id.example/cb?code=CANARY&state=CANARY",
        "GET https://id.example/cb#access_token=CANARY",
        "Authorization: Bearer CANARY.a-b_c~d+e/f=",
        "authorization: basic CANARY",
        "[(b'authorization', b'Basic CANARY')]",
        '{"access_token": "CANARY", "refresh_token":"CANARY"}',
        "{'id_token': 'CANARY'}",
        "grant_type=refresh_token&refresh_token=CANARY&client_secret=CANARY",
        "code_verifier=CANARY",
        "code_verifier: CANARY",
        "device_code = CANARY",
        "state=CANARY nonce=CANARY",
        "password=CANARY",
        "client_assertion=CANARY&assertion=CANARY",
        "b'refresh_token=CANARY'",
        '{"code": "CANARY"}',
        "%7B CODE=CANARY",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "CANARY" not in redact(text)


def test_a_jwt_is_masked_wherever_it_is() -> None:
    assert redact(f"got {JWT}, ok") == "got ••••••, ok"


@pytest.mark.parametrize(
    "text",
    [
        "prod: refresh failed (unreachable), next try in 5 s",
        "GET https://id.example/token HTTP/1.1 200",
        "connect_tcp.started host='id.example' port=443",
        "the code was not entered in time",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_any_text_can_be_redacted(text: str) -> None:
    assert isinstance(redact(text), str)


@pytest.mark.parametrize(
    "part",
    ["http://", "https://a", "http://a@", "eyJ-", "eyJ.", "eyJa.b.", "token", "token ", "code=",
     "secret\t", "bearer ", "state: '", "a", " "],
)  # fmt: skip
def test_what_is_long_takes_no_longer_for_what_it_says(part: str) -> None:
    began = time.process_time()
    redact(part * (500_000 // len(part)))
    assert time.process_time() - began < 1


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def handler() -> Iterator[Kept]:
    handler = Kept()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("platform_auth.tests")
    logger.setLevel(logging.DEBUG)
    redaction.install()
    yield logger
    logger.setLevel(logging.NOTSET)


def test_arguments_are_redacted(logger: logging.Logger, handler: Kept) -> None:
    logger.info("sent %s to %s", {"refresh_token": "CANARY"}, "https://id.example/?code=CANARY")
    assert "CANARY" not in handler.lines[0]
    assert "https://id.example/" in handler.lines[0]


def test_tracebacks_are_redacted(logger: logging.Logger, handler: Kept) -> None:
    try:
        int("access_token=CANARY")
    except ValueError:
        logger.exception("failed")
    assert "CANARY" not in handler.lines[0]
    assert "ValueError" in handler.lines[0]


def test_a_message_that_cannot_be_formatted_is_let_through_without_it(
    logger: logging.Logger, handler: Kept
) -> None:
    logger.info("%d", "CANARY")
    assert "CANARY" not in handler.lines[0]


@pytest.mark.parametrize("name", redaction.LOGGERS)
def test_every_logger_under_us_has_the_filter_once(name: str) -> None:
    redaction.install()
    redaction.install()
    filters = [
        each for each in logging.getLogger(name).filters if isinstance(each, RedactingFilter)
    ]
    assert len(filters) == 1


FIRST_USE = """
import logging
from platform_auth.config import PlatformConfig
from platform_auth.oauth.transport import Transport

Transport(PlatformConfig("flyte.example.com"))
below = ("httpx2", "httpcore2", "authlib", "platform_auth", "stamina")
names = [name for name in logging.root.manager.loggerDict if name.startswith(below)]
loggers = [logging.getLogger(name) for name in names]
print(len(names), [logger.name for logger in loggers if not logger.filters])
"""


def test_the_loggers_below_them_have_it_from_the_first_request_on() -> None:
    """In a process that has loaded nothing before."""
    found = subprocess.run(
        [sys.executable, "-c", FIRST_USE], capture_output=True, text=True, timeout=60, check=True
    )
    count, missing = found.stdout.strip().split(" ", 1)
    assert int(count) >= 10
    assert missing == "[]"
