"""Changing the user's own profiles: in ``profiles.yaml``, one at a time, all else as it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError, PolicyError, ProfileChangedError, ProfileNotFoundError
from .equipment import check_equipment
from .file import exists, replace_file
from .own_file import own_profile
from .profile import Profile, ProfileSource, check_name
from .profile_mask import holds_secret, masked, restored
from .section import Named, Section
from .yaml_edit import check_edited, edited, without
from .yaml_file import OWN_LIMIT, YamlDocument, load_own, own_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .profiles import Profiles

LOCK_SECONDS: Final = 10.0
"""Seconds to wait for somebody else who changes the file."""

_KEY: Final = secrets.token_bytes(16)  # a revision changes with secrets, and tells nothing of them
_Document = dict[str, Any]
_OWNERS: Final = {
    ProfileSource.ADMIN: "the administrator's",
    ProfileSource.FLYTE: "of Flyte's own files",
}


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """A profile of the user's as the file has it.

    Parameters
    ----------
    name
        What people call it.
    entry
        The shape of ``profiles.yaml``, with `profile_mask.KEPT` in the place of each secret.
    revision
        What tells this state of it from others, for this process's life.
    warnings
        What is allowed there but will surprise, in sentences.

    """

    name: str
    entry: _Document = field(repr=False)
    revision: str
    warnings: tuple[str, ...] = ()


class ProfileEditor:
    """Shows, changes and removes the profiles that the user may change.

    Parameters
    ----------
    profiles
        All profiles, and what the administrator allows.

    """

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    def show(self, name: str) -> OwnEntry:
        """Return a profile of the user's, also a broken one.

        Raises
        ------
        ProfileNotFoundError
            There is none of that name.
        PolicyError
            It is somebody else's.
        ConfigError
            The file is broken as a whole.

        """
        entry = self._own(name)
        return OwnEntry(name, masked(entry), _revision(entry))

    def check(self, name: str, entry: Mapping[str, Any]) -> Profile:
        """Return the profile that an entry describes, if the user may have it.

        Raises
        ------
        PolicyError
            The administrator's policy refuses it.
        ConfigError
            Something in it is wrong.

        """
        self._profiles.policy.check_own()
        path = self._profiles.user_path
        document = Named(f"the profile {name!r}", path.parent if path else None)
        profile = own_profile(check_name(name), entry, document, ProfileSource.USER)
        self._profiles.policy.check(profile)
        check_equipment(profile.config)
        return profile

    def check_free(self, name: str) -> None:
        """Let a name pass that no profile has.

        Raises
        ------
        ProfileChangedError
            One has it, whosever it is.

        """
        source = self._profiles.source_of(check_name(name))
        if source is not None:
            what = f"There is a profile {name!r} already, {_OWNERS.get(source, 'one of yours')}."
            raise ProfileChangedError(what, fix="Choose another name.")

    def save(self, name: str, entry: Mapping[str, Any], revision: str | None = None) -> OwnEntry:
        """Change a profile, or add one.

        Parameters
        ----------
        name
            Its name.
        entry
            As `OwnEntry.entry`; what is ``KEPT`` in it stays as it is.
        revision
            The one that was changed; None for a new profile.

        Raises
        ------
        ProfileChangedError
            It is not that revision any more; or there is one of the new one's name.
        PolicyError
            The administrator's policy refuses it, or it is somebody else's.
        ConfigError
            Something in it is wrong; the file is as it was.

        """
        with self._changing() as file:
            if revision is None:
                self.check_free(name)
                old = None
            else:
                old = self._own(name)
                _check_revision(name, old, revision)
            new = _tidy(restored(entry, old))
            profile = self.check(name, new)
            file.change(("profiles", name), old, new, private=holds_secret(new))
        return OwnEntry(name, masked(new), _revision(new), profile.warnings)

    def remove(self, name: str) -> None:
        """Take a profile away; if it was the default, none is any more.

        Raises
        ------
        ConfigError
            As `show`; or the file cannot be written.

        """
        with self._changing() as file:
            self._own(name)
            file.take_out(name)

    def make_default(self, name: str) -> None:
        """Choose the profile that is meant where none is named.

        Raises
        ------
        ProfileNotFoundError
            There is none of that name.
        PolicyError
            Somebody else has chosen, and the user's choice would change nothing.
        ConfigError
            The file is broken as a whole, or cannot be written.

        """
        self._profiles.get(name)
        if above := self._profiles.chosen_above:
            what = f"The default profile is what {above} says; your own choice changes nothing."
            raise PolicyError(what, fix=f"Ask who set {above}.")
        with self._changing() as file:
            file.change(("default",), file.document.data.get("default"), name)

    def _own(self, name: str) -> object:
        """Return what the file says of a profile of the user's."""
        self._profiles.policy.check_own()
        source = self._profiles.source_of(name)
        if source in _OWNERS:
            what = f"The profile {name!r} is {_OWNERS[source]}: you cannot change it here."
            raise PolicyError(what, fix="Add one of your own, under another name.")
        document = self._file().document
        entries = Section.of(document.data, document).section("profiles").data
        if name not in entries:
            what = f"There is no profile {name!r} of yours."
            raise ProfileNotFoundError(what, fix="It may have been removed: look at the list.")
        return entries[name]

    def _file(self) -> _OwnText:
        path = self._profiles.user_path
        if path is None:
            raise PolicyError("There are no profiles of your own here.")
        document = load_own(path) if exists(path) else YamlDocument(path)
        return _OwnText(path, own_text(path), document)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_OwnText]:
        """Keep others who change the file out meanwhile."""
        from filelock import FileLock, Timeout  # late: most processes change nothing

        path = self._file().path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_SECONDS, mode=0o600)
            lock.acquire()
        except (OSError, NotImplementedError, Timeout) as error:
            why = "Somebody else is changing it." if isinstance(error, Timeout) else str(error)
            fix = "Try again; if it stays, make its directory writable."
            raise ConfigError(f"{path} cannot be changed now.", why=why, fix=fix) from None
        try:
            yield self._file()
        finally:
            lock.release()


