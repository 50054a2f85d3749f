from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from pprint import pformat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_auth.secret import MASK, Secret

CANARY = "CANARY-hunter2"


@dataclasses.dataclass(frozen=True)
class Holder:
    secret: Secret


def test_reveal_is_the_way_out() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        pformat,
        lambda secret: f"{secret} {secret!r} {secret!s} {secret:>30} {secret:s}",
        lambda secret: "%s %r %20s" % (secret, secret, secret),  # noqa: UP031 - on purpose
        "{0} {0!r}".format,
        lambda secret: str([secret, {"a": secret}, (secret,), {secret}]),
        lambda secret: repr(Holder(secret)),
        lambda secret: repr(dataclasses.asdict(Holder(secret))),
        lambda secret: json.dumps({"a": secret}, default=str),
        lambda secret: json.dumps({"a": secret}, default=repr),
        lambda secret: repr(copy.copy(secret)),
        lambda secret: repr(copy.deepcopy([secret])),
        lambda secret: str(ValueError(secret)),
    ],
)
def test_nothing_else_is(show: object) -> None:
    assert callable(show)
    assert CANARY not in show(Secret(CANARY))


def test_the_mask_tells_not_even_the_length() -> None:
    assert str(Secret("")) == str(Secret("x" * 100)) == MASK


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    for what in (Secret(CANARY), [Secret(CANARY)], Holder(Secret(CANARY))):
        with pytest.raises(TypeError, match="cannot be pickled") as caught:
            pickle.dumps(what, protocol)
        assert CANARY not in str(caught.value)


def test_nor_can_its_state_be_had() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        Secret(CANARY).__getstate__()


def test_it_cannot_be_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps({Secret(CANARY): 1})


def test_it_has_no_attributes_to_look_into() -> None:
    assert not hasattr(Secret(CANARY), "__dict__")
    with pytest.raises(TypeError):
        vars(Secret(CANARY))
    with pytest.raises(AttributeError):
        Secret(CANARY).other = 1  # type: ignore[attr-defined]


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fails(secret: Secret) -> None:
        raise ValueError(secret)

    with pytest.raises(ValueError, match="•") as caught:
        fails(Secret(CANARY))
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    (frame,) = [each for each in report.stack if each.name == "fails"]
    assert "Secret(••••••)" in str(frame.locals)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_log_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug(
            "%s %r %s", Secret(CANARY), Secret(CANARY), [Secret(CANARY)]
        )
    assert CANARY not in caplog.text
    assert MASK in caplog.text


@pytest.mark.parametrize("value", [None, 5, b"bytes", ["a"]])
def test_it_is_a_text(value: object) -> None:
    with pytest.raises(TypeError, match="a secret is a str"):
        Secret(value)  # type: ignore[arg-type]


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


@given(st.text(), st.text())
def test_equal_when_the_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))


@pytest.mark.parametrize("text", ["ä", chr(0xD800), chr(0xDCE4)])
def test_texts_that_no_encoding_knows(text: str) -> None:
    """As the environment gives them for bytes that are no UTF-8."""
    assert Secret(text) == Secret(text)
    assert Secret(text) != Secret("x")


def test_never_equal_to_a_text() -> None:
    assert Secret("x") != "x"
    assert Secret("x") != MASK
