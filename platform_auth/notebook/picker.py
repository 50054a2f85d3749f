"""``%platform_login`` with several profiles to pick from: the widget, and what comes of a pick."""

# mypy: allow-untyped-calls
# IPython's display functions have no types.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.display import display

from ..errors import SignInRequiredError
from .injection import check_name, inject
from .login import Login, Wishes
from .presence import is_person_there
from .words import client_is_ready

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..broker.client import BrokerClient
    from .injection import LazyClient
    from .widget import LoginWidget


class Picker:
    """Lets the person pick a profile, and binds the client of the one picked.

    Parameters
    ----------
    shell
        The user's.
    broker
        Who keeps the sessions.
    wishes
        What the magic line says.
    clients
        Where the client is noted, by its variable's name.

    Raises
    ------
    UsageError
        Nobody is there to pick, or a wish needs the name of a profile.

    """

    def __init__(
        self,
        shell: InteractiveShell,
        broker: BrokerClient,
        wishes: Wishes,
        clients: dict[str, LazyClient],
    ) -> None:
        check_name(wishes.name)
        self._shell, self._broker, self._wishes, self._clients = shell, broker, wishes, clients
        self._widget: LoginWidget | None = None
        can_choose = hasattr(shell, "kernel") and is_person_there(shell)
        if not can_choose or wishes.scopes or wishes.flow:
            names = ", ".join(view["profile"] for view in broker.profiles()["profiles"])
            what = f"Name the profile, as none is the default: %platform_login with one of {names}."
            raise UsageError(what)

    def show(self) -> None:
        """Show the widget; a cell that uses the client before a pick says so."""
        from .widget import LoginWidget

        name = self._wishes.name
        if name not in self._shell.user_ns:
            inject(self._shell, name, NothingPicked())
        self._widget = LoginWidget(self._broker, use=self._use, use_label=f"Use as {name}")
        display(self._widget)

    def close(self) -> None:
        """Take the widget away."""
        if self._widget is not None:
            self._widget.close()

    def _use(self, view: dict[str, Any]) -> str:
        replaced: list[str] = []
        login = Login(self._shell, self._broker, view, self._wishes)
        self._clients[self._wishes.name] = login.bind(replaced.append)
        return " ".join([f"{client_is_ready(self._wishes.name, login.kind)}.", *replaced])


class NothingPicked:
    """Stands where the client will be, until a platform is picked."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        what = "No platform has been picked yet."
        fix = "Sign in to one in the list that %platform_login shows, then run this cell again."
        raise SignInRequiredError(what, fix=fix)

    def __repr__(self) -> str:
        return "<no platform picked yet>"
