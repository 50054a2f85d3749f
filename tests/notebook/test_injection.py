from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace
from typing import TYPE_CHECKING

import flyte.remote
import httpx2
import pytest

from platform_auth.config import PlatformConfig
from platform_auth.connection import Connection
from platform_auth.errors import BrokerUnavailableError
from platform_auth.notebook.injection import LazyClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Host, Notebook


@pytest.fixture
def client(signed_in: Host) -> Iterator[LazyClient]:
    client = LazyClient(Connection(signed_in.client, "demo"), "http")
    yield client
    if client.is_made:
        client.close()


def test_it_is_made_at_first_use_and_once(client: LazyClient) -> None:
    assert not client.is_made
    assert "http client" in repr(client)
    assert not client.is_made
    assert client.get("/me").json()["email"] == "ada@example.com"
    assert client.is_made
    assert client.cookies is client.cookies


def test_it_passes_for_the_real_one(client: LazyClient) -> None:
    assert isinstance(client, httpx2.Client)
    assert {"get", "stream", "connection"} <= set(dir(client))
    client.timeout = 5
    assert client.timeout == httpx2.Timeout(5)
    assert client.connection.profile == "demo"
    with pytest.raises(AttributeError, match="pigeon"):
        client.pigeon  # noqa: B018


def test_it_is_a_context_manager(client: LazyClient) -> None:
    with client as inner:
        assert inner.get("/healthz").is_success
    assert client.is_closed


def test_it_pickles_as_a_reference(client: LazyClient, signed_in: Host) -> None:
    data = pickle.dumps(client)
    assert not any(secret.encode() in data for secret in signed_in.tokens())
    twin = pickle.loads(data)  # noqa: S301 - our own
    assert type(twin) is LazyClient
    assert twin.get("/me").json()["email"] == "ada@example.com"
    twin.close()
    assert type(copy.copy(client)) is LazyClient


def test_it_shows_who_and_until_when_but_no_secret(
    client: LazyClient, notebook: Notebook, signed_in: Host
) -> None:
    notebook.shell.push({"c": client})
    notebook.run("c.get('/me')")
    notebook.run("display(c)")
    html, text = notebook.bundles[-1]["text/html"], notebook.bundles[-1]["text/plain"]
    assert "Signed in as ada@example.com" in html
    assert "http client · renewed automatically in " in html
    assert "Signed in as ada@example.com" in text
    assert notebook.saved_secrets(*signed_in.tokens()) == []


def test_a_connection_is_shown_in_the_same_way(
    client: LazyClient, notebook: Notebook, signed_in: Host
) -> None:
    notebook.shell.push({"c": client.connection})
    notebook.run("c.access_token()[:0]\ndisplay(c)")
    html, text = notebook.bundles[-1]["text/html"], notebook.bundles[-1]["text/plain"]
    assert "Signed in as ada@example.com" in html
    assert "connection · renewed automatically in " in html
    assert text.startswith("<connection of 127.0.0.1:")
    assert notebook.saved_secrets(*signed_in.tokens()) == []
    signed_in.stop()
    notebook.run("display(c)")
    assert notebook.bundles[-1] == {"text/plain": "<Connection demo>"}
    signed_in.start()


def test_what_the_whole_process_has_is_ready_at_once() -> None:
    connection = Connection(SimpleNamespace(), "prod")  # type: ignore[arg-type] # nobody asks it
    connection._config = PlatformConfig("flyte.example.com")
    client = LazyClient(connection, "flyte")
    assert client.is_made
    assert flyte.remote.Project is client.remote.Project
    flyte._initialize.ensure_client()  # raises where it is not


def test_a_kind_that_nobody_chose_is_what_fits_when_it_is_used(signed_in: Host) -> None:
    client = LazyClient(Connection(signed_in.client, "demo"))
    assert repr(client) == "<client of the platform demo>"
    assert isinstance(client, httpx2.Client)
    assert repr(client) == "<http client of the platform demo>"
    assert not client.is_made


def test_without_its_broker_it_can_still_be_looked_at(
    client: LazyClient, notebook: Notebook, signed_in: Host
) -> None:
    signed_in.stop()
    notebook.run("from IPython.display import display")
    notebook.shell.push({"c": client})
    notebook.run("display(c)")
    assert notebook.bundles[-1] == {"text/plain": repr(client)}
    assert not client.is_made
    with pytest.raises(BrokerUnavailableError):
        client.get("/me")
    signed_in.start()
