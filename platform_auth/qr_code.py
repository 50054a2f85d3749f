"""An address to be scanned with a phone (RFC 8628 §3.3.1), as a QR code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .config.endpoint import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TITLE: Final = "The same address as a QR code, for a phone"
_QUIET_ZONE: Final = 4  # modules around it (ISO/IEC 18004 §5.3.8)


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code as SVG path data: nothing of the address but its pattern gets into a page.

    Parameters
    ----------
    size
        Modules along each side, with the quiet zone.
    path
        The dark ones.

    """

    size: int
    path: str

    def svg(self) -> str:
        """Return it as an inline SVG, black on white whatever is around it."""
        size = self.size
        return (
            f'<svg role="img" class="pa-login-qr" viewBox="0 0 {size} {size}"><title>{_TITLE}'
            f'</title><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{self.path}"/></svg>'
        )


def qr_code(url: str) -> QrCode | None:
    """Return the code of an address; None where a phone could not open it, or it is too long."""
    if not _is_for_phones(url):
        return None
    import segno  # few sign-ins show a code

    try:
        code = segno.make(url, micro=False)
    except ValueError:  # segno.DataOverflowError is one
        return None
    rows = list(code.matrix_iter(border=_QUIET_ZONE))
    return QrCode(len(rows), "".join(_runs(rows)))


def _runs(rows: Iterable[Iterable[int]]) -> Iterator[str]:
    """Yield a rectangle for each run of dark modules."""
    for y, row in enumerate(rows):
        for dark, run in groupby(enumerate(row), lambda cell: cell[1]):
            if dark:
                (x, _), *more = run
                yield f"M{x} {y}h{len(more) + 1}v1h-{len(more) + 1}z"


def _is_for_phones(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme == "https" and bool(host) and not is_loopback(host)
