"""The small pages a browser ends on: self-contained, and open to nothing."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from string import Template
from typing import Final

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--card:#fff;--back:#f4f5f7;--line:#d8dee4;--good:#1a7f37;--bad:#c3262e;--link:#0b63ce}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--card:#1b1f24;--back:#0f1216;--line:#323941;--good:#4ac26b;--bad:#ff7b72;--link:#6cb0ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:440px;padding:36px 32px;background:var(--card);border:1px solid var(--line);border-radius:14px;text-align:center;overflow-wrap:anywhere}
.mark{width:52px;height:52px;margin:0 auto 18px;border-radius:50%;display:grid;place-items:center;color:#fff;background:var(--good)}
.bad .mark{background:var(--bad)}
.ask .mark{background:var(--link)}
@media(prefers-color-scheme:dark){.mark{color:#0f1216}}
.mark svg{width:28px;height:28px;fill:none;stroke:currentColor;stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
h1{margin:0 0 8px;font-size:22px;line-height:1.25;font-weight:650}
p{margin:0 0 6px;color:var(--soft)}
p.what{color:var(--ink)}
p.fix{margin-top:14px}
a.go{display:inline-block;margin-top:20px;padding:10px 22px;border-radius:8px;background:var(--link);color:#fff;text-decoration:none;font-weight:600}
@media(prefers-color-scheme:dark){a.go{color:#0f1216}}
a.go:focus-visible{outline:3px solid var(--link);outline-offset:3px}
"""  # noqa: E501 - a style sheet
# A tab that a script opened may close itself; in any other this does nothing.
_SCRIPT: Final = "setTimeout(function(){window.close()},1500)"

_MARKS: Final = {
    "good": '<path d="M5 13l5 5L20 7"/>',
    "bad": '<path d="M6 6l12 12M18 6L6 18"/>',
    "ask": '<path d="M5 12h14M13 6l6 6-6 6"/>',
}

_PAGE: Final = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>$title</title><style>$style</style></head>
<body><main class="$kind"><div class="mark" aria-hidden="true"><svg viewBox="0 0 24 24">$mark</svg></div>
<h1>$title</h1>
$lines
</main>$script</body></html>
""")  # noqa: E501 - a page


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What goes with every page: the address it came under may hold a code (RFC 9700 §4.2)."""


def page(
    title: str,
    *lines: str,
    kind: str = "good",
    fix: str = "",
    link: tuple[str, str] | None = None,
    close: bool = False,
) -> str:
    """Return a page.

    Parameters
    ----------
    title, lines, fix
        Plain text; escaped here.
    kind
        ``good``, ``bad`` or ``ask``: which mark it bears.
    link
        A button: its address, root-relative or absolute http(s), and its text.
    close
        Whether the tab tries to close itself.

    """
    body = [f'<p class="what">{escape(line)}</p>' for line in lines if line]
    if fix:
        body.append(f'<p class="fix">{escape(fix)}</p>')
    if link is not None:
        body.append(f'<a class="go" href="{escape(link[0])}">{escape(link[1])}</a>')
    return _PAGE.substitute(
        title=escape(title),
        style=_STYLE,
        kind=kind,
        mark=_MARKS[kind],
        lines="\n".join(body),
        script=f"<script>{_SCRIPT}</script>" if close else "",
    )
