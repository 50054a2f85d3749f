"""The small pages a browser ends on: self-contained, and open to nothing."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any, Final

from ..qr_code import qr_code
from ..words import host_of

if TYPE_CHECKING:
    from ..errors import PlatformAuthError

PALETTE: Final = """\
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--card:#fff;--back:#f4f5f7;--line:#d8dee4;--good:#1a7f37;--bad:#c3262e;--link:#0b63ce}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--card:#1b1f24;--back:#0f1216;--line:#323941;--good:#4ac26b;--bad:#ff7b72;--link:#6cb0ff}}
"""  # noqa: E501 - a style sheet
"""The colours of all pages, light and dark."""

_LAYOUT: Final = """\
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
.go{display:inline-block;margin-top:20px;padding:10px 22px;border:0;border-radius:8px;background:var(--link);color:#fff;text-decoration:none;font-family:inherit;font-size:16px;font-weight:600;line-height:1.5;cursor:pointer}
@media(prefers-color-scheme:dark){.go{color:#0f1216}}
:is(.go,input):focus-visible{outline:3px solid var(--link);outline-offset:3px}
.code{margin:14px 0 4px;font:600 32px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.1em;color:var(--ink);user-select:all}
.pa-login-qr{display:block;width:148px;height:148px;margin:16px auto 4px;border-radius:8px;shape-rendering:crispedges}
ol{margin:18px 0 0;padding:0;list-style:none;text-align:left;counter-reset:step}
li{position:relative;padding:0 0 22px 44px;counter-increment:step}
li::before{content:counter(step);position:absolute;left:0;top:0;width:28px;height:28px;border:1px solid var(--line);border-radius:50%;text-align:center;line-height:26px;font-weight:600}
li:last-child{padding-bottom:0}
li .go{margin-top:10px}
label{display:block}
input{display:block;width:100%;margin-top:8px;padding:9px 12px;border:1px solid var(--soft);border-radius:8px;background:var(--back);color:var(--ink);font:inherit}
[role=alert]{margin:0 0 10px;text-align:left;padding:8px 12px;border-left:4px solid var(--bad);border-radius:4px;background:var(--back);color:var(--ink)}
"""  # noqa: E501 - a style sheet
_STYLE: Final = PALETTE + _LAYOUT

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


def source_hash(text: str) -> str:
    """Return what a content security policy calls a style sheet or script by."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src {source_hash(_STYLE)}; script-src {source_hash(_SCRIPT)}; "
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

FORM_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY.replace(
        "form-action 'none'", "form-action 'self'"
    ),
    # Without a referrer browsers say that a form comes from nowhere (Origin: null, Fetch §3.2),
    # and Jupyter takes it from nowhere else than itself.
    "Referrer-Policy": "same-origin",
}
"""What goes with `paste_page` instead: it sends what is pasted to where it came from."""


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
        body.append(_anchor(*link))
    return _page(title, kind, body, close=close)


def device_page(platform: str, challenge: dict[str, Any]) -> str:
    """Return the page that shows a device flow's code.

    Parameters
    ----------
    platform
        What is signed in to.
    challenge
        Of the kind ``device``; see `platform_auth.broker.view`.

    """
    where = challenge["verification_uri_complete"] or challenge["verification_uri"]
    picture = qr_code(where)
    advice = "Check that the next page shows the same code. Never enter one that somebody sent you."
    body = [
        f'<p class="code">{escape(challenge["user_code"])}</p>',
        f'<p class="what">{advice}</p>',
        _anchor(where, f"Sign in at {host_of(challenge['verification_uri'])}"),
        *([picture.svg(), "<p>Or scan it with a phone.</p>"] if picture else []),
    ]
    return _page(f"Sign in to {platform}", "ask", body)


def paste_page(platform: str, url: str, form: str, *, problem: PlatformAuthError | None) -> str:
    """Return the page that sends a person to sign in and takes the address they end on.

    Parameters
    ----------
    platform
        What is signed in to.
    url
        Where to sign in.
    form
        Hidden fields of the form, HTML; it is sent to the page's own address.
    problem
        Why the last address was not the right one.

    """
    refused = ""
    if problem is not None:
        said = " ".join(text for text in (problem.what, problem.why, problem.fix) if text)
        refused = f'<p role="alert">{escape(said)}</p>'
    body = [
        refused,
        "<ol><li>Sign in on the provider's page, in a tab of its own.<br>",
        _anchor(url, f"Sign in at {host_of(url)}", ' target="_blank" rel="noopener"'),
        "</li><li>It ends on an address that cannot be reached: copy that whole address.",
        "(If it says that you are signed in, you are.)</li>",
        f'<li><form method="post">{form}',
        "<label>Paste the address of the page your browser ended on",
        '<input name="url" type="text" required autocomplete="off" spellcheck="false"></label>',
        '<button class="go">Finish</button></form></li></ol>',
    ]
    return _page(f"Sign in to {platform}", "ask", body)


def _anchor(url: str, text: str, more: str = "") -> str:
    return f'<a class="go" href="{escape(url)}"{more}>{escape(text)}</a>'


def _page(title: str, kind: str, body: list[str], *, close: bool = False) -> str:
    return _PAGE.substitute(
        title=escape(title),
        style=_STYLE,
        kind=kind,
        mark=_MARKS[kind],
        lines="\n".join(body),
        script=f"<script>{_SCRIPT}</script>" if close else "",
    )
