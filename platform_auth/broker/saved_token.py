"""A token straight from the store, without a broker: where there is none to ask.

Other tools wait for ``platform-auth token`` before each call of theirs, so that nothing is imported
here but what reading the store takes. To whom a saved token may be given depends on what its
profile is now; looking that up takes longer than all the rest, so that it is noted beside the saved
session, together with all it depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import PlatformAuthError
from .stores import VARIABLE as STORE_VARIABLE
from .stores.directory import sessions_directory
from .stores.private_file import check_directory, read_private, write_private
from .stores.sealed import DamagedError, ForeignKeyError, NewerError, seal, unseal
from .stores.session_files import NOTE, SessionFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.file import Version

PREFIXES: Final = ("PLATFORM_AUTH", "FLYTE", "_FLYTE", "JUPYTER")
"""How the names of variables begin that a profile may depend on."""

_PLACES = ("HOME", "USERPROFILE", "APPDATA", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


def saved_token(profile: str, min_ttl: float) -> dict[str, Any] | None:
    """Return a saved token in the shape of `AccessToken.to_dict`.

    Parameters
    ----------
    profile
        Its profile.
    min_ttl
        Seconds it must still be good for, where tokens live so long.

    Returns
    -------
    None where a broker is needed: to refresh it, or to say what is wrong.

    """
    if os.environ.get(STORE_VARIABLE, "") not in {"", "file"}:
        return None
    files = SessionFiles(sessions_directory())
    try:
        check_directory(files.directory)
        kept = files.read(profile)
        answer = _answer(kept, min_ttl) if kept else None
        if kept is None or answer is None:
            return None
        meaning = _noted(files, profile) or _looked_up(files, profile)
    except (OSError, PlatformAuthError, KeyError, TypeError, ValueError):
        return None
    if meaning["realm"] != kept["realm"]:
        return None
    return answer | {"header": meaning["header"] or answer["header"]}


def _answer(kept: dict[str, Any], min_ttl: float) -> dict[str, Any] | None:
    lifetime = float(kept["expires_in"])
    expires_at = float(kept["issued_at"]) + lifetime
    # As in `record_from_dict` and `Refresher.ensure`.
    left = min(expires_at - time.time(), lifetime)
    if left <= min(min_ttl, lifetime / 4):
        return None
    return {
        "access_token": str(kept["access_token"]),
        "token_type": str(kept["token_type"]),
        "expires_at": expires_at,
        "expires_in": left,
        "header": str(kept.get("header", "authorization")),
    }


def _noted(files: SessionFiles, profile: str) -> dict[str, str] | None:
    """Return what the profile is, where it has been noted and nothing has changed since."""
    content = read_private(files.path(profile, NOTE))
    if content is None:
        return None
    try:
        note = json.loads(unseal(content, files.keys.find, _name(profile)))
    except (DamagedError, ForeignKeyError, NewerError):
        return None
    unchanged = note["environment"] == _environment() and all(map(_is_unchanged, note["files"]))
    return note if unchanged else None


def _looked_up(files: SessionFiles, profile: str) -> dict[str, str]:
    from ..config import Profiles
    from .realm import realm_of

    profiles = Profiles()
    profiles.get(profile)  # what it depends on is known now
    versions = profiles.versions()
    config = profiles.get(profile).config
    header = config.oauth.authorization_metadata_key or ""
    meaning = {"realm": realm_of(config), "header": header}
    if all(version.is_settled for version in versions):
        _note(files, profile, meaning, versions)
    return meaning


def _note(
    files: SessionFiles, profile: str, meaning: dict[str, str], versions: Sequence[Version]
) -> None:
    of_files = [[str(v.path), v.mtime_ns, v.size, v.inode, v.mode] for v in versions]
    note = {**meaning, "environment": _environment(), "files": of_files}
    sealed = seal(json.dumps(note).encode(), *files.keys.newest(), _name(profile))
    write_private(files.path(profile, NOTE), sealed)


def _is_unchanged(of_file: list[Any]) -> bool:
    path, *noted = of_file
    try:
        found = os.stat(path)  # noqa: PTH116 - see `private_file`
    except (OSError, ValueError):
        return not any(noted)
    return noted == [found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode]


def _environment() -> str:
    """Return a digest of the variables that a profile may depend on."""
    names = sorted(name for name in os.environ if name.startswith(PREFIXES) or name in _PLACES)
    text = json.dumps([(name, os.environ[name]) for name in names])
    return hashlib.sha256(text.encode()).hexdigest()


def _name(profile: str) -> str:
    return f"{profile}\0what it is"  # no profile's name holds a NUL
