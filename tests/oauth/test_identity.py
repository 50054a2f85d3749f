"""The checks of an id_token one by one; the foundation's tests are in tests/conformance."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from fakes.play import context, play
from fakes.provider import ISSUER, NOW, Provider, ec_key, reply, rsa_key
from platform_auth.errors import IdentityError, PlatformAuthError, ProviderError, TransportError
from platform_auth.oauth.identity import (
    ALGORITHMS,
    Identity,
    _registry,
    fetch_keys,
    same_identity,
    verified_identity,
)
from platform_auth.oauth.tokens import TokenSet
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

ACCESS = "at-CANARY"


def verify(
    provider: Provider, token: str | None = None, *, nonce: str | None = None, **changes: Any
) -> Identity:
    text = provider.id_token(ACCESS, nonce) if token is None else token
    tokens = TokenSet(Secret(ACCESS), 300, id_token=Secret(text))
    wanted = Secret(nonce) if nonce else None
    return play(verified_identity(context(provider, **changes), tokens, nonce=wanted), provider)


def refused(provider: Provider, token: str | None = None, **changes: Any) -> IdentityError:
    with pytest.raises(IdentityError, match="does not hold") as caught:
        verify(provider, token, **changes)
    assert "id_token" in caught.value.why
    return caught.value


# -- what is accepted ---------------------------------------------------------------------------


def test_oidcc_client_test(provider: Provider) -> None:
    provider.claims |= {"name": "Ada", "preferred_username": "ada99"}
    found = verify(provider, nonce="n")
    assert found == Identity(ISSUER, "ada", "Ada", "ada@example.com", "ada99")


def test_idtoken_sig_rs256(provider: Provider) -> None:
    assert verify(provider).subject == "ada"


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ec_key, "ES256"),
        (lambda: ECKey.generate_key("P-384"), "ES384"),
        (rsa_key, "PS256"),
        (rsa_key, "RS512"),
        (lambda: OKPKey.generate_key("Ed25519"), "EdDSA"),
        (lambda: OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
)
def test_asymmetric_signatures(provider: Provider, key: Callable[[], Any], alg: str) -> None:
    provider.keys = [key()]
    provider.sign = lambda claims: provider.signed(claims, alg=alg, kid=None)
    assert verify(provider).subject == "ada"


def test_kid_absent_single_jwks(provider: Provider) -> None:
    provider.sign = lambda claims: provider.signed(claims, kid=None)
    assert verify(provider).subject == "ada"


def test_kid_absent_multiple_jwks(provider: Provider) -> None:
    provider.keys = [ec_key(), rsa_key("other"), rsa_key()]
    provider.sign = lambda claims: provider.signed(claims, key=rsa_key(), kid=None)
    assert verify(provider).subject == "ada"
    assert len(provider.sent_to("jwks")) == 1


def test_valid_aud_as_array(provider: Provider) -> None:
    provider.claims["aud"] = ["notebook"]
    assert verify(provider).subject == "ada"


def test_several_audiences_with_azp(provider: Provider) -> None:
    provider.claims |= {"aud": ["notebook", "flyte"], "azp": "notebook"}
    assert verify(provider).subject == "ada"


def test_at_hash(provider: Provider) -> None:
    provider.claims["at_hash"] = half_hash(ACCESS)
    assert verify(provider).subject == "ada"


def test_clocks_may_differ_by_a_minute(provider: Provider) -> None:
    assert verify(provider, now=NOW + 600 + 59).subject == "ada"
    assert verify(provider, now=NOW - 59).subject == "ada"


def test_an_old_id_token_that_has_not_expired(provider: Provider) -> None:
    provider.claims["iat"] = int(NOW) - 7 * 86400
    assert verify(provider).subject == "ada"


def test_headers_that_are_long_or_unknown_are_no_obstacle(provider: Provider) -> None:
    provider.sign = lambda claims: provider.signed(claims, x5c=["A" * 4000], nonce="x")
    # joserfc will not make such a header, so it is put together here.
    provider.sign = lambda claims: with_header(claims, {"x5c": ["A" * 4000], "nonce": "x"})
    assert verify(provider).subject == "ada"


def test_signing_key_rotation(provider: Provider) -> None:
    old = [key.as_dict(private=False) for key in (rsa_key("old"),)]
    provider.next["jwks"].append(reply({"keys": old}))
    assert verify(provider).subject == "ada"
    first, second = provider.sent_to("jwks")
    assert first.max_age == 24 * 3600
    assert second.max_age == 60


def test_signing_key_rotation_just_before_signing(provider: Provider) -> None:
    """No kid to tell, and the old key has the same kid."""
    stale = rsa_key("old").as_dict(private=False) | {"kid": rsa_key().kid}
    provider.next["jwks"].append(reply({"keys": [stale]}))
    assert verify(provider).subject == "ada"
    assert len(provider.sent_to("jwks")) == 2


@pytest.mark.parametrize("keys", [[], None, 5, "x", {"a": 1}, [5, None, "x", {}]])
def test_keys_that_were_broken_for_a_moment(provider: Provider, keys: Any) -> None:
    provider.next["jwks"].append(reply({"keys": keys}))
    assert verify(provider).subject == "ada"


def test_useless_keys_beside_a_good_one(provider: Provider) -> None:
    public = rsa_key().as_dict(private=False)
    weak = generate_private_key(65537, 1024).public_key()  # noqa: S505 - weak on purpose
    with pytest.warns(SecurityWarning):
        short = RSAKey.import_key(weak).as_dict(private=False)
    curve = ec_key().as_dict(private=False)
    bad = [
        {},
        {"kty": ["RSA"]},
        {"kty": "AKP", "x": "y"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {**public, "e": "AQ"},
        {**public, "use": "enc"},
        {**public, "use": ["sig"]},
        {**public, "n": "%%%"},
        short,
        {**curve, "x": curve["y"]},
        {**curve, "crv": "P-1"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        5,
        None,
    ]
    provider.next["jwks"].append(reply({"keys": [*bad, public]}))
    assert verify(provider).subject == "ada"
    assert len(provider.sent_to("jwks")) == 1


# -- what is not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "claims"),
    [
        ("invalid-iss", {"iss": "https://evil.example"}),
        ("invalid-iss", {"iss": ISSUER + "/"}),
        ("invalid-iss", {"iss": [ISSUER]}),
        ("missing-iss", {"iss": None}),
        ("missing-sub", {"sub": None}),
        ("empty-sub", {"sub": ""}),
        ("number-sub", {"sub": 5}),
        ("long-sub", {"sub": "x" * 256}),
        ("invalid-aud", {"aud": "other"}),
        ("invalid-aud", {"aud": ["other"]}),
        ("invalid-aud", {"aud": "other", "azp": "notebook"}),
        ("invalid-aud", {"aud": ["other"], "azp": "notebook"}),
        ("invalid-aud", {"aud": ["a", "b"], "azp": "notebook"}),
        ("invalid-aud", {"aud": 5}),
        ("invalid-aud", {"aud": {"notebook": 1}}),
        ("invalid-aud", {"aud": []}),
        ("missing-aud", {"aud": None}),
        ("invalid-secondary-aud", {"aud": ["notebook", "stranger"]}),
        ("invalid-azp", {"aud": ["notebook", "flyte"], "azp": "stranger"}),
        ("invalid-azp", {"azp": "stranger"}),
        ("missing-iat", {"iat": None}),
        ("future-iat", {"iat": int(NOW) + 120}),
        ("text-iat", {"iat": "now"}),
        ("missing-exp", {"exp": None}),
        ("invalid-expired-exp", {"exp": int(NOW) - 61}),
        ("invalid-expired-exp", {"exp": int(NOW) - 600}),
        ("text-exp", {"exp": "2099"}),
        ("true-exp", {"exp": True}),
        ("future-nbf", {"nbf": int(NOW) + 120}),
        ("invalid-athash", {"at_hash": "x" * 22}),
        ("invalid-athash", {"at_hash": 5}),
    ],
)
def test_a_claim_that_is_wrong(provider: Provider, module: str, claims: dict[str, Any]) -> None:
    provider.claims |= claims
    assert refused(provider, nonce="n"), module


@pytest.mark.parametrize("nonce", ["other", None, "", 5, ["n"]])
def test_nonce_invalid(provider: Provider, nonce: Any) -> None:
    provider.claims["nonce"] = nonce
    assert "nonce" in refused(provider, nonce="n").why


def test_idtoken_sig_none(provider: Provider) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["none", "RS256"]
    provider.sign = provider.unsigned
    refused(provider)


def test_invalid_sig_rs256(provider: Provider) -> None:
    provider.sign = lambda claims: provider.signed(claims, key=rsa_key("other"), kid="rsa")
    assert "bad_signature" in refused(provider).why


def test_invalid_sig_es256(provider: Provider) -> None:
    provider.keys = [ec_key()]
    provider.sign = lambda claims: provider.signed(
        claims, key=ECKey.generate_key("P-256"), alg="ES256", kid="ec"
    )
    refused(provider)


def test_invalid_sig_hs256_with_the_public_key(provider: Provider) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["HS256", "RS256"]
    provider.sign = provider.mac_with_public_key
    refused(provider)


@pytest.mark.parametrize("chosen", [(), ("HS256",)])
def test_a_shared_secret_signs_nothing(provider: Provider, chosen: tuple[str, ...]) -> None:
    """Not even if the provider publishes one and the profile wishes for it."""
    secret = OctKey.import_key({"kty": "oct", "k": "A" * 64, "kid": "oct"})
    provider.metadata["id_token_signing_alg_values_supported"] = ["HS256"]
    provider.sign = lambda claims: provider.signed(claims, key=secret, alg="HS256")
    for _ in range(2):
        provider.next["jwks"].append(reply({"keys": [secret.as_dict(private=True)]}))
    refused(provider, oauth={"id_token_algorithms": chosen})


def test_what_a_profile_adds_is_never_none_or_a_shared_secret(provider: Provider) -> None:
    wished = context(provider, oauth={"id_token_algorithms": ["HS256", "hs512", "ES256K"]})
    allowed = _registry(wished).allowed
    assert allowed is not None
    assert set(allowed) == {*ALGORITHMS, "ES256K"}


def test_a_provider_that_only_offers_what_is_not_accepted(provider: Provider) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["HS256", "none"]
    assert "HS256" in refused(provider).why


def test_invalid_alternate_alg(provider: Provider) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["RS256"]
    provider.sign = lambda claims: provider.signed(claims, alg="PS256")
    refused(provider)


def test_an_algorithm_the_profile_adds(provider: Provider) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["RS256"]
    provider.sign = lambda claims: provider.signed(claims, alg="PS256")
    assert verify(provider, oauth={"id_token_algorithms": ["PS256"]}).subject == "ada"


def test_a_key_made_for_another_algorithm(provider: Provider) -> None:
    public = rsa_key().as_dict(private=False) | {"alg": "RS512"}
    for _ in range(2):
        provider.next["jwks"].append(reply({"keys": [public]}))
    refused(provider)


def test_a_critical_header_nobody_understands(provider: Provider) -> None:
    provider.sign = lambda claims: with_header(claims, {"crit": ["exp2"], "exp2": 1})
    refused(provider)


@pytest.mark.parametrize(
    "token",
    [
        "x", "a.b.c", "..", "e30.e30.", "eyJhbGciOiJSUzI1NiJ9.e30.AA", "a.b.c.d.e", "." * 1000,
        "W10.e30.AA", "bnVsbA.e30.AA", "x" * 60_000,
        base64.urlsafe_b64encode(b"[" * 30_000).decode() + ".e30.A",
    ],
)  # fmt: skip
def test_what_is_no_jwt(provider: Provider, token: str) -> None:
    refused(provider, token)


@pytest.mark.parametrize("payload", [[], "text", 5, None])
def test_claims_that_are_no_object(provider: Provider, payload: Any) -> None:
    refused(provider, with_header(payload, {}))


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], None, "x", [{"kty": "oct", "k": "AA"}], [5]])
def test_no_usable_key(provider: Provider, keys: Any) -> None:
    for _ in range(2):
        provider.next["jwks"].append(reply({"keys": keys}))
    assert "its keys" in refused(provider).why
    assert len(provider.sent_to("jwks")) == 2


def test_too_many_keys(provider: Provider) -> None:
    public = rsa_key().as_dict(private=False)
    for _ in range(2):
        provider.next["jwks"].append(reply({"keys": [public] * 101}))
    assert "101" in refused(provider).why


def test_a_storm_of_unknown_kids_asks_at_most_once_a_minute(provider: Provider) -> None:
    provider.sign = lambda claims: provider.signed(claims, key=rsa_key("other"))
    for _ in range(5):
        refused(provider)
    assert {each.max_age for each in provider.sent_to("jwks")[1::2]} == {60}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (TransportError("down"), TransportError),
        (reply({}, 503), TransportError),
        (reply({}, 404), ProviderError),
        (reply([]), ProviderError),
    ],
)
def test_keys_that_cannot_be_had(
    provider: Provider, answer: Any, kind: type[PlatformAuthError]
) -> None:
    provider.next["jwks"].append(answer)
    with pytest.raises(kind):
        play(fetch_keys(context(provider)), provider)


# -- who -------------------------------------------------------------------------------------------


def test_the_same_person_or_none() -> None:
    ada = Identity(ISSUER, "ada")
    same_identity(ada, Identity(ISSUER, "ada", name="Ada L."))
    same_identity(None, ada)
    same_identity(ada, None)


@pytest.mark.parametrize("other", [Identity(ISSUER, "grace"), Identity("https://x", "ada")])
def test_another_person(other: Identity) -> None:
    with pytest.raises(IdentityError, match="does not hold"):
        same_identity(Identity(ISSUER, "ada"), other)


def test_what_to_call_somebody() -> None:
    whole = Identity(ISSUER, "1", "Ada", "ada@example.com", "ada99")
    assert whole.label == "ada@example.com"
    assert Identity(ISSUER, "1", "Ada", None, "ada99").label == "ada99"
    assert Identity(ISSUER, "1", "Ada").label == "Ada"
    assert Identity(ISSUER, "1").label == "1"


@pytest.mark.parametrize("email", [5, "", "a\nb", "\x1b[31m", {"a": 1}, "\u202eada"])
def test_a_name_that_cannot_be_shown_is_not(provider: Provider, email: Any) -> None:
    provider.claims["email"] = email
    assert verify(provider).label == "ada"


def test_a_name_is_cut(provider: Provider) -> None:
    provider.claims["email"] = "x" * 1000
    assert verify(provider).label == "x" * 200


# -- anything

LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.text(max_size=4), LEAF, max_size=2)
CLAIMS = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "amr", "auth_time"]
MEMBERS = ["kty", "n", "e", "use", "alg", "key_ops", "crv", "x", "y", "kid", "x5c"]


@settings(max_examples=60)
@given(claims=st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1))
def test_any_claims(claims: dict[str, Any]) -> None:
    provider = Provider()
    provider.claims |= claims
    check_any(provider)


@settings(max_examples=60)
@given(members=st.dictionaries(st.sampled_from(MEMBERS), JSON, min_size=1), curve=st.booleans())
def test_any_key(members: dict[str, Any], curve: bool) -> None:
    provider = Provider()
    public = (ec_key() if curve else rsa_key()).as_dict(private=False)
    for _ in range(2):
        provider.next["jwks"].append(reply({"keys": [{**public, **members}]}))
    check_any(provider)


@settings(max_examples=40)
@given(document=JSON)
def test_any_key_set(document: Any) -> None:
    provider = Provider()
    for _ in range(2):
        provider.next["jwks"].append(reply(document))
    check_any(provider)


@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_any_token(token: str) -> None:
    with pytest.raises(IdentityError):
        verify(Provider(), token)


def check_any(provider: Provider) -> None:
    try:
        outcome = verify(provider, nonce="n").subject
    except PlatformAuthError as error:
        outcome = str(error)
    assert outcome.encode()


def half_hash(text: str) -> str:
    half = hashlib.sha256(text.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def with_header(claims: Any, header: dict[str, Any]) -> str:
    """Sign with a header that joserfc would not make."""
    parts = ({"alg": "RS256", "kid": "rsa", **header}, claims)
    text = b".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts
    )
    signature = rsa_key().private_key.sign(text, PKCS1v15(), SHA256())
    return f"{text.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
