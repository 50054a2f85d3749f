"""How a connection and its clients are shown: which platform, who is signed in, until when."""

from __future__ import annotations

from typing import Any

from .card import Line, card_of
from .markup import to_html
from .words import validity


def about(view: dict[str, Any], what: str) -> dict[str, str]:
    """Return the MIME bundle of something that stands for a session; it holds no secret.

    Parameters
    ----------
    view
        The session.
    what
        Is shown, as in ``flytekit client``.

    """
    card = card_of(view)
    if view["state"] == "signed_in":
        card = card_of(view, Line(" · ".join([what, *validity(view)]), quiet=True))
    text = f"<{what} of {card.platform}: {card.status}>"
    return {"text/html": to_html(card), "text/plain": text}
