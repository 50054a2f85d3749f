"""Profiles in the shape of ``profiles.yaml``: of the user's file, and of the administrator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ParamSpec

from ..errors import ConfigError
from .endpoint import password_of
from .file import exposed_secret_warnings
from .profile import Profile, ProfileSource, check_name, read_profile
from .section import Named, Section
from .yaml_file import YamlDocument, load_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .setting import Setting

_ROOT_KEYS = ("default", "profiles")
_ELSEWHERE = {
    "client_secret": ("admin.clientSecretLocation", "admin.clientSecretEnvVar"),
    "private_key": ("oauth.private_key_file",),
}
_Arguments = ParamSpec("_Arguments")
Found = dict[str, "Profile | ConfigError"]


@dataclass(frozen=True)
class OwnFile:
    """What the user's file says.

    Parameters
    ----------
    path
        The file; None where there is none.
    default
        Its ``default:``.
    profiles
        By name; an error where one is broken.

    """

    path: Path | None
    default: Setting | None = None
    profiles: Found = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> OwnFile:
        """Read it.

        Raises
        ------
        ConfigError
            Something is wrong with it as a whole, not with one of its profiles.

        """
        document = load_own(path)
        root = Section.of(document.data, document)
        for error in root.unknown(_ROOT_KEYS):
            raise error
        default = root.setting("default")
        if default is not None:
            default.text()  # what is no name is wrong here, not where it is used
        profiles = root.section("profiles").data
        found: Found = {
            str(name): outcome(own_profile, name, mapping, document, ProfileSource.USER)
            for name, mapping in profiles.items()
        }
        return cls(path, default, found)


def own_profile(
    name: object, mapping: object, document: YamlDocument | Named, source: ProfileSource
) -> Profile:
    """Return one profile of a document.

    Raises
    ------
    ConfigError
        Something in it is wrong; the error says where.

    """
    keys = ("profiles", str(name)) if isinstance(document, YamlDocument) else ()
    section = Section.of(mapping, document, keys, depth=len(keys))
    path = document.path if isinstance(document, YamlDocument) else None
    _refuse_two_origins(section)
    profile = read_profile(check_name(name), section, source, str(path) if path else None)
    warnings = () if path is None else tuple(_exposed(section.section("oauth"), profile, path))
    return replace(profile, warnings=(*profile.warnings, *warnings))


def _refuse_two_origins(section: Section) -> None:
    """Refuse a secret that stands there and is kept elsewhere, too: one is out of date."""
    for name, others in _ELSEWHERE.items():
        here = section.section("oauth").setting(name)
        for other in others:
            block, _, key = other.partition(".")
            there = section.section(block).setting(key)
            if here and there and here.text() and there.text():
                what = f"stands there, and {other} says to take it from somewhere else."
                raise here.wrong(what, fix=f"Take one of them away, best {here.name}.")


def _exposed(oauth: Section, profile: Profile, path: Path) -> Iterator[str]:
    """Yield warnings for each secret in the file that others can read, or that git would keep."""
    for name, places in _ELSEWHERE.items():
        if oauth.setting(name):
            yield from exposed_secret_warnings(
                path, f"name another file that holds it in {places[0]}"
            )
    if password_of(profile.config.http_proxy_url):
        instead = "leave it to HTTPS_PROXY in the environment of the Jupyter server"
        yield from exposed_secret_warnings(path, instead, what="the password of a proxy")


def outcome(
    make: Callable[_Arguments, Profile], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> Profile | ConfigError:
    """Return the profile, or what is wrong with it."""
    try:
        return make(*args, **kwargs)
    except ConfigError as error:
        return error
