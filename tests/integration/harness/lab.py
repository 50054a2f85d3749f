"""JupyterLab (or Notebook 7) in the browser, with one notebook open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.polling import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from harness.hub_server import HubServer
    from harness.jupyter import JupyterServer

# The notebook in front, as the application knows it. "idle" in the page's status bar shows before
# there is a kernel at all, and Run All before the connection stands is dropped silently.
_PANEL: Final = "window.jupyterapp?.shell?.currentWidget"
_CONNECTED: Final = f"""() => {{
  const kernel = {_PANEL}?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
}}"""
_CELLS: Final = f"""() => [...{_PANEL}.content.model.cells].map((cell) => cell.toJSON())"""
_DONE: Final = f"""(index) => {{
  const cell = {_PANEL}.content.widgets[index];
  return cell.model.executionCount !== null && cell.model.executionState !== 'running';
}}"""
_SELECT: Final = (
    "(index) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }"
)
_BUSY: Final = f"() => {_PANEL}.sessionContext.session.kernel.status === 'busy'"

# The command's promise ends when the new kernel is there, long after the dialog has closed.
_RESTART: Final = """() => {
  window.restarted = window.jupyterapp.commands.execute('notebook:restart-kernel');
}"""


class Lab:
    """One notebook, open in one page.

    Parameters
    ----------
    page
        The page it is opened in.
    server
        The server it is opened from.
    notebook
        Its path under the server's root.

    """

    def __init__(self, page: Page, server: JupyterServer | HubServer, notebook: str) -> None:
        self.page = page
        self.server = server
        self.notebook = notebook
        page.goto(server.page_url(notebook))
        self.wait_for_kernel()

    def wait_for_kernel(self, *, within: float = 60.0) -> None:
        """Wait until the notebook's kernel is there, idle, and the page connected to it."""
        wait_until(
            lambda: [k for k in self.server.kernels(self.notebook) if _idle(k)],
            f"an idle kernel of {self.notebook}",
            within=within,
        )
        self.page.wait_for_function(_CONNECTED, timeout=within * 1000)

    def reload(self) -> None:
        """Reload the page and wait until it shows the notebook again; the kernel goes on."""
        self.page.reload()
        self.page.wait_for_function(f"() => {_PANEL}?.sessionContext?.session?.kernel")

    def command(self, name: str, /, **arguments: Any) -> None:
        """Have the application do what a menu entry does: ``notebook:run-all-cells``."""
        self.page.evaluate(
            "([name, args]) => { window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def cell(self, index: int) -> Locator:
        """Return a cell, as the person sees it."""
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")

    def output(self, index: int) -> Locator:
        """Return what a cell shows, as the person sees it."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def start_cell(self, index: int) -> None:
        """Select a cell and press Shift+Enter; do not wait for it."""
        self.page.evaluate(_SELECT, index)
        self.cell(index).locator(".cm-content").press("Shift+Enter")

    def wait_until_busy(self) -> None:
        """Wait until the kernel works on a cell."""
        self.page.wait_for_function(
            f"() => {_PANEL}.sessionContext.session.kernel.status === 'busy'"
        )

    def wait_for_cell(self, index: int, *, within: float = 30.0) -> None:
        """Wait until a started cell has ended."""
        self.page.wait_for_function(_DONE, arg=index, timeout=within * 1000)

    def run_cell(self, index: int, *, within: float = 30.0) -> str:
        """Run a cell to its end and return what it shows, as text."""
        self.start_cell(index)
        self.wait_for_cell(index, within=within)
        return self.text(index)

    def run_all(self) -> None:
        """Start *Run All Cells*; wait with `wait_for_cell` for the last one."""
        self.command("notebook:run-all-cells")

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return a cell's outputs as the notebook would save them."""
        cells: list[dict[str, Any]] = self.page.evaluate(_CELLS)
        found: list[dict[str, Any]] = cells[index]["outputs"]
        return found

    def text(self, index: int) -> str:
        """Return the plain text of a cell's outputs, errors included."""
        return "\n".join(_plain(output) for output in self.outputs(index))

    def interrupt(self) -> None:
        """Press *Interrupt the kernel*."""
        self.command("notebook:interrupt-kernel")

    def restart_kernel(self) -> None:
        """Restart the kernel, confirm, and wait for the new one."""
        self.page.evaluate(_RESTART)
        self.page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        self.page.evaluate("() => window.restarted")
        self.wait_for_kernel()

    def save(self) -> dict[str, Any]:
        """Save the notebook and return what is on the disk."""
        self.command("docmanager:save")
        self.page.wait_for_function(f"() => !{_PANEL}.content.model.dirty")
        return self.server.saved(self.notebook)


def _idle(kernel: dict[str, Any]) -> bool:
    return bool(kernel["execution_state"] == "idle" and kernel["connections"] > 0)


def _plain(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        text = output["text"]
    elif output["output_type"] == "error":
        text = "\n".join(output["traceback"]) or f"{output['ename']}: {output['evalue']}"
    else:
        text = output["data"].get("text/plain", "")
    return text if isinstance(text, str) else "".join(text)
