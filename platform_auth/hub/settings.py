"""What an administrator says about the service: its profiles, its policy, its database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..broker.audit import FILES, MAX_BYTES
from ..broker.sign_in import TIMEOUT
from ..broker.stores.private_file import read_private, write_private
from ..config import Policy, Profiles
from ..config.section import did_you_mean
from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DATABASE_VARIABLE: Final = "PLATFORM_AUTH_DATABASE_URL"
"""The database's address, where the settings do not say it."""

DEFAULT_DATABASE: Final = "sqlite:///platform_auth.sqlite"
"""In the service's working directory, as the Hub's own is."""

FILE: Final = "platform_auth_service.json"
"""The file by which the Hub hands its settings to the service that it starts."""

_LONGEST_SIGN_IN: Final = 3600
# A program of a user's would run where everybody's tokens are.
_STRICT: Final[dict[str, Any]] = {
    "allow_user_profiles": False,
    "allow_commands": False,
    "ask": "Ask the Hub's administrator, who sets {rule} for its service platform-auth.",
}
_POLICY: Final = tuple(
    each.name for each in fields(Policy) if each.name not in {"allow_commands", "ask"}
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The service's settings.

    Parameters
    ----------
    profiles
        For everybody: name -> the shape of ``profiles.yaml``.
    default_profile
        The one to use where none is named.
    database_url
        Where sessions are kept: PostgreSQL, or SQLite for a small Hub.
    public_url
        The service's address as people see it in their browsers; None to take it from the request.
    sign_in_timeout
        Seconds a person has to finish a sign-in.
    refresh_margin
        See `Broker`.
    audit_file
        The file of the audit log, ``-`` for standard error; None for no such log.
    audit_max_bytes, audit_files
        Bytes at which the file is put aside, and how many of those are kept.
    policy
        What users may do. By default they have no profiles of their own here.
    variables
        Variables of the environment that profiles name, where they come with the settings.

    Raises
    ------
    ConfigError
        One of them cannot be used.

    """

    profiles: Mapping[str, Any] = field(repr=False)
    default_profile: str | None = None
    database_url: str = field(default="", repr=False)
    public_url: str | None = None
    sign_in_timeout: float = TIMEOUT
    refresh_margin: float | None = None
    audit_file: str | None = None
    audit_max_bytes: int = MAX_BYTES
    audit_files: int = FILES
    policy: Policy = field(default_factory=lambda: Policy(**_STRICT))
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        given: object = self.profiles
        if not isinstance(given, dict) or not given:
            what = "The service has no profiles, so there is nothing to sign in to."
            raise ConfigError(what, fix='Give it some: profiles={"prod": {"admin": {...}}}.')
        seconds: object = self.sign_in_timeout
        if not isinstance(seconds, int | float) or not 1 <= seconds <= _LONGEST_SIGN_IN:
            raise ConfigError("sign_in_timeout is not a number of seconds from 1 to 3600.")
        if self.public_url is not None:
            _check_public_url(self.public_url)
        _check_audit(self)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """Return the settings that a mapping holds, the policy's rules among them.

        Raises
        ------
        ConfigError
            It holds something else, or something that cannot be used.

        """
        known = [each.name for each in fields(cls) if each.name != "policy"]
        for name in given:
            if name not in {*known, *_POLICY}:
                fix = did_you_mean(name, (*known, *_POLICY)) or f"Use {', '.join(known)}."
                raise ConfigError(f"The service has no setting {name!r}.", fix=fix)
        rules = {name: given[name] for name in _POLICY if name in given}
        policy = Policy(**{**_STRICT, **rules})
        own = {name: value for name, value in given.items() if name in known}
        own["database_url"] = _database_url(own.get("database_url"))
        return cls(**{"profiles": {}, **own}, policy=policy)

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Return the settings of a file: JSON, or YAML if its name says so.

        Raises
        ------
        ConfigError
            There is no such file, or it holds something else.
        UnsafeFileError
            It is the Hub's own to the service, and others can get at it.

        """
        given = _parsed(path)
        if not isinstance(given, dict):
            raise ConfigError(f"{path} does not hold the settings of the service, a mapping.")
        return cls.of(given)

    @property
    def callback_url(self) -> str | None:
        """The redirect URI, where the public address is configured."""
        public = self.public_url or os.environ.get("JUPYTERHUB_PUBLIC_URL")
        return f"{public.rstrip('/')}/callback" if public else None

    def read_profiles(self) -> Profiles:
        """Return the profiles, with no file of whoever runs the service."""
        return Profiles(
            admin=dict(self.profiles),
            default=self.default_profile,
            policy=self.policy,
            user_file=None,
            flyte=False,
        )


def hand_over(given: Mapping[str, Any], directory: Path) -> Path:
    """Write settings to a file for the service that the Hub starts, which nobody else can read."""
    path = directory / FILE
    variables = {name: os.environ[name] for name in _wanted(given) if name in os.environ}
    write_private(path, json.dumps({**given, "variables": variables}, default=str).encode())
    return path


def _wanted(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the variables that the service needs: the Hub gives its services few of its own."""
    from ..broker.stores.keys import VARIABLE

    yield from (VARIABLE, f"{VARIABLE}_FILE", DATABASE_VARIABLE, "SSL_CERT_FILE", "SSL_CERT_DIR")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        yield from (name, name.lower())
    for profile in dict(given.get("profiles") or {}).values():
        admin = profile.get("admin") if isinstance(profile, dict) else None
        named = admin.get("clientSecretEnvVar") if isinstance(admin, dict) else None
        if isinstance(named, str):
            yield named


def _parsed(path: Path) -> object:
    import yaml

    kind = "YAML" if path.suffix in {".yaml", ".yml"} else "JSON"
    try:
        text = _text(path)
        return yaml.safe_load(text) if kind == "YAML" else json.loads(text)
    except OSError as error:
        why = error.strerror or ""
        raise ConfigError(f"The settings {path} cannot be read.", why=why) from None
    except (ValueError, yaml.YAMLError):  # whose text may quote a secret of the file
        raise ConfigError(f"The settings {path} are no {kind}.", fix="Correct the file.") from None


def _text(path: Path) -> str:
    if path.name != FILE:
        return path.read_text(encoding="utf-8")
    content = read_private(path)
    if content is None:
        raise ConfigError(f"There are no settings {path}.", fix="Restart the Hub: it writes them.")
    return content.decode()


def _database_url(given: object) -> str:
    url = given or os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE
    if not isinstance(url, str):
        raise ConfigError("database_url is not a string.")
    return url


def _check_public_url(url: object) -> None:
    parts = urlsplit(url if isinstance(url, str) else "")
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"public_url is {url!r}, which no address can begin with.",
            fix="Write https://hub.example.com/services/platform-auth/, as people see it.",
        )


def _check_audit(settings: Settings) -> None:
    file: object = settings.audit_file
    if file is not None and (not isinstance(file, str) or not file):
        raise ConfigError("audit_file is no name of a file.", fix="Write - for standard error.")
    for name, least in (("audit_max_bytes", 4096), ("audit_files", 0)):
        number: object = getattr(settings, name)
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise ConfigError(f"{name} is no whole number of at least {least}.")
