from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.play import CALLBACK, context
from fakes.provider import CLIENT, ISSUER, Provider
from platform_auth.errors import (
    AccessDeniedError,
    CallbackError,
    ConfigError,
    OAuthError,
    PlatformAuthError,
    TransportError,
)
from platform_auth.oauth.authorization import AuthorizationRequest, callback_parameters

AT_ALL = "authorization_response_iss_parameter_supported"


def new(provider: Provider, **changes: Any) -> AuthorizationRequest:
    return AuthorizationRequest.new(context(provider, **changes))


def asked(request: AuthorizationRequest) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query, strict_parsing=True)


def back(request: AuthorizationRequest, **changes: str | None) -> str:
    fields = {"code": "c0de", "state": request.state.reveal(), **changes}
    return f"{CALLBACK}?{urlencode({k: v for k, v in fields.items() if v is not None})}"


class TestRequest:
    def test_it_asks_for_a_code_with_a_challenge(self, provider: Provider) -> None:
        request = new(provider)
        fields = asked(request)
        assert fields["response_type"] == ["code"]
        assert fields["client_id"] == [CLIENT]
        assert fields["redirect_uri"] == [CALLBACK]
        assert fields["scope"] == ["openid offline_access"]
        assert fields["state"] == [request.state.reveal()]
        assert fields["nonce"] == [request.nonce.reveal()]
        assert fields["code_challenge_method"] == ["S256"]
        digest = hashlib.sha256(request.verifier.reveal().encode()).digest()
        expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert fields["code_challenge"] == [expected]
        assert all(len(values) == 1 for values in fields.values())

    def test_s256_whatever_the_provider_says_it_supports(self, provider: Provider) -> None:
        provider.metadata["code_challenge_methods_supported"] = ["plain"]
        assert asked(new(provider))["code_challenge_method"] == ["S256"]

    def test_a_client_with_a_secret_has_a_challenge_too(self, provider: Provider) -> None:
        assert "code_challenge" in asked(new(provider, client_credentials_secret="s"))

    def test_the_verifier_never_leaves_in_it(self, provider: Provider) -> None:
        request = new(provider)
        assert request.verifier.reveal() not in request.url

    def test_each_has_its_own_secrets_of_256_bits(self, provider: Provider) -> None:
        made = [new(provider) for _ in range(50)]
        for name, length in (("state", 43), ("nonce", 43), ("verifier", 64)):
            values = {getattr(request, name).reveal() for request in made}
            assert len(values) == 50
            assert all(re.fullmatch(rf"[A-Za-z0-9_-]{{{length}}}", value) for value in values)

    def test_without_openid_there_is_no_nonce(self, provider: Provider) -> None:
        assert "nonce" not in asked(new(provider, scopes=["api"]))

    def test_no_scopes_are_left_out(self, provider: Provider) -> None:
        assert "scope" not in asked(new(provider, scopes=[]))

    def test_offline_access_asks_for_consent_as_openid_wants(self, provider: Provider) -> None:
        assert asked(new(provider))["prompt"] == ["consent"]
        assert "prompt" not in asked(new(provider, scopes=["openid"]))
        assert "prompt" not in asked(new(provider, scopes=["offline_access"]))

    def test_audience_and_several_resources(self, provider: Provider) -> None:
        resources = ["https://a.example", "https://b.example"]
        fields = asked(new(provider, audience="flyte", oauth={"resource": resources}))
        assert fields["audience"] == ["flyte"]
        assert (
            parse_qs(urlsplit(new(provider, oauth={"resource": resources}).url).query)["resource"]
            == resources
        )

    def test_a_query_of_the_endpoints_own_is_kept(self, provider: Provider) -> None:
        provider.metadata["authorization_endpoint"] = f"{ISSUER}/authorize?tenant=1"
        assert asked(new(provider))["tenant"] == ["1"]

    def test_it_shows_nothing(self, provider: Provider) -> None:
        request = new(provider)
        shown = repr(request)
        for secret in (request.state, request.nonce, request.verifier):
            assert secret.reveal() not in shown

    def test_a_provider_without_the_endpoint(self, provider: Provider) -> None:
        del provider.metadata["authorization_endpoint"]
        with pytest.raises(ConfigError, match="authorization_endpoint"):
            new(provider)


