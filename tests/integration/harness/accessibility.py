"""What axe-core, the usual engine for it, finds wrong for people who cannot see or use a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

_AXE: Final = Path(__file__).parents[3] / "labextension/node_modules/axe-core/axe.min.js"

# JupyterLab's body has no height, and the engine takes what is in it for hidden and looks away.
_RUN: Final = """async (selector) => {
  document.body.style.minHeight = '100vh';
  const { violations, incomplete } = await axe.run(selector);
  document.body.style.minHeight = '';
  return [...violations, ...incomplete];
}"""


def violations(page: Page, selector: str) -> list[str]:
    """Return what is wrong with a part of a page, a line for each element.

    Parameters
    ----------
    page
        The page, as it is now.
    selector
        Which part; it must be there.

    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(_RUN, selector)
    return [
        f"{each['id']}: {' '.join(node['failureSummary'].split())} in {node['html']}"
        for each in found
        for node in each["nodes"]
    ]
