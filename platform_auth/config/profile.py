"""A named `PlatformConfig`: what a person picks."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .auth_type import AuthType
from .endpoint import without_password
from .entries import ADMIN_KEYS, CONSOLE_KEYS, ENTRIES, FLYTECTL_KEYS, Entry
from .model import DEFAULT_RETRIES, PlatformConfig
from .oauth_settings import CHECKS as OAUTH_CHECKS
from .oauth_settings import OAuthSettings
from .reading import Reading
from .section import Named, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .origin import Origin
    from .setting import Setting

_KEYS = ("admin", "console", "oauth", "client")
_OWN_ADMIN_KEYS = (*ADMIN_KEYS, "rpcRetries")
_LISTS = ("resource", "id_token_algorithms")
_KEYS_OF_CLIENTS = ("private_key", "private_key_file", "identity_token_file")
_FILES = ("private_key_file", "identity_token_file")
_LONGEST_NAME = 64


class ProfileSource(enum.Enum):
    """Who says so: the administrator, the user, Flyte's own files, or code."""

    ADMIN = "admin"
    USER = "user"
    FLYTE = "flyte"
    SESSION = "session"


@dataclass(frozen=True)
class Profile:
    """A platform under a name.

    Parameters
    ----------
    name
        What people call it.
    config
        How to reach it.
    source
        Who says so.
    client
        The client to inject: ``http``, ``grpc``, ``flytekit``, ``flyte`` or a plug-in's name.
    path
        The file it was read from.
    warnings
        What is allowed there but will surprise, in sentences.
    origins
        Where each field that was said came from: of `PlatformConfig`, ``oauth.NAME``, ``client``.
    hides
        Where others of the same name stand, which are not used.

    """

    name: str
    config: PlatformConfig
    source: ProfileSource
    client: str | None = None
    path: str | None = None
    warnings: tuple[str, ...] = ()
    # A line more in the file makes no other profile.
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)
    hides: tuple[str, ...] = field(default=(), compare=False)

    @property
    def locked(self) -> bool:
        """Whether only the administrator can change it."""
        return self.source is ProfileSource.ADMIN

    @classmethod
    def from_mapping(
        cls,
        name: str,
        mapping: Mapping[str, Any],
        *,
        source: ProfileSource,
        path: str | None = None,
    ) -> Profile:
        """Return the profile that a mapping of the YAML shape describes.

        In a profile that came from code (``SESSION``) the secret is given itself: no file and no
        variable of the receiver's is read for the sender.

        Parameters
        ----------
        name
            The profile's name.
        mapping
            ``{admin: {...}, console: {...}, oauth: {...}, client: ...}``.
        source
            Who says so.
        path
            The file it was read from; relative paths in the mapping start at its directory.

        Raises
        ------
        ConfigError
            Something in it is wrong.

        """
        where = path or f"the profile {name!r}"
        document = Named(where, Path(path).absolute().parent if path else None)
        return read_profile(name, Section.of(mapping, document), source, path)

    def to_mapping(self, *, secrets: bool = True) -> dict[str, Any]:
        """Return the YAML shape, ready for JSON; `from_mapping` reads it back.

        A ``SESSION`` profile carries its secret and its private key, but not the file or variable
        these came from, which mean nothing to the receiver.

        Parameters
        ----------
        secrets
            Whether the client secret, its key and the proxy's password ARE SHOWN, in
            ``oauth.client_secret``, ``oauth.private_key`` and ``admin.httpProxyURL``: for the
            broker's private socket only. Without it neither they nor where they are kept is told.

        Raises
        ------
        ConfigError
            The secret is kept elsewhere and cannot be read.

        """
        mapping: dict[str, Any] = {
            "admin": {},
            "console": {},
            "oauth": self._oauth_mapping(secrets=secrets),
        }
        for entry in ENTRIES:
            value = getattr(self.config, entry.field)
            if entry.key and value:
                mapping[entry.block][entry.key] = _plain(value)
        proxy = self.config.http_proxy_url
        if proxy and not secrets:
            mapping["admin"]["httpProxyURL"] = without_password(proxy)
        if self.config.rpc_retries != DEFAULT_RETRIES:
            mapping["admin"]["rpcRetries"] = self.config.rpc_retries
        secret = self.config.client_secret() if secrets else None
        if secret:
            mapping["oauth"]["client_secret"] = secret.reveal()
        if self.source is ProfileSource.SESSION or not secrets:
            mapping["admin"].pop("clientSecretLocation", None)
            mapping["admin"].pop("clientSecretEnvVar", None)
        mapping["client"] = self.client
        return {key: value for key, value in mapping.items() if value}

    def _oauth_mapping(self, *, secrets: bool) -> dict[str, Any]:
        oauth, usual = self.config.oauth, OAuthSettings()
        names = (each.name for each in fields(oauth) if each.name not in _KEYS_OF_CLIENTS)
        changed = (name for name in names if getattr(oauth, name) != getattr(usual, name))
        mapping = {name: _plain(getattr(oauth, name)) for name in changed}
        return mapping | (self._key_mapping() if secrets else {})

    def _key_mapping(self) -> dict[str, Any]:
        oauth, from_code = self.config.oauth, self.source is ProfileSource.SESSION
        key = oauth.signing_key() if from_code else oauth.private_key
        file = None if from_code else oauth.private_key_file
        given = {"private_key": key.reveal() if key else None, "private_key_file": file}
        given["identity_token_file"] = None if from_code else oauth.identity_token_file
        return {name: value for name, value in given.items() if value}


