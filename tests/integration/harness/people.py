"""The people of the tests: both providers know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Who:
    """One of them.

    Parameters
    ----------
    account
        Their account at the provider, and the subject of their tokens.
    name
        As the provider's pages and tokens say it.
    email
        What a signed-in session shows them as.

    """

    account: str
    name: str
    email: str


ADA: Final = Who("ada", "Ada Lovelace", "ada@example.com")
GRACE: Final = Who("grace", "Grace Hopper", "grace@example.com")
