"""A sign-in as a kernel or terminal sees it: begun, put before the person, and waited for."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .errors import (
    BrokerUnavailableError,
    CallbackError,
    PlatformAuthError,
    SignInCancelledError,
    SignInExpiredError,
)
from .words import PASTE_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .broker.client import BrokerClient

View = dict[str, Any]
"""A session as the broker shows it; see `platform_auth.broker.view`."""

_POLL: Final = 20.0
_RETRY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """How to sign in, where it is not as the profile says; see `Connection.sign_in`."""

    flow: str | None = None
    force: bool = False
    redirect: str | None = None


class SignIn:
    """One sign-in.

    Parameters
    ----------
    broker
        Where to sign in.
    profile
        The profile's name.
    wish
        How.
    show
        Puts a session, whose ``challenge`` says what to do, before the person. Called again only if
        there is something else to do: a broker that was restarted asks anew.

    """

    def __init__(
        self, broker: BrokerClient, profile: str, wish: Wish, show: Callable[[View], None]
    ) -> None:
        self._broker, self._profile, self._wish, self._show = broker, profile, wish, show
        self._shown: dict[str, Any] | None = None
        self._lost: BrokerUnavailableError | None = None

    def run(self, timeout: float) -> View:
        """Sign in and return the session.

        Whatever ends it early, an interrupt too, calls the sign-in off.

        Parameters
        ----------
        timeout
            Seconds to wait for the person.

        Raises
        ------
        SignInError
            It was denied, called off or not finished in time.
        PlatformAuthError
            It failed for another reason.

        """
        with self._called_off_by(KeyboardInterrupt):
            first = self._begin()  # refused, it leaves nothing to call off
        if first["state"] != "signing_in":
            return first
        with self._called_off_by(BaseException):
            last = self._wait(first, timeout)
        return _outcome(first, last)

    @contextlib.contextmanager
    def _called_off_by(self, *reasons: type[BaseException]) -> Iterator[None]:
        try:
            yield
        except reasons:
            with contextlib.suppress(PlatformAuthError):
                self._broker.cancel(self._profile)
            raise

    def _begin(self) -> View:
        wish = self._wish
        view = self._broker.sign_in(
            self._profile, flow=wish.flow, force=wish.force, redirect=wish.redirect
        )
        self._put_before_person(view)
        return view

    def _put_before_person(self, view: View) -> None:
        asked = {**(view["challenge"] or {}), "expires_at": None}
        if view["state"] == "signing_in" and asked != self._shown:
            self._shown = asked
            self._show(view)

    def _wait(self, view: View, timeout: float) -> View:
        until = time.monotonic() + timeout
        while view["state"] == "signing_in":
            left = until - time.monotonic()
            if left <= 0:
                raise self._lost or _too_late(view, timeout)
            view = self._next(view, left)
        return view

    def _next(self, view: View, left: float) -> View:
        """Return the session once it has changed, or as it was after a while."""
        try:
            wait = min(left, _POLL)
            new = self._broker.session(self._profile, since=view["revision"], wait=wait)
            if self._is_forgotten(view, new):
                new = self._begin()
        except BrokerUnavailableError as error:
            self._lost = error  # a server that restarts is no reason to send the person away
            time.sleep(min(left, _RETRY))
            return view
        self._lost = None
        self._put_before_person(new)
        return new

    def _is_forgotten(self, view: View, new: View) -> bool:
        """Tell whether the broker was started anew, and knows nothing of the sign-in any more.

        A start between two polls is seen by its mark alone. Replicas have none, as they share
        their sign-ins: there only one that was away may have forgotten.
        """
        start = new.get("start")
        restarted = self._lost is not None if start is None else start != view.get("start")
        return restarted and new["state"] != "signing_in" and _is_as_before(view, new)


def _outcome(first: View, last: View) -> View:
    if last["error"] is not None:
        raise PlatformAuthError.from_dict(last["error"])
    if _is_as_before(first, last):
        what = "The sign-in was called off."
        still = last["state"] == "signed_in"
        why = f"You are still signed in as {last['signed_in_as'] or 'before'}." if still else ""
        raise SignInCancelledError(what, why=why, fix="Sign in again when you are ready.")
    return last


def _is_as_before(view: View, new: View) -> bool:
    """Tell whether nobody has signed in meanwhile, and nothing says why."""
    if new["error"] is not None:
        return False
    # Not by its expiry: a refresh that ends meanwhile is no sign-in.
    return bool(new["state"] == "signed_out" or new["signed_in_at"] == view["signed_in_at"])


def _too_late(view: View, timeout: float) -> SignInExpiredError:
    return SignInExpiredError(
        f"Nobody signed in to {view['platform']} within {timeout:.0f} seconds.",
        fix="Run it again when you are ready.",
    )


def print_challenge(view: View) -> None:
    """Print what a session asks of the person."""
    challenge = view["challenge"]
    if challenge["kind"] == "device":
        print(f"Open {challenge['verification_uri']} and enter {challenge['user_code']}")  # noqa: T201
        return
    # A server's own page takes what is to be pasted.
    pasted = challenge["kind"] == "paste"
    url = (view["sign_in_url"] if pasted else None) or challenge["url"]
    print(f"Open this address in a browser to sign in:\n{url}")  # noqa: T201
    if pasted and url == challenge["url"]:
        print(challenge["sentence"])  # noqa: T201


def invite(broker: BrokerClient, profile: str) -> Callable[[View], None]:
    """Return the default ``show``: it prints what is asked, and takes an address if that is it."""

    def show(view: View) -> None:
        print_challenge(view)
        alone = view["challenge"]["kind"] == "paste" and view["sign_in_url"] is None
        if alone and sys.stdin is not None and sys.stdin.isatty():
            take_address(broker, profile)

    return show


def take_address(broker: BrokerClient, profile: str) -> None:
    """Have the person paste the address that the browser ended on, until it is the right one."""
    # What is typed at getpass() is not written into a notebook, what is at input() is.
    from getpass import getpass

    while True:
        url = getpass(f"{PASTE_LABEL}: ")
        try:
            broker.complete(profile, url)
        except CallbackError as error:
            print(f"That is not it: {error.what}")  # noqa: T201
        except PlatformAuthError:
            return  # the session says why
        else:
            return
