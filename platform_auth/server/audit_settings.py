"""The extension's settings of its audit log."""

from __future__ import annotations

from pathlib import Path

from traitlets import Bool, HasTraits, Int, Unicode

from ..broker.audit import FILES, MAX_BYTES, AuditFile, AuditLog, default_path


class AuditSettings(HasTraits):
    """What an administrator may say about the audit log; a part of `PlatformAuth`."""

    audit = Bool(
        default_value=True,
        help="""Whether sign-ins, refreshes, sign-outs and refusals are put on record, without any
        token: one JSON object in each line. Default: True.""",
    ).tag(config=True)

    audit_file = Unicode(
        None,
        allow_none=True,
        help="""The file for that. Its directory must be the user's alone (mode 0700); it is made
        where it is missing. Default: None for platform-auth/audit/audit.jsonl in the Jupyter data
        directory.""",
    ).tag(config=True)

    audit_max_bytes = Int(
        MAX_BYTES,
        min=4096,
        help="""Bytes at which the file is put aside: as audit.jsonl.1, that one as audit.jsonl.2,
        and so on. Default: 5 MiB.""",
    ).tag(config=True)

    audit_files = Int(
        FILES,
        min=0,
        max=1000,
        help="""How many files that were put aside are kept. Default: 5.""",
    ).tag(config=True)

    def open_audit(self) -> list[AuditLog]:
        """Return the audit log, or nothing where it is switched off."""
        if not self.audit:
            return []
        path = Path(self.audit_file).expanduser() if self.audit_file else default_path()
        return [AuditLog(AuditFile(path, self.audit_max_bytes, self.audit_files))]
