from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, JWKRegistry, OctKey

from fakes.provider import CLIENT, ISSUER, NOW, config, ec_key, form, rsa_key
from platform_auth.errors import ConfigError
from platform_auth.oauth.client_assertion import LIFETIME, import_key
from platform_auth.oauth.client_auth import authenticated
from platform_auth.oauth.metadata import ServerMetadata
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from joserfc.jwk import Key

    from platform_auth.oauth.steps import Request

TOKEN = f"{ISSUER}/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def sent(key: str, url: str = TOKEN, **oauth: Any) -> Request:
    metadata = ServerMetadata(issuer=ISSUER, token_endpoint=TOKEN)
    settings = config(oauth={"private_key": key, **oauth})
    return authenticated(settings, metadata, url, "grant_type=x", replay=True, now=lambda: NOW)


def assertion(request: Request, key: Key) -> jwt.Token:
    fields = form(request)
    assert fields["client_assertion_type"] == TYPE
    algorithms = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
    return jwt.decode(fields["client_assertion"], key, algorithms=algorithms)


PKCS8 = serialization.PrivateFormat.PKCS8


def pem(key: Any, kind: serialization.PrivateFormat = PKCS8, password: bytes = b"") -> str:
    lock = serialization.BestAvailableEncryption(password) if password else None
    encoding = serialization.Encoding.PEM
    encoded: bytes = key.private_bytes(encoding, kind, lock or serialization.NoEncryption())
    return encoded.decode()


def test_the_client_signs_for_itself_and_sends_nothing_else() -> None:
    request = sent(pem(rsa_key().private_key))
    token = assertion(request, rsa_key())
    assert token.header["alg"] == "RS256"
    jti = token.claims.pop("jti")
    assert len(jti) >= 22
    times = {"iat": int(NOW), "exp": int(NOW) + LIFETIME}
    assert token.claims == {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, **times}
    assert LIFETIME <= 60
    assert form(request)["client_id"] == CLIENT
    assert "client_secret" not in form(request)
    assert "Authorization" not in request.headers


def test_each_request_has_a_word_of_its_own_and_is_not_sent_twice() -> None:
    text = pem(ec_key().private_key)
    requests = [sent(text) for _ in range(3)]
    assert len({assertion(each, ec_key()).claims["jti"] for each in requests}) == 3
    assert not any(each.replay for each in requests)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # and what most servers know
@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
def test_the_algorithm_follows_the_key(key: Any, algorithm: str) -> None:
    token = assertion(sent(pem(key)), import_key(Secret(pem(key))))
    assert token.header["alg"] == algorithm
    assert "kid" not in token.header


def test_an_old_style_pem_is_one_too() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = pem(key, serialization.PrivateFormat.TraditionalOpenSSL)
    assert "BEGIN EC PRIVATE KEY" in text
    assert assertion(sent(text), import_key(Secret(pem(key)))).header["alg"] == "ES256"


def test_a_jwk_names_itself_and_its_algorithm() -> None:
    jwk = rsa_key().as_dict(private=True) | {"alg": "PS256", "kid": "2025-11"}
    header = assertion(sent(json.dumps(jwk)), rsa_key()).header
    assert (header["alg"], header["kid"]) == ("PS256", "2025-11")


def test_the_profile_can_name_the_key() -> None:
    header = assertion(sent(pem(rsa_key().private_key), private_key_id="mine"), rsa_key()).header
    assert header["kid"] == "mine"


@pytest.mark.parametrize("url", [TOKEN, f"{ISSUER}/revoke"])
@pytest.mark.parametrize(("wish", "audience"), [("issuer", ISSUER), ("token_endpoint", TOKEN)])
def test_the_audience_is_the_issuer_unless_the_server_wants_its_endpoint(
    url: str, wish: str, audience: str
) -> None:
    request = sent(pem(rsa_key().private_key), url, client_assertion_audience=wish)
    assert assertion(request, rsa_key()).claims["aud"] == audience


def test_without_an_issuer_the_endpoint_is_the_audience() -> None:
    settings = config(oauth={"issuer": None, "private_key": pem(rsa_key().private_key)})
    request = authenticated(settings, ServerMetadata(token_endpoint=TOKEN), TOKEN, "x=y")
    assert assertion(request, rsa_key()).claims["aud"] == TOKEN


def test_the_file_is_read_again_for_each_request(tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    settings = config(oauth={"private_key_file": str(path)})
    for key in (ec_key("one"), ec_key("two")):
        path.write_text(pem(key.private_key))
        request = authenticated(settings, ServerMetadata(issuer=ISSUER), TOKEN, "x=y")
        assert assertion(request, key)


def test_a_method_of_the_profiles_choice_wins_over_a_key() -> None:
    request = sent(pem(rsa_key().private_key), token_endpoint_auth_method="none")
    assert form(request) == {"grant_type": "x", "client_id": CLIENT}


def test_without_a_key_the_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="private_key_jwt needs a private key") as caught:
        sent("", token_endpoint_auth_method="private_key_jwt")
    assert "oauth.private_key_file" in caught.value.fix


def weak_rsa() -> str:
    return pem(rsa.generate_private_key(65537, 1024))  # noqa: S505 - on purpose


def locked() -> str:
    return pem(ec.generate_private_key(ec.SECP256R1()), password=b"CANARY")


def public() -> str:
    text: bytes = ec_key().as_pem(private=False)
    return text.decode()


def strange_curve() -> str:
    return pem(ec.generate_private_key(ec.SECP256K1()))


def jwk(key: Key, **changes: Any) -> str:
    return json.dumps(key.as_dict(private=True) | changes)


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: "CANARY", "neither PEM nor a JWK"),
        (lambda: "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----", "neither"),
        (lambda: '{"kty": "RSA", "n": "CANARY"}', "neither"),
        (lambda: '{"kty": "EC", "crv": 1, "d": "CANARY"}', "neither"),
        (lambda: '{"CANARY', "neither"),
        (lambda: "{" * 100_000, "neither"),
        (weak_rsa, "less than 2048 bits"),
        (locked, "encrypted with a password"),
        (public, "a public key"),
        (strange_curve, "Nothing here signs with secp256k1."),
        (lambda: jwk(OctKey.generate_key(256)), "Nothing here signs with oct."),
        (lambda: jwk(rsa_key(), alg="HS256"), "RSA HS256"),
        (lambda: jwk(ECKey.generate_key("P-256"), alg="ES384"), "P-256 ES384"),
    ],
)
def test_what_is_no_key_to_sign_with_says_why_and_never_itself(
    make: Callable[[], str], why: str
) -> None:
    text = make()
    with pytest.raises(ConfigError) as caught:
        import_key(Secret(text))
    error = caught.value
    assert why in error.why
    assert "CANARY" not in f"{error}{error.__cause__!r}{error.__context__!r}"
    assert "oauth.private_key_file" in error.fix


def test_what_the_libraries_cannot_read_is_one_error() -> None:
    for data in ({}, {"kty": "RSA"}, {"kty": []}, {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}):
        with pytest.raises(ConfigError):
            import_key(Secret(json.dumps(data)))
    assert JWKRegistry.import_key(json.loads(jwk(ec_key())))  # the same way reads a good one
