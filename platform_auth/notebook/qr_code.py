"""An address to be scanned with a phone (RFC 8628 §3.3.1)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ..config.endpoint import is_loopback

_TITLE: Final = "The same address as a QR code, for a phone"


def qr_svg(url: str) -> str:
    """Return an address as a QR code: an inline SVG, black on white whatever is around it.

    Nothing where a phone could not open it, or it is too long to be scanned.
    """
    if not _is_for_phones(url):
        return ""
    import segno  # few sign-ins show a code

    try:
        code = segno.make(url, micro=False)
    except ValueError:  # segno.DataOverflowError is one
        return ""
    svg: str = code.svg_inline(
        border=4, dark="#000", light="#fff", svgclass="pa-login-qr", lineclass=None,
        omitsize=True, title=_TITLE,
    )  # fmt: skip
    return svg.replace("<svg ", '<svg role="img" ', 1)


def _is_for_phones(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme == "https" and bool(host) and not is_loopback(host)
