from __future__ import annotations

from typing import Any

import pytest
import yaml

from platform_auth.config.yaml_edit import check_edited, edited, without
from platform_auth.errors import ConfigError

FILE = """\
# Mine.
default: dev   # for now

profiles:
  # The big one.
  prod:
    admin:
      endpoint: flyte.example.com  # ask Ada
      scopes:
        - openid
        - profile   # for the name
    client: http
    # no more of it

  dev: {admin: {endpoint: dev.example.com}}
# The end.
"""


def change(text: str, new: object, *keys: str) -> str:
    old: Any = yaml.safe_load(text)
    for key in keys:
        old = (old or {}).get(key)
    return edited(text, keys, old, new)


def test_one_setting_changes_one_line() -> None:
    entry = yaml.safe_load(FILE)["profiles"]["prod"]
    entry["admin"]["endpoint"] = "new.example.com"
    assert change(FILE, entry, "profiles", "prod") == FILE.replace(
        "endpoint: flyte.example.com  #", "endpoint: new.example.com  #"
    )


def test_what_stays_the_same_stays_as_it_is_written() -> None:
    assert change(FILE, yaml.safe_load(FILE)["profiles"]["prod"], "profiles", "prod") == FILE


def test_settings_come_and_go() -> None:
    entry = yaml.safe_load(FILE)["profiles"]["prod"]
    del entry["client"], entry["admin"]["scopes"]
    entry["admin"]["authType"] = "DeviceFlow"
    entry["oauth"] = {"issuer": "https://id.example.com"}
    assert change(FILE, entry, "profiles", "prod") == FILE.replace(
        "      scopes:\n        - openid\n        - profile   # for the name\n    client: http\n",
        "      authType: DeviceFlow\n    oauth: {issuer: 'https://id.example.com'}\n",
    )


def test_a_profile_is_added_below_the_others() -> None:
    entry = {"admin": {"endpoint": "x.example.com", "scopes": ["a", "b"]}, "client": "http"}
    assert change(FILE, entry, "profiles", "new") == FILE.replace(
        "dev.example.com}}\n",
        "dev.example.com}}\n  new:\n    admin:\n      endpoint: x.example.com\n"
        "      scopes: [a, b]\n    client: http\n",
    )


def test_a_profile_goes_with_the_comments_in_it() -> None:
    left = without(FILE, ("profiles", "prod"))
    assert left == (
        "# Mine.\ndefault: dev   # for now\n\nprofiles:\n  # The big one.\n\n"
        "  dev: {admin: {endpoint: dev.example.com}}\n# The end.\n"
    )
    assert without(left, ("profiles", "dev")) == "# Mine.\ndefault: dev   # for now\n\n# The end.\n"


ENTRY = {"admin": {"endpoint": "x.example.com", "scopes": ["a: b", "ü"]}, "client": "http"}
STYLES = {
    "nothing": "",
    "comments only": "# Mine.\n",
    "an empty mapping": "{}\n",
    "no profiles": "default: dev\n",
    "null": "profiles:\n",
    "an empty mapping of profiles": "profiles: {}\n",
    "in brackets": "{default: a, profiles: {a: {admin: {endpoint: a}}, b: {client: http}}}\n",
    "brackets on lines": "profiles: {\n  a: {admin: {endpoint: a}},\n  b: {client: http},\n}\n",
    "JSON": '{"profiles": {"a": {"admin": {"endpoint": "a"}}}}',
    "no end of line": "profiles:\n  a:\n    client: http",
    "Windows": "profiles:\r\n  a:\r\n    admin:\r\n      endpoint: a\r\n  b:\r\n    client: x\r\n",
    "far in": "profiles:\n        a:\n            admin:\n                endpoint: a\n",
    "marked": "---\nprofiles:\n  a: {client: http}\n...\n",
    "quoted": "'profiles':\n  \"a\":\n    'admin': {'endpoint': \"a\"}\n",
    "folded": "profiles:\n  a:\n    client: >-\n      x\n    admin:\n      scope: |\n        a\n",
    "lists not indented": "profiles:\n  a:\n    admin:\n      scopes:\n      - x\n      - y\n",
    "of a broken profile": "profiles:\n  a: nonsense\n  b:\n",
    "repeated": "default: a\nprofiles:\n  default: {client: a}\n  a: {client: default}\n",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("name", ["a", "b", "new", "a: b", "true"])
def test_any_file_keeps_the_rest(text: str, name: str) -> None:
    expected = yaml.safe_load(text) or {}
    profiles = dict(expected.get("profiles") or {})

    after = change(text, ENTRY, "profiles", name)
    check_edited(after, {**expected, "profiles": {**profiles, name: ENTRY}}, "x")

    again = edited(after, ("profiles", name), ENTRY, {"admin": {"endpoint": "y"}})
    changed = {**expected, "profiles": {**profiles, name: {"admin": {"endpoint": "y"}}}}
    check_edited(again, changed, "x")

    profiles.pop(name, None)
    rest = {**expected, "profiles": profiles} if profiles else dict(expected)
    if not profiles:
        rest.pop("profiles", None)
    check_edited(without(again, ("profiles", name)), rest, "x")


def test_what_cannot_be_changed_alone_is_not_changed() -> None:
    text = "? profiles\n: a: {client: http}\n"
    after = without(text, ("profiles", "a"))
    with pytest.raises(ConfigError, match=r"x\.yaml is written in a way"):
        check_edited(after, {"profiles": {"b": {}}}, "x.yaml")
    with pytest.raises(ConfigError, match="written in a way"):
        check_edited("a: [", {}, "x.yaml")
