"""A profile as its owner's browser may see it: what may be a secret stays where it is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError
from .endpoint import password_of
from .entries import ADMIN_KEYS, CONSOLE_KEYS
from .oauth_settings import CHECKS

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT: Final = {"kept": True}
"""What stands in the place of a value that is not shown, and says to leave it as it is."""

_SECRET: Final = frozenset({"client_secret", "private_key"})
# Arguments of a program may hold a secret, and of what is not known here nobody knows.
_SHOWN: Final = {
    "admin": frozenset({*ADMIN_KEYS, "rpcRetries"}) - {"command", "proxyCommand"},
    "console": frozenset(CONSOLE_KEYS),
    "oauth": frozenset(CHECKS) - _SECRET,
}
# Where a secret goes. It is not sent to another place on the word of who has not seen it.
_DESTINATIONS: Final = (
    ("admin", "endpoint"),
    ("admin", "httpProxyURL"),
    ("admin", "insecure"),
    ("admin", "insecureSkipVerify"),
    ("oauth", "issuer"),
    ("oauth", "token_endpoint"),
)


def masked(entry: object) -> dict[str, Any]:
    """Return an entry of ``profiles.yaml`` with `KEPT` in the place of what may be a secret."""
    if not isinstance(entry, dict):
        return {}
    return {str(key): _masked_block(str(key), value) for key, value in entry.items()}


def restored(entry: Mapping[str, Any], old: object) -> dict[str, Any]:
    """Return an entry with what it says is `KEPT` as it was.

    Raises
    ------
    ConfigError
        There is nothing to keep; or a secret would go to another place than before.

    """
    before: dict[str, Any] = old if isinstance(old, dict) else {}
    new = {key: _restored(key, value, before.get(key)) for key, value in entry.items()}
    oauth = entry.get("oauth")
    kept = isinstance(oauth, dict) and [each for each in _SECRET if oauth.get(each) == KEPT]
    if kept and any(_at(new, *place) != _at(before, *place) for place in _DESTINATIONS):
        raise ConfigError(
            f"oauth.{kept[0]} is not sent to another place than before unasked.",
            why="The endpoint, the identity provider or the protection on the way has changed.",
            fix=f"Enter oauth.{kept[0]} anew, or take it out.",
        )
    return new


def holds_secret(entry: Mapping[str, Any]) -> bool:
    """Tell whether a secret itself stands in an entry."""
    in_clear = any(_at(entry, "oauth", name) for name in _SECRET)
    proxy = _at(entry, "admin", "httpProxyURL")
    return in_clear or (isinstance(proxy, str) and password_of(proxy) is not None)


def _masked_block(block: str, value: object) -> object:
    if isinstance(value, dict):
        shown = _SHOWN.get(block, frozenset())
        return {str(key): _masked(each, str(key) in shown) for key, each in value.items()}
    return _masked(value, block == "client")


def _masked(value: object, is_known: bool) -> object:  # noqa: FBT001
    items = value if isinstance(value, list) else [value]
    plain = all(each is None or isinstance(each, str | bool | int) for each in items)
    if not (is_known and plain) or any(_has_password(each) for each in items):
        return copy.deepcopy(KEPT)
    return value


def _has_password(value: object) -> bool:
    try:
        return isinstance(value, str) and "://" in value and password_of(value) is not None
    except ValueError:
        return True


def _restored(where: str, value: object, old: object) -> object:
    if value == KEPT:
        if old is None:
            what = f"{where} is to stay as it is, but there is none."
            raise ConfigError(what, fix="Give a value, or take it out.")
        return copy.deepcopy(old)
    if not isinstance(value, dict):
        return value
    before = old if isinstance(old, dict) else {}
    return {key: _restored(f"{where}.{key}", each, before.get(key)) for key, each in value.items()}


def _at(entry: Mapping[str, Any], block: str, key: str) -> object:
    part = entry.get(block)
    return part.get(key) if isinstance(part, dict) else None
