"""What the administrator allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigError, PolicyError
from .endpoint import Endpoint
from .profile import ProfileSource

if TYPE_CHECKING:
    from .profile import Profile

_ASK = "Ask the administrator of this server, who sets c.PlatformAuth.{}."


@dataclass(frozen=True)
class Policy:
    """What may be reached, and how.

    The ``allow_*`` rules bind what users, their files and their code say; `allowed_endpoints` binds
    the administrator's own profiles, too.

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

    Raises
    ------
    ConfigError
        `allowed_endpoints` holds something that is none of these.

    """

    allowed_endpoints: tuple[str, ...] | None = None
    allow_user_profiles: bool = True
    allow_insecure: bool = True
    allow_commands: bool = True

    def __post_init__(self) -> None:
        given: object = self.allowed_endpoints
        if given is None:
            return
        if not isinstance(given, list | tuple | set | frozenset):
            what = "allowed_endpoints is not a list."
            raise ConfigError(what, fix=f"Write [{given!r}].")
        patterns = tuple(given)
        object.__setattr__(self, "allowed_endpoints", patterns)
        for pattern in patterns:
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
        self.check_url(profile.config.base_url, profile.name)

    def check_own(self) -> None:
        """Let users have profiles of their own.

        Raises
        ------
        PolicyError
            They may not.

        """
        if not self.allow_user_profiles:
            what = "You may not have profiles of your own on this server."
            raise _refused(what, "allow_user_profiles")

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
        allowed = ", ".join(self.allowed_endpoints) or "nothing"
        why = f"The administrator's policy allowed_endpoints lists {allowed}."
        raise PolicyError(what, why=why, fix=_ASK.format("allowed_endpoints"))

    def _check_source(self, profile: Profile) -> None:
        if not self.allow_user_profiles:
            what = (
                f"The profile {profile.name!r} ({profile.config.host}) is not the administrator's."
            )
            raise _refused(what, "allow_user_profiles")

    def _check_insecure(self, profile: Profile) -> None:
        config = profile.config
        in_clear = config.base_url.startswith("http://") or config.insecure
        remote = not Endpoint.parse(config.endpoint).is_loopback
        if not self.allow_insecure and (config.insecure_skip_verify or (in_clear and remote)):
            what = (
                f"The profile {profile.name!r} would speak to {config.host} without verified TLS."
            )
            raise _refused(what, "allow_insecure")

    def _check_commands(self, profile: Profile) -> None:
        # Refused even where another flow is set: the flow can be chosen at sign-in.
        if not self.allow_commands and (profile.config.command or profile.config.proxy_command):
            what = f"The profile {profile.name!r} ({profile.config.host}) would run a program."
            raise _refused(what, "allow_commands")


def _refused(what: str, rule: str) -> PolicyError:
    return PolicyError(what, why=f"The policy {rule} is off.", fix=_ASK.format(rule))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One entry of the list, taken apart."""

    text: str  # the host, its ending, or nothing for any
    is_ending: bool
    scheme: str | None
    port: int | None

    @classmethod
    def parse(cls, entry: object) -> _Pattern:
        if not isinstance(entry, str):
            what = f"allowed_endpoints holds {entry!r}, which is not a string."
            raise ConfigError(what, fix="Quote it.")
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
