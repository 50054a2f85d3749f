"""What stands in for the profiles where the server's own configuration is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ..config import Policy, Profile, Profiles

if TYPE_CHECKING:
    from ..errors import ConfigError


class BrokenProfiles(Profiles):
    """No profile at all, and the reason.

    Not knowing what the administrator allows, nothing is: a typo in ``allowed_endpoints`` must not
    open the door it was to close.

    Parameters
    ----------
    error
        What is wrong.

    """

    def __init__(self, error: ConfigError) -> None:
        super().__init__(policy=Policy(allowed_endpoints=()), user_file=None, flyte=False)
        self._error = error

    @property
    def policy(self) -> Policy:
        """Raise the reason: nothing can be checked."""
        raise self._error

    @property
    def default(self) -> None:
        """None."""
        return

    @property
    def default_origin(self) -> str:
        """Nobody."""
        return ""

    @property
    def problems(self) -> list[ConfigError]:
        """The reason."""
        return [self._error]

    def all(self) -> dict[str, Profile]:
        """Return nothing."""
        return {}

    def get(self, name: str) -> NoReturn:
        """Raise the reason."""
        del name
        raise self._error
