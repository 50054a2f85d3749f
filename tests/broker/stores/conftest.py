from __future__ import annotations

from fakes.saved import ring  # noqa: F401 - a machine with a keyring
