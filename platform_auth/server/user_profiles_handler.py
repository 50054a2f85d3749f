"""``{base_url}platform-auth/api/v1/user-profiles/…``, and what goes with it: see `UserProfiles`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_core.utils import ensure_async
from tornado import web

from .api_handler import ROUTE, ApiHandler
from .visitor import authorized_to, browser_of

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..broker.reply import Reply
    from .user_profiles import UserProfiles

USER_PROFILES_ROUTE: Final = rf"{ROUTE}/v1/(?:discover|default-profile|user-profiles/[^/]+)"


class UserProfilesHandler(ApiHandler):
    """Answers the owner's browser; reading needs ``read``, all else ``write``."""

    def initialize(self, broker: Broker, user_profiles: UserProfiles) -> None:  # type: ignore[override]  # what its route gives
        """Take what the route gives."""
        super().initialize(broker)
        self._user_profiles = user_profiles

    @web.authenticated
    @authorized_to("write")
    async def delete(self) -> None:
        """Answer ``DELETE``."""
        await self._answer()

    async def _answer_to(self, path: str, body: dict[str, Any]) -> Reply:
        return await self._user_profiles.answer(
            self.request.method or "",
            path,
            body,
            caller=browser_of(self),
            may_run_programs=self._may_run_programs,
        )

    async def _may_run_programs(self) -> bool:
        """Ask as Jupyter does before it starts a kernel: that runs programs, too."""
        user = self.current_user
        return bool(
            await ensure_async(self.authorizer.is_authorized(self, user, "write", "kernels"))
        )
