"""The notebooks of the documentation: what they show is what comes out, and no secret is in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from harness.canary import Canary
from harness.documentation import NOTEBOOKS, PAGES, Desk, desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from platform_auth.sandbox import Sandbox

# What is another one each time.
_VARYING = (
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"Overwriting"), "Writing"),
)


@pytest.fixture(scope="module")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Sandbox]]:
    with desk(tmp_path_factory.mktemp("desk")) as found:
        yield found


def saved(name: str) -> NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def shape(notebook: NotebookNode) -> list[tuple[str, Any]]:
    """Return what each cell shows, without what is another one each time."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [(cell.id, [_shown(output) for output in cell.outputs]) for cell in cells]


def _shown(output: NotebookNode) -> tuple[str, Any]:
    kind = output.output_type
    if kind == "stream":
        return kind, _steady(output.text)
    if kind == "error":
        return kind, [output.ename, *map(_steady, output.traceback)]
    # Of a display the markup is the look's business, its text is the documentation's.
    return kind, {**dict.fromkeys(output.data), "text/plain": _steady(output.data["text/plain"])}


def _steady(text: str) -> str:
    for varying, name in _VARYING:
        text = varying.sub(name, text)
    return text


@pytest.mark.parametrize("name", PAGES)
def test_what_it_shows_is_what_comes_out(seat: tuple[Desk, Sandbox], name: str) -> None:
    reader, sandbox = seat
    executed = reader.read(name)
    assert shape(executed) == shape(saved(name)), "run `make notebooks` and look at what changed"
    [service] = [sandbox.profiles()["demo-service"]["oauth"]["client_secret"]]
    tokens = [token.reveal() for token in sandbox.refresh_tokens()]
    Canary({"secret": [service], "refresh_token": tokens}).assert_absent(json.dumps(executed))


@pytest.mark.parametrize("name", PAGES)
def test_what_is_published_holds_no_secret_and_no_place(name: str) -> None:
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    assert not re.search(r"eyJ[\w-]{10,}", text)  # a JSON Web Token
    assert not re.search(r"(?<![\w./])/(?:tmp|root|home|work|Users)/", text)  # nobody's directory
    assert "login+json" not in text  # a display that waits for somebody


@pytest.mark.parametrize("name", PAGES)
def test_it_is_whole(name: str) -> None:
    notebook = saved(name)
    nbformat.validate(notebook)
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    assert nbformat.writes(notebook) + "\n" == text
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def test_there_is_one_for_each_flow_and_each_client() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == {*PAGES, "quickstart"}
