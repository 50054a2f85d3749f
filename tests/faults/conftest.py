from __future__ import annotations

from fakes.watched import *  # noqa: F403 - worlds, and a watch that no secret shows in them
