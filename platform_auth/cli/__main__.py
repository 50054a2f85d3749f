"""``python -m platform_auth.cli``."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())