def read_profile(name: str, section: Section, source: ProfileSource, path: str | None) -> Profile:
    """Return the profile that a section of a document describes.

    Raises
    ------
    ConfigError
        Something in it is wrong; the error says where.

    """
    check_name(name)
    warnings = tuple(_check_keys(section))
    reading = Reading([_ProfileSection(section)])
    retries = section.section("admin").setting("rpcRetries")
    if retries:
        reading.add("rpc_retries", retries, retries.count())
    _read_oauth(section.section("oauth"), reading)
    if "endpoint" not in reading.fields:
        what = f"The profile {name!r} has no admin.endpoint."
        why = f"It was found in {section.document.place(section.keys)}."
        raise ConfigError(what, why=why, fix="Add the platform's host and port there.")
    if source is ProfileSource.SESSION:
        _forget_references(reading)
    client = section.setting("client")
    if client:
        reading.note("client", client)
    return Profile(
        name=name,
        config=reading.config(),
        source=source,
        client=client.text() if client else None,
        path=path,
        warnings=(*warnings, *reading.warnings()),
        origins=reading.origins,
    )


def check_name(name: object) -> str:
    """Return a name that can stand in a URL, a file and a sentence.

    Raises
    ------
    ConfigError
        It is not a string of 1 to 64 printable characters, or holds a slash.

    """
    if not isinstance(name, str):
        what = f"The profile name {name!r} is not a string."
        raise ConfigError(what, fix="Quote it: '…'.")
    fits = 0 < len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()
    if not fits or name in {".", ".."} or set(name) & set("/\\"):
        what = f"{name!r} cannot be the name of a profile."
        fix = f"Use 1 to {_LONGEST_NAME} printable characters, no slash, no blanks at the ends."
        raise ConfigError(what, fix=fix)
    return name


class _ProfileSection:
    """A profile as a source of settings."""

    def __init__(self, section: Section) -> None:
        self._section = section

    def find(self, entry: Entry) -> Setting | None:
        if entry.field == "client_credentials_secret":
            return self._section.section("oauth").setting("client_secret")
        return self._section.section(entry.block).setting(entry.key) if entry.key else None


def _check_keys(section: Section) -> Iterator[str]:
    """Refuse unknown keys; yield a warning for each that only flytectl would use."""
    admin, console, oauth = (section.section(key) for key in ("admin", "console", "oauth"))
    own = (
        (section, _KEYS),
        (admin, _OWN_ADMIN_KEYS),
        (console, CONSOLE_KEYS),
        (oauth, (*OAUTH_CHECKS, "client_secret")),
    )
    for part, known in own:
        for error in part.unknown(known, besides=FLYTECTL_KEYS if part is admin else ()):
            raise error
    for key in FLYTECTL_KEYS:
        if setting := admin.setting(key):
            yield f"{setting.name} in {setting.place} has no effect here: only flytectl reads it."


def _read_oauth(section: Section, reading: Reading) -> None:
    given: dict[str, Any] = {}
    for name, check in OAUTH_CHECKS.items():
        setting = section.setting(name)
        value = None if setting is None else _oauth_value(name, setting)
        if setting is not None and value:
            given[name] = setting.checked(check, value)
            reading.note(f"oauth.{name}", setting)
    if given:
        reading.fields["oauth"] = OAuthSettings(**given)


def _oauth_value(name: str, setting: Setting) -> str | tuple[str, ...] | None:
    if name in _LISTS:
        return setting.items(separator="")
    return setting.path() if name in _FILES else setting.text()


def _forget_references(reading: Reading) -> None:
    for name in ("client_secret_file", "client_secret_env_var"):
        if reading.fields.pop(name, None) and "client_credentials_secret" not in reading.fields:
            what = f"{reading.settings[name].name} is not read for a profile that came from code."
            raise ConfigError(what, fix="Send the secret itself, as oauth.client_secret.")
    oauth = reading.fields.get("oauth")
    if oauth is not None and oauth.private_key_file:
        what = "oauth.private_key_file is not read for a profile that came from code."
        raise ConfigError(what, fix="Send the key itself, as oauth.private_key.")
    if oauth is not None and oauth.identity_token_file:
        what = "oauth.identity_token_file is not read for a profile that came from code."
        raise ConfigError(what, fix="Put the profile into profiles.yaml where its broker runs.")


def _plain(value: object) -> object:
    if isinstance(value, AuthType):
        return value.value
    return list(value) if isinstance(value, tuple) else value
