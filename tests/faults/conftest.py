from __future__ import annotations

from fakes.saved import ring  # noqa: F401 - a machine with a keyring
from fakes.short import short  # noqa: F401 - a directory for sockets
from fakes.watched import *  # noqa: F403 - worlds, and a watch that no secret shows in them
