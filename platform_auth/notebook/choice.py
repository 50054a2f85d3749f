"""Which profile is meant, where the person did not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from ..errors import ConfigError, PlatformAuthError

if TYPE_CHECKING:
    from ..broker.client import BrokerClient


def session_of(broker: BrokerClient, name: str | None) -> dict[str, Any] | None:
    """Return the session of a profile, or of the one that is meant.

    Parameters
    ----------
    broker
        Who knows the profiles.
    name
        The profile, or None for the default.

    Returns
    -------
    The session; None where there are several and none is the default.

    Raises
    ------
    ConfigError
        There is no profile, or something about it is wrong.

    """
    if name is not None:
        return broker.session(name)
    answer = broker.profiles()
    default = answer["default"]
    for view in answer["profiles"]:
        if view["profile"] == default and view["endpoint"]:
            return dict(view)
    if default is not None:
        return broker.session(default)  # which says what is wrong with it
    if answer["profiles"]:
        return None
    raise _nothing_there(answer)


def session_at(broker: BrokerClient, endpoint: str, *, insecure: bool) -> dict[str, Any]:
    """Return the session of a platform of which no more than its endpoint is known.

    It is a profile for as long as the broker runs, under the administrator's policy.

    Raises
    ------
    PolicyError, ConfigError
        The endpoint may not be used, or is none.

    """
    from ..ad_hoc import put_configuration  # whoever names a profile does not wait for it
    from ..config import PlatformConfig

    config = PlatformConfig.for_endpoint(endpoint, insecure=insecure)
    return broker.session(put_configuration(broker, config))


def signed_in(broker: BrokerClient) -> list[str]:
    """Return the profiles that hold a sign-in, or wait for one."""
    views = broker.profiles()["profiles"]
    return [view["profile"] for view in views if view["state"] in {"signed_in", "signing_in"}]


def one_to_leave(broker: BrokerClient, name: str | None) -> str:
    """Return the profile to sign out of.

    Raises
    ------
    UsageError
        It is not clear which.

    """
    if name is not None:
        return name
    here = signed_in(broker)
    default: str | None = broker.profiles()["default"]
    if default in here or (default is not None and not here):
        return default
    if len(here) == 1:
        return here[0]
    what = f"Name the profile, one of {', '.join(here)}; or give --all."
    raise UsageError(what if here else "You are not signed in anywhere.")


def _nothing_there(answer: dict[str, Any]) -> PlatformAuthError:
    for problem in answer.get("problems", ()):
        return PlatformAuthError.from_dict(problem)
    fix = "Give its endpoint (--endpoint HOST:PORT), or ask the administrator for a profile."
    return ConfigError("No platform is configured.", fix=fix)
