"""Secrets that are kept elsewhere: in a file, as an orchestrator mounts it, or in a variable."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError
from ..secret import Secret
from .file import read_bytes

_LIMIT = 64 * 1024


def read_secret_file(path: str, key: str) -> Secret:
    """Return the secret in a file, without the blanks and line ends around it.

    Parameters
    ----------
    path
        The file.
    key
        What the setting is called where it was set; for the error.

    Raises
    ------
    ConfigError
        The file is missing, empty, not a text or longer than 64 KiB.

    """
    try:
        secret = read_bytes(Path(path), _LIMIT).decode("utf-8-sig").strip()
    except ConfigError as error:
        what = f"{key} names {path}, which cannot be read."
        raise ConfigError(
            what, why=error.what, fix=f"Put the secret there, or correct {key}."
        ) from None
    except UnicodeDecodeError:
        # Not chained: the error would carry the bytes of the secret.
        what = f"{key} names {path}, which is not UTF-8 text."
        raise ConfigError(what, fix="Save the secret as plain text.") from None
    if not secret:
        what = f"{key} names {path}, which is empty."
        raise ConfigError(what, fix="Put the secret there.")
    return Secret(secret)


def secret_in_variable(variable: str) -> Secret | None:
    """Return the secret in an environment variable, stripped; None when there is nothing."""
    text = os.environ.get(variable, "").strip()
    return Secret(text) if text else None
