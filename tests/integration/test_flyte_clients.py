"""The real clients of Flyte on a session of ours, at the certified provider, over TLS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import flyte.remote
import pytest
from flyteidl.service import identity_pb2, identity_pb2_grpc

from fakes.flyte_platform import FlytePlatform, flyte2_platform, flyte_platform
from harness.polling import wait_until
from harness.strict import (
    LEEWAY,
    Strict,
    busy,
    one_refresh_for_each_token,
    refreshes,
    signed_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from harness.provider import OidcProvider
    from platform_auth.connection import Connection

LIFETIME = 2
"""Seconds a token lives, where it is to expire."""

BUSY = """
import json, sys
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
from harness.strict import busy
remote = FlyteRemote(Config.auto(sys.argv[1]), "flytesnacks", "development")
tally = busy(remote.client.list_projects_paginated, float(sys.argv[2]))
print(json.dumps([tally.calls, tally.failures]))
"""

AT_ONCE = 8


@pytest.fixture
def strict(oidc: OidcProvider) -> Strict:
    return Strict(oidc)


@pytest.fixture(autouse=True)
def _profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_AUTH_CONFIG", str(tmp_path / "profiles.yaml"))


def flytekit_caller(connection: Connection) -> Callable[[], object]:
    remote = connection.flytekit("flytesnacks", "development")
    return remote.client.list_projects_paginated


def flyte_caller(connection: Connection) -> Callable[[], object]:
    connection.flyte("flytesnacks", "development")
    return lambda: flyte.remote.User.get().subject()


KINDS = pytest.mark.parametrize(
    ("serve", "caller"),
    [(flyte_platform, flytekit_caller), (flyte2_platform, flyte_caller)],
    ids=["flytekit", "flyte"],
)


@KINDS
def test_eight_threads_outlive_their_tokens_without_a_failed_call(
    oidc: OidcProvider,
    strict: Strict,
    tmp_path: Path,
    serve: Callable[[Path], AbstractContextManager[FlytePlatform]],
    caller: Callable[[Connection], Callable[[], object]],
) -> None:
    oidc.settings(access_token_ttl=LIFETIME)
    with (
        serve(tmp_path) as platform,
        signed_in(oidc, strict.attach(platform), tmp_path) as connection,
    ):
        tally = busy(caller(connection), 3 * LIFETIME)
    assert tally.failures == ()
    assert tally.calls > 100
    assert strict.refused < tally.calls / 50  # on their way when their token expired; made again
    assert one_refresh_for_each_token(oidc, strict, LIFETIME) >= 2


@KINDS
def test_a_token_that_is_revoked_in_mid_session_is_replaced_once_for_all_threads(
    oidc: OidcProvider,
    strict: Strict,
    tmp_path: Path,
    serve: Callable[[Path], AbstractContextManager[FlytePlatform]],
    caller: Callable[[Connection], Callable[[], object]],
) -> None:
    with (
        serve(tmp_path) as platform,
        signed_in(oidc, strict.attach(platform), tmp_path) as connection,
    ):
        call = caller(connection)
        call()
        strict.revoke()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = [pool.submit(call) for _ in range(AT_ONCE)]
        assert [each.exception() for each in answers] == [None] * AT_ONCE
    assert 1 <= strict.refused <= AT_ONCE
    assert [each["outcome"] for each in refreshes(oidc)] == ["ok"]


def test_who_one_is_by_each_client(oidc: OidcProvider, strict: Strict, tmp_path: Path) -> None:
    with (
        flyte_platform(tmp_path) as platform,
        signed_in(oidc, strict.attach(platform), tmp_path) as connection,
    ):
        # flytekit has no name of its own for it, but the channel that its calls go through.
        channel = connection.flytekit().client._channel
        service = identity_pb2_grpc.IdentityServiceStub(channel)
        assert service.UserInfo(identity_pb2.UserInfoRequest()).email == "ada@example.com"
    with (
        flyte2_platform(tmp_path) as platform,
        signed_in(oidc, strict.attach(platform), tmp_path) as connection,
    ):
        connection.flyte()
        assert flyte.remote.User.get().subject() == "ada"
        assert [each.pb2.id for each in flyte.remote.Project.listall()] == [
            "flytesnacks",
            "forecasts",
        ]


@pytest.fixture
def plain_config(tmp_path: Path) -> Callable[[FlytePlatform], Path]:
    """Return a function that writes Flyte's own file, with our way to sign in."""

    def write(platform: FlytePlatform) -> Path:
        config = tmp_path / "config.yaml"
        admin = {
            "endpoint": f"dns:///{platform.endpoint}",
            "caCertFilePath": str(platform.ca),
            "authType": "platform_auth",
        }
        config.write_text(json.dumps({"admin": admin}), encoding="utf-8")
        return config

    return write


def run(*argv: str | Path) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_our_auth_type_in_a_plain_config_outlives_its_tokens_too(
    oidc: OidcProvider,
    strict: Strict,
    tmp_path: Path,
    plain_config: Callable[[FlytePlatform], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here}:{here.parent / 'support'}")
    oidc.settings(access_token_ttl=LIFETIME)
    with flyte_platform(tmp_path) as platform, signed_in(oidc, strict.attach(platform), tmp_path):
        config = plain_config(platform)
        out = run(sys.executable, "-c", BUSY, config, str(3 * LIFETIME))
    calls, failures = json.loads(out.splitlines()[-1])
    assert failures == []
    assert calls > 100
    assert one_refresh_for_each_token(oidc, strict, LIFETIME) >= 2


def test_pyflyte_with_our_auth_type_in_a_plain_config(
    oidc: OidcProvider,
    strict: Strict,
    tmp_path: Path,
    plain_config: Callable[[FlytePlatform], Path],
) -> None:
    oidc.settings(access_token_ttl=LIFETIME)
    pyflyte = Path(sys.executable).with_name("pyflyte")
    with flyte_platform(tmp_path) as platform, signed_in(oidc, strict.attach(platform), tmp_path):
        config = plain_config(platform)

        def plans() -> str:
            where = ("-p", "flytesnacks", "-d", "development")
            return run(pyflyte, "-c", config, "get", "launchplan", *where)

        assert "forecast" in plans()
        before = len(refreshes(oidc))
        last = max(strict.expires.values())
        wait_until(lambda: time.time() > last + LEEWAY, "the token's end")
        assert "forecast" in plans()  # nobody is asked to sign in again
    assert strict.refused == 0
    assert len(refreshes(oidc)) == before + 1
