"""Where the values of a profile came from, and what they overrode."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..secret import Secret
from .auth_type import AuthType
from .entries import ENTRIES
from .model import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import PlatformConfig
    from .profile import Profile

DEFAULT = "default"
"""The origin of what nobody set."""

_NAMES = {entry.field: f"{entry.block}.{entry.key}" for entry in ENTRIES if entry.key} | {
    "client_credentials_secret": "oauth.client_secret",
    "rpc_retries": "admin.rpcRetries",
}
# Of each group the first that yields something is used, whatever the others say.
_ALTERNATIVES = (
    ("client_secret_env_var", "client_secret_file", "client_credentials_secret"),
    ("oauth.private_key_file", "oauth.private_key"),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value was found.

    Parameters
    ----------
    place
        What it is called there, and where that is.
    overrode
        The same of each place that said something else and was not heard.

    """

    place: str
    overrode: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One value that is in effect.

    Parameters
    ----------
    setting
        Its name in ``profiles.yaml``.
    value
        As people may see it: no secret, no argument of a command.
    origin
        Where it came from.

    """

    setting: str
    value: str
    origin: Origin

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "setting": self.setting,
            "value": self.value,
            "origin": self.origin.place,
            "overrode": list(self.origin.overrode),
        }


def explain(profile: Profile) -> list[Explanation]:
    """Return every value of a profile that is in effect, in the order of the documentation.

    Parameters
    ----------
    profile
        The profile; what nobody set is there with its default, unless that is nothing.

    """
    rows = _with_alternatives(dict(profile.origins), _unset_variable(profile.config))
    found = (
        Explanation(name, _shown(field, value), rows.get(field, Origin(DEFAULT)))
        for field, name, value in _values(profile)
        if (value not in (None, ()) or field in profile.origins) and rows.get(field) is not _UNUSED
    )
    return list(found)


_UNUSED = Origin("")


def _values(profile: Profile) -> Iterator[tuple[str, str, object]]:
    config = profile.config
    for field, name in _NAMES.items():
        yield field, name, getattr(config, field)
    for each in fields(config.oauth):
        yield f"oauth.{each.name}", f"oauth.{each.name}", getattr(config.oauth, each.name)
    yield "client", "client", profile.client or "http"


def _unset_variable(config: PlatformConfig) -> bool:
    from .secret_file import secret_in_variable

    variable = config.client_secret_env_var
    return variable is not None and not secret_in_variable(variable)


def _with_alternatives(origins: dict[str, Origin], unset_variable: bool) -> dict[str, Origin]:  # noqa: FBT001
    """Let the winner of each group override the others, which then are not in effect."""
    for group in _ALTERNATIVES:
        given = [field for field in group if field in origins]
        if unset_variable and len(given) > 1 and given[0] == "client_secret_env_var":
            given = [*given[1:], given[0]]
        for loser in given[1:]:
            winner = origins[given[0]]
            others = (*winner.overrode, origins[loser].place, *origins[loser].overrode)
            origins[given[0]] = Origin(winner.place, others)
            origins[loser] = _UNUSED
    return origins


def _shown(field: str, value: object) -> str:
    if value in (None, ()):
        return "(nothing)"
    if isinstance(value, Secret):
        return "(not shown)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, AuthType):
        return value.value
    if field in SHOWN:
        return SHOWN[field](value).strip("'")
    return ", ".join(value) if isinstance(value, tuple) else str(value)
