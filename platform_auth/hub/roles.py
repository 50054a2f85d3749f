"""The Hub's roles: what the service needs is added to what is there, and nothing taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets.config.loader import LazyConfigValue

if TYPE_CHECKING:
    from traitlets.config import Config


def extend_role(c: Config, name: str, scopes: list[str]) -> None:
    """Add scopes to one of the Hub's own roles.

    Parameters
    ----------
    c
        The Hub's configuration.
    name
        ``user`` or ``server``.
    scopes
        To be added to what the administrator has given it, else to the Hub's default.

    """
    from jupyterhub.app import JupyterHub
    from jupyterhub.roles import get_default_roles

    roles = list_of(c, "load_roles")
    role = next((each for each in roles if each.get("name") == name), None)
    if role is not None and "scopes" in role:
        role["scopes"] = _with(role["scopes"], scopes)
    elif name == "user" and JupyterHub.class_traits().get("extra_user_scopes"):
        # JupyterHub 6 adds these by itself, unless the role is defined anew.
        extra = c.JupyterHub.extra_user_scopes
        before = extra.get_value(set()) if isinstance(extra, LazyConfigValue) else extra
        c.JupyterHub.extra_user_scopes = {*before, *scopes}
    else:
        usual = next(each["scopes"] for each in get_default_roles() if each["name"] == name)
        if role is None:
            roles.append(role := {"name": name})
        role["scopes"] = _with(usual, scopes)


def grant(c: Config, service: str, scopes: list[str]) -> None:
    """Give a service a role of its own."""
    roles = list_of(c, "load_roles")
    if all(each.get("name") != service for each in roles):
        roles.append({"name": service, "services": [service], "scopes": scopes})


def extend_server_tokens(c: Config, scopes: list[str]) -> None:
    """Let the tokens of user servers have scopes, whichever way the administrator gives them."""
    for spawner in spawners(c):
        given = spawner.get("server_token_scopes")
        if callable(given):
            spawner.server_token_scopes = _also(given, scopes)
        elif given:
            before = given.get_value([]) if isinstance(given, LazyConfigValue) else given
            spawner.server_token_scopes = _with(before, scopes)
    extend_role(c, "server", scopes)


def spawners(c: Config) -> list[Config]:
    """Return what is said of spawners: of all, and of single kinds, which would win."""
    named = [name for name in c if name.endswith("Spawner") and name != "Spawner"]
    return [c.Spawner, *(c[name] for name in named)]


def list_of(c: Config, trait: str) -> list[dict[str, Any]]:
    """Return a list of ``c.JupyterHub`` to be changed in place, also where none is set."""
    given = c.JupyterHub[trait]
    if isinstance(given, LazyConfigValue):
        given = given.get_value([])
    found: list[dict[str, Any]] = given if isinstance(given, list) else list(given)
    c.JupyterHub[trait] = found
    return found


def _with(scopes: Any, more: list[str]) -> list[str]:  # noqa: ANN401 - a list, tuple or set
    return list(dict.fromkeys([*scopes, *more]))


def _also(given: Any, more: list[str]) -> Any:  # noqa: ANN401 - a function of a spawner
    def scopes(spawner: object) -> list[str]:
        return _with(given(spawner), more)

    return scopes
