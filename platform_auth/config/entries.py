"""Flyte's settings under the three names each has: YAML key, INI option, environment variable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .setting import Setting

if TYPE_CHECKING:
    from collections.abc import Callable

# What flytectl's configuration knows besides, in the same ``admin:`` block; it means nothing here.
FLYTECTL_KEYS = (
    "authorizationHeader",
    "authorizationServerUrl",
    "defaultOrg",
    "defaultServiceConfig",
    "deviceFlowConfig",
    "disableKeyring",
    "maxBackoffDelay",
    "maxMessageSizeBytes",
    "maxRetries",
    "perRetryTimeout",
    "pkceConfig",
    "tokenRefreshWindow",
    "tokenUrl",
    "useAudienceFromAdmin",
    "useAuth",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting.

    Parameters
    ----------
    field
        The field of `PlatformConfig`.
    read
        How its value is read.
    section, option
        Where it stands in an INI file; the environment variable is ``FLYTE_{SECTION}_{OPTION}``.
    block, key
        Where it stands in a YAML file; no key where flytekit has none.

    """

    field: str
    read: Callable[[Setting], Any]
    section: str
    option: str
    block: str = "admin"
    key: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"FLYTE_{self.section}_{self.option}".upper()


def _platform(field: str, read: Callable[[Setting], Any], key: str, option: str = "") -> Entry:
    return Entry(field, read, "platform", option or field, key=key)


def _credentials(
    field: str, read: Callable[[Setting], Any], key: str | None, option: str = ""
) -> Entry:
    return Entry(field, read, "credentials", option or field, key=key)


ENTRIES = (
    _platform("endpoint", Setting.text, "endpoint", "url"),
    _platform("insecure", Setting.flag, "insecure"),
    _platform("insecure_skip_verify", Setting.flag, "insecureSkipVerify"),
    _platform("ca_cert_file_path", Setting.path, "caCertFilePath"),
    Entry("console_endpoint", Setting.text, "platform", "console_endpoint", "console", "endpoint"),
    _credentials("command", Setting.items, "command"),
    _credentials("proxy_command", Setting.items, "proxyCommand"),
    _credentials("client_id", Setting.text, "clientId"),
    _credentials("client_credentials_secret", Setting.text, None, "client_secret"),
    _credentials(
        "client_secret_file", Setting.path, "clientSecretLocation", "client_secret_location"
    ),
    _credentials("client_secret_env_var", Setting.text, "clientSecretEnvVar"),
    _credentials("scopes", Setting.items, "scopes"),
    _credentials("auth_mode", Setting.text, "authType"),
    _credentials("audience", Setting.text, "audience"),
    _platform("http_proxy_url", Setting.text, "httpProxyURL"),
)
ADMIN_KEYS = tuple(entry.key for entry in ENTRIES if entry.block == "admin" and entry.key)
CONSOLE_KEYS = ("endpoint",)
