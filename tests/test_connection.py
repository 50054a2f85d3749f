from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import requests

from fakes.bench import PROFILES, Bench
from fakes.provider import CLIENT, ISSUER
from platform_auth import PlatformConfig, connect
from platform_auth.broker import local
from platform_auth.broker.client import BrokerClient, SocketChannel
from platform_auth.broker.local import LocalChannel
from platform_auth.config import OAuthSettings, Policy, Profiles
from platform_auth.connection import Connection, default_client
from platform_auth.errors import (
    BrokerUnavailableError,
    ConfigError,
    PolicyError,
    ProfileNotFoundError,
    SignInRequiredError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Here:
    """This process's own broker, with a provider that needs no network."""

    def __init__(self, profiles: Profiles | None = None) -> None:
        self.bench = Bench(profiles)
        self.channel = LocalChannel(self.bench.broker)
        self.client = BrokerClient(self.channel)

    def sign_in(self, name: str = "prod") -> None:
        """Sign in by pasting."""
        challenge = self.client.sign_in(name, redirect="paste")["challenge"]
        self.client.complete(name, self.bench.provider.authorize(challenge["url"]))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    here = Here()
    monkeypatch.setattr(local, "local_client", lambda: here.client)
    yield here
    here.channel.close()


def use(monkeypatch: pytest.MonkeyPatch, profiles: Profiles) -> Here:
    here = Here(profiles)
    monkeypatch.setattr(local, "local_client", lambda: here.client)
    return here


class TestWhich:
    def test_a_profile_by_its_name(self, here: Here) -> None:
        connection = connect("prod")
        assert connection.profile == "prod"
        assert repr(connection) == "<Connection prod>"
        assert connection.config.host == "flyte.example.com"

    def test_a_name_that_is_none_is_said_at_once(self, here: Here) -> None:
        with pytest.raises(ProfileNotFoundError, match="prd") as caught:
            connect("prd")
        assert "prod" in caught.value.fix

    def test_nobody_is_asked_to_sign_in(self, here: Here) -> None:
        connect("prod")
        assert not here.bench.provider.requests

    def test_the_ways_for_libraries_of_ones_own_are_to_its_platform_alone(self, here: Here) -> None:
        connection = connect("prod")
        request = requests.Request("GET", "https://elsewhere.example.org/", auth=None).prepare()
        connection.requests_auth()(request)
        [sent] = connection.http_auth().sync_auth_flow(httpx2.Request("GET", str(request.url)))
        assert "Authorization" not in {**request.headers, **sent.headers}
        assert not here.bench.provider.requests

    def test_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, Profiles(admin=PROFILES, default="dev", user_file=None, flyte=False))
        assert connect().profile == "dev"

    def test_none_of_several(self, here: Here) -> None:
        with pytest.raises(ConfigError, match="several") as caught:
            connect()
        assert "prod, dev, service" in caught.value.fix

    def test_a_configuration_of_ones_own(self, here: Here) -> None:
        config = PlatformConfig(
            "mine.example.com",
            client_id=CLIENT,
            client_credentials_secret="secret-CANARY",
            scopes=["openid"],
            auth_mode="Pkce",
            http_proxy_url="http://ada:proxy-CANARY@proxy.example.com:3128",
            oauth=OAuthSettings(issuer=ISSUER),
        )
        connection = connect(config)
        assert connection.profile.startswith("mine.example.com-")
        assert connect(config).profile == connection.profile
        assert connection.config.host == "mine.example.com"
        assert connection.config.client_credentials_secret is None
        assert "CANARY" not in repr(connection) + str(connection.status()) + repr(connection.config)
        assert connection.config.http_proxy_url == "http://proxy.example.com:3128"
        here.sign_in(connection.profile)
        assert connection.access_token() == "at-1-CANARY"

    def test_two_that_differ_in_their_secret_alone_are_two(self, here: Here) -> None:
        def mine(secret: str) -> str:
            config = PlatformConfig(
                f"{'a' * 60}.example.com",
                client_id=CLIENT,
                client_credentials_secret=secret,
                oauth=OAuthSettings(issuer=ISSUER),
            )
            connection = connect(config)
            connection.access_token()
            return connection.profile

        names = [mine("one-CANARY"), mine("two-CANARY"), mine("one-CANARY"), mine("two-CANARY")]
        assert len(set(names)) == 2
        assert names[:2] == names[2:]
        assert len(here.bench.provider.sent_to("token")) == 2

    def test_what_is_changed_but_the_secret_is_another_one_at_all(self, here: Here) -> None:
        first = connect(PlatformConfig("mine.example.com", client_credentials_secret="a"))
        second = connect(
            PlatformConfig("mine.example.com", client_credentials_secret="a", audience="b")
        )
        assert len(second.profile) == len(first.profile)
        assert second.profile != first.profile

    def test_a_long_name_of_a_host(self, here: Here) -> None:
        host = f"{'a' * 60}.eu-central-1.elb.example.com:8443"
        assert connect(PlatformConfig(host, client_id=CLIENT)).config.host == host

    def test_under_the_administrators_policy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        policy = Policy(allow_user_profiles=False)
        use(monkeypatch, Profiles(admin=PROFILES, policy=policy, user_file=None, flyte=False))
        with pytest.raises(PolicyError):
            connect(PlatformConfig("mine.example.com"))

    def test_a_server_that_is_away(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PLATFORM_AUTH_BROKER", f"unix://{tmp_path}/none.sock")
        monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", str(tmp_path / "none"))
        assert isinstance(default_client()._channel, SocketChannel)
        with pytest.raises(BrokerUnavailableError):
            connect("prod")


class TestTokens:
    def test_of_nobody(self, here: Here) -> None:
        with pytest.raises(SignInRequiredError):
            connect("prod").access_token()

    def test_fresh_ones(self, here: Here) -> None:
        here.sign_in()
        connection = connect("prod")
        assert connection.access_token() == "at-1-CANARY"
        assert connection.access_token(min_ttl=3600) == "at-1-CANARY"
        assert connection.tokens.header() == ("authorization", "Bearer at-1-CANARY")

    def test_none_after_the_sign_out(self, here: Here) -> None:
        here.sign_in()
        connection = connect("prod")
        connection.access_token()
        assert connection.sign_out() is None
        with pytest.raises(SignInRequiredError):
            connection.access_token()

    def test_a_sign_out_says_where_to_do_so_at_the_provider(self, here: Here) -> None:
        here.bench.provider.metadata["end_session_endpoint"] = "https://id.example.com/end"
        here.sign_in()
        assert connect("prod").sign_out().startswith("https://id.example.com/end?client_id=")

    def test_of_many_threads(self, here: Here) -> None:
        here.sign_in()
        tokens: list[str] = []
        threads = [
            threading.Thread(target=lambda: tokens.append(connect("prod").access_token()))
            for _ in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert tokens == ["at-1-CANARY"] * 50


class TestSignIn:
    def test_it_waits_for_the_person(self, here: Here) -> None:
        shown: list[dict[str, Any]] = []

        def person(view: dict[str, Any]) -> None:
            shown.append(view)
            url = here.bench.provider.authorize(view["challenge"]["url"])
            threading.Thread(target=here.client.complete, args=("prod", url)).start()

        view = connect("prod").sign_in(redirect="paste", show=person, timeout=20)
        assert view["signed_in_as"] == "ada@example.com"
        assert len(shown) == 1

    def test_a_token_of_before_is_not_used_after(self, here: Here) -> None:
        here.sign_in()
        connection = connect("prod")
        assert connection.access_token() == "at-1-CANARY"

        here.bench.clock.advance(1)

        def person(view: dict[str, Any]) -> None:
            here.client.complete("prod", here.bench.provider.authorize(view["challenge"]["url"]))

        connection.sign_in(redirect="paste", force=True, show=person, timeout=20)
        assert connection.access_token() == "at-2-CANARY"


class TestElsewhere:
    def test_a_pickle_is_a_reference(self, here: Here) -> None:
        here.sign_in()
        connection = connect("prod")
        connection.access_token()
        pickled = pickle.dumps(connection)
        assert b"CANARY" not in pickled
        assert pickle.loads(pickled).access_token() == "at-1-CANARY"  # noqa: S301 - our own

    def test_it_explains_itself_where_there_is_no_such_profile(
        self, here: Here, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pickled = pickle.dumps(connect("prod"))
        use(monkeypatch, Profiles(admin={}, user_file=None, flyte=False))
        elsewhere = pickle.loads(pickled)  # noqa: S301 - our own
        with pytest.raises(ProfileNotFoundError, match="prod"):
            elsewhere.access_token()

    def test_so_is_a_client_of_it(self, here: Here) -> None:
        here.sign_in()
        connection = connect("prod")
        connection.access_token()
        headers = {"X-Team": "ours"}
        clients = (connection.http(headers=headers), connection.http_async(headers=headers))
        for client in clients:
            pickled = pickle.dumps(client)
            assert b"CANARY" not in pickled
            again = pickle.loads(pickled)  # noqa: S301 - our own
            assert again.base_url == client.base_url
            assert again.headers["X-Team"] == "ours"
            assert isinstance(again, type(client))

    def test_the_way_to_the_broker_comes_along(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A worker's environment need not be the kernel's, as on a Dask cluster that runs on."""
        key = tmp_path / "key"
        key.write_text("key-CANARY")
        there = SocketChannel("unix:///of-the-kernel.sock", str(key))
        pickled = pickle.dumps(Connection(BrokerClient(there), "prod"))
        assert b"CANARY" not in pickled
        monkeypatch.setenv("PLATFORM_AUTH_BROKER", "unix:///of-the-worker.sock")
        monkeypatch.setenv("PLATFORM_AUTH_BROKER_TOKEN_FILE", str(tmp_path / "other"))
        again = pickle.loads(pickled)  # noqa: S301 - our own
        assert again._broker._channel.address == there.address
        key.unlink()  # the kernel has ended, or this is another machine
        again = pickle.loads(pickled)  # noqa: S301 - our own
        assert again._broker._channel.address == "unix:///of-the-worker.sock"
        monkeypatch.delenv("PLATFORM_AUTH_BROKER")
        again = pickle.loads(pickled)  # noqa: S301 - our own
        with pytest.raises(BrokerUnavailableError) as caught:
            again.access_token()
        assert "is gone" in caught.value.why
