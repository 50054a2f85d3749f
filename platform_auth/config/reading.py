"""From settings to a `PlatformConfig`: one rule for all the files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from platform_auth.config.auth_type import AuthType
from platform_auth.config.entries import ENTRIES
from platform_auth.config.model import CHECKS, PlatformConfig
from platform_auth.config.secret_file import read_secret_file
from platform_auth.errors import ConfigError
from platform_auth.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_auth.config.place import Setting
    from platform_auth.config.sources import Source


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
        for entry in ENTRIES:
            found = (source.find(entry) for source in sources)
            setting = next((each for each in found if each is not None), None)
            if setting is not None:
                self.add(entry.field, setting, entry.read(setting))

    def add(self, field: str, setting: Setting, value: object) -> None:
        """Keep a field, unless nothing was said."""
        self.settings[field] = setting
        if value is not None and value != ():
            self.fields[field] = setting.checked(CHECKS[field], value)

    def resolve_secret(self) -> bool:
        """Fetch the secret from where it is kept; tell whether it was kept elsewhere.

        As in flytekit the named environment variable wins over the file, and the file over the secret
        itself; a named variable that is not set counts as not named.
        """
        variable = self.fields.get("client_secret_env_var")
        path = self.fields.get("client_secret_file")
        secret = os.environ.get(variable, "").strip() if variable else ""
        if secret:
            self.fields["client_credentials_secret"] = Secret(secret)
        elif path:
            name = self.settings["client_secret_file"].name
            self.fields["client_credentials_secret"] = self.settings["client_secret_file"].checked(
                lambda path: read_secret_file(path, name), path
            )
        return bool(secret or path)

    def force_client_secret(self) -> None:
        """Set the mode that flytekit takes when the secret is kept elsewhere, whatever was asked."""
        self.fields["auth_mode"] = AuthType.CLIENTSECRET

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
        variable = self.settings.get("client_secret_env_var")
        if variable and "client_credentials_secret" not in self.fields and variable.value:
            yield f"{variable.name} in {variable.place} names {variable.value}, which is not set."
        for field in ("command", "proxy_command"):
            command = self.fields.get(field) or ()
            if len(command) == 1 and " " in command[0].strip():
                setting = self.settings[field]
                yield (
                    f"{setting.name} in {setting.place} is one word with blanks; "
                    "write a list: [program, argument]."
                )