@dataclass(frozen=True)
class _OwnText:
    """The user's file, to be changed while nobody else does."""

    path: Path
    text: str = field(repr=False)
    document: YamlDocument

    def change(
        self, keys: tuple[str, ...], old: object, new: object, *, private: bool = False
    ) -> None:
        expected = dict(self.document.data)
        if len(keys) == 1:
            expected[keys[0]] = new
        else:
            expected[keys[0]] = {**(expected.get(keys[0]) or {}), keys[1]: new}
        self._write(edited(self.text, keys, old, new), expected, private=private)

    def take_out(self, name: str) -> None:
        data = dict(self.document.data)
        text, rest = without(self.text, ("profiles", name)), dict(data["profiles"])
        del rest[name]
        expected = data | {"profiles": rest}
        if not rest:
            del expected["profiles"]
        if data.get("default") == name:
            text = without(text, ("default",))
            del expected["default"]
        self._write(text, expected)

    def _write(self, text: str, expected: _Document, *, private: bool = False) -> None:
        check_edited(text, expected, self.path)
        data = text.encode()
        if len(data) > OWN_LIMIT:
            what = f"{self.path} would be longer than {OWN_LIMIT // 1024} KiB."
            raise ConfigError(what, fix="Remove profiles that nobody needs.")
        replace_file(self.path, data, private=private)


def _tidy(entry: Mapping[str, Any]) -> _Document:
    """Return an entry without what says nothing."""
    parts = ((key, _tidy(each) if isinstance(each, dict) else each) for key, each in entry.items())
    return {key: each for key, each in parts if each not in (None, "", [], {})}


def _revision(entry: object) -> str:
    text = json.dumps(entry, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16, key=_KEY).hexdigest()


def _check_revision(name: str, old: object, revision: str) -> None:
    if not secrets.compare_digest(_revision(old), revision):
        raise ProfileChangedError(
            f"The profile {name!r} has been changed since you opened it.",
            why="By another window, another program or an editor.",
        )
