"""The audit log: who did what with a person's sign-ins, and when; never a token.

``docs/audit.md`` documents its lines.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .file import FILES, MAX_BYTES, AuditFile
from .log import AuditLog

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FILES",
    "MAX_BYTES",
    "VARIABLE",
    "AuditFile",
    "AuditLog",
    "audit_of_this_process",
    "default_path",
]

VARIABLE: Final = "PLATFORM_AUTH_AUDIT"
"""``off``, or the file to write to, for programs that have no Jupyter server to ask."""


def default_path() -> Path:
    """Return the usual file: in the person's Jupyter data directory."""
    from ..stores.directory import sessions_directory

    return Path(sessions_directory()).parent / "audit" / "audit.jsonl"


def audit_of_this_process(environment: Mapping[str, str] = os.environ) -> AuditLog | None:
    """Return the log that the environment asks for; None where it wants none."""
    named = environment.get(VARIABLE, "").strip()
    if named.lower() == "off":
        return None
    return AuditLog(AuditFile(Path(named).expanduser() if named else default_path()))
