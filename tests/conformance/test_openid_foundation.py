"""The OpenID Foundation's tests for clients, as a provider that does what each module's does.

Plans: ``oidcc-client-basic-certification``, ``-config-``, ``-refreshtoken-``,
``-rp-initiated-logout-rp-basic``, what else the full plan ``oidcc-client-test-plan`` has, and
``fapi2-security-profile-final-client`` in its variant ``plain_oauth``. Each module has one case
here, or a reason in `OUT_OF_SCOPE`. Where the foundation lets a client choose, the case says what
is chosen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from joserfc.jwk import ECKey

from fakes.provider import CLIENT, NOW, Provider, ec_key, form, reply, rsa_key
from fakes.world import failure
from platform_auth.errors import (
    AccessDeniedError,
    CallbackError,
    DiscoveryError,
    IdentityError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RelyingParty

    Act = Callable[[Provider], object]

OIDC, FAPI = "oidcc-client-test", "fapi2-security-profile-final-client-test"

OUT_OF_SCOPE: Final = {
    # Who signed in is in the id_token; no userinfo endpoint is ever asked.
    f"{OIDC}-userinfo-bearer-body": "tokens are never sent in bodies",
    f"{OIDC}-userinfo-invalid-sub": "userinfo is never asked",
    f"{OIDC}-userinfo-signed": "userinfo is never asked",
    f"{OIDC}-scope-userinfo-claims": "userinfo is never asked",
    f"{OIDC}-aggregated-claims": "userinfo is never asked",
    f"{OIDC}-distributed-claims": "userinfo is never asked",
    # What the code flow does not have.
    f"{OIDC}-nonce-unless-code-flow": "only the code flow is used, and always with a nonce",
    f"{OIDC}-invalid-chash": "the hybrid flow's: PKCE binds the code here",
    f"{OIDC}-missing-chash": "the hybrid flow's: PKCE binds the code here",
    f"{OIDC}-signed-request-uri": "requests are not signed",
    # What no profile can ask for.
    f"{OIDC}-mtls-endpoint-aliases": "there are no client certificates",
    f"{OIDC}-dynamic-registration": "clients are registered by people",
    f"{OIDC}-webfinger-acct": "the issuer is configured, or the platform names it",
    f"{OIDC}-webfinger-url": "the issuer is configured, or the platform names it",
    f"{OIDC}-session-management": "there is no page that could watch an iframe",
    f"{OIDC}-backchannel-logout": "a notebook server has no address a provider can call",
    f"{OIDC}-frontchannel-logout": "there is no page that an iframe could show",
    # A sign-out is done before the browser is sent to the provider, and nothing waits for it.
    f"{OIDC}-rp-init-logout-other-state": "no page of ours is returned to",
    f"{OIDC}-rp-init-logout-no-state": "no page of ours is returned to",
    f"{FAPI}-happy-path": "neither PAR nor DPoP is spoken",
    f"{FAPI}-happy-path-no-dpop-nonce": "neither PAR nor DPoP is spoken",
    f"{FAPI}-rs-dpop-auth-scheme-case-insensitivity": "DPoP is not spoken",
    f"{FAPI}-ensure-jarm": "JARM is not spoken",
}
"""Modules without a case, and why."""

MODULES: Final = {
    *(f"{OIDC}{name}" for name in (
        "", "-invalid-iss", "-missing-sub", "-invalid-aud", "-missing-iat",
        "-kid-absent-single-jwks", "-kid-absent-multiple-jwks", "-idtoken-sig-rs256",
        "-idtoken-sig-none", "-invalid-sig-rs256", "-userinfo-bearer-header",
        "-userinfo-bearer-body", "-userinfo-invalid-sub", "-nonce-invalid",
        "-scope-userinfo-claims", "-client-secret-basic",
        "-discovery-openid-config", "-discovery-jwks-uri-keys", "-discovery-issuer-mismatch",
        "-signing-key-rotation", "-signing-key-rotation-just-before-signing",
        "-refresh-token", "-refresh-token-invalid-issuer", "-refresh-token-invalid-sub",
        "-rp-init-logout", "-rp-init-logout-other-state", "-rp-init-logout-no-state",
        "-nonce-unless-code-flow", "-form-post-error", "-invalid-sig-hs256", "-invalid-sig-es256",
        "-missing-aud", "-invalid-athash", "-missing-athash", "-invalid-chash", "-missing-chash",
        "-userinfo-signed", "-mtls-endpoint-aliases", "-signed-request-uri",
        "-dynamic-registration", "-webfinger-acct", "-webfinger-url", "-aggregated-claims",
        "-distributed-claims", "-session-management", "-backchannel-logout", "-frontchannel-logout",
    )),
    *(f"{FAPI}-{name}" for name in (
        "happy-path", "happy-path-no-dpop-nonce", "discovery-issuer-mismatch",
        "invalid-authorization-response-iss", "remove-authorization-response-iss",
        "ensure-authorization-response-with-invalid-state-fails",
        "ensure-authorization-response-with-invalid-missing-state-fails",
        "invalid-nonce", "missing-nonce", "invalid-iss", "missing-iss", "invalid-aud",
        "missing-aud", "invalid-secondary-aud", "missing-exp", "invalid-expired-exp",
        "invalid-null-alg", "invalid-alternate-alg", "valid-aud-as-array",
        "token-endpoint-response-without-expires_in", "token-type-case-insensitivity",
        "rs-dpop-auth-scheme-case-insensitivity", "client-refresh-token-test", "ensure-jarm",
    )),
}  # fmt: skip
"""All modules of the plans; a family of which nothing is in scope by its common name."""


def claims(**changed: Any) -> Act:
    """Change claims of the id_token; None leaves one out."""
    return lambda provider: provider.claims.update(changed)


def signs(**header: Any) -> Act:
    """Sign with another key, algorithm or header."""

    def act(provider: Provider) -> None:
        provider.sign = lambda said: provider.signed(said, **header)

    return act


def publishes(**members: Any) -> Act:
    """Change the metadata."""
    return lambda provider: provider.metadata.update(members)


def answers(endpoint: str, *bodies: Any) -> Act:
    """Answer so first."""
    return lambda provider: provider.next[endpoint].extend(reply(body) for body in bodies)


def all_of(*acts: Act) -> Act:
    """Do all of it."""
    return lambda provider: [act(provider) for act in acts]


def unsigned(provider: Provider) -> None:
    """Offer no signature, and give none."""
    publishes(id_token_signing_alg_values_supported=["none", "RS256"])(provider)
    provider.sign = provider.unsigned


def mac(provider: Provider) -> None:
    """Sign with the text of the public key as a shared secret."""
    publishes(id_token_signing_alg_values_supported=["HS256", "RS256"])(provider)
    provider.sign = provider.mac_with_public_key


def several_keys(provider: Provider) -> None:
    """Publish several keys, and say of none which it was."""
    provider.keys = [ec_key(), rsa_key("other"), rsa_key()]
    provider.sign = lambda said: provider.signed(said, key=rsa_key(), kid=None)


def other_elliptic_key(provider: Provider) -> None:
    """Sign with an elliptic key that is not the published one of that name."""
    provider.keys = [ec_key()]
    stranger = ECKey.generate_key("P-256")
    provider.sign = lambda said: provider.signed(said, key=stranger, alg="ES256", kid="ec")


def other_jwks(provider: Provider) -> None:
    """Publish the keys where only the metadata says."""
    issuer = provider.metadata["issuer"]
    provider.metadata["jwks_uri"] = f"{issuer}/run-4711/jwks"


OLD_KEY = {"keys": [rsa_key("old").as_dict(private=False)]}
SAME_KID = {"keys": [rsa_key("old").as_dict(private=False) | {"kid": rsa_key().kid}]}


def nothing(_provider: Provider) -> None:
    """Keep to the standard."""


ACCEPTED: Final[dict[str, Act]] = {
    OIDC: nothing,
    f"{OIDC}-userinfo-bearer-header": nothing,  # of the platform, see `RelyingParty.uses_header`
    f"{OIDC}-idtoken-sig-rs256": signs(alg="RS256"),
    f"{OIDC}-kid-absent-single-jwks": signs(kid=None),
    f"{OIDC}-kid-absent-multiple-jwks": several_keys,  # or refuse; all are tried
    f"{OIDC}-discovery-openid-config": nothing,
    f"{OIDC}-discovery-jwks-uri-keys": other_jwks,
    f"{OIDC}-signing-key-rotation": answers("jwks", OLD_KEY),
    f"{OIDC}-signing-key-rotation-just-before-signing": answers("jwks", SAME_KID),
    # Core §3.1.3.6: in the code flow it may be missing; one that is there must be right.
    f"{OIDC}-missing-athash": nothing,
    f"{FAPI}-valid-aud-as-array": claims(aud=[CLIENT]),
}

REFUSED: Final[dict[str, tuple[Act, str]]] = {
    f"{OIDC}-invalid-iss": (claims(iss="https://evil.example"), "iss"),
    f"{OIDC}-missing-sub": (claims(sub=None), "sub"),
    f"{OIDC}-invalid-aud": (claims(aud="other"), "aud"),
    f"{OIDC}-missing-aud": (claims(aud=None), "aud"),
    f"{OIDC}-missing-iat": (claims(iat=None), "iat"),
    f"{OIDC}-idtoken-sig-none": (unsigned, "signature"),  # or accept, if registered so
    f"{OIDC}-invalid-sig-rs256": (signs(key=rsa_key("other"), kid="rsa"), "signature"),
    f"{OIDC}-invalid-sig-hs256": (mac, "signature"),
    f"{OIDC}-invalid-sig-es256": (other_elliptic_key, "signature"),
    f"{OIDC}-nonce-invalid": (claims(nonce="other"), "nonce"),
    f"{OIDC}-invalid-athash": (claims(at_hash="x" * 22), "at_hash"),
    f"{FAPI}-invalid-nonce": (claims(nonce="other"), "nonce"),
    f"{FAPI}-missing-nonce": (claims(nonce=None), "nonce"),
    f"{FAPI}-invalid-iss": (claims(iss="https://evil.example"), "iss"),
    f"{FAPI}-missing-iss": (claims(iss=None), "iss"),
    f"{FAPI}-invalid-aud": (claims(aud=["other"]), "aud"),
    f"{FAPI}-missing-aud": (claims(aud=None), "aud"),
    f"{FAPI}-invalid-secondary-aud": (claims(aud=[CLIENT, "stranger"]), "azp"),
    f"{FAPI}-missing-exp": (claims(exp=None), "exp"),
    f"{FAPI}-invalid-expired-exp": (claims(exp=int(NOW) - 301), "expired"),
    f"{FAPI}-invalid-null-alg": (unsigned, "signature"),
    f"{FAPI}-invalid-alternate-alg": (
        all_of(publishes(id_token_signing_alg_values_supported=["RS256"]), signs(alg="PS256")),
        "signature",
    ),
}

STOPPED: Final[dict[str, tuple[dict[str, Any], type[Exception], str]]] = {
    f"{OIDC}-form-post-error": (
        {"code": None, "error": "access_denied"},  # by GET: forms are not read at all
        AccessDeniedError,
        "denied",
    ),
    f"{FAPI}-invalid-authorization-response-iss": (
        {"iss": "https://evil.example"},
        CallbackError,
        "another identity provider",
    ),
    f"{FAPI}-remove-authorization-response-iss": ({"iss": None}, CallbackError, "name itself"),
}

NOT_OURS: Final = {
    f"{FAPI}-ensure-authorization-response-with-invalid-state-fails": "invalid",
    f"{FAPI}-ensure-authorization-response-with-invalid-missing-state-fails": None,
}

REFRESH_REFUSED: Final[dict[str, tuple[Act, str]]] = {
    f"{OIDC}-refresh-token-invalid-issuer": (claims(iss="https://evil.example"), "iss"),
    f"{OIDC}-refresh-token-invalid-sub": (claims(sub="grace"), "another person"),
}

REFRESHED: Final = (f"{OIDC}-refresh-token", f"{FAPI}-client-refresh-token-test")

MISMATCHED: Final = (f"{OIDC}-discovery-issuer-mismatch", f"{FAPI}-discovery-issuer-mismatch")

LENIENT: Final = {
    f"{FAPI}-token-endpoint-response-without-expires_in": {"expires_in": None},
    f"{FAPI}-token-type-case-insensitivity": {"token_type": "bEARER"},
}

ALONE: Final = (f"{OIDC}-client-secret-basic", f"{OIDC}-rp-init-logout")


def test_every_module_has_a_case_or_a_reason_and_none_has_both() -> None:
    tables = (ACCEPTED, REFUSED, STOPPED, NOT_OURS, REFRESH_REFUSED, REFRESHED, MISMATCHED)
    cases = [name for table in (*tables, LENIENT, ALONE, OUT_OF_SCOPE) for name in table]
    assert len(cases) == len(set(cases))
    assert set(cases) == MODULES


@pytest.mark.parametrize("module", ACCEPTED)
def test_accepted(party: RelyingParty, module: str) -> None:
    ACCEPTED[module](party.provider)
    party.accepts()


@pytest.mark.parametrize("module", REFUSED)
def test_id_token_refused(party: RelyingParty, module: str) -> None:
    act, words = REFUSED[module]
    act(party.provider)
    party.refuses(IdentityError, words)
    assert party.world.asked() == 1


@pytest.mark.parametrize("module", STOPPED)
def test_stopped_before_any_endpoint_is_called(party: RelyingParty, module: str) -> None:
    publishes(authorization_response_iss_parameter_supported=True)(party.provider)
    changes, kind, words = STOPPED[module]
    party.stops(kind, words, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("module", NOT_OURS)
def test_an_answer_that_is_not_ours_ends_nothing_and_calls_nothing(
    party: RelyingParty, module: str
) -> None:
    async def work() -> None:
        back = await party.world.back(state=NOT_OURS[module])
        assert type(await failure(party.world.broker.complete(back))) is CallbackError

    party.world.run(work)
    assert not party.world.asked()


@pytest.mark.parametrize("module", REFRESH_REFUSED)
def test_a_refresh_refused_whole(party: RelyingParty, module: str) -> None:
    act, words = REFRESH_REFUSED[module]
    issue = party.provider.id_token
    issued: list[str] = []

    def second(*of: Any) -> str:
        if issued:
            act(party.provider)
        issued.append(issue(*of))
        return issued[-1]

    party.provider.id_token = second  # type: ignore[method-assign]
    party.keeps_what_it_had(words)


@pytest.mark.parametrize("module", REFRESHED)
def test_refreshed(party: RelyingParty, module: str) -> None:
    party.refreshes()


@pytest.mark.parametrize("module", MISMATCHED)
def test_another_issuers_metadata_sends_nobody_there(party: RelyingParty, module: str) -> None:
    party.provider.metadata["issuer"] = "https://evil.example"

    async def work() -> None:
        error = await failure(party.world.back())
        assert type(error) is DiscoveryError
        assert "another issuer" in error.what

    party.world.run(work)
    assert {request.method for request in party.provider.requests} == {"GET"}


@pytest.mark.parametrize("module", LENIENT)
def test_a_lenient_reading(party: RelyingParty, module: str) -> None:
    issue = party.provider.tokens

    def strange(**of: Any) -> dict[str, Any]:
        said = {**issue(**of), **LENIENT[module]}
        return {name: value for name, value in said.items() if value is not None}

    party.provider.tokens = strange  # type: ignore[method-assign]
    party.accepts()


def test_client_secret_basic(new_party: Callable[..., RelyingParty]) -> None:
    party = new_party(oauth={"client_secret": "secret: €-CANARY"})
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    publishes(**methods)(party.provider)
    party.accepts()
    [exchange] = party.provider.sent_to("token")
    # RFC 6749 §2.3.1: both halves are form-encoded first.
    assert exchange.headers["authorization"] == (
        "Basic bm90ZWJvb2s6c2VjcmV0JTNBKyVFMiU4MiVBQy1DQU5BUlk="
    )
    assert "client_secret" not in form(exchange)


def test_rp_init_logout(party: RelyingParty) -> None:
    """Here first and always; then a page of the provider's, named but not waited for."""
    page = f"{party.world.wire.address}/logout"
    party.provider.metadata["end_session_endpoint"] = page

    async def work() -> None:
        await party.world.signed_in()
        left = await party.world.broker.sign_out("prod")
        assert left.session.record is None
        assert re.match(rf"{re.escape(page)}\?client_id={CLIENT}&", left.logout_url or "")
        assert "CANARY" not in (left.logout_url or "")

    party.world.run(work)
    assert party.provider.revoked == ["rt-1-CANARY", "at-1-CANARY"]