class TestCallback:
    def test_the_code_of_the_right_answer(self, provider: Provider) -> None:
        request = new(provider)
        assert request.validate_callback(back(request)).reveal() == "c0de"

    def test_a_path_and_query_are_enough(self, provider: Provider) -> None:
        request = new(provider)
        url = back(request).removeprefix("http://127.0.0.1:8888")
        assert request.validate_callback(url).reveal() == "c0de"

    @pytest.mark.parametrize("code", ["a+b/c=", "a b", "ä€", "%2F", "x" * 4096, "\0", "-._~"])
    def test_a_code_is_passed_through_as_it_is(self, provider: Provider, code: str) -> None:
        request = new(provider)
        assert request.validate_callback(back(request, code=code)).reveal() == code

    def test_parameters_nobody_knows_are_ignored_even_twice(self, provider: Provider) -> None:
        request = new(provider)
        url = back(request) + "&session_state=a&session_state=b&scope=x"
        assert request.validate_callback(url)

    @pytest.mark.parametrize("state", [None, "", "other", "x" * 43, "ä", "\ud800"])
    def test_another_state_is_refused(self, provider: Provider, state: str | None) -> None:
        request = new(provider)
        url = back(request, state=None)
        if state is not None:
            url += f"&state={state}"
        with pytest.raises(CallbackError, match="does not belong") as caught:
            request.validate_callback(url)
        assert "state" in caught.value.why
        assert not request.is_answered_by(url)

    def test_the_state_of_another_request(self, provider: Provider) -> None:
        request, other = new(provider), new(provider)
        with pytest.raises(CallbackError):
            request.validate_callback(back(other))

    @pytest.mark.parametrize("code", [None, ""])
    def test_neither_code_nor_error(self, provider: Provider, code: str | None) -> None:
        request = new(provider)
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(back(request, code=code))
        assert "neither" in caught.value.why

    @pytest.mark.parametrize("name", ["code", "state", "iss", "error", "error_description"])
    def test_a_known_parameter_twice_is_refused(self, provider: Provider, name: str) -> None:
        request = new(provider)
        value = {"state": request.state.reveal(), "iss": ISSUER}.get(name, "x")
        url = back(request, iss=ISSUER, **({name: value} if name != "iss" else {}))
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(f"{url}&{name}={quote(value)}")
        assert "twice" in caught.value.why

    def test_an_error_wins_over_a_code(self, provider: Provider) -> None:
        request = new(provider)
        with pytest.raises(AccessDeniedError):
            request.validate_callback(back(request, error="access_denied"))

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("access_denied", AccessDeniedError),
            ("invalid_scope", OAuthError),
            ("unknown_thing", OAuthError),
            ("temporarily_unavailable", TransportError),
        ],
    )
    def test_an_error_becomes_a_typed_one(
        self, provider: Provider, code: str, kind: type[PlatformAuthError]
    ) -> None:
        request = new(provider)
        url = back(request, code=None, error=code, error_description="<script>alert(1)</script>")
        with pytest.raises(kind) as caught:
            request.validate_callback(url)
        assert code in caught.value.why

    def test_an_error_with_another_state_is_not_ours(self, provider: Provider) -> None:
        request = new(provider)
        with pytest.raises(CallbackError):
            request.validate_callback(back(request, state="x", error="access_denied"))

    @pytest.mark.parametrize(
        "url",
        [
            f"{CALLBACK}#access_token=EVIL&state=STATE",
            f"{CALLBACK}#code=c&state=STATE",
            f"{CALLBACK}#error=access_denied&state=STATE",
        ],
    )
    def test_a_fragment_is_never_read(self, provider: Provider, url: str) -> None:
        request = new(provider)
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(url.replace("STATE", request.state.reveal()))
        assert "'#'" in caught.value.why

    def test_a_fragment_beside_a_query_is_ignored(self, provider: Provider) -> None:
        request = new(provider)
        url = back(request) + "#access_token=EVIL&code=EVIL"
        assert request.validate_callback(url).reveal() == "c0de"

    @pytest.mark.parametrize("name", ["code", "state", "error_description"])
    def test_what_is_too_long_is_refused(self, provider: Provider, name: str) -> None:
        request = new(provider)
        with pytest.raises(CallbackError, match="does not belong") as caught:
            request.validate_callback(back(request, **{name: "x" * 4097}))
        assert "too long" in caught.value.why

    def test_an_address_that_is_too_long_is_refused(self, provider: Provider) -> None:
        request = new(provider)
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(back(request) + "&x=" + "y" * 17_000)
        assert "too long" in caught.value.why

    @pytest.mark.parametrize("url", ["http://[", "http://[::1?code=c", "", "?", "x" * 100])
    def test_what_is_no_address_is_refused(self, provider: Provider, url: str) -> None:
        request = new(provider)
        with pytest.raises(CallbackError):
            request.validate_callback(url)
        assert not request.is_answered_by(url)


