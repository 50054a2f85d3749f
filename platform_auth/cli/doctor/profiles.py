"""One profile after the other, each from the file to the token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...config import Profile, Profiles, ProfileSource
from ...config.endpoint import without_password
from ...errors import PlatformAuthError
from ...oauth.discovery import asks_platform
from ...oauth.inquiry import TOKENS_FROM_ELSEWHERE
from ...oauth.steps import origin_of
from ..broker import find_broker
from . import network, redirect, settings, token
from .discovery import Discovery
from .finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterable, Iterator

    from ...broker.client import BrokerClient
    from ...config import PlatformConfig


def chosen(name: str | None) -> dict[str, str]:
    """Return the profiles to follow, with a title for each; none if the broker cannot be asked.

    Parameters
    ----------
    name
        The only one, or None for all that can be used.

    """
    try:
        answer = find_broker().profiles()
    except PlatformAuthError:
        return {}  # the checks of the configuration have said why
    usable = [view["profile"] for view in answer["profiles"] if view["platform"]]
    default = {answer["default"]: f", the default ({answer['default_origin']})"}
    return {each: each + default.get(each, "") for each in ([name] if name else usable)}


class Follower:
    """Follows profiles, and goes no way twice.

    Parameters
    ----------
    client
        The broker.
    thoroughly
        Whether each setting is worth a line.

    """

    def __init__(self, client: BrokerClient, *, thoroughly: bool) -> None:
        self._client, self._thoroughly = client, thoroughly
        self._gone: dict[Hashable, tuple[str, Level]] = {}
        self._said: set[tuple[str, Hashable]] = set()
        self._discoveries: dict[Hashable, Discovery] = {}

    def follow(self, name: str) -> Iterator[Finding]:
        """Follow one profile, as far as it leads."""
        try:
            view = self._client.explanation(name)
            config = _config(name, view)
        except PlatformAuthError as error:
            yield Finding.of(error)
            return
        yield from settings.check(view, thoroughly=self._thoroughly)
        # A profile's proxy is for identity providers; calls to the platform take the environment's.
        yield from self._reach(name, config.base_url, replace(config, http_proxy_url=None))
        if config.flow not in TOKENS_FROM_ELSEWHERE:
            found = yield from self._provider(name, config)
            if found is None:
                return
            config = found
        yield from redirect.check(view, config)
        yield from token.check(self._client, view, config)

    def _provider(
        self, name: str, config: PlatformConfig
    ) -> Generator[Finding, None, PlatformConfig | None]:
        """Find the identity provider; return the completed configuration, None where it fails."""
        settled = [config.oauth.issuer, config.oauth.token_endpoint]
        urls = [config.base_url] if asks_platform(config) else [url for url in settled if url]
        for url in urls:
            yield from self._reach(name, url, config)
        if any(self._is_lost(url, config) for url in urls):
            return None
        key = _question(name, config)
        discovery = self._discoveries.setdefault(key, Discovery(config))
        yield from self._once(name, key, "discovery", discovery.check())
        if discovery.found is None:
            return None
        endpoint = discovery.found.metadata.token_endpoint
        if endpoint:
            yield from self._reach(name, endpoint, config)
        return discovery.found.config

    def _reach(self, name: str, url: str, config: PlatformConfig) -> Iterator[Finding]:
        key = _way(url, config)
        if (name, key) not in self._said:
            self._said.add((name, key))
            yield from self._once(name, key, origin_of(url), network.check(url, config))

    def _is_lost(self, url: str, config: PlatformConfig) -> bool:
        return self._gone[_way(url, config)][1] is Level.FAIL

    def _once(
        self, name: str, key: Hashable, subject: str, findings: Iterable[Finding]
    ) -> Iterator[Finding]:
        if key in self._gone:
            before, level = self._gone[key]
            yield Finding(level, f"{subject}: as for {before}")
            return
        worst = Level.OK
        for finding in findings:
            worst = max(worst, finding.level)
            yield finding
        self._gone[key] = name, worst


def _config(name: str, view: dict[str, Any]) -> PlatformConfig:
    """Return the configuration, with its proxy's password where this person's files tell it."""
    config = Profile.from_mapping(name, view["config"], source=ProfileSource.SESSION).config
    try:
        proxy = Profiles().get(name).config.http_proxy_url
    except PlatformAuthError:
        return config
    is_same = proxy is not None and without_password(proxy) == config.http_proxy_url
    return replace(config, http_proxy_url=proxy) if is_same else config


def _way(url: str, config: PlatformConfig) -> Hashable:
    """Return what makes a difference to whether a server can be reached."""
    how = (config.ca_cert_file_path, config.insecure_skip_verify, config.http_proxy_url)
    return (origin_of(url), *how)


def _question(name: str, config: PlatformConfig) -> Hashable:
    """Return what makes a difference to what discovery finds."""
    if not config.oauth.issuer:
        return name
    return (config.oauth, config.flow, config.scopes, _way(config.oauth.issuer, config))
