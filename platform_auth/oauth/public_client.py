"""The client that a platform keeps for people's programs, and how it wants tokens to come."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..config.endpoint import check_url
from ..config.oauth_settings import OAuthSettings
from ..errors import ConfigError, DiscoveryError
from .flows import get_flow
from .metadata import in_snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import PlatformConfig

log = logging.getLogger("platform_auth")

SERVICE_CLIENTS: Final = frozenset({"flytepropeller"})
"""Flyte's own service, whose id flytectl writes into files where no client was named."""

_LONGEST, _MOST = 1024, 64


@dataclass(frozen=True, slots=True)
class PublicClient:
    """What a platform says to whoever wants to sign in; None and () mean it did not say.

    Parameters
    ----------
    client_id, redirect_uri
        The client registered for people's programs, and where it must have browsers come back to.
    scopes, audience
        What to ask for.
    authorization_metadata_key
        The header that carries the token.

    """

    client_id: str | None = None
    redirect_uri: str | None = None
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    authorization_metadata_key: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any], *, platform: str) -> PublicClient:
        """Return what a document says, such as Flyte's ``/config/v1/flyte_client``.

        Parameters
        ----------
        data
            The document.
        platform
            Whose it is, for messages.

        Raises
        ------
        DiscoveryError
            A value in it cannot be used.

        """
        data = in_snake_case(data)
        try:
            redirect_uri = _text(data, "redirect_uri")
            return cls(
                client_id=_text(data, "client_id"),
                redirect_uri=redirect_uri and check_url(redirect_uri, "redirect_uri"),
                scopes=_scopes(data.get("scopes")),
                audience=_text(data, "audience"),
                authorization_metadata_key=_header(_text(data, "authorization_metadata_key")),
            )
        except ConfigError as error:
            raise DiscoveryError(
                f"{platform} describes its client in a way that cannot be used.",
                why=error.what,
                fix="Have it corrected there, or set oauth.issuer and admin.clientId here.",
            ) from None

    def completing(self, config: PlatformConfig) -> PlatformConfig:
        """Return a configuration in which this stands for what was left open.

        As in flytekit: a service keeps its own client id, whatever the platform's public client
        is. Other than there, a client id that the configuration names is used for people, too (and
        then without the redirect URI, which is the platform's client's), unless it is Flyte's own
        service, as whom nobody can sign in.
        """
        by_person = get_flow(config.flow).interactive
        client_id = config.client_id
        if by_person and self.client_id and (not client_id or client_id in SERVICE_CLIENTS):
            client_id = self.client_id
        oauth, same = config.oauth, client_id == self.client_id
        header = oauth.authorization_metadata_key or self.authorization_metadata_key
        redirect_uri = oauth.redirect_uri or (self.redirect_uri if same else None)
        return replace(
            config,
            client_id=client_id,
            scopes=config.scopes or self.scopes,
            audience=config.audience or self.audience,
            oauth=replace(oauth, authorization_metadata_key=header, redirect_uri=redirect_uri),
        )


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable() or len(value) > _LONGEST:
        raise ConfigError(f"{name} is not one short line of text.")
    return value.strip() or None


def _scopes(value: object) -> tuple[str, ...]:
    items = [] if value is None else value
    if not isinstance(items, list) or len(items) > _MOST:
        raise ConfigError("scopes is not a short list.")
    found = (_text({"scopes": each}, "scopes") for each in items)
    return tuple(each for each in found if each is not None)


def _header(name: str | None) -> str | None:
    return OAuthSettings(authorization_metadata_key=name).authorization_metadata_key
