"""All profiles there are, the administrator's before the user's before Flyte's."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

from ..errors import ConfigError, PolicyError, ProfileNotFoundError
from . import flyte_files
from .file import Version, exists
from .policy import Policy
from .profile import Profile, ProfileSource, check_name, read_profile
from .section import Named, Section, did_you_mean
from .sources import shared_secret_warning
from .yaml_file import YamlDocument, load_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .setting import Setting

FILE_VARIABLE = "PLATFORM_AUTH_CONFIG"
DEFAULT_VARIABLE = "PLATFORM_AUTH_PROFILE"
_ROOT_KEYS = ("default", "profiles")


_Arguments = ParamSpec("_Arguments")
Found = dict[str, "Profile | ConfigError"]


class Profiles:
    """The profiles of the administrator, of the user's file and of Flyte's files, in this order.

    Files are looked at on each use and read again when they changed. What is wrong in one profile
    hides no other: it is in `problems`, and raised when that profile is asked for.

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
        self._last: tuple[_Surroundings, _Look] | None = None

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
        found = look.found.get(name) or look.broken or _not_found(name, look.usable())
        if isinstance(found, ConfigError):
            raise found.with_traceback(None)
        return found

    def _look(self) -> _Look:
        # Taken before anything is read: what changes in between shows at the next look.
        now = self._surroundings()
        if self._last is not None and self._last[0] == now:
            return self._last[1]
        look = self._look_anew()
        if all(version.is_settled for version in now.files):
            self._last = now, look
        return look

    def _surroundings(self) -> _Surroundings:
        paths = [*flyte_files.named_files().values()] if self._flyte else []
        with suppress(ConfigError):
            paths += flyte_files.candidates() if self._flyte else []
        with suppress(ConfigError):
            paths += [path for path in [self._user_path()] if path]
        return _Surroundings(dict(os.environ), [Version.of(path) for path in paths])

    def _look_anew(self) -> _Look:
        look = _Look(dict(self._admin()))
        try:
            document = self._user_document()
            look.add_default(document)
            own = dict(_user_profiles(document))
        except ConfigError as error:
            # What the user meant is not known now, so Flyte's files must not stand in for it.
            look.broken = error
        else:
            look.add(own)
            look.add(dict(self._flyte_profiles()) if self._flyte else {})
        look.apply(self._policy)
        return look

    def _admin(self) -> Iterator[tuple[str, Profile | ConfigError]]:
        for name, mapping in self._admin_profiles.items():
            document = Named(f"c.PlatformAuth.profiles[{name!r}]")
            yield name, _outcome(_own_profile, name, mapping, document, ProfileSource.ADMIN)

    def _user_document(self) -> YamlDocument | None:
        path = self._user_path()
        must_exist = self._user_file == "usual" and os.environ.get(FILE_VARIABLE)
        return load_own(path) if path and (must_exist or exists(path)) else None

    def _user_path(self) -> Path | None:
        if self._user_file is None or self._user_file == "usual":
            return user_file() if self._user_file else None
        return Path(self._user_file).absolute()

    def _flyte_profiles(self) -> Iterator[tuple[str, Profile | ConfigError]]:
        yield from _optional("default", self._flyte_default)
        for name, path in flyte_files.named_files().items():
            yield name, _outcome(_flyte_profile, name, path, environment=False)

    def _flyte_default(self) -> Profile | None:
        if not flyte_files.is_configured():
            return None
        return _flyte_profile("default", flyte_files.default_file(), environment=True)


@dataclass(frozen=True)
class _Surroundings:
    """All that a look depends on: while it stays the same, so do the profiles."""

    environment: dict[str, str] = field(repr=False)  # it may hold secrets
    files: list[Version]


