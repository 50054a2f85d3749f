"""Calls that go on while their caller does something else, and may be made once more."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from .attempts import Attempts


class _Delegate(grpc.Call):
    """A call that is answered by its latest attempt."""

    _call: Any

    def is_active(self) -> bool:
        return bool(self._call.is_active())

    def time_remaining(self) -> float | None:
        return self._call.time_remaining()  # type: ignore[no-any-return] # grpc ships no types

    def cancel(self) -> bool:
        return bool(self._call.cancel())

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return bool(self._call.add_callback(callback))

    def initial_metadata(self) -> Any:
        return self._call.initial_metadata()

    def trailing_metadata(self) -> Any:
        return self._call.trailing_metadata()

    def code(self) -> Any:
        return self._call.code()

    def details(self) -> Any:
        return self._call.details()


class PendingCall(_Delegate, grpc.Future):
    """A call with one response, which comes later.

    Parameters
    ----------
    attempts
        Makes it again.
    call
        The first attempt.

    """

    def __init__(self, attempts: Attempts, call: Any) -> None:
        self._attempts, self._call = attempts, call
        self._outcome: Future[Any] = Future()
        call.add_done_callback(self._ended)

    def _ended(self, call: Any) -> None:
        error = None if call.cancelled() else call.exception()
        stale = self._attempts.refused(error)
        if stale is None:
            self._outcome.set_result(call)
        else:
            # This is gRPC's own thread: it must not wait for a token, all calls wait for it.
            threading.Thread(target=self._again, args=(stale,), daemon=True).start()

    def _again(self, stale: str) -> None:
        try:
            another = self._attempts.again(stale)
        except BaseException as error:  # noqa: BLE001 - it is whoever waits that is told
            self._outcome.set_exception(error)
            return
        if another is None:
            self._outcome.set_result(self._call)
            return
        self._call = another
        another.add_done_callback(self._ended)

    def cancelled(self) -> bool:
        """Tell whether it was cancelled before it ended."""
        return bool(self._call.cancelled())

    def running(self) -> bool:
        """Tell whether it goes on."""
        return not self._outcome.done()

    def done(self) -> bool:
        """Tell whether it is over."""
        return self._outcome.done()

    def result(self, timeout: float | None = None) -> Any:
        """Return the response; raise what the call failed with."""
        return self._ended_call(timeout).result()

    def exception(self, timeout: float | None = None) -> Any:
        """Return what the call failed with, if it did."""
        try:
            return self._ended_call(timeout).exception()
        except grpc.FutureTimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - no token for another attempt
            return error

    def traceback(self, timeout: float | None = None) -> Any:
        """Return the traceback of what the call failed with."""
        error = self.exception(timeout)
        return None if error is None else error.__traceback__

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call a function with this once it is over."""
        self._outcome.add_done_callback(lambda _: fn(self))

    def _ended_call(self, timeout: float | None) -> Any:
        try:
            return self._outcome.result(timeout)
        except FutureTimeoutError:
            raise grpc.FutureTimeoutError from None


class RetriedStream(_Delegate):
    """A call with a stream of responses, made once more if it is refused before the first.

    Parameters
    ----------
    attempts
        Makes it, and makes it again.

    """

    def __init__(self, attempts: Attempts) -> None:
        self._attempts, self._call = attempts, attempts.first()
        self._accepted = False

    def __iter__(self) -> RetriedStream:
        return self

    def __next__(self) -> Any:
        while not self._accepted:
            try:
                return self._first()
            except grpc.RpcError as error:
                stale = self._attempts.refused(error)
                another = None if stale is None else self._attempts.again(stale)
                if another is None:
                    raise
                self._call = another
        return next(self._call)

    def _first(self) -> Any:
        response = next(self._call)
        self._accepted = True
        self._attempts.requests.accepted()
        return response
