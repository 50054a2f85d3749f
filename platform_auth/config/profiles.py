"""All profiles there are, the administrator's before the user's before Flyte's."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ConfigError, ProfileNotFoundError
from . import flyte_files
from .equipment import check_equipment
from .file import Version, exists
from .flyte_block import names_us
from .last_good import LastGood
from .look import Look
from .own_file import Found, OwnFile, outcome, own_profile
from .policy import Policy
from .profile import Profile, ProfileSource, check_name
from .section import Named, did_you_mean
from .user_file import FILE_VARIABLE, user_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEFAULT_VARIABLE = "PLATFORM_AUTH_PROFILE"


class Profiles:
    """The profiles of the administrator, of the user's file and of Flyte's files, in this order.

    Files are looked at on each use and read again when they changed. What is wrong in one profile
    hides no other: it is in `problems`, and raised when that profile is asked for; unless it has
    been valid before, for then its last valid version counts until it is corrected.

    Parameters
    ----------
    admin
        The administrator's profiles, name -> YAML shape; no other of the same name is used.
    default
        The name to use when none is given.
    policy
        What may be reached; no limits when omitted.
    user_file
        The user's profiles; ``"usual"`` for where `user_file` says, None for none.
    flyte
        Whether Flyte's own files and variables count: ``~/.flyte/config.yaml`` (or what
        ``FLYTECTL_CONFIG`` names) as ``default``, ``~/.flyte/config-NAME.yaml`` as ``NAME``.

    """

    def __init__(
        self,
        *,
        admin: Mapping[str, Any] | None = None,
        default: str | None = None,
        policy: Policy | None = None,
        user_file: Path | Literal["usual"] | None = "usual",
        flyte: bool = True,
    ) -> None:
        self._admin_profiles = dict(admin or {})
        self._default = default or None
        self._policy = policy or Policy()
        self._user_file = user_file
        self._flyte = flyte
        self._last: tuple[_Surroundings, Look] | None = None
        self._needed: set[Path] = set()
        self._user: OwnFile | None = None
        self._good = {source: LastGood() for source in (ProfileSource.USER, ProfileSource.FLYTE)}

    @property
    def policy(self) -> Policy:
        """What the administrator allows."""
        return self._policy

    @property
    def default(self) -> str | None:
        """The profile to use when none is named.

        The one given to the constructor, else ``PLATFORM_AUTH_PROFILE``, else the file's
        ``default:``, else the only one there is, else the one called ``default``, else None.
        """
        return self._default_and_origin()[0]

    @property
    def default_origin(self) -> str:
        """Who says so, for people; empty where there is no default."""
        return self._default_and_origin()[1]

    def _default_and_origin(self) -> tuple[str | None, str]:
        look, said = self._look(), []
        if self._default:
            said.append((self._default, "c.PlatformAuth.default_profile"))
        if variable := os.environ.get(DEFAULT_VARIABLE):
            said.append((variable, f"{DEFAULT_VARIABLE} in the environment"))
        if look.default is not None and (named := look.default.text()):
            said.append((named, look.default.origin))
        if said:
            (name, origin), *others = said
            return name, ", which overrode ".join([origin, *(each for _, each in others)])
        names = look.names()
        if len(names) == 1:
            return names[0], "it is the only one"
        return ("default", "it is called so") if "default" in names else (None, "")

    @property
    def problems(self) -> list[ConfigError]:
        """What is wrong, in the files and in single profiles."""
        return self._look().problems()

    def names(self) -> list[str]:
        """Return the names of the profiles the policy allows, also of broken ones."""
        return self._look().names()

    def all(self) -> dict[str, Profile]:
        """Return the profiles that can be used, by name."""
        return self._look().usable()

    def get(self, name: str) -> Profile:
        """Return one profile.

        Raises
        ------
        ProfileNotFoundError
            There is none of that name.
        PolicyError
            The administrator's policy refuses it.
        ConfigError
            Something in it, or in the file it should be in, is wrong.

        """
        look = self._look()
        found = look.get(name) or _not_found(name, look.usable())
        if isinstance(found, ConfigError):
            raise found.with_traceback(None)
        return found

    def source_of(self, name: str) -> ProfileSource | None:
        """Return who says what a profile is, also of a broken one; None where there is none."""
        look = self._look()
        if name in self._admin_profiles:
            return ProfileSource.ADMIN
        if self._user is not None and name in self._user.profiles:
            return ProfileSource.USER
        return ProfileSource.FLYTE if name in look.found else None

    @property
    def chosen_above(self) -> str:
        """Who chooses the default before the user's file can; empty where nobody does."""
        if self._default:
            return "c.PlatformAuth.default_profile"
        return DEFAULT_VARIABLE if os.environ.get(DEFAULT_VARIABLE) else ""

    @property
    def user_path(self) -> Path | None:
        """The user's file, whether it is there or not; None where there is to be none."""
        return self._user_path()

    def versions(self) -> list[Version]:
        """Return the files that the profiles depend on, as they are now."""
        return self._surroundings().files

    def _look(self) -> Look:
        # Taken before anything is read: what changes in between shows at the next look.
        now = self._surroundings()
        if self._last is not None and self._last[0] == now:
            return self._last[1]
        needed, self._needed = self._needed, set()
        look = self._look_anew()
        if self._needed == needed and all(version.is_settled for version in now.files):
            self._last = now, look
        return look

    def _surroundings(self) -> _Surroundings:
        paths = [*flyte_files.named_files().values()] if self._flyte else []
        with suppress(ConfigError):
            paths += flyte_files.candidates() if self._flyte else []
        with suppress(ConfigError):
            paths += [path for path in [self._user_path()] if path]
        paths += sorted(self._needed)
        return _Surroundings(dict(os.environ), [Version.of(path) for path in paths])

    def _look_anew(self) -> Look:
        look = Look(self._equipped(dict(self._admin())))
        try:
            self._user = self._user_file_now()
            look.add(self._equipped(self._user.profiles), self._good[ProfileSource.USER])
        except ConfigError as error:
            if not self._is_known():
                # What the user meant is not known, so Flyte's files must not stand in for it.
                look.problem, look.is_blind, self._user = error, True, None
            elif self._user is not None:
                look.add_from_before(self._user.profiles, error)
        if self._user is not None:
            look.default = self._user.default
            flytes = dict(self._flyte_profiles()) if self._flyte else {}
            look.add(self._equipped(flytes), self._good[ProfileSource.FLYTE])
        look.apply(self._policy)
        return look

    def _user_file_now(self) -> OwnFile:
        path = self._user_path()
        must_exist = self._user_file == "usual" and os.environ.get(FILE_VARIABLE)
        if path is None or not (must_exist or exists(path)):
            return OwnFile(path)
        if self._user is not None and self._user.path == path and _is_being_written(path):
            return self._user
        return OwnFile.read(path)

    def _is_known(self) -> bool:
        """Tell whether it is known what the user's file said when it was valid."""
        with suppress(ConfigError):
            return self._user is not None and self._user.path == self._user_path()
        return False

    def _equipped(self, layer: Found) -> Found:
        """Replace each profile that lacks something on this machine by what it lacks."""
        for name, each in layer.items():
            if isinstance(each, Profile):
                if each.config.ca_cert_file_path:
                    self._needed.add(Path(each.config.ca_cert_file_path))
                try:
                    check_equipment(each.config)
                except ConfigError as error:
                    layer = {**layer, name: error}
        return layer

    def _admin(self) -> Iterator[tuple[str, Profile | ConfigError]]:
        for name, mapping in self._admin_profiles.items():
            document = Named(f"c.PlatformAuth.profiles[{name!r}]")
            yield name, outcome(own_profile, name, mapping, document, ProfileSource.ADMIN)

    def _user_path(self) -> Path | None:
        if self._user_file is None or self._user_file == "usual":
            return user_file() if self._user_file else None
        return Path(self._user_file).absolute()

    def _flyte_profiles(self) -> Iterator[tuple[str, Profile | ConfigError]]:
        yield from _optional("default", self._flyte_default)
        for name, path in flyte_files.named_files().items():
            yield from _optional(name, partial(_own_to_flyte, name, path, environment=False))

    def _flyte_default(self) -> Profile | None:
        if not flyte_files.is_configured():
            return None
        return _own_to_flyte("default", flyte_files.default_file(), environment=True)