@dataclass
class _Look:
    """What one look at everything found."""

    found: Found
    broken: ConfigError | None = None
    default: Setting | None = None

    def add(self, layer: Found) -> None:
        """Add a layer below those that are there."""
        for name, profile in layer.items():
            above = self.found.setdefault(name, profile)
            if above is profile or not isinstance(above, Profile):
                continue
            if isinstance(profile, Profile):
                above = replace(above, hides=(*above.hides, profile.path or "the environment"))
            if above.locked and _is_user(profile):
                more = "Your own profile of this name is not used: the administrator's wins."
                above = replace(above, warnings=(*above.warnings, more))
            self.found[name] = above

    def add_default(self, document: YamlDocument | None) -> None:
        if document is not None:
            self.default = Section.of(document.data, document).setting("default")
            if self.default is not None:
                self.default.text()  # what is no name is wrong here, not where it is used

    def apply(self, policy: Policy) -> None:
        """Replace what the policy refuses by the refusal."""
        for name, profile in self.found.items():
            if isinstance(profile, Profile):
                try:
                    policy.check(profile)
                except ConfigError as error:
                    self.found[name] = error

    def names(self) -> list[str]:
        return [n for n, each in self.found.items() if not isinstance(each, PolicyError)]

    def usable(self) -> dict[str, Profile]:
        return {name: each for name, each in self.found.items() if isinstance(each, Profile)}

    def problems(self) -> list[ConfigError]:
        errors = [each for each in self.found.values() if isinstance(each, ConfigError)]
        return ([self.broken] if self.broken else []) + errors


def _is_user(profile: Profile | ConfigError) -> bool:
    return isinstance(profile, Profile) and profile.source is ProfileSource.USER


def _user_profiles(document: YamlDocument | None) -> Iterator[tuple[str, Profile | ConfigError]]:
    if document is None:
        return
    root = Section.of(document.data, document)
    for error in root.unknown(_ROOT_KEYS):
        raise error
    for name, mapping in root.section("profiles").data.items():
        yield str(name), _outcome(_own_profile, name, mapping, document, ProfileSource.USER)


def _own_profile(
    name: object, mapping: object, document: YamlDocument | Named, source: ProfileSource
) -> Profile:
    keys = ("profiles", str(name)) if isinstance(document, YamlDocument) else ()
    section = Section.of(mapping, document, keys, depth=len(keys))
    path = document.path if isinstance(document, YamlDocument) else None
    profile = read_profile(check_name(name), section, source, str(path) if path else None)
    for secret, instead in _SECRETS.items():
        if path and section.section("oauth").setting(secret):
            more = tuple(shared_secret_warning(path, instead))
            return replace(profile, warnings=(*profile.warnings, *more))
    return profile


_SECRETS = {
    "client_secret": "admin.clientSecretLocation",
    "private_key": "oauth.private_key_file",
}


def _flyte_profile(name: str, path: Path | None, *, environment: bool) -> Profile:
    check_name(name)
    config, warnings, origins = flyte_files.read(path, environment=environment)
    where, source = str(path) if path else None, ProfileSource.FLYTE
    return Profile(name, config, source, path=where, warnings=warnings, origins=origins)


def _outcome(
    make: Callable[_Arguments, Profile], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> Profile | ConfigError:
    try:
        return make(*args, **kwargs)
    except ConfigError as error:
        return error


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


def user_file() -> Path:
    """Return the file of the user's profiles.

    It is what ``PLATFORM_AUTH_CONFIG`` names, else ``platform-auth/profiles.yaml`` in Jupyter's
    configuration directory.

    Raises
    ------
    ConfigError
        ``PLATFORM_AUTH_CONFIG`` is relative: nothing is read from the current directory.

    """
    named = os.environ.get(FILE_VARIABLE)
    if not named:
        return _jupyter_directory() / "platform-auth" / "profiles.yaml"
    path = Path(os.path.expanduser(named))  # noqa: PTH111 - the other one raises
    if not path.is_absolute():
        what = f"{FILE_VARIABLE} is the relative path {named!r}."
        raise ConfigError(what, fix="Give an absolute path, or one that begins with ~/.")
    return path


def _jupyter_directory() -> Path:
    named = os.environ.get("JUPYTER_CONFIG_DIR")
    if named:
        return Path(named).absolute()
    if os.environ.get("JUPYTER_PLATFORM_DIRS") or os.environ.get("JUPYTER_NO_CONFIG"):
        from jupyter_core.paths import jupyter_config_dir  # rare, and slow

        return Path(jupyter_config_dir())
    return Path(os.path.expanduser("~/.jupyter"))  # noqa: PTH111
