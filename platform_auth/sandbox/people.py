"""The three people who can sign in to the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from authlib.oidc.core import UserInfo

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Person:
    """A demo person.

    Parameters
    ----------
    id
        The subject identifier (``sub``), also what the pages send.
    name
        Given name and family name.
    email
        At a domain that can have no mailbox (RFC 2606 §3).

    """

    id: str
    name: str
    email: str

    @property
    def initials(self) -> str:
        """Return the letters of the person's badge."""
        return "".join(word[0] for word in self.name.split())

    def get_user_id(self) -> str:
        """Return the subject identifier, under the name Authlib asks for."""
        return self.id

    def claims(self, scope: str) -> dict[str, Any]:
        """Return what `scope` lets a client know (OpenID Connect Core §5.4)."""
        given, family = self.name.split()
        known = UserInfo(
            sub=self.id,
            name=self.name,
            given_name=given,
            family_name=family,
            preferred_username=self.id,
            email=self.email,
            email_verified=True,
        )
        return dict(known.filter(scope))


PEOPLE: Mapping[str, Person] = MappingProxyType(
    {
        person.id: person
        for person in (
            Person("ada", "Ada Lovelace", "ada@example.com"),
            Person("grace", "Grace Hopper", "grace@example.com"),
            Person("alan", "Alan Turing", "alan@example.com"),
        )
    }
)
"""Everybody who can sign in, by subject identifier."""
