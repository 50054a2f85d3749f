"""A string that does not show itself."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

MASK = "••••••"


class Secret:
    """A secret or token; `reveal` is the only way out, and easy to search for.

    ``repr``, ``str`` and ``format`` give a mask of constant length; JSON and pickle refuse; copies
    are the object itself. Comparison takes constant time.

    Parameters
    ----------
    value
        The text to keep.

    Examples
    --------
    >>> s = Secret("hunter2")
    >>> print(s, f"{s:>10}", [s])
    ••••••     •••••• [Secret(••••••)]
    >>> s.reveal()
    'hunter2'

    """

    __slots__ = ("__value", "__weakref__")

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            msg = f"a secret is a str, not {type(value).__name__}"  # type: ignore[unreachable]
            raise TypeError(msg)
        self.__value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (
            each.encode(errors="surrogatepass") for each in (self.__value, other.__value)
        )
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        msg = "a secret cannot be pickled: send a reference (a profile's name) and fetch it there"
        raise TypeError(msg)

    def __getstate__(self) -> NoReturn:
        self.__reduce__()
