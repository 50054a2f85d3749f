"""Id_tokens that Authlib alone judges rightly, and those that it does not.

What `parse_id_token` of Authlib 1.9 does with each was measured; `GAPS` are the ones it gets wrong,
for which there is code here. Cases of the same name in the foundation's tables stand there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from fakes.provider import CLIENT, NOW, Provider, ec_key, reply, rsa_key
from platform_auth.broker.session import State
from platform_auth.errors import IdentityError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RelyingParty

    Act = Callable[[Provider], object]


def claims(**changed: Any) -> Act:
    return lambda provider: provider.claims.update(changed)


def instead(token: str) -> Act:
    def act(provider: Provider) -> None:
        provider.sign = lambda _said: token

    return act


def encrypted(provider: Provider) -> None:
    key = OctKey.generate_key(256)
    protected = {"alg": "dir", "enc": "A256GCM"}
    provider.sign = lambda said: jwe.encrypt_compact(protected, json.dumps(said).encode(), key)


def without_kid_after_a_rotation(provider: Provider) -> None:
    stale = {"keys": [rsa_key("old").as_dict(private=False)]}
    provider.next["jwks"].append(reply(stale))
    provider.sign = lambda said: provider.signed(said, kid=None)


def without_kid_among_several(provider: Provider) -> None:
    provider.keys = [ec_key(), rsa_key("other"), rsa_key()]
    provider.sign = lambda said: provider.signed(said, key=rsa_key(), kid=None)


def none_though_listed(provider: Provider) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["none"]
    provider.sign = provider.unsigned


RIGHT: Final[dict[str, Act]] = {
    "azp of a stranger": claims(azp="stranger"),
    "azp of a stranger among several": claims(aud=[CLIENT, "flyte"], azp="stranger"),
    "expired ten minutes ago": claims(exp=int(NOW) - 600),
    "no JWT": instead("CANARY"),
    "empty JWT": instead(".."),
    "a JWE": encrypted,
    "sub that is a number": claims(sub=5),
    "exp that is a string": claims(exp="2099"),
    "exp that is true": claims(exp=True),
    "nbf in the future": claims(nbf=int(NOW) + 600),
    "iat in the future": claims(iat=int(NOW) + 600),
    "iss in a list": claims(iss=["https://id.example.com"]),
}

GAPS: Final[dict[str, Act]] = {
    "aud of another, azp of ours": claims(aud="other", azp=CLIENT),
    "aud of others in a list, azp of ours": claims(aud=["other", "more"], azp=CLIENT),
    "no signature, and none is listed": none_though_listed,
    "expired a hundred seconds ago": claims(exp=int(NOW) - 100),
    "sub of 300 characters": claims(sub="x" * 300),
    "empty sub": claims(sub=""),
    "no nonce": claims(nonce=None),
}

ACCEPTED: Final[dict[str, Act]] = {
    "several keys and no kid": without_kid_among_several,
    "another key and no kid": without_kid_after_a_rotation,
    "iat a week ago": claims(iat=int(NOW) - 7 * 86400),
    "expired a moment ago": claims(exp=int(NOW) - 59),
    "several audiences, azp of ours": claims(aud=[CLIENT, "flyte"], azp=CLIENT),
}


@pytest.mark.parametrize("case", [*RIGHT, *GAPS])
def test_refused(party: RelyingParty, case: str) -> None:
    (RIGHT | GAPS)[case](party.provider)
    party.refuses(IdentityError)


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(party: RelyingParty, case: str) -> None:
    ACCEPTED[case](party.provider)
    party.accepts()


def test_five_megabytes_are_not_even_read(party: RelyingParty) -> None:
    instead("x" * 5_000_000)(party.provider)
    party.refuses(TransportError, "without end")


def test_who_signed_in_is_not_said_where_nobody_knows_who_must_have_signed(
    new_party: Callable[..., RelyingParty],
) -> None:
    """Explicit endpoints and no issuer: a name that cannot be checked is not shown."""
    endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    explicit = dict(
        zip(endpoints, ("{issuer}/authorize", "{issuer}/token", "{issuer}/jwks"), strict=True)
    )
    party = new_party(oauth={"issuer": None, **explicit})
    party.provider.claims |= {"iss": "https://evil.example"}

    async def work() -> None:
        session = await party.world.sign_in()
        assert session.state is State.SIGNED_IN
        assert session.identity is None

    party.world.run(work)
