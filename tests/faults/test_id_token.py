"""Faults of what a provider publishes: its metadata, and the keys of its id_tokens.

What is wrong with the id_tokens themselves stands in ``tests/conformance``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey

from fakes.provider import Provider, ec_key, reply, rsa_key
from fakes.world import World, failure
from platform_auth.errors import (
    ConfigError,
    DiscoveryError,
    IdentityError,
    PlatformAuthError,
    ProviderError,
    TransportError,
)
from platform_auth.oauth.steps import Response

if TYPE_CHECKING:
    from platform_auth.broker.access_token import AccessToken

OPENID, OAUTH = "openid-configuration", "oauth-authorization-server"


def refused(world: World) -> PlatformAuthError:
    """Begin a sign-in, which must end before a browser is sent anywhere."""

    async def work() -> PlatformAuthError:
        error = await failure(world.back())
        assert not [each for each in world.provider.requests if each.method == "POST"]
        return error

    error: PlatformAuthError = world.run(work)
    return error


# -- metadata ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issuer", "hint"),
    [
        ("https://evil.example", "exactly what the provider calls itself"),
        ("{}/", "differ in spelling only"),
        (None, "exactly"),
        (["{}"], "exactly"),
    ],
)
def test_metadata_of_another_issuer_is_refused_with_the_difference(
    world: World, issuer: Any, hint: str
) -> None:
    address = world.wire.address
    world.provider.metadata["issuer"] = (
        issuer.format(address) if isinstance(issuer, str) else issuer
    )
    error = refused(world)
    assert isinstance(error, DiscoveryError)
    assert hint in error.fix


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/x",
        "http://169.254.169.254/x",
        "https://10.0.0.1/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//id.example.com/x",
        5,
        ["https://id.example.com/x"],
    ],
)
def test_an_endpoint_that_is_not_safe_is_refused_by_its_name(
    world: World, name: str, url: Any
) -> None:
    world.provider.metadata[name] = url
    error = refused(world)
    assert isinstance(error, DiscoveryError)
    assert name in error.what
    assert f"oauth.{name}" in error.fix


def test_metadata_without_a_token_endpoint_names_the_setting(world: World) -> None:
    del world.provider.metadata["token_endpoint"]

    async def work() -> PlatformAuthError:
        return await failure(world.sign_in())

    error = world.run(work)
    assert isinstance(error, ConfigError)
    assert "oauth.token_endpoint" in error.fix


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_metadata_that_is_not_there_names_both_places(world: World, status: int) -> None:
    for place in (OPENID, OAUTH):
        world.provider.next[place].append(Response(status, {"content-type": "text/html"}, b"no"))
    error = refused(world)
    assert isinstance(error, DiscoveryError)
    assert OPENID in error.why
    assert OAUTH in error.why
    assert "oauth.issuer" in error.fix


def test_a_web_page_in_place_of_metadata_is_called_one(world: World) -> None:
    page = Response(200, {"content-type": "text/html"}, b"<h1>Welcome CANARY</h1>")
    for place in (OPENID, OAUTH):
        world.provider.next[place].append(page)
    error = refused(world)
    assert isinstance(error, DiscoveryError)
    assert "web page" in error.why


@pytest.mark.parametrize("status", [429, 500, 503])
def test_metadata_of_a_busy_provider_is_a_passing_fault(world: World, status: int) -> None:
    for place in (OPENID, OAUTH):
        world.provider.next[place].extend([reply({}, status)] * 3)
    assert isinstance(refused(world), TransportError)


def test_metadata_that_changes_counts_after_an_hour_and_not_before(world: World) -> None:
    world.provider.lifetime = 86400
    elsewhere = f"{world.wire.address}/moved/token"

    async def work() -> None:
        token = await world.signed_in()
        world.provider.metadata["token_endpoint"] = elsewhere
        token = await world.refreshed(token)
        assert [each.url for each in world.provider.sent_to("token")] != [elsewhere]
        assert not world.asked(OPENID)
        world.clock.advance(3601)
        await world.refreshed(token)
        assert world.provider.sent_to("token")[-1].url == elsewhere
        assert world.asked(OPENID) == 1

    world.run(work)


def test_metadata_that_turns_bad_ends_nobodys_session(world: World) -> None:
    world.provider.lifetime = 86400

    async def work() -> None:
        token = await world.signed_in()
        world.clock.advance(3601)
        good = dict(world.provider.metadata)
        world.provider.metadata["token_endpoint"] = "http://evil.example/token"
        assert isinstance(await failure(world.refreshed(token)), DiscoveryError)
        assert (await world.broker.token("prod")).fingerprint == token.fingerprint
        world.provider.metadata = good
        world.clock.advance(61)
        assert (await world.refreshed(token)).fingerprint != token.fingerprint

    world.run(work)


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [23, 25])
def test_keys_that_are_away_delay_no_refresh(world: World, hours: int) -> None:
    """Those of the last day serve; after it the token endpoint's own TLS does (Core §3.1.3.7)."""
    world.provider.lifetime = hours * 3600

    async def work() -> AccessToken:
        await world.signed_in()
        world.clock.advance(hours * 3600)
        world.provider.next["jwks"].extend([reply({}, 503)] * 9)
        return await world.broker.token("prod")

    assert world.run(work).value.reveal() == "at-2-CANARY"
    assert (world.asked("jwks") > 0) == (hours > 24)


