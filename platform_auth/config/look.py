"""What one look at all profiles has found: layer over layer, with all that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import ConfigError, PolicyError
from .last_good import outdated
from .profile import Profile, ProfileSource

if TYPE_CHECKING:
    from .last_good import LastGood
    from .own_file import Found
    from .policy import Policy
    from .setting import Setting


@dataclass
class Look:
    """What one look at everything found.

    Parameters
    ----------
    found
        The profiles, or what is wrong with each.
    problem
        What is wrong with the user's file as a whole.
    is_blind
        Whether nothing is known of that file.
    default
        The file's ``default:``.
    outdated
        What is wrong with profiles whose last valid version stands in for them.

    """

    found: Found
    problem: ConfigError | None = None
    is_blind: bool = False
    default: Setting | None = None
    outdated: list[ConfigError] = field(default_factory=list)

    def get(self, name: str) -> Profile | ConfigError | None:
        """Return a profile, or why it is not to be had; None where there is none of the name."""
        return self.found.get(name) or (self.problem if self.is_blind else None)

    def add(self, layer: Found, good: LastGood) -> None:
        """Add a layer below those that are there, what was valid in the place of what is not."""
        layer, errors = good.instead(layer)
        self.outdated += errors
        self._add(layer)

    def add_from_before(self, layer: Found, problem: ConfigError) -> None:
        """Add a layer of a file that has become invalid, as it was."""
        self.problem = problem
        profiles = ((name, each) for name, each in layer.items() if isinstance(each, Profile))
        self._add({**layer, **{name: outdated(each, problem) for name, each in profiles}})

    def _add(self, layer: Found) -> None:
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

    def apply(self, policy: Policy) -> None:
        """Replace what the policy refuses by the refusal."""
        for name, profile in self.found.items():
            if isinstance(profile, Profile):
                try:
                    policy.check(profile)
                except ConfigError as error:
                    self.found[name] = error

    def names(self) -> list[str]:
        """Return the names of the profiles, of broken ones, too, but not of what is refused."""
        return [n for n, each in self.found.items() if not isinstance(each, PolicyError)]

    def usable(self) -> dict[str, Profile]:
        """Return the profiles that can be used."""
        return {name: each for name, each in self.found.items() if isinstance(each, Profile)}

    def problems(self) -> list[ConfigError]:
        """Return all that is wrong."""
        errors = [each for each in self.found.values() if isinstance(each, ConfigError)]
        return [*([self.problem] if self.problem else []), *self.outdated, *errors]


def _is_user(profile: Profile | ConfigError) -> bool:
    return isinstance(profile, Profile) and profile.source is ProfileSource.USER
