"""``platform-auth demo --check``, and what it prints when all is well."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECONDS: Final = 180


def run_check(program: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it, and return how it ended.

    Parameters
    ----------
    program
        How ``platform-auth`` is called.
    env
        Its whole environment.

    """
    return subprocess.run(
        [*program, "demo", "--check"],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def assert_all_is_well(found: subprocess.CompletedProcess[str]) -> None:
    """Fail unless somebody signed in, every cell showed what it should, and no token leaked."""
    assert found.returncode == 0, found.stdout + found.stderr
    assert not found.stderr
    assert "> %platform_login\n  Sign in to 127.0.0.1:" in found.stdout
    assert "Signed in to 127.0.0.1:" in found.stdout
    assert "ada@example.com" in found.stdout
    assert "Weather nowcast" in found.stdout
    assert "no token in the notebook\nno token in the server's log\nAll is well" in found.stdout
    assert "eyJ" not in found.stdout
