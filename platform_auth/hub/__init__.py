"""The Hub's service: all users' sign-ins in one place, for any number of replicas.

``configure`` in ``jupyterhub_config.py`` adds it to a Hub.
"""

from __future__ import annotations

from .configuration import configure

__all__ = ["configure"]
