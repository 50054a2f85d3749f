"""What importing the package costs a kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import platform_auth.config as package

CODE = """
import sys
from platform_auth.config import AuthType, OAuthSettings, PlatformConfig, Policy, Profile
from platform_auth.config import Profiles, ProfileSource
print(*({"yaml", "configparser", "difflib", "jupyter_core", "flytekit"} & sys.modules.keys()))
profile = Profile.from_mapping("x", {"admin": {"endpoint": "host"}}, source=ProfileSource.USER)
assert profile.config.base_url == "https://host"
print(*({"yaml", "configparser", "difflib"} & sys.modules.keys()))
"""


def test_nothing_heavy_comes_with_the_package() -> None:
    root = Path(package.__file__).parents[2]
    run = [sys.executable, "-c", CODE]
    done = subprocess.run(run, check=True, capture_output=True, text=True, cwd=root)
    assert done.stdout == "\n\n"


def test_the_public_names_are_there_and_no_others() -> None:
    assert {name: getattr(package, name).__name__ for name in package.__all__} == {
        name: name for name in package.__all__
    }
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'Profil'"):
        _ = package.Profil
