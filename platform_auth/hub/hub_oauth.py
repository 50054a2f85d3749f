"""How browsers log in to the service: by the Hub, whichever replica they come to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyterhub.services.auth import HubOAuth
from jupyterhub.utils import url_path_join

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    from .cookie_keys import SealedState


class ServiceOAuth(HubOAuth):
    """The Hub's login, with nothing kept in this process.

    What JupyterHub's own keeps in memory between a browser's departure and its return, the browser
    carries here, sealed, in ``state`` and in its cookie: it may come back to another replica.

    Parameters
    ----------
    states
        Seals it.

    """

    def __init__(self, states: SealedState, **traits: Any) -> None:  # noqa: ANN401 - JupyterHub's
        super().__init__(**traits)
        self._states = states

    def get_token(
        self,
        handler: RequestHandler,
        in_cookie: bool = True,  # noqa: FBT001, FBT002 - JupyterHub's signature
    ) -> str:
        """Return the token of a browser's cookie; no other is good for pages.

        JupyterLab's page holds a token of the Hub: with it scripts could do what people do.
        """
        return (self._get_token_cookie(handler) or "") if in_cookie else ""

    def generate_state(self, next_url: str | None = None, **extra_state: str) -> str:
        """Return a new state: all that the return needs, to be read here only."""
        return self._states.seal({"next_url": next_url, **extra_state})

    def clear_oauth_state(self, state_id: str) -> None:
        """Do nothing: it is nowhere here, its cookie goes, and the Hub takes a code once."""

    def _decode_state(self, state_id: str, /) -> dict[str, Any]:
        return self._states.open(state_id)

    async def is_admin(self, name: str) -> bool:
        """Ask the Hub whether a user administers it.

        Raises
        ------
        HTTPError
            The Hub is away, or does not let this service ask.

        """
        model = await self._user(name)
        return bool(model and model.get("admin"))

    async def created_at(self, name: str) -> float | None:
        """Ask the Hub since when it has a user of this name, in seconds since the epoch.

        None where it does not say so: there is none, or this service lacks ``read:users``.

        Raises
        ------
        HTTPError
            The Hub is away.

        """
        given = (await self._user(name) or {}).get("created")
        try:
            created = datetime.fromisoformat(str(given))
        except ValueError:
            return None
        return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp()

    async def _user(self, name: str) -> dict[str, Any] | None:
        url = url_path_join(self.api_url, "users", quote(name, safe="@~"))
        model: dict[str, Any] | None = await self._api_request("GET", url, allow_403=True)
        return model
