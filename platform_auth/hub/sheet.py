"""The service's wider pages: tables with buttons, self-contained, and no script at all."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING, Final

from ..broker.pages import HEADERS, PALETTE, source_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STYLE: Final = (
    PALETTE
    + """\
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main{max-width:1080px;margin:0 auto;padding:20px 24px}
header{display:flex;flex-wrap:wrap;gap:6px 22px;align-items:baseline;padding-bottom:0}
header span{margin-left:auto;color:var(--soft)}
main{padding-bottom:48px}
h1{margin:0;font-size:24px;line-height:1.25;font-weight:650}
p{margin:8px 0 0;color:var(--soft)}
a{color:var(--link)}
.said{margin:18px 0 0;padding:10px 14px;border-left:4px solid var(--good);border-radius:4px;background:var(--card);color:var(--ink)}
.said.bad{border-color:var(--bad)}
.sheet{margin-top:20px;overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px}
table{width:100%;border-collapse:collapse}
caption{padding:14px 18px 6px;text-align:left;font-weight:650}
th,td{padding:10px 18px;border-top:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:break-word}
thead th{border-top:0;color:var(--soft);font-size:14px;font-weight:600;white-space:nowrap}
tbody th{font-weight:600}
small{display:block;color:var(--soft);font-size:14px;font-weight:400}
.sheet .bad{color:var(--bad)}
time{white-space:nowrap}
form{display:inline-block;margin:0}
.find{display:flex;flex-wrap:wrap;gap:8px;align-items:end;margin-top:18px}
label{display:block;color:var(--ink)}
input[type=search]{display:block;min-width:240px;margin-top:4px;padding:8px 12px;border:1px solid var(--soft);border-radius:8px;background:var(--card);color:var(--ink);font:inherit}
button,.go{display:inline-block;padding:6px 14px;border:1px solid var(--soft);border-radius:8px;background:var(--card);color:var(--ink);font:inherit;text-decoration:none;cursor:pointer;white-space:nowrap}
.go{border-color:var(--link);background:var(--link);color:#fff;font-weight:600}
@media(prefers-color-scheme:dark){.go{color:#0f1216}}
button.last{border-color:var(--bad);color:var(--bad)}
summary{padding:6px 0;color:var(--link);cursor:pointer}
details p{margin:0 0 8px}
.sheet~:is(p,details){margin-top:16px}
:is(a,button,input,summary,.sheet):focus-visible{outline:3px solid var(--link);outline-offset:2px}
.pages{display:flex;gap:18px;margin-top:16px}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
"""  # noqa: E501 - a style sheet
)

SHEET_HEADERS: Final = {
    **HEADERS,
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {source_hash(_STYLE)}; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'self'"
    ),
    # Without a referrer browsers say that a form comes from nowhere (Origin: null, Fetch §3.2).
    "Referrer-Policy": "same-origin",
}
"""What goes with every such page: nothing is loaded, and its forms stay here."""

_PAGE: Final = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>$title</title><style>$style</style></head>
<body><header><nav aria-label="Pages">$links</nav><span>$person</span></header>
<main><h1>$title</h1>
$body
</main></body></html>
""")  # noqa: E501 - a page


def sheet(title: str, body: str, *, person: str, links: Sequence[tuple[str, str]]) -> str:
    """Return a page.

    Parameters
    ----------
    title
        Plain text.
    body
        HTML.
    person
        Who is logged in.
    links
        To other pages: address and text.

    """
    shown = " · ".join(f'<a href="{escape(url)}">{escape(text)}</a>' for url, text in links)
    said = escape(f"Logged in as {person}")
    return _PAGE.substitute(title=escape(title), style=_STYLE, links=shown, person=said, body=body)


def table(caption: str, heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose rows begin with what they are about.

    Parameters
    ----------
    caption, heads
        Plain text.
    rows
        Cells, HTML.

    """
    # It may be wider than a telephone: who scrolls by keyboard must be able to get into it.
    label = escape(caption)
    return (
        f'<div class="sheet" role="region" aria-label="{label}" tabindex="0"><table>'
        f"<caption>{label}</caption><thead><tr>"
        + "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
        + "</tr></thead><tbody>"
        + "".join(_row(cells) for cells in rows)
        + "</tbody></table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'


def button(
    text: str, about: str, fields: dict[str, str], hidden: str, *, last: bool = False
) -> str:
    """Return a form that is one button; it is sent to the page's own address.

    Parameters
    ----------
    text, about
        What it does, and to what: the latter for whoever hears the page only.
    fields
        What it sends.
    hidden
        The field against forms of other sites, HTML.
    last
        Whether it cannot be taken back.

    """
    values = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    kind = ' class="last"' if last else ""
    unseen = f'<span class="unseen"> {escape(about)}</span>'
    return (
        f'<form method="post">{hidden}{values}<button{kind}>{escape(text)}{unseen}</button></form>'
    )


def said(text: str, *, bad: bool = False) -> str:
    """Return a message on what has just been done; nothing for an empty one."""
    if not text:
        return ""
    kind, role = ("said bad", "alert") if bad else ("said", "status")
    return f'<p class="{kind}" role="{role}">{escape(text)}</p>'
