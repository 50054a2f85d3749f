"""What a platform says of its client stands for what a profile leaves open, as in flytekit.

Other than flytekit, what a profile does say counts in every flow:

- its client id for people, too (flytekit takes the platform's), unless that is Flyte's own service;
- then its own redirect URI, or none (flytekit takes the one of the platform's client);
- its audience with PKCE, too (flytekit takes the platform's).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from fakes.flyte import FLYTE_CLIENT
from platform_auth.config import OAuthSettings, PlatformConfig
from platform_auth.errors import DiscoveryError
from platform_auth.oauth.public_client import PublicClient

if TYPE_CHECKING:
    from collections.abc import Iterator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from flytekit.clients.auth import authenticator, keyring
    from flytekit.clients.auth.auth_client import AuthorizationClient
    from flytekit.clients.auth_helper import get_authenticator
    from flytekit.configuration import PlatformConfig as Theirs

FLYTE = PublicClient.of(FLYTE_CLIENT, platform="flyte.example.com")


def completed(client: PublicClient = FLYTE, **changes: Any) -> PlatformConfig:
    oauth = OAuthSettings(**changes.pop("oauth", {}))
    return client.completing(PlatformConfig("flyte.example.com", oauth=oauth, **changes))


def test_what_is_open_is_filled() -> None:
    config = completed()
    assert (config.client_id, config.scopes) == ("flytectl", ("all", "offline"))
    assert config.oauth.redirect_uri == "http://localhost:53593/callback"
    assert config.oauth.authorization_metadata_key == "flyte-authorization"


@pytest.mark.parametrize("mode", ["Pkce", "DeviceFlow"])
def test_a_client_id_that_is_said_is_used_for_people_and_with_its_own_redirect_uri(
    mode: str,
) -> None:
    config = completed(client_id="notebooks", auth_mode=mode)
    assert (config.client_id, config.oauth.redirect_uri) == ("notebooks", None)
    assert completed(client_id="flytectl").oauth.redirect_uri == "http://localhost:53593/callback"


def test_nobody_signs_in_as_flytes_own_service() -> None:
    assert completed(client_id="flytepropeller").client_id == "flytectl"
    nameless = PublicClient(scopes=("all",))
    assert completed(nameless, client_id="flytepropeller").client_id == "flytepropeller"


def test_a_service_is_itself_or_nobody() -> None:
    secret = {"client_credentials_secret": "secret-CANARY", "auth_mode": "ClientSecret"}
    assert completed(**secret, client_id="flytepropeller").client_id == "flytepropeller"
    assert completed(**secret, client_id="ci").oauth.redirect_uri is None
    assert completed(**secret).client_id is None


def test_the_secret_stays_where_it_is() -> None:
    config = completed(client_secret_env_var="SOME_SECRET", client_id="ci")
    assert config.client_secret_env_var == "SOME_SECRET"
    assert completed(client_credentials_secret="secret-CANARY").client_secret() is not None


def test_one_that_says_nothing_changes_nothing() -> None:
    config = PlatformConfig("flyte.example.com", client_id="notebooks", scopes=["api"])
    assert PublicClient().completing(config) == config


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": 7},
        {"client_id": "a\nb"},
        {"client_id": "a" * 2000},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://elsewhere.example/callback"},
        {"redirect_uri": ["https://a.example"]},
        {"scopes": "all offline"},
        {"scopes": [1]},
        {"scopes": ["a"] * 65},
        {"audience": {"a": 1}},
        {"authorization_metadata_key": "two words"},
        {"authorization_metadata_key": "a\r\nb: c"},
    ],
)
def test_what_cannot_be_used_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DiscoveryError, match=r"flyte\.example\.com") as caught:
        PublicClient.of({**FLYTE_CLIENT, **wrong}, platform="flyte.example.com")
    assert next(iter(wrong)) in caught.value.why
    assert "oauth.issuer" in caught.value.fix


@pytest.mark.parametrize("nothing", [{}, {"client_id": "", "scopes": None, "audience": ""}])
def test_what_is_empty_is_not_said(nothing: dict[str, Any]) -> None:
    assert PublicClient.of(nothing, platform="flyte.example.com") == PublicClient()


# Against flytekit

WORD = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=6)
SCOPES = st.lists(WORD, max_size=3)
SAID = st.fixed_dictionaries(
    {
        "client_id": WORD,
        "redirect_uri": st.just("http://localhost:53593/callback"),
        "scopes": SCOPES,
    },
    optional={"audience": WORD, "authorization_metadata_key": WORD},
)
OURS = st.fixed_dictionaries({}, optional={"scopes": SCOPES, "audience": WORD, "client_id": WORD})
MODES = ("Pkce", "DeviceFlow", "ClientSecret", "ExternalCommand")


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(keyring.KeyringStore, "retrieve", lambda _endpoint: None)
    yield
    type(AuthorizationClient)._instances.clear()


class Store(authenticator.ClientConfigStore):
    """What the platform says to flytekit."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said

    def get_client_config(self) -> authenticator.ClientConfig:
        said = self._said
        return authenticator.ClientConfig(
            token_endpoint="https://id.example.com/token",
            authorization_endpoint="https://id.example.com/authorize",
            device_authorization_endpoint="https://id.example.com/device",
            redirect_uri=said["redirect_uri"],
            client_id=said["client_id"],
            scopes=said["scopes"],
            header_key=said.get("authorization_metadata_key"),
            audience=said.get("audience"),
        )


def theirs(mode: str, ours: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return what flytekit signs in with."""
    service = {"client_credentials_secret": "secret-CANARY", "command": ["print-token"]}
    config = Theirs("flyte.example.com", auth_mode=mode, **service, **ours)
    found: Any = get_authenticator(config, Store(said))
    if mode == "Pkce":
        type(AuthorizationClient)._instances.clear()  # it knows one platform for each server
        found._initialize_auth_client()
    client = found._auth_client if mode == "Pkce" else found
    return {
        "client_id": getattr(client, "_client_id", None),
        "scopes": tuple(getattr(client, "_scopes", None) or ()),
        "audience": getattr(client, "_audience", None),
        "redirect_uri": getattr(client, "_redirect_uri", None),
        "header": found._header_key or "authorization",  # with PKCE it may come to be called None
    }


@pytest.mark.parametrize("mode", MODES)
@given(ours=OURS, said=SAID)
def test_where_the_profile_is_silent_it_is_as_in_flytekit(
    mode: str, ours: dict[str, Any], said: dict[str, Any]
) -> None:
    if mode == "ClientSecret":
        ours = {"client_id": "service", **ours}  # it takes one
    expected = theirs(mode, ours, said)
    client = PublicClient.of(said, platform="flyte.example.com")
    config = completed(client, **ours, auth_mode=mode, command=["print-token"])
    header = config.oauth.authorization_metadata_key or "authorization"
    assert header == expected["header"]
    if mode == "ExternalCommand":
        return  # flytekit asks for nothing else then
    assert config.scopes == expected["scopes"]
    if "audience" in ours and mode == "Pkce":
        event("audience")
        assert config.audience == ours["audience"]
    else:
        assert config.audience == expected["audience"]
    if "client_id" in ours and mode != "ClientSecret":
        event("client id")
        assert config.client_id == ours["client_id"]
    else:
        assert config.client_id == expected["client_id"]
    if mode == "Pkce" and config.client_id == said["client_id"]:
        assert config.oauth.redirect_uri == expected["redirect_uri"]
