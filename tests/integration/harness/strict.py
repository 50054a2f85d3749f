"""Flyte's clients on tokens that expire under them, and what a strict platform sees of that."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from joserfc.errors import JoseError

from harness.scripted import ScriptedPerson
from harness.verifier import Verifier
from platform_auth import connect
from platform_auth.broker import local
from platform_auth.broker.client import BrokerClient
from platform_auth.broker.local import LocalChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.flyte_platform import FlytePlatform
    from harness.provider import OidcProvider
    from platform_auth.connection import Connection

LEEWAY: Final = 1
"""Seconds: a token's ``exp`` has whole ones."""


class Strict:
    """Takes the tokens of the certified provider, for as long as they live.

    Parameters
    ----------
    oidc
        The provider.

    Attributes
    ----------
    expires
        The tokens that were used, and when each expires.
    refused
        How many calls were refused.

    """

    def __init__(self, oidc: OidcProvider) -> None:
        self._verifier = Verifier(oidc.issuer, oidc.audience)
        self._revoked: set[str] = set()
        self.expires: dict[str, float] = {}
        self.refused = 0

    def attach(self, platform: FlytePlatform) -> FlytePlatform:
        """Have a platform take no others, and in Flyte's own header."""
        platform.takes = self.takes  # type: ignore[method-assign]
        platform.header = "flyte-authorization"
        return platform

    def revoke(self) -> None:
        """Take none of the tokens any longer that were used so far."""
        self._revoked |= set(self.expires)

    def takes(self, given: str | None) -> bool:
        """Tell whether a call with this in its header may be made."""
        token = (given or "").removeprefix("Bearer ")
        try:
            # The signature is looked at once: fetching keys for each call would be the test's load.
            expires = self.expires.get(token) or self._verifier.claims(token)["exp"]
        except (JoseError, ValueError):
            self.refused += 1
            return False
        self.expires[token] = expires
        accepted = token not in self._revoked and time.time() < expires + LEEWAY
        self.refused += not accepted
        return accepted


@contextmanager
def signed_in(oidc: OidcProvider, platform: FlytePlatform, directory: Path) -> Iterator[Connection]:
    """Sign in to a platform, for this process and, by the file's name, for those it starts.

    Parameters
    ----------
    oidc
        The provider.
    platform
        The platform.
    directory
        Gets the ``profiles.yaml`` that ``PLATFORM_AUTH_CONFIG`` must name.

    """
    admin = {
        "endpoint": f"dns:///{platform.endpoint}",
        "caCertFilePath": str(platform.ca),
        "clientId": "cli",
        "scopes": ["openid", "offline_access", "api"],
    }
    oauth = {"issuer": oidc.issuer, "authorization_metadata_key": platform.header}
    shape = {"default": "prod", "profiles": {"prod": {"admin": admin, "oauth": oauth}}}
    file = directory / "profiles.yaml"
    file.write_text(json.dumps(shape), encoding="utf-8")
    file.chmod(0o600)
    with closing(LocalChannel()) as channel:
        broker = BrokerClient(channel)
        with patch.object(local, "local_client", lambda: broker):
            connection = connect("prod")
            connection.sign_in(show=_walk, timeout=30)
            yield connection


def _walk(view: dict[str, Any]) -> None:
    def walk(url: str = view["challenge"]["url"]) -> None:
        with ScriptedPerson() as person:
            person.visit(url)

    threading.Thread(target=walk).start()


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of many calls: how many were made, and how the failures read."""

    calls: int
    failures: tuple[str, ...]


def busy(call: Callable[[], object], seconds: float, threads: int = 8) -> Tally:
    """Call from many threads at once, for so long."""
    ends = time.monotonic() + seconds
    failures: list[str] = []

    def work(_: int) -> int:
        count = 0
        while time.monotonic() < ends:
            count += 1
            try:
                call()
            except Exception as error:  # noqa: BLE001 - whatever the client raises
                failures.append(repr(error))
        return count

    with ThreadPoolExecutor(threads) as pool:
        return Tally(sum(pool.map(work, range(threads))), tuple(failures))


def refreshes(oidc: OidcProvider) -> list[dict[str, Any]]:
    """Return the requests for a new token."""
    return oidc.log("token", grant_type="refresh_token")


def one_refresh_for_each_token(oidc: OidcProvider, strict: Strict, lifetime: float) -> int:
    """Hold that tokens were replaced, none twice, and none long before its time; say how often."""
    made = refreshes(oidc)
    assert {each["outcome"] for each in made} <= {"ok"}
    starts = [each["started"] / 1000 for each in made]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps, default=lifetime) > lifetime / 3, gaps
    assert len(strict.expires) <= len(made) + 1  # the first one came with the sign-in
    return len(made)
