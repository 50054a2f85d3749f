"""The command line: ``platform-auth``, also ``jupyter platform-auth``.

::

    platform-auth login [PROFILE]       sign in, with a browser where a person is needed
    platform-auth logout [PROFILE]      sign out
    platform-auth status                who is signed in where
    platform-auth token PROFILE         print an access token
    platform-auth profiles              what there is to sign in to
    platform-auth doctor                find out what is wrong
    platform-auth demo                  try it all, without a platform of your own
    platform-auth hub-service           run JupyterHub's sign-in service

Each command is a module of its own with ``add_arguments`` and ``run``, imported when it is the one
asked for: ``token`` runs before every call of other tools and must not wait for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; see `platform_auth.cli.exit_status`.

    Parameters
    ----------
    arguments
        Without the program's name; this process's own when omitted.

    """
    from .program import run

    return run(arguments)
