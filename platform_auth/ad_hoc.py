"""Configurations that code makes, as profiles."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .config import Profile, ProfileSource

if TYPE_CHECKING:
    from .broker.client import BrokerClient
    from .config import PlatformConfig

_LONGEST_HOST: Final = 45  # a profile's name holds 64 characters


def put_configuration(client: BrokerClient, config: PlatformConfig) -> str:
    """Make a configuration a profile, for as long as the broker runs; return its name.

    Parameters
    ----------
    client
        The broker.
    config
        Its commands may be relative to the current directory.

    Raises
    ------
    PolicyError, ConfigError
        It may not be used, or not so.

    """
    # The broker has another working directory, and trusts none.
    config = replace(
        config,
        command=_from_here(config.command),
        proxy_command=_from_here(config.proxy_command),
    )
    profile = Profile("", config, ProfileSource.SESSION)
    shape = json.dumps(profile.to_mapping(secrets=False), sort_keys=True)
    # The same configuration is the same profile, in whichever kernel it is written.
    digest = hashlib.sha256(shape.encode()).hexdigest()[:8]
    name = f"{config.host[:_LONGEST_HOST]}-{digest}"
    # No name tells anything of a secret, so that the broker alone can tell two of them apart.
    return str(client.put(name, profile.to_mapping(), apart=True)["profile"])


def _from_here(command: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return a command that means the same in any directory, as far as it says that it is a path.

    These are a program with a slash in it, and arguments that begin with ``./`` or ``../``.
    """
    if not command:
        return command
    program, *arguments = command
    if os.sep in program:
        program = str(Path(program).expanduser().absolute())
    return (program, *(_absolute(each) for each in arguments))


def _absolute(argument: str) -> str:
    is_path = argument.startswith((f".{os.sep}", f"..{os.sep}"))
    return str(Path(argument).absolute()) if is_path else argument
