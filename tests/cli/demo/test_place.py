from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from platform_auth.cli.demo import notebooks as module
from platform_auth.cli.demo.place import Place
from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = {"demo": {"admin": {"endpoint": "127.0.0.1"}, "oauth": {"client_secret": "hunter2"}}}
SETTINGS = {"ServerApp.open_browser": False, "IdentityProvider.token": "letmein"}


def test_what_is_in_it() -> None:
    with Place(PROFILES, SETTINGS) as place:
        shape = json.loads((place.root / "profiles.yaml").read_text())
        assert shape == {"default": "demo", "profiles": PROFILES}
        config = (place.root / "config/jupyter_server_config.py").read_text()
        assert "c.ServerApp.open_browser = False\n" in config
        assert "c.IdentityProvider.token = 'letmein'\n" in config
        sources = module.notebooks()
        assert (sources[0].name, place.notebook.name) == ("quickstart.ipynb", "quickstart.ipynb")
        copies = {path.name: path.read_bytes() for path in place.work.iterdir()}
        assert copies == {path.name: path.read_bytes() for path in sources}
        assert {"pkce.ipynb", "device.ipynb"} < copies.keys()


def test_nobody_else_can_read_it() -> None:
    with Place(PROFILES, SETTINGS) as place:
        assert stat.S_IMODE(place.root.stat().st_mode) == 0o700
        for name in ("profiles.yaml", "config/jupyter_server_config.py"):
            assert stat.S_IMODE((place.root / name).stat().st_mode) == 0o600


def test_nothing_is_left_of_it() -> None:
    with Place(PROFILES, SETTINGS) as place:
        assert place.root.exists()
    assert not place.root.exists()


def test_its_programs_see_nothing_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {
        "PLATFORM_AUTH_BROKER": "unix:///theirs",
        "PLATFORM_AUTH_PROFILE": "prod",
        "JUPYTER_TOKEN": "theirs",
        "JUPYTERHUB_API_TOKEN": "theirs",
        "JPY_PARENT_PID": "1",
        "FLYTE_PLATFORM_URL": "flyte.example.com",
        "FLYTECTL_CONFIG": "/theirs",
    }
    for name, value in {**theirs, "JUPYTER_PATH": "/opt/kernels"}.items():
        monkeypatch.setenv(name, value)
    with Place(PROFILES, SETTINGS) as place:
        seen = place.environment()
        assert not theirs.keys() & seen.keys()
        assert seen["JUPYTER_PATH"] == "/opt/kernels"
        assert seen["PLATFORM_AUTH_CONFIG"] == str(place.root / "profiles.yaml")
        own = {name for name, value in seen.items() if value.startswith(str(place.root))}
    assert own > {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"}


def test_an_installation_without_the_notebook(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_PLACES", (tmp_path,))
    with pytest.raises(ConfigError, match="lacks"):
        module.notebooks()