@dataclass(frozen=True)
class _Surroundings:
    """All that a look depends on: while it stays the same, so do the profiles."""

    environment: dict[str, str] = field(repr=False)  # it may hold secrets
    files: list[Version]


def _is_being_written(path: Path) -> bool:
    # Many editors empty a file before they fill it.
    version = Version.of(path)
    return version.size == 0 and not version.is_settled


def _flyte_profile(name: str, path: Path | None, *, environment: bool) -> Profile:
    check_name(name)
    config, warnings, origins = flyte_files.read(path, environment=environment)
    where, source = str(path) if path else None, ProfileSource.FLYTE
    return Profile(name, config, source, path=where, warnings=warnings, origins=origins)


def _own_to_flyte(name: str, path: Path | None, *, environment: bool) -> Profile | None:
    """Return the profile of a file; None for one that gets its tokens from a profile of ours."""
    profile = _flyte_profile(name, path, environment=environment)
    return None if names_us(profile.config.command) else profile


def _optional(
    name: str, make: Callable[[], Profile | None]
) -> Iterator[tuple[str, Profile | ConfigError]]:
    try:
        profile = make()
    except ConfigError as error:
        yield name, error
    else:
        if profile is not None:
            yield name, profile


def _not_found(name: str, usable: Mapping[str, Profile]) -> ProfileNotFoundError:
    if not usable:
        fix = "Write one into profiles.yaml, or ask the administrator of this server for one."
        return ProfileNotFoundError(f"There is no profile {name!r}.", why="There is none.", fix=fix)
    fix = f"{did_you_mean(name, usable)}Use one of {', '.join(usable)}."
    return ProfileNotFoundError(f"There is no profile {name!r}.", fix=fix)
