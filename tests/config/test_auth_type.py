from __future__ import annotations

from typing import Any

import pytest

from platform_auth.config import AuthType
from platform_auth.errors import ConfigError

FLOWS = {
    "pkce": ["standard", "Pkce", "pkce", "PKCE", " Pkce "],
    "client_credentials": [
        *("basic", "client_credentials", "ClientSecret", "clientsecret", "CLIENT_CREDENTIALS"),
        *("client-secret", "client_secret", "app-credential", "app_credential", "App-Credential"),
    ],
    "command": [
        *("external_process", "ExternalCommand", "externalcommand", "external-command"),
        *("external_command", "command", "custom", "EXTERNAL_PROCESS"),
    ],
    "device": ["DeviceFlow", "deviceflow", "device-flow", "device_flow", "headless", "Headless"],
}


@pytest.mark.parametrize(
    ("flow", "name"), [(f, name) for f, names in FLOWS.items() for name in names]
)
def test_every_alias_selects_its_flow(flow: str, name: str) -> None:
    assert AuthType.parse(name).flow == flow


def test_the_eight_names_and_values_are_flytekits() -> None:
    from flytekit.configuration import AuthType as Theirs

    assert {mode.name: mode.value for mode in AuthType} == {
        mode.name: mode.value for mode in Theirs
    }
    for mode in AuthType:
        assert (
            AuthType.parse(mode) is AuthType.parse(mode.name) is AuthType.parse(mode.value) is mode
        )


@pytest.mark.parametrize("name", ["none", "", "Passthrough", "pkcee", "client", None, 3])
def test_anything_else_is_refused_with_the_list(name: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        AuthType.parse(name)
    assert repr(name) in caught.value.what
    for accepted in ("Pkce", "ClientSecret", "DeviceFlow", "ExternalCommand", "headless", "custom"):
        assert accepted in caught.value.fix
