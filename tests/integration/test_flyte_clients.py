"""The real clients of Flyte on a session of ours, at the certified provider, over TLS."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flyte.remote
import pytest
from joserfc.errors import JoseError

from fakes.flyte_platform import FlytePlatform, flyte2_platform, flyte_platform
from harness.scripted import ScriptedPerson
from harness.verifier import Verifier
from platform_auth import connect
from platform_auth.broker import local
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.provider import OidcProvider
    from platform_auth.connection import Connection

LIFETIME = 3
"""Seconds a token lives."""

LEEWAY = 1
"""Seconds: a token's ``exp`` has whole ones."""


class Strict:
    """Takes the tokens of the certified provider, for as long as they live."""

    def __init__(self, oidc: OidcProvider) -> None:
        self._verifier = Verifier(oidc.issuer, oidc.audience)
        self._known: dict[str, float] = {}
        self.refused = 0

    def attach(self, platform: FlytePlatform) -> FlytePlatform:
        platform.takes = self.takes  # type: ignore[method-assign]
        platform.header = "flyte-authorization"
        return platform

    def takes(self, given: str | None) -> bool:
        token = (given or "").removeprefix("Bearer ")
        try:
            # The signature is looked at once: fetching keys for each call would be the test's load.
            expires = self._known.get(token) or self._verifier.claims(token)["exp"]
        except (JoseError, ValueError):
            expires = 0
        self._known[token] = expires
        accepted = time.time() < expires + LEEWAY
        self.refused += not accepted
        return accepted


@pytest.fixture
def strict(oidc: OidcProvider) -> Strict:
    return Strict(oidc)


@pytest.fixture
def signed_in(
    oidc: OidcProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[FlytePlatform], Connection]]:
    """Return a function that signs in to a platform, for this process and those it starts."""
    channel = LocalChannel()
    monkeypatch.setattr(local, "local_client", lambda: BrokerClient(channel))
    file = tmp_path / "profiles.yaml"
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(file))

    def sign_in(platform: FlytePlatform) -> Connection:
        admin = {
            "endpoint": f"dns:///{platform.endpoint}",
            "caCertFilePath": str(platform.ca),
            "clientId": "cli",
            "scopes": ["openid", "offline_access", "api"],
        }
        oauth = {"issuer": oidc.issuer, "authorization_metadata_key": platform.header}
        shape = {"default": "prod", "profiles": {"prod": {"admin": admin, "oauth": oauth}}}
        file.write_text(json.dumps(shape), encoding="utf-8")
        file.chmod(0o600)
        connection = connect("prod")
        connection.sign_in(show=_walk, timeout=30)
        return connection

    with closing(channel):
        yield sign_in


def _walk(view: dict[str, Any]) -> None:
    def walk(url: str = view["challenge"]["url"]) -> None:
        with ScriptedPerson() as person:
            person.visit(url)

    threading.Thread(target=walk).start()


def refreshes(oidc: OidcProvider) -> list[dict[str, Any]]:
    return oidc.log("token", grant_type="refresh_token")


def one_refresh_for_each_token(oidc: OidcProvider) -> None:
    """Hold that tokens were replaced, none twice, and none long before its time."""
    made = refreshes(oidc)
    assert {each["outcome"] for each in made} == {"ok"}
    starts = [each["started"] / 1000 for each in made]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert len(made) >= 2
    assert min(gaps) > LIFETIME / 3, gaps


def busy(call: Callable[[], object], seconds: float, threads: int = 8) -> int:
    """Call from many threads at once, and return how often."""
    ends = time.monotonic() + seconds

    def work(_: int) -> int:
        count = 0
        while time.monotonic() < ends:
            call()
            count += 1
        return count

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads)))


def test_a_flyte_remote_outlives_its_tokens_without_a_failed_call(
    oidc: OidcProvider, strict: Strict, signed_in: Any, tmp_path: Path
) -> None:
    oidc.settings(access_token_ttl=LIFETIME)
    with flyte_platform(tmp_path) as platform:
        remote = signed_in(strict.attach(platform)).flytekit("flytesnacks", "development")
        count = busy(remote.client.list_projects_paginated, 3 * LIFETIME)
    assert count > 100
    assert strict.refused < count / 50  # on their way when their token expired; made once more
    one_refresh_for_each_token(oidc)


def test_the_flyte_2_sdk_outlives_its_tokens_without_a_failed_call(
    oidc: OidcProvider, strict: Strict, signed_in: Any, tmp_path: Path
) -> None:
    oidc.settings(access_token_ttl=LIFETIME)
    with flyte2_platform(tmp_path) as platform:
        signed_in(strict.attach(platform)).flyte("flytesnacks", "development")
        count = busy(lambda: flyte.remote.User.get().subject(), 3 * LIFETIME)
    assert count > 100
    assert strict.refused < count / 50  # on their way when their token expired; made once more
    one_refresh_for_each_token(oidc)


def test_pyflyte_with_our_auth_type_in_a_plain_config(
    oidc: OidcProvider, strict: Strict, signed_in: Any, tmp_path: Path
) -> None:
    with flyte_platform(tmp_path) as platform:
        signed_in(strict.attach(platform))
        config = tmp_path / "config.yaml"
        admin = {
            "endpoint": f"dns:///{platform.endpoint}",
            "caCertFilePath": str(platform.ca),
            "authType": "platform_auth",
        }
        config.write_text(json.dumps({"admin": admin}), encoding="utf-8")
        pyflyte = Path(sys.executable).with_name("pyflyte")
        done = subprocess.run(
            [pyflyte, "-c", config, "get", "launchplan", "-p", "flytesnacks", "-d", "development"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "forecast" in done.stdout
    assert strict.refused == 0
    assert refreshes(oidc) == []
