"""What ``%platform_login`` does: find the session, sign in if need be, make the client ready."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ..connection import DEFAULT_TIMEOUT, Connection
from ..errors import (
    PlatformAuthError,
    SignInCancelledError,
    SignInRequiredError,
)
from .injection import LazyClient, check_name, inject
from .presence import VARIABLE, is_person_there, takes_input
from .words import ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ..broker.client import BrokerClient
    from .display import LoginDisplay

_FOR_PEOPLE: Final = frozenset({"pkce", "device"})
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the magic line says; see `platform_auth.notebook.magics`."""

    flow: str | None = None
    redirect: str | None = None
    client: str | None = None
    name: str = "client"
    scopes: tuple[str, ...] = ()
    timeout: float = DEFAULT_TIMEOUT
    wait: bool = True
    force: bool = False


class Login:
    """Signs in to one profile, and binds the client.

    Parameters
    ----------
    shell
        The user's.
    broker
        Who keeps the sessions.
    view
        The session as it was found.
    wishes
        How.

    Raises
    ------
    UsageError, ConfigError
        A wish cannot be fulfilled.

    """

    def __init__(
        self,
        shell: InteractiveShell,
        broker: BrokerClient,
        view: dict[str, Any],
        wishes: Wishes,
    ) -> None:
        from ..clients import check_kind

        check_name(wishes.name)
        self._shell, self._broker, self._wishes = shell, broker, wishes
        self._view = _with_scopes(broker, view, wishes.scopes)
        check_kind(self.kind)
        self._connection = Connection(broker, self._view["profile"])

    @property
    def kind(self) -> str:
        """The kind of the client, as far as is known: a sign-in may show what the platform is."""
        from ..clients import kind_for

        return self._wishes.client or kind_for(self._view)

    def run(self) -> LazyClient:
        """Do it, and return the client.

        Raises
        ------
        SignInError
            Nobody signed in, or nobody is there to do it.
        PlatformAuthError
            It failed for another reason.

        """
        if not self._wishes.force and self._is_ready():
            warnings = (f"Warning: {text}" for text in self._view["warnings"])
            print(ready(self._view, self._wishes.name, self.kind), *warnings, sep="\n")  # noqa: T201 - a magic speaks
        elif self._wishes.wait:
            self._view = self._sign_in()
            self._display.succeed(self._view)
        else:
            self._begin()
        return self.bind()

    def bind(self, say: Callable[[str], None] = print) -> LazyClient:
        """Bind the variable to a client, and ``say`` what it replaced."""
        shell, count = self._shell, self._shell.execution_count
        # In the cell that signs in, all has been said already; a terminal shows its Out[] anyhow.
        news_is_old = hasattr(shell, "kernel")
        quiet = (lambda: shell.execution_count == count) if news_is_old else None
        is_settled = self._view["state"] == "signed_in"
        kind = self.kind if is_settled else self._wishes.client
        client = LazyClient(self._connection, kind, quiet)
        if replaced := inject(shell, self._wishes.name, client):
            say(replaced)
        return client

    @cached_property
    def _display(self) -> LoginDisplay:
        from .display import LoginDisplay  # late: who is signed in already sees none

        return LoginDisplay(self._wishes.name, self._wishes.client)

    def _is_ready(self) -> bool:
        """Tell whether a token can be had; it is kept for the first call."""
        if self._view["state"] != "signed_in":
            return False
        try:
            self._connection.tokens.token()
        except SignInRequiredError:
            return False  # signed in as far as was known, but the provider has ended it
        return True

    def _sign_in(self) -> dict[str, Any]:
        wishes = self._wishes
        try:
            return self._connection.sign_in(
                flow=wishes.flow,
                force=wishes.force,
                redirect=wishes.redirect,
                timeout=wishes.timeout,
                show=self._shower(),
            )
        except PlatformAuthError as error:
            self._display.fail(error)
            raise
        except KeyboardInterrupt:
            what, fix = "You called the sign-in off.", "Run the cell again when you are ready."
            called_off = SignInCancelledError(what, fix=fix)
            self._display.fail(called_off)
            raise called_off from None

    def _begin(self) -> None:
        """Ask, but do not wait."""
        show, wishes = self._shower(), self._wishes
        name = self._connection.profile
        view = self._broker.sign_in(
            name, flow=wishes.flow, force=wishes.force, redirect=wishes.redirect
        )
        if view["state"] == "signing_in":
            show(view)
        else:
            self._display.succeed(view)

    def _shower(self) -> Callable[[dict[str, Any]], None]:
        """Return what puts a challenge before the person.

        Raises
        ------
        SignInRequiredError
            There is no person.

        """
        if is_person_there(self._shell):
            return self._show
        if (self._wishes.flow or self._view["flow"]) in _FOR_PEOPLE:
            raise _nobody_there(self._view)
        return self._refuse

    def _show(self, view: dict[str, Any]) -> None:
        self._display.wait(view)
        alone = view["challenge"]["kind"] == "paste" and view["sign_in_url"] is None
        if alone and self._wishes.wait and takes_input(self._shell):
            from ..sign_in import take_address

            take_address(self._broker, self._connection.profile)

    def _refuse(self, view: dict[str, Any]) -> None:
        """Call off what turned out to want a person."""
        self._broker.cancel(self._connection.profile)
        raise _nobody_there(view)


def _nobody_there(view: dict[str, Any]) -> SignInRequiredError:
    return SignInRequiredError(
        f"You are not signed in to {view['platform']}, and nobody is there to do it.",
        why="This runs without a person (nbconvert, papermill, a schedule).",
        fix=(
            f"Sign in to the profile {view['profile']} in JupyterLab on this server first; or use "
            "a profile that needs no person (client credentials, an external command); or set "
            f"{VARIABLE}=always if somebody watches."
        ),
    )


def _with_scopes(
    broker: BrokerClient, view: dict[str, Any], scopes: tuple[str, ...]
) -> dict[str, Any]:
    """Return the session of a profile that asks for these scopes, too.

    It is the profile itself where it asks for them already; else a copy of it, made for as long as
    the broker runs, with a sign-in of its own: what was granted to others stays as it is.
    """
    if not scopes:
        return view
    from ..config import Profile, ProfileSource

    name, source = view["profile"], ProfileSource.SESSION
    profile = Profile.from_mapping(name, broker.session(name)["config"], source=source)
    more = tuple(scope for scope in scopes if scope not in profile.config.scopes)
    if not more:
        return view
    if view["flow"] not in _FOR_PEOPLE:
        from IPython.core.error import UsageError

        what = f"--scopes: the scopes of {name} are its own ({view['flow']}); set them in it."
        raise UsageError(what)
    return broker.put_like(_copy_name(name, more), name, more)


def _copy_name(name: str, more: tuple[str, ...]) -> str:
    readable = "+".join((name, *more))
    if len(readable) <= _LONGEST_NAME and not set(readable) & set("/\\"):
        return readable
    return f"{name[:48]}+{sha256(readable.encode()).hexdigest()[:8]}"
