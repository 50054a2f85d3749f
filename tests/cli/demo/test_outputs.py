from __future__ import annotations

from platform_auth.cli.demo.outputs import has_failed, text_of


def test_what_was_printed() -> None:
    assert (
        text_of({"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"}) == "one\ntwo\n"
    )


def test_the_most_readable_form_of_a_display() -> None:
    data = {"text/plain": "<Markdown>", "text/markdown": "| a |", "text/html": "<b>a</b>"}
    assert text_of({"output_type": "display_data", "data": data}) == "| a |"
    del data["text/markdown"]
    assert text_of({"output_type": "execute_result", "data": data}) == "<Markdown>"
    assert text_of({"output_type": "display_data", "data": {"image/png": "iVBO"}}) == ""


def test_an_error_without_its_colours() -> None:
    error = {"output_type": "error", "traceback": ["\x1b[0;31mNameError\x1b[0m: x", "line 2"]}
    assert has_failed(error)
    assert text_of(error) == "NameError: x\nline 2"
