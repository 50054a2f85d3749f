"""A user's server at a Hub, as `harness.lab` opens notebooks from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.http import loopback_client
from harness.notebooks import read_notebook, write_notebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.hub import Hub


class HubServer:
    """A person's default server, which runs.

    Parameters
    ----------
    hub
        The Hub.
    person
        The beginning of the person's name.

    """

    app = "lab"

    def __init__(self, hub: Hub, person: str) -> None:
        self._hub, self._person = hub, person
        self._token = hub.new_token(person)

    def write(self, notebook: str, cells: Sequence[str]) -> None:
        """Put a notebook into the person's home."""
        person = self._hub.people[self._person]
        write_notebook(person.home / notebook, cells)
        os.chown(person.home / notebook, person.uid, person.uid)

    def page_url(self, notebook: str | None = None) -> str:
        """Return the address that opens a notebook; the browser is logged in by the Hub."""
        path = "lab" if notebook is None else f"lab/tree/{quote(notebook)}"
        return f"{self._hub.server_url(self._person)}{path}?reset"

    def kernels(self, notebook: str) -> list[dict[str, Any]]:
        """Return the kernels of the sessions on a notebook."""
        headers = {"Authorization": f"token {self._token}"}
        with loopback_client(timeout=30.0) as http:
            url = f"{self._hub.server_url(self._person)}api/sessions"
            sessions = http.get(url, headers=headers).raise_for_status().json()
        return [session["kernel"] for session in sessions if session["path"] == notebook]

    def saved(self, notebook: str) -> dict[str, Any]:
        """Return a notebook as it is on the disk."""
        return read_notebook(self._hub.people[self._person].home / notebook)
