"""The life of one replica: made from its settings, and ended by a signal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING, Final

from ..broker.metrics import Metrics
from ..broker.observer import Observers
from .audit import open_audit
from .database import Database
from .hub_place import HubPlace
from .keys import Keys, open_keys
from .people import People
from .redirects import ServiceRedirects
from .register import Register
from .service import Service
from .settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("platform_auth")

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run_replica(path: Path) -> None:
    """Run a replica with the settings of a file until a signal ends it.

    Raises
    ------
    PlatformAuthError
        It cannot start.

    """
    settings = Settings.load(path)
    for name, value in settings.variables.items():
        os.environ.setdefault(name, value)
    asyncio.run(_run(settings, HubPlace.from_environment()))


async def _run(settings: Settings, place: HubPlace) -> None:
    ended = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    database = Database(settings.database_url)
    try:
        keys = open_keys(database)  # what is missing is said at once
        await database.upgrade()
        observer = Observers(Metrics(), *open_audit(settings, keys))
        service = _started(settings, place, database, keys, observer)
        await ended.wait()
        log.info("the service ends: it answers who has asked, and nobody else")
        await service.leave()
        observer.close()
    finally:
        await database.close()


def _started(
    settings: Settings, place: HubPlace, database: Database, keys: Keys, observer: Observers
) -> Service:
    profiles = settings.read_profiles()
    for problem in profiles.problems:
        log.warning("%s", problem)
    if settings.policy.allow_user_profiles and settings.policy.allowed_endpoints is None:
        log.warning("users' profiles may name any host: set allowed_endpoints to limit them")
    people = People(
        database,
        profiles,
        ServiceRedirects(place.prefix, settings.callback_url),
        keys=keys,
        observer=observer,
        sign_in_timeout=settings.sign_in_timeout,
        refresh_margin=settings.refresh_margin,
    )
    service = Service(people, Register(database, people), keys, place, settings)
    service.listen()
    return service
