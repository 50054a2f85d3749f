"""What the administrator allows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConfigError, PolicyError
from .endpoint import Endpoint
from .profile import ProfileSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .profile import Profile

_ASK = "Ask the administrator of this server, who sets c.PlatformAuth.{rule}."


@dataclass(frozen=True)
class Policy:
    """What may be reached, and how.

    The ``allow_*`` rules bind what users, their files and their code say; the lists (``allowed_*``)
    bind the administrator's own profiles, too.

    Parameters
    ----------
    allowed_endpoints
        Hosts, ``host:port`` or URLs; ``*.example.com`` stands for every host below example.com (not
        for itself), ``*`` for any. None for no limit, empty for nothing at all.
    allow_user_profiles
        Whether there may be profiles that the administrator did not write.
    allow_insecure
        Whether plaintext (but to this machine itself) and unverified certificates are accepted.
    allow_commands
        Whether programs may be run to get a token.
    allowed_flows
        The only flows by which anybody may sign in, ``pkce`` or ``device``; None for all.
    allowed_scopes
        The only scopes that any sign-in may ask for; None for all.
    ask
        What a refusal tells a person to do; ``{rule}`` stands for the rule's name.

    Raises
    ------
    ConfigError
        One of the lists holds something that is none of these.

    """

    allowed_endpoints: tuple[str, ...] | None = None
    allow_user_profiles: bool = True
    allow_insecure: bool = True
    allow_commands: bool = True
    allowed_flows: tuple[str, ...] | None = None
    allowed_scopes: tuple[str, ...] | None = None
    ask: str = field(default=_ASK, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("allowed_endpoints", "allowed_flows", "allowed_scopes"):
            given: object = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _listed(given, name))
        for pattern in self.allowed_endpoints or ():
            _Pattern.parse(pattern)

    def check(self, profile: Profile) -> None:
        """Let a profile pass.

        Raises
        ------
        PolicyError
            The policy refuses it; the error names the host and the rule.

        """
        if profile.source is not ProfileSource.ADMIN:
            self._check_source(profile)
            self._check_insecure(profile)
            self._check_commands(profile)
        self.check_flow(profile.config.flow, profile.name)
        self.check_scopes(profile.config.scopes, profile.name)
        self.check_url(profile.config.base_url, profile.name)

    def check_flow(self, flow: str, profile_name: str) -> None:
        """Let a flow pass: a profile's own, or one that is chosen at sign-in.

        Raises
        ------
        PolicyError
            It is not among `allowed_flows`.

        """
        if self.allowed_flows is not None and flow not in self.allowed_flows:
            raise self._not_listed(
                f"The profile {profile_name!r} may not sign in by the flow {flow}.",
                "allowed_flows",
                self.allowed_flows,
            )

    def check_scopes(self, scopes: Iterable[str], profile_name: str) -> None:
        """Let scopes pass: a profile's own, or what its platform asks for where it has none.

        Raises
        ------
        PolicyError
            One is not among `allowed_scopes`.

        """
        if self.allowed_scopes is None:
            return
        above = [each for each in scopes if each not in self.allowed_scopes]
        if above:
            what = f"The profile {profile_name!r} may not ask for {', '.join(above)}."
            raise self._not_listed(what, "allowed_scopes", self.allowed_scopes)

    def check_own(self) -> None:
        """Let users have profiles of their own.

        Raises
        ------
        PolicyError
            They may not.

        """
        if not self.allow_user_profiles:
            what = "You may not have profiles of your own on this server."
            raise self._refused(what, "allow_user_profiles")

    def check_url(self, url: str, profile_name: str) -> None:
        """Let a URL of a profile pass: the platform's, or the identity provider's.

        Raises
        ------
        PolicyError
            Its host is not among `allowed_endpoints`.

        """
        if self.allowed_endpoints is None:
            return
        address = Endpoint.of_url(url)
        if any(_Pattern.parse(pattern).matches(address) for pattern in self.allowed_endpoints):
            return
        what = f"The profile {profile_name!r} may not reach {address.authority}."
        raise self._not_listed(what, "allowed_endpoints", self.allowed_endpoints)

    def _check_source(self, profile: Profile) -> None:
        if not self.allow_user_profiles:
            what = (
                f"The profile {profile.name!r} ({profile.config.host}) is not the administrator's."
            )
            raise self._refused(what, "allow_user_profiles")

    def _check_insecure(self, profile: Profile) -> None:
        config = profile.config
        in_clear = config.base_url.startswith("http://") or config.insecure
        remote = not Endpoint.parse(config.endpoint).is_loopback
        if not self.allow_insecure and (config.insecure_skip_verify or (in_clear and remote)):
            what = (
                f"The profile {profile.name!r} would speak to {config.host} without verified TLS."
            )
            raise self._refused(what, "allow_insecure")

    def _check_commands(self, profile: Profile) -> None:
        # Refused even where another flow is set: the flow can be chosen at sign-in.
        if not self.allow_commands and (profile.config.command or profile.config.proxy_command):
            what = f"The profile {profile.name!r} ({profile.config.host}) would run a program."
            raise self._refused(what, "allow_commands")

    def _refused(self, what: str, rule: str) -> PolicyError:
        return PolicyError(what, why=f"The policy {rule} is off.", fix=self.ask.format(rule=rule))

    def _not_listed(self, what: str, rule: str, allowed: Iterable[str]) -> PolicyError:
        why = f"The administrator's policy {rule} lists {', '.join(allowed) or 'nothing'}."
        return PolicyError(what, why=why, fix=self.ask.format(rule=rule))


def _listed(given: object, rule: str) -> tuple[str, ...]:
    if not isinstance(given, list | tuple | set | frozenset):
        raise ConfigError(f"{rule} is not a list.", fix=f"Write [{given!r}].")
    for each in given:
        if not isinstance(each, str):
            raise ConfigError(f"{rule} holds {each!r}, which is not a string.", fix="Quote it.")
    return tuple(given)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One entry of the list, taken apart."""

    text: str  # the host, its ending, or nothing for any
    is_ending: bool
    scheme: str | None
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> _Pattern:
        scheme, slashes, rest = entry.strip().rpartition("://")
        # A whole label * is taken off before the rest is read as an address.
        wild = re.match(r"\*(\.|(?=:|/|$))", rest)
        host = rest[wild.end() :] if wild else rest
        nameless = wild is not None and (not host or host[0] in ":/")
        try:
            address = Endpoint.parse(f"{scheme}{slashes}{'any' if nameless else ''}{host}")
        except ConfigError:
            what = f"allowed_endpoints holds {entry!r}, which is not understood."
            fix = "Use host, host:port, https://host or *.example.com."
            raise ConfigError(what, fix=fix) from None
        text = "" if nameless else f".{address.host}" if wild else address.host
        port = address.effective_port() if address.scheme else address.port
        return cls(text, wild is not None, address.scheme, port)

    def matches(self, address: Endpoint) -> bool:
        """Whether an address with a scheme is meant."""
        if self.scheme not in (None, address.scheme):
            return False
        if self.port not in (None, address.effective_port()):
            return False
        return address.host.endswith(self.text) if self.is_ending else address.host == self.text
