"""Servers that nobody attends, known by a token their machine was given, at a real provider."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt

from fakes.provider import ec_key
from harness.broker import profile
from platform_auth.broker.broker import Broker
from platform_auth.broker.redirects import Redirects
from platform_auth.config import Profiles
from platform_auth.errors import InvalidGrantError, PlatformAuthError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.canary import Canary
    from harness.platform import Platform
    from harness.provider import OidcProvider

GRANT = "urn:ietf:params:oauth:grant-type:"
FLOWS = {"token_exchange": f"{GRANT}token-exchange", "jwt_bearer": f"{GRANT}jwt-bearer"}


class Cluster:
    """What a cluster projects into its pods: a token for the provider, renewed in place."""

    def __init__(self, path: Path, audience: str) -> None:
        self.path, self._audience, self._tokens = path, audience, 0

    def project(self, *, issuer: str = "https://cluster.example", **more: Any) -> str:
        self._tokens += 1
        now = int(time.time())
        claims = {
            "iss": issuer, "aud": self._audience, "iat": now, "exp": now + 600,
            "sub": "system:serviceaccount:jobs:nightly", "jti": str(self._tokens), **more,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256"}, claims, ec_key(), algorithms=["ES256"])
        self.path.write_text(f"{token}\n")
        return token


@pytest.fixture
def cluster(oidc: OidcProvider, tmp_path: Path) -> Cluster:
    oidc.settings(workload_keys={"keys": [ec_key().as_dict(private=False)]})
    cluster = Cluster(tmp_path / "token", oidc.issuer)
    cluster.project()
    return cluster


def in_pod(oidc: OidcProvider, platform: Platform, cluster: Cluster, **oauth: Any) -> Broker:
    shape = profile(oidc.issuer, platform.url, identity_token_file=str(cluster.path), **oauth)
    shape["admin"] |= {"clientId": "nightly", "scopes": ["api"], "authType": "ClientSecret"}
    return Broker(Profiles(admin={"pod": shape}), Redirects())


def register(oidc: OidcProvider, grant: str, **more: Any) -> None:
    metadata = {"token_endpoint_auth_method": "none", **more}
    nothing: dict[str, list[str]] = {"redirect_uris": [], "response_types": []}
    oidc.register("nightly", grant_types=[grant], **nothing, **metadata)


def token_of(broker: Broker, **asked: Any) -> str:
    async def use() -> str:
        try:
            return (await broker.token("pod", **asked)).value.reveal()
        finally:
            await broker.close()

    return asyncio.run(use())


@pytest.mark.parametrize("flow", FLOWS)
def test_a_projected_token_is_all_it_takes(
    flow: str, oidc: OidcProvider, platform: Platform, cluster: Cluster
) -> None:
    register(oidc, FLOWS[flow])
    token = token_of(in_pod(oidc, platform, cluster, flow=flow))
    assert platform.verifier.claims(token)["scope"] == "api"
    [request] = oidc.log("token")
    assert request["grant_type"] == FLOWS[flow]


def test_a_projected_token_is_a_clients_own_assertion(
    oidc: OidcProvider, platform: Platform, cluster: Cluster
) -> None:
    keys = {"keys": [ec_key().as_dict(private=False)]}
    method = {"token_endpoint_auth_method": "private_key_jwt", "jwks": keys}
    register(oidc, "client_credentials", token_endpoint_auth_signing_alg="ES256", **method)
    cluster.project(iss="nightly", sub="nightly")
    token = token_of(in_pod(oidc, platform, cluster))
    assert platform.verifier.claims(token)["scope"] == "api"
    assert [each["client_auth"] for each in oidc.log("token")] == ["private_key_jwt"]


@pytest.mark.parametrize("flow", FLOWS)
def test_what_is_projected_anew_is_read_anew(
    flow: str, oidc: OidcProvider, platform: Platform, cluster: Cluster
) -> None:
    register(oidc, FLOWS[flow])
    cluster.project(exp=1)  # has expired by now
    broker = in_pod(oidc, platform, cluster, flow=flow)

    async def twice() -> tuple[PlatformAuthError, str]:
        with pytest.raises(InvalidGrantError) as caught:
            await broker.sign_in("pod")
        cluster.project()
        await broker.sign_in("pod")
        token = await broker.token("pod")
        await broker.close()
        return caught.value, token.value.reveal()

    error, token = asyncio.run(twice())
    assert "exp" in error.why
    assert platform.verifier.claims(token)["scope"] == "api"


@pytest.mark.parametrize("flow", FLOWS)
def test_a_refusal_that_quotes_the_token_is_masked(
    flow: str,
    oidc: OidcProvider,
    platform: Platform,
    cluster: Cluster,
    canary: Callable[[], Canary],
) -> None:
    register(oidc, FLOWS[flow])
    shown = cluster.project(issuer="https://other.example")
    with pytest.raises(PlatformAuthError) as caught:
        token_of(in_pod(oidc, platform, cluster, flow=flow))
    assert shown[:40] not in str(caught.value.to_dict())
