"""`LoginWidget`: pick a platform, sign in and out, while the kernel does other things."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, VBox

from ..errors import PlatformAuthError
from .markup import body_html
from .row import SessionRow
from .style import style_for, widget_style
from .words import NO_PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..broker.client import BrokerClient

_SOON, _LATER, _ATTENTION = 1.0, 5.0, 600.0


class LoginWidget(VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """A list of platforms with their state, to sign in to and out of.

    It blocks nothing: a thread of its own asks the broker, signing in happens in the browser by a
    real link to the Jupyter server, and where that is not possible another thread begins it. It
    holds no token.

    Parameters
    ----------
    broker
        Whose sessions; the Jupyter server's when omitted.
    use
        Called, in any thread, with a session that the person picks, by signing in or by a button;
        returns a sentence to show. There is no such button without it.
    use_label
        What the button says.

    """

    def __init__(
        self,
        broker: BrokerClient | None = None,
        *,
        use: Callable[[dict[str, Any]], str] | None = None,
        use_label: str = "Use",
    ) -> None:
        if broker is None:
            from ..connection import default_client

            broker = default_client()
        super().__init__()
        self._broker, self._use, self._use_label = broker, use, use_label
        self._rows: dict[str, SessionRow] = {}
        self._frame = HTML(f"<style>{widget_style()}</style>")
        self._trouble = HTML()
        self._lock, self._wake, self._closed = threading.RLock(), threading.Event(), False
        self._noticed = time.monotonic()
        self.add_class("pa-rows")
        self.refresh()
        threading.Thread(target=self._watch, name="platform-auth-widget", daemon=True).start()

    def refresh(self) -> None:
        """Ask the broker now; may be called from any thread."""
        try:
            answer = self._broker.profiles()
        except PlatformAuthError as error:
            self._show_problems([error.to_dict()])
            return
        with self._lock:
            picked = self._draw(answer["profiles"])
        self._show_problems(answer.get("problems", []))
        if picked and not any(row.note for row in self._rows.values()):
            self._pick(picked[0])  # later ones wait for the button: the person works with this one

    def close(self) -> None:
        """Stop asking, and take the widget away."""
        self._closed = True
        self._wake.set()
        super().close()

    def __repr__(self) -> str:
        return f"<LoginWidget: {', '.join(self._rows) or 'no platform'}>"

    def _repr_mimebundle_(self, **options: object) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options) or {}
        cards = "".join(body_html(row.card) for row in self._rows.values())
        # For programs without widgets: links work there, too.
        return {**bundle, "text/html": f"<style>{style_for(cards)}</style>{cards}"}

    def _watch(self) -> None:
        while not self._closed:
            idle = time.monotonic() - self._noticed
            self._wake.wait(_SOON if idle < _ATTENTION else _LATER)
            self._wake.clear()
            if not self._closed:
                self.refresh()

    def _draw(self, views: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Bring the rows up to date; return the sessions that have just been signed in to."""
        picked = []
        names = [view["profile"] for view in views]
        for view in views:
            row = self._rows.get(view["profile"])
            if row is None:
                row = self._rows[view["profile"]] = SessionRow(self._act, self._use_label)
            before = row.state
            if row.show(view, usable=self._use is not None):
                self._noticed = time.monotonic()
            if view["state"] == "signed_in" and before not in (None, "signed_in"):
                picked.append(view)
        rows = [self._rows[name] for name in names]
        self.children = (self._frame, *rows, self._trouble)
        return picked

    def _show_problems(self, problems: list[dict[str, Any]]) -> None:
        from .row import problems_html

        with self._lock:
            nothing = "" if self._rows or problems else NO_PROFILES
            self._trouble.value = problems_html(problems, nothing)

    def _act(self, row: SessionRow, deed: str) -> None:
        """Do what a button asks for, in a thread: the kernel may be busy, and so may the broker."""
        self._noticed = time.monotonic()
        row.busy = True
        threading.Thread(target=self._do, args=(row, deed), daemon=True).start()

    def _do(self, row: SessionRow, deed: str) -> None:
        view = row.view
        try:
            if deed == "use":
                self._pick(view)
            else:
                answer = getattr(self._broker, deed)(view["profile"])
                row.signed_out(answer.get("logout_url"))
        except PlatformAuthError as error:
            row.trouble = str(error)
        finally:
            row.busy = False
            self.refresh()

    def _pick(self, view: dict[str, Any]) -> None:
        if self._use is None:
            return
        row = self._rows[view["profile"]]
        try:
            said = self._use(view)
        except PlatformAuthError as error:
            row.trouble = str(error)
            return
        with self._lock:
            for other in self._rows.values():
                other.note = said if other is row else ""
