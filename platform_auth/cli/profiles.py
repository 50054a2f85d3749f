"""``platform-auth profiles``: what there is to sign in to, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import profile_changes
from .broker import find_broker
from .exit_status import ExitStatus
from .table import table
from .terminal import complain, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..broker.client import BrokerClient

_SOURCES: Final = {
    "admin": "administrator",
    "user": "profiles.yaml",
    "flyte": "Flyte's files",
    "session": "code",
}
_MEMBERS: Final = ("endpoint", "flow", "client", "source", "locked", "default", "warnings")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--json", action="store_true", help="for programs; without any secret")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show every setting in effect, where it came from and what it overrode",
    )
    profile_changes.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the profiles, and what is wrong with those that cannot be used; or change them."""
    changed = profile_changes.run(arguments)
    if changed is not None:
        return changed
    client = find_broker()
    answer = client.profiles()
    views = answer["profiles"]
    explained = _explained(client, views) if arguments.explain else {}
    if arguments.json:
        import json

        show(*json.dumps(_for_programs(answer, explained), indent=2).splitlines())
        return ExitStatus.DONE
    if arguments.explain and views:
        show(*_explanation(answer, explained))
    elif views:
        titles = ["PROFILE", "ENDPOINT", "FLOW", "CLIENT", "FROM"]
        show(*table(titles, [_row(view) for view in views]))
    else:
        show("No platform is configured: `platform-auth doctor` says where to write one down.")
    for view in views:
        complain(*(f"{view['profile']}: {warning}" for warning in view["warnings"]))
    for problem in _problems(answer):
        complain(
            "", problem["what"], *(f"  {problem[key]}" for key in ("why", "fix") if problem[key])
        )
    return ExitStatus.DONE


def _problems(answer: dict[str, Any]) -> list[dict[str, Any]]:
    unusable = [view["error"] for view in answer["profiles"] if not view["platform"]]
    return [*unusable, *answer["problems"]]


def _row(view: dict[str, Any]) -> list[str]:
    name = view["profile"] + (" *" if view["default"] else "")
    if not view["platform"]:
        return [name, "(cannot be used, see below)", "", "", ""]
    source = _SOURCES.get(view["source"], view["source"])
    return [name, view["endpoint"], view["flow"], view["client"] or "http", source]


def _explained(client: BrokerClient, views: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    names = [view["profile"] for view in views if view["platform"]]
    return {name: client.explanation(name) for name in names}


def _explanation(answer: dict[str, Any], explained: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, view in explained.items():
        yield name + (f", the default ({answer['default_origin']})" if view["default"] else "")
        rows = [row for each in view["settings"] for row in _setting(each)]
        yield from table(["  SETTING", "VALUE", "FROM"], rows)
        for place in view["hides"]:
            yield f"  The profile of this name in {place} is not used."
        yield ""


def _setting(setting: dict[str, Any]) -> Iterator[list[str]]:
    # Where it is called the same as here, that need not be said again.
    origin = setting["origin"].removeprefix(f"{setting['setting']} in ")
    yield [f"  {setting['setting']}", setting["value"], origin]
    yield from (["", "", f"  overrode {place}"] for place in setting["overrode"])


def _for_programs(answer: dict[str, Any], explained: dict[str, dict[str, Any]]) -> dict[str, Any]:
    profiles = [
        {"name": view["profile"], **{name: view[name] for name in _MEMBERS}}
        for view in answer["profiles"]
    ]
    for profile in profiles:
        if profile["name"] in explained:
            profile |= {key: explained[profile["name"]][key] for key in ("settings", "hides")}
    problems = _problems(answer)
    return {"version": 1, "default": answer["default"], "profiles": profiles, "problems": problems}
