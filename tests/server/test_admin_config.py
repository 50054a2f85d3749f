from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from jupyter_core import paths

from platform_auth.errors import ConfigError
from platform_auth.server import admin_config
from platform_auth.server.admin_config import admin_directories, load_admin_config

OWN = "jupyter_platform_auth_config.py"


def _write(path: str, text: str) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _all(path: str) -> Any:
    return True


def test_reads_both_kinds_of_both_files(tmp_path: Path) -> None:
    _write(tmp_path / OWN, "c.PlatformAuth.default_profile = 'a'; c.PlatformAuth.store = 'b'")
    json_file = tmp_path / "jupyter_server_config.json"
    _write(json_file, '{"PlatformAuth": {"default_profile": "json"}, "ServerApp": {"port": 1}}')
    section = load_admin_config([tmp_path], is_protected=_all)

    assert section == {"default_profile": "json", "store": "b"}


def test_the_more_important_directory_wins(tmp_path: Path) -> None:
    for name in ("low", "high"):
        _write(tmp_path / name / OWN, f"c.PlatformAuth.default_profile = {name!r}")
    section = load_admin_config([tmp_path / "low", tmp_path / "high"], is_protected=_all)

    assert section["default_profile"] == "high"


def test_without_files_there_is_nothing(tmp_path: Path) -> None:
    assert not load_admin_config([tmp_path, tmp_path / "none"], is_protected=_all)


def test_files_that_others_can_change_are_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    _write(tmp_path / OWN, f"open({str(ran)!r}, 'w'); c.PlatformAuth.default_profile = 'a'")
    asked = []
    section = load_admin_config([tmp_path], is_protected=lambda path: bool(asked.append(path)))

    assert asked == [tmp_path / OWN]
    assert not section
    assert not ran.exists()


@pytest.mark.parametrize("text", ["c.PlatformAuth.profiles = {", "raise ValueError('tops3cret')"])
def test_a_broken_file_is_an_error_without_its_text(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path / OWN, text)
    with pytest.raises(ConfigError) as caught:
        load_admin_config([tmp_path], is_protected=_all)

    assert str(path) in str(caught.value)
    assert "tops3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


class TestOwnership:
    @pytest.fixture
    def owned(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Let what is below a directory look as if it were root's, the way to it included."""
        monkeypatch.setattr(admin_config, "_only_root_writes", self._as_root)
        return _write(tmp_path / "etc" / OWN, "")

    @staticmethod
    def _as_root(status: int) -> Any:
        sticky = status.st_mode & 0o1000  # /tmp itself, on the way to the test's directory
        return bool(sticky) or not status.st_mode & 0o022

    def test_roots_file_counts(self, owned: Any) -> None:
        owned.parent.chmod(0o755)
        owned.chmod(0o644)
        assert admin_config._is_protected(owned)

    @pytest.mark.parametrize("mode", [0o664, 0o646])
    def test_a_file_that_others_may_write_does_not(self, owned: Any, mode: Any) -> None:
        owned.parent.chmod(0o755)
        owned.chmod(mode)
        assert not admin_config._is_protected(owned)

    def test_nor_does_one_in_a_directory_that_others_may_write(self, owned: Any) -> None:
        owned.parent.chmod(0o775)
        owned.chmod(0o644)
        assert not admin_config._is_protected(owned)

    def test_nor_does_a_link_to_such_a_file(self, owned: Any, tmp_path: Path) -> None:
        owned.parent.chmod(0o755)
        target = _write(tmp_path / "open" / "file.py", "")
        target.parent.chmod(0o777)
        owned.unlink()
        owned.symlink_to(target)
        assert not admin_config._is_protected(owned)


def test_only_root_is_trusted() -> None:
    mine = os.stat_result((0o100644, 0, 0, 1, 1000, 1000, 0, 0, 0, 0))
    roots = os.stat_result((0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0))

    assert not admin_config._only_root_writes(mine)
    assert admin_config._only_root_writes(roots)


class TestDirectories:
    @pytest.fixture(autouse=True)
    def machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        self.home, self.etc = tmp_path / "home", tmp_path / "etc" / "jupyter"
        monkeypatch.setenv("HOME", str(self.home))
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(paths, "SYSTEM_CONFIG_PATH", [str(self.etc)])
        monkeypatch.setattr(paths, "ENV_CONFIG_PATH", [str(tmp_path / "env")])

    def test_the_home_is_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        more = os.pathsep.join([str(self.home / "mine"), str(tmp_path / "extra")])
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", more)
        found = admin_directories()

        assert not [place for place in found if place.is_relative_to(self.home)]
        assert (found[0], found[-1]) == (self.etc, tmp_path / "extra")

    def test_so_is_the_users_own_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "own"))

        assert tmp_path / "own" not in admin_directories()

    def test_nobody_can_hide_the_systems(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")

        assert admin_directories() == [self.etc]

    def test_a_home_that_is_everything_hides_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "home", lambda: Path("/"))

        assert self.etc in admin_directories()
