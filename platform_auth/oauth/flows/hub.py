"""The Hub's own login: the access token that JupyterHub keeps in a person's ``auth_state``.

It needs no second sign-in where the platform trusts the Hub's identity provider. The Hub alone
refreshes it (``Authenticator.refresh_user``); its refresh token is never looked at here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ...errors import ProviderError, TokenResponseError
from ..identity import Identity
from ..responses import plain
from ..steps import AskHub
from ..tokens import UNKNOWN_LIFE, token_set

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ..context import FlowContext
    from ..steps import Step
    from ..tokens import TokenSet

RETRY_SECONDS: Final = 10.0
"""Seconds before the Hub is asked again for what it did not have."""

_ISSUER: Final = "JupyterHub"


class Hub:
    """The flow `hub`."""

    name = "hub"
    interactive = False
    redirects = False

    def sign_in(self, context: FlowContext) -> Generator[Step, Any, TokenSet]:
        """Ask the Hub for the token as it is now."""
        model: Mapping[str, Any] = yield AskHub()
        state = model.get("auth_state")
        if not isinstance(state, dict) or not state.get("access_token"):
            raise _nothing_there(state)
        try:
            tokens = token_set({"access_token": state["access_token"]}, now=context.now())
        except TokenResponseError as error:
            raise _outdated(error) from None
        notices = tuple(each for each in tokens.notices if each != UNKNOWN_LIFE)
        return replace(tokens, identity=_identity(model), notices=notices)

    def refresh(self, context: FlowContext, old: TokenSet) -> Generator[Step, Any, TokenSet]:
        """Ask again: the Hub has a fresh one by now."""
        del old
        return self.sign_in(context)


def _identity(model: Mapping[str, Any]) -> Identity | None:
    name = model.get("name")
    return Identity(_ISSUER, name, plain(name, 64)) if isinstance(name, str) and name else None


def _nothing_there(state: object) -> ProviderError:
    reason = "its login keeps no access_token" if isinstance(state, dict) else "it shows none"
    return _asked_later(
        ProviderError(
            "The Hub has no access token of your login.",
            why=f"JupyterHub keeps it in auth_state, and {reason}.",
            fix="Log in to the Hub again. The administrator sets Authenticator.enable_auth_state,"
            " and gives the roles user and server the scope admin:auth_state!user.",
        )
    )


def _outdated(error: TokenResponseError) -> ProviderError:
    return _asked_later(
        TokenResponseError(
            "The access token of your Hub login cannot be used.",
            why=error.why,
            fix="Log in to the Hub again. The administrator lets the Hub renew it by refresh_user"
            " (oauthenticator 17.2 or newer).",
        )
    )


def _asked_later(error: ProviderError) -> ProviderError:
    error.retry_after = RETRY_SECONDS
    return error


FLOW = Hub()
