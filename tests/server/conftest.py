from __future__ import annotations

from fakes.jupyter import *  # noqa: F403 - fixtures, and pytest-jupyter's hooks for async tests
