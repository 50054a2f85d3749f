"""Signing out at the provider, too: OpenID Connect RP-Initiated Logout 1.0."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from authlib.common.urls import add_params_to_uri

if TYPE_CHECKING:
    from ..config import PlatformConfig
    from .identity import Identity
    from .metadata import ServerMetadata


def logout_url(
    config: PlatformConfig, metadata: ServerMetadata, identity: Identity | None = None
) -> str | None:
    """Return where a person ends their own session with the provider; None where it has no page.

    §2 recommends an ``id_token_hint``. There is none here: an id_token is a token, and an address
    is kept in histories and logs and is sent on to other sites. ``client_id`` and ``logout_hint``
    say who asks and who is meant; the provider then asks the person, which is as it should be.
    ``state`` is for the page that the person is sent on to, so it goes only where there is one.

    Parameters
    ----------
    config
        The profile's: whose client it is, and where to go afterwards.
    metadata
        The authorization server.
    identity
        Who was signed in.

    """
    page = metadata.end_session_endpoint
    if page is None:
        return None
    afterwards = config.oauth.post_logout_redirect_uri
    asked = {
        "client_id": config.client_id,
        "logout_hint": identity and (identity.email or identity.username or identity.subject),
        "post_logout_redirect_uri": afterwards,
        "state": secrets.token_urlsafe(16) if afterwards else None,
    }
    given = [(name, value) for name, value in asked.items() if value]
    url: str = add_params_to_uri(page, given)
    return url