class TestIssuer:
    """RFC 9207 §2.4."""

    def test_the_right_one(self, provider: Provider) -> None:
        request = new(provider)
        assert request.validate_callback(back(request, iss=ISSUER))

    @pytest.mark.parametrize(
        "iss", ["https://evil.example", ISSUER + "/", ISSUER.upper(), "", quote(ISSUER, safe="")]
    )
    @pytest.mark.parametrize("promised", [True, False])
    def test_another_one_is_refused_promised_or_not(
        self, provider: Provider, iss: str, promised: bool
    ) -> None:
        provider.metadata[AT_ALL] = promised
        request = new(provider)
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(back(request, iss=iss))
        assert "another identity provider" in caught.value.why

    def test_it_is_decoded_once(self, provider: Provider) -> None:
        request = new(provider)
        assert "https%3A%2F%2Fid.example.com" in back(request, iss=ISSUER)
        assert request.validate_callback(back(request, iss=ISSUER))

    def test_missing_though_promised(self, provider: Provider) -> None:
        provider.metadata[AT_ALL] = True
        request = new(provider)
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(back(request))
        assert "did not name itself" in caught.value.why

    def test_missing_and_not_promised(self, provider: Provider) -> None:
        request = new(provider)
        assert request.validate_callback(back(request))

    def test_it_comes_before_everything_else(self, provider: Provider) -> None:
        """Another provider's error and state mean nothing."""
        request = new(provider)
        url = back(request, iss="https://evil.example", state="x", error="access_denied")
        with pytest.raises(CallbackError) as caught:
            request.validate_callback(url)
        assert "another identity provider" in caught.value.why

    def test_an_answer_of_another_issuer_with_our_state_is_still_ours(
        self, provider: Provider
    ) -> None:
        request = new(provider)
        assert request.is_answered_by(back(request, iss="https://evil.example"))


@given(url=st.one_of(st.text(), st.text().map(lambda text: f"{CALLBACK}?{text}")))
def test_any_text_as_a_callback_is_refused_in_one_way(url: str) -> None:
    request = new(Provider())
    with pytest.raises(CallbackError):
        request.validate_callback(url)
    assert not request.is_answered_by(url)


@given(
    fields=st.dictionaries(
        st.sampled_from(["code", "error", "error_description", "error_uri", "iss", "x"]), st.text()
    ),
    tail=st.text(max_size=20),
)
def test_any_answer_with_our_state_is_a_code_or_one_of_our_errors(
    fields: dict[str, str], tail: str
) -> None:
    request = new(Provider())
    query = urlencode({**fields, "state": request.state.reveal()}, errors="surrogatepass")
    try:
        outcome = request.validate_callback(f"{CALLBACK}?{query}{tail}").reveal()
    except PlatformAuthError as error:
        outcome = str(error)
    assert outcome


def test_parameters_keep_the_last_of_none() -> None:
    assert callback_parameters("/cb?code=&state=s&x=1&x=2") == {"code": "", "state": "s"}
