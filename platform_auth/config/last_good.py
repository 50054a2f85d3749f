"""The last valid version of profiles, for as long as what has replaced it is not valid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .profile import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..errors import ConfigError
    from .own_file import Found


class LastGood:
    """Remembers the profiles of one file, or of one kind of files.

    A session goes on while its file is being edited: what is broken there now does not count, and
    everybody is told.
    """

    def __init__(self) -> None:
        self._profiles: dict[str, Profile] = {}

    def instead(
        self, found: Mapping[str, Profile | ConfigError]
    ) -> tuple[Found, list[ConfigError]]:
        """Put what was valid in the place of what is not, and forget what is no longer there.

        Parameters
        ----------
        found
            By name; an error where the profile is broken.

        Returns
        -------
        The profiles to use, and the errors that do not stand in one's place any more.

        """
        used = dict(found)
        errors: list[ConfigError] = []
        for name, error in found.items():
            before = self._profiles.get(name)
            if before is not None and not isinstance(error, Profile):
                used[name] = outdated(before, error)
                errors.append(error)
        known = self._profiles
        self._profiles = {
            name: each if isinstance(each, Profile) else known[name]
            for name, each in found.items()
            if isinstance(each, Profile) or name in known
        }
        return used, errors


def outdated(profile: Profile, error: ConfigError) -> Profile:
    """Return a profile that warns of not being what its file says now."""
    more = f"This is the last valid version; what the file says now is not: {error.what}"
    return replace(profile, warnings=(*profile.warnings, more))
