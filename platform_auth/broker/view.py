"""A session as every face shows it: the JSON of the broker protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config.caution import cautions

if TYPE_CHECKING:
    from .broker import Broker
    from .session import Session


def session_view(session: Session, broker: Broker) -> dict[str, Any]:
    """Return the JSON form of a session; it never holds a token or secret.

    ``start`` tells one start of the broker from the next, which has forgotten whatever waited for a
    person; it is None where that is shared by replicas.
    Times are seconds since the epoch; ``sign_in_url`` is root-relative, or None without a server.
    ``speaks`` is the protocol that the platform has shown to speak: ``flyte``, ``flyte2`` or None.
    ``refreshed_at`` is when the present token came, ``next_refresh`` when it is renewed if the
    session is in use by then. ``error`` is why nobody is signed in or a sign-in failed,
    ``last_error`` what went wrong in the background meanwhile, with the time in ``at``.
    """
    profile, record = session.profile, session.record
    return {
        "profile": profile.name,
        "state": session.state.value,
        "revision": session.revision,
        "start": broker.start,
        "platform": profile.config.host,
        "endpoint": profile.config.base_url,
        "flow": profile.config.flow,
        "interactive": session.interactive,
        "client": profile.client,
        "speaks": record.speaks if record else None,
        "source": profile.source.value,
        "locked": profile.locked,
        "default": profile.name == broker.profiles.default,
        "signed_in_as": session.identity.label if session.identity else None,
        "signed_in_at": record.signed_in_at if record else None,
        "refreshed_at": record.issued_at if record else None,
        "expires_at": record.expires_at if record else None,
        "next_refresh": broker.next_refresh(session),
        "scopes": list(record.tokens.scopes) if record else [],
        "notices": broker.notices(session),
        "key_source": broker.key_source,
        "sign_in_url": broker.redirects.sign_in_url(profile.name),
        "challenge": session.challenge,
        "error": session.error.to_dict() if session.error else None,
        "last_error": session.trouble.to_dict() if session.trouble else None,
        "warnings": [*cautions(profile.config), *profile.warnings],
    }


def broken_view(name: str, error: dict[str, Any], broker: Broker) -> dict[str, Any]:
    """Return the view of a profile that cannot be used, so that a list still names it."""
    return {
        "profile": name, "state": "failed", "revision": 0, "start": broker.start,
        "platform": "", "endpoint": "", "flow": "", "interactive": True, "client": None,
        "speaks": None, "source": "", "locked": False,
        "default": name == broker.profiles.default, "signed_in_as": None,
        "signed_in_at": None, "refreshed_at": None, "expires_at": None, "next_refresh": None,
        "scopes": [], "notices": [], "key_source": broker.key_source, "sign_in_url": None,
        "challenge": None, "error": error, "last_error": None, "warnings": [],
    }  # fmt: skip
