"""From settings to a `PlatformConfig`: one rule for all the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from .auth_type import AuthType
from .entries import ENTRIES
from .model import CHECKS, PlatformConfig
from .origin import Origin
from .secret_file import read_secret_file, secret_in_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..secret import Secret
    from .setting import Setting
    from .sources import Source


class Reading:
    """The fields that were set, and the settings they came from.

    Parameters
    ----------
    sources
        Where to look; the first that has a setting wins.

    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.fields: dict[str, Any] = {}
        self.settings: dict[str, Setting] = {}
        self.origins: dict[str, Origin] = {}
        for entry in ENTRIES:
            found = [each for source in sources if (each := source.find(entry)) is not None]
            if found:
                self.add(entry.field, found[0], entry.read(found[0]), *found[1:])

    def add(self, field: str, setting: Setting, value: object, *overrode: Setting) -> None:
        """Keep a field, unless nothing was said."""
        self.settings[field] = setting
        self.note(field, setting, *(each.origin for each in overrode))
        if value is not None and value != ():
            self.fields[field] = setting.checked(CHECKS[field], value)

    def note(self, field: str, setting: Setting, *overrode: str) -> None:
        """Remember where a field came from, and what it overrode."""
        self.origins[field] = Origin(setting.origin, overrode)

    def prefer_client_secret(self) -> None:
        """Take the client secret flow when the secret is kept elsewhere, as flytekit does.

        It does so whatever mode was asked for; a variable that is not set does not count.
        """
        variable = self.fields.get("client_secret_env_var", "")
        if secret_in_variable(variable):
            self._sign_in_with("client_secret_env_var")
        elif "client_secret_file" in self.fields:
            self._sign_in_with("client_secret_file")

    def _sign_in_with(self, secret: str) -> None:
        self.fields["auth_mode"] = AuthType.CLIENTSECRET
        asked = self.origins.get("auth_mode")
        others = (asked.place, *asked.overrode) if asked else ()
        self.note("auth_mode", self.settings[secret], *others)

    def fetch_secret(self) -> None:
        """Read a secret that is kept elsewhere.

        Raises
        ------
        ConfigError
            Its file cannot be read; the error says where the file was named.

        """
        for field in ("client_secret_env_var", "client_secret_file"):
            secret = self._secret_at(field) if field in self.fields else None
            if secret:
                self.fields["client_credentials_secret"] = secret
                return

    def _secret_at(self, field: str) -> Secret | None:
        setting, reference = self.settings[field], self.fields[field]
        if field == "client_secret_env_var":
            return secret_in_variable(reference)
        return setting.checked(lambda path: read_secret_file(path, setting.name), reference)

    def config(self) -> PlatformConfig:
        """Return the configuration.

        Raises
        ------
        ConfigError
            The fields do not fit together.

        """
        try:
            return PlatformConfig(**self.fields)
        except ConfigError as error:
            endpoint = self.settings.get("endpoint")
            why = f"{endpoint.name} was found in {endpoint.place}." if endpoint else error.why
            raise ConfigError(error.what, why=why, fix=error.fix) from None

    def warnings(self) -> Iterator[str]:
        """Yield what is allowed but will surprise."""
        variable = self.fields.get("client_secret_env_var")
        others = self.fields.keys() & {"client_credentials_secret", "client_secret_file"}
        if variable and not others and not secret_in_variable(variable):
            setting = self.settings["client_secret_env_var"]
            yield f"{setting.name} in {setting.place} names {variable}, which is not set."
        for field in ("command", "proxy_command"):
            command: tuple[str, ...] = self.fields.get(field, ())
            if len(command) == 1 and " " in command[0].strip():
                setting = self.settings[field]
                yield (
                    f"{setting.name} in {setting.place} is one word with blanks in it. "
                    "Write a list: [program, argument]."
                )
