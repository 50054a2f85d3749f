"""A handle of the broker's for each kernel of this server, from its start to its end.

Jupyter has no hook for it that several extensions could share: there is one default provisioner,
one session manager. So three methods of the one kernel manager are wrapped, all of them public.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

    from ..broker.handles import Handle
    from ..broker.listener import Listener

log = logging.getLogger("platform_auth")

EVERY_OTHER: Final = "*"
"""The name that stands for all kinds of kernels that are not named."""

_WRAPPED: Final = ("start_kernel", "update_env", "remove_kernel")


class KernelHandles:
    """Gives a handle to each kernel that is started, and takes it back when the kernel has ended.

    A kernel that is restarted keeps its own. A kernel that cannot be given one still starts.

    Parameters
    ----------
    manager
        The server's.
    listener
        Makes the handles.
    profiles
        By the name of a kernelspec, the only profiles its kernels may use; see `EVERY_OTHER`.

    """

    def __init__(
        self,
        manager: MappingKernelManager,
        listener: Listener,
        profiles: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._manager, self._listener, self._profiles = manager, listener, profiles or {}
        self._handles: dict[str, Handle] = {}
        self._theirs: dict[str, Any] = {}

    def attach(self) -> None:
        """Begin."""
        for name in _WRAPPED:
            self._theirs[name] = getattr(self._manager, name)
            setattr(self._manager, name, getattr(self, name))

    def detach(self) -> None:
        """End, and leave the kernel manager as it was."""
        for name in self._theirs:
            delattr(self._manager, name)
        self._theirs.clear()

    async def start_kernel(self, *, kernel_id: str | None = None, **given: Any) -> Any:  # noqa: ANN401
        """Start a kernel, as `MappingKernelManager.start_kernel` does, with a handle of its own."""
        start = self._theirs["start_kernel"]
        if kernel_id is not None and kernel_id in self._manager:
            return await start(kernel_id=kernel_id, **given)
        kernel_id = kernel_id or self._manager.new_kernel_id(**given)
        environment = {**(given.pop("env", None) or os.environ), **self._grant(kernel_id, given)}
        try:
            return await start(kernel_id=kernel_id, env=environment, **given)
        except BaseException:
            self._revoke(kernel_id)
            raise

    def update_env(self, *, kernel_id: str, env: dict[str, str]) -> Any:  # noqa: ANN401
        """Change a kernel's environment, but not which handle is its own.

        A session that is renamed passes the server's whole environment on.
        """
        return self._theirs["update_env"](kernel_id=kernel_id, env={**env, **self._own(kernel_id)})

    def remove_kernel(self, kernel_id: str) -> Any:  # noqa: ANN401
        """Let go of a kernel: it was shut down, culled, or has died."""
        self._revoke(kernel_id)
        return self._theirs["remove_kernel"](kernel_id)

    def _grant(self, kernel_id: str, given: Mapping[str, Any]) -> dict[str, str]:
        kind = given.get("kernel_name") or self._manager.default_kernel_name
        allowed = self._profiles.get(kind, self._profiles.get(EVERY_OTHER))
        try:
            handle = self._listener.grant(f"kernel {kernel_id}", allowed)
        except OSError as error:
            log.error("A kernel starts without sign-ins: %s", error)  # noqa: TRY400
            # The terminals' handle, which it would inherit, might allow it more.
            return dict.fromkeys(self._listener.environment, "")
        self._handles[kernel_id] = handle
        return self._listener.environment_of(handle)

    def _own(self, kernel_id: str) -> dict[str, str]:
        handle = self._handles.get(kernel_id)
        return {} if handle is None else self._listener.environment_of(handle)

    def _revoke(self, kernel_id: str) -> None:
        handle = self._handles.pop(kernel_id, None)
        if handle is not None:
            self._listener.revoke(handle)
