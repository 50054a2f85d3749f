"""The ways to authenticate, under every name that Flyte's tools give them."""

from __future__ import annotations

import enum

from ..errors import ConfigError

_FLOWS = {
    "STANDARD": "pkce",
    "PKCE": "pkce",
    "BASIC": "client_credentials",
    "CLIENT_CREDENTIALS": "client_credentials",
    "CLIENTSECRET": "client_credentials",
    "EXTERNAL_PROCESS": "command",
    "EXTERNALCOMMAND": "command",
    "DEVICEFLOW": "device",
}


class AuthType(enum.Enum):
    """How to get tokens: flytekit's names and values, four flows behind them."""

    STANDARD = "standard"
    BASIC = "basic"
    CLIENT_CREDENTIALS = "client_credentials"
    EXTERNAL_PROCESS = "external_process"
    CLIENTSECRET = "ClientSecret"
    PKCE = "Pkce"
    EXTERNALCOMMAND = "ExternalCommand"
    DEVICEFLOW = "DeviceFlow"

    @classmethod
    def parse(cls, text: str | AuthType) -> AuthType:
        """Return the mode of that name.

        Case and the separators ``-``, ``_`` and blank do not matter. Besides flytekit's eight names
        the words of the ``flyte`` command line are known: ``client-secret``, ``app-credential``,
        ``headless``, ``device-flow``, ``external-command``, ``command`` and ``custom``.

        Raises
        ------
        ConfigError
            The name is not known; the error lists those that are.

        """
        if isinstance(text, AuthType):
            return text
        found = _BY_NAME.get(_normal(str(text)))
        if found is None:
            what = f"{text!r} is not an authentication mode."
            raise ConfigError(what, fix=f"Use one of {ACCEPTED} (in any case).")
        return found

    @property
    def flow(self) -> str:
        """The flow behind it: ``pkce``, ``client_credentials``, ``command`` or ``device``."""
        return _FLOWS[self.name]


def _normal(name: str) -> str:
    return name.strip().lower().translate(str.maketrans("", "", "-_ "))


# The first name of each row is the one flytekit's own files use.
_NAMES: dict[AuthType, tuple[str, ...]] = {
    AuthType.PKCE: ("Pkce",),
    AuthType.STANDARD: ("standard",),
    AuthType.DEVICEFLOW: ("DeviceFlow", "device-flow", "headless"),
    AuthType.CLIENTSECRET: ("ClientSecret", "client-secret", "app-credential"),
    AuthType.CLIENT_CREDENTIALS: ("client_credentials",),
    AuthType.BASIC: ("basic",),
    AuthType.EXTERNALCOMMAND: ("ExternalCommand", "external-command", "command", "custom"),
    AuthType.EXTERNAL_PROCESS: ("external_process",),
}
_BY_NAME = {_normal(name): mode for mode, names in _NAMES.items() for name in names}
ACCEPTED = ", ".join(name for names in _NAMES.values() for name in names)
