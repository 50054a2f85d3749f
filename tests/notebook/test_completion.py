"""Tab completion of what a notebook holds, by IPython's own completer, with jedi and without."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter

from platform_auth.config import PlatformConfig
from platform_auth.connection import Connection
from platform_auth.notebook.injection import LazyClient

if TYPE_CHECKING:
    from conftest import Notebook

FIRST = {"http": "get", "grpc": "unary_unary", "flytekit": "list_projects"}


class Watched:
    """Notes what it is asked for, and has nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            self.asked.append(name)
        raise AttributeError(name)


@pytest.fixture(params=[False, True], ids=["without jedi", "with jedi"])
def completed(request: pytest.FixtureRequest, notebook: Notebook) -> Any:
    """Return a function that says what the Tab key offers after a text."""
    completer = notebook.shell.Completer
    completer.use_jedi = request.param

    def names(text: str, **variables: object) -> set[str]:
        notebook.shell.push(variables)
        with provisionalcompleter():
            found = completer.completions(text, len(text))
            return {each.text.lstrip(".") for each in found}

    return SimpleNamespace(names=names, by_jedi=request.param)


def test_a_connection_offers_what_it_can_do_and_asks_nobody(completed: Any) -> None:
    broker = Watched()
    connection = Connection(broker, "prod")  # type: ignore[arg-type]
    offered = completed.names("connection.", connection=connection)
    assert {"http", "flytekit", "config", "status", "sign_out"} <= offered
    assert completed.names("connection.flytekit(pr", connection=connection) >= {"project="}
    assert broker.asked == []


@pytest.mark.parametrize("kind", sorted(FIRST))
def test_a_client_offers_what_the_real_one_can_do(
    completed: Any, notebook: Notebook, kind: str
) -> None:
    broker, tokens = Watched(), Watched()
    connection = Connection(broker, "prod")  # type: ignore[arg-type]
    connection._config = PlatformConfig("flyte.example.com")
    connection.tokens = tokens  # type: ignore[assignment]
    client = LazyClient(connection, kind)
    assert {FIRST[kind], "connection"} <= completed.names("client.", client=client)
    # No token is asked for, and so nothing of the platform. jedi looks at each thing itself.
    assert tokens.asked == []
    assert client.is_made == completed.by_jedi
    if kind == "flytekit":
        del notebook.names["client"]  # there is nothing to close


def test_a_client_that_cannot_be_made_still_leads_to_its_connection(completed: Any) -> None:
    client = LazyClient(Connection(Watched(), "prod"), "grpc")  # type: ignore[arg-type]
    offered = completed.names("client.connection.", client=client)
    assert not client.is_made
    assert ("http" in offered) == completed.by_jedi  # IPython itself looks into no such thing