def test_keys_that_are_away_at_a_sign_in_mean_to_sign_in_again(world: World) -> None:
    """The code is used up, so that nothing but the person can try again."""
    world.provider.next["jwks"].extend([reply({}, 503)] * 9)
    error = world.run(lambda: failure(world.sign_in()))
    assert isinstance(error, TransportError)
    assert not error.retryable
    assert error.fix.startswith("Sign in again.")


@pytest.mark.parametrize(
    ("count", "why"), [(101, "101 are too many"), (10_000, "they are too long")]
)
def test_a_hundred_keys_are_enough(world: World, count: int, why: str) -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}
    world.provider.next["jwks"].extend([reply({"keys": [key] * count})] * 2)
    error = world.run(lambda: failure(world.sign_in()))
    assert isinstance(error, IdentityError)
    assert why in error.why


def test_keys_of_five_megabytes_are_not_read(world: World) -> None:
    world.provider.next["jwks"].extend([reply({"keys": ["x" * 5_000_000]})] * 9)
    error = world.run(lambda: failure(world.sign_in()))
    assert isinstance(error, TransportError)


def weak_key(bits: int) -> RSAKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        # Made by PEM: the smallest that the library below makes is 1024.
        return RSAKey.import_key(generate_private_key(65537, bits), {"kid": "rsa"})


def sign_weakly(provider: Provider) -> None:
    """Publish a key that is too short, and sign with it."""
    provider.keys = [weak_key(1024)]


def publish(**changed: Any) -> Any:
    """Publish the honest key, changed so; nothing else could verify anything."""

    def act(provider: Provider) -> None:
        said = {**provider.keys[0].as_dict(private=False), **changed}
        provider.next["jwks"].extend([reply({"keys": [said]})] * 2)

    return act


def off_the_curve(provider: Provider) -> None:
    """Publish a point that is not on its curve."""
    provider.keys = [ec_key()]
    publish(x=ec_key().as_dict()["y"])(provider)
    provider.sign = lambda said: provider.signed(said, alg="ES256")


@pytest.mark.parametrize(
    "act",
    [
        sign_weakly,
        publish(e="AQ"),
        publish(use="enc"),
        publish(kty="oct", k="c2VjcmV0"),
        publish(n="%%%"),
        publish(n=5),
        off_the_curve,
    ],
)
def test_a_key_that_is_too_weak_or_not_for_this_verifies_nothing(world: World, act: Any) -> None:
    act(world.provider)
    error = world.run(lambda: failure(world.sign_in()))
    assert isinstance(error, IdentityError)
    assert "none of those the provider publishes can be used" in error.why


def test_a_good_key_among_useless_ones_is_found(world: World) -> None:
    good = rsa_key().as_dict(private=False)
    useless = [{**good, "e": "AQ"}, {**good, "use": "enc"}, {"kty": "AKP"}, {}, 5, None]
    world.provider.next["jwks"].append(reply({"keys": [*useless, good]}))
    assert world.run(world.sign_in).identity.subject == "ada"


def test_a_storm_of_unknown_keys_fetches_them_once_a_minute(world: World) -> None:
    """Of refreshes, which nobody sees; a sign-in that failed may look anew, its person asks."""
    world.provider.rotate = False

    async def work() -> None:
        token = await world.signed_in()
        world.provider.sign = lambda said: world.provider.signed(said, key=rsa_key("other"))
        for _ in range(29):
            assert isinstance(await failure(world.refreshed(token, later=2)), IdentityError)
        assert world.asked() >= 3
        assert world.asked("jwks") == 1
        for _ in range(31):
            await failure(world.refreshed(token, later=2))
        assert world.asked("jwks") == 2

    world.run(work)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"keys": 5}', b"<html>"])
def test_keys_that_are_none_are_said_to_be(world: World, body: bytes) -> None:
    answer = Response(200, {"content-type": "application/json"}, body)
    world.provider.next["jwks"].extend([answer] * 2)
    error = world.run(lambda: failure(world.sign_in()))
    assert isinstance(error, ProviderError)
    assert not error.retryable
