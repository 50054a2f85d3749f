"""On valid input `PlatformConfig.auto` says what flytekit's own says, field by field.

The generators leave out, each by its name, what is repaired here on purpose:

- booleans that flytekit takes for true although they are not words of its own (``N``, ``f``,
  ``truee``): only the eight words both know are drawn;
- blanks around a text, a scope or a secret, which flytekit keeps here and there: none are drawn,
  but for the line end of a secret file;
- an empty variable for a list, out of which flytekit makes a list of one empty string: not drawn;
- an INI value with a lone ``%``, which flytekit drops: only ``%%`` is drawn;
- a secret file that is missing or empty: not drawn;
- relative and ``~`` paths, which flytekit looks for in the current directory: not drawn;
- ``./flytekit.config``: there is none in the current directory;
- proxies without ``http://``, which its HTTP library takes for http and ours refuses: not drawn;
- modes flytekit would look for in plug-ins, plain http to another machine, values of a wrong type,
  broken files: each has tests of its own;
- a secret without a named mode, for which flytekit opens a browser: drawn, and the repair asserted.
"""

from __future__ import annotations

import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from platform_auth.config import AuthType, PlatformConfig
from platform_auth.config.entries import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from flytekit.configuration import PlatformConfig as Theirs
    from flytekit.configuration.file import get_config_file

BY_FIELD = {entry.field: entry for entry in ENTRIES}
PLAIN = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="%")
WORD = st.text(PLAIN, min_size=1, max_size=12)
TEXT = st.builds(lambda *words: " ".join(words), WORD, WORD) | WORD | st.just("100%%")
ITEM = st.text(
    st.characters(codec="ascii", categories=("L", "N", "P"), exclude_characters="%,"),
    min_size=1,
    max_size=8,
)
FLAG = st.sampled_from(["true", "false", "1", "0", "yes", "no", "on", "off"]).flatmap(
    lambda word: st.sampled_from([word, word.upper(), word.title()])
)
HOST = st.sampled_from(["flyte.example.com", "localhost", "10.0.0.1", "[::1]"])
ENDPOINT = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "dns:///", "https://"]),
    HOST,
    st.sampled_from(["", ":443", ":30080"]),
) | st.sampled_from(["http://localhost:8080", "http://127.0.0.1"])
MODE = st.sampled_from([*(m.name for m in AuthType), *(m.value for m in AuthType)]).flatmap(
    lambda name: st.sampled_from([name, name.lower(), name.upper()])
)
TEXTS = {
    "endpoint": ENDPOINT,
    "insecure": FLAG,
    "insecure_skip_verify": FLAG,
    "ca_cert_file_path": ITEM.map(lambda name: f"/ca/{name}"),
    "console_endpoint": ENDPOINT,
    "client_id": TEXT,
    "client_credentials_secret": TEXT,
    "audience": TEXT,
    "http_proxy_url": st.sampled_from(["http://proxy:3128", "http://ada:p%%w@proxy"]),
    "auth_mode": MODE,
}
LISTS = {
    "command": st.lists(ITEM, min_size=1, max_size=3),
    "scopes": st.lists(ITEM, min_size=1, max_size=3),
}
LISTS["proxy_command"] = LISTS["command"]


def in_words(value: Any) -> Any:
    return ",".join(value) if isinstance(value, list) else value


def some(values: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


IN_ENVIRONMENT = some(
    {name: text | st.just("") for name, text in TEXTS.items()}
    | {name: items.map(in_words) for name, items in LISTS.items()}
)
IN_INI = some(TEXTS | {name: items.map(in_words) for name, items in LISTS.items()})
IN_YAML = some(
    {name: text for name, text in TEXTS.items() if BY_FIELD[name].key}
    | {name: FLAG | st.booleans() | st.none() for name in ("insecure", "insecure_skip_verify")}
    | {name: items | items.map(in_words) | st.just([]) for name, items in LISTS.items()}
)


@dataclass
class Setup:
    """What a machine looks like to both readers."""

    environment: dict[str, str]
    yaml: dict[str, object]
    ini: dict[str, str]
    files: list[str]  # of: home-yaml, home-ini, named, named-missing, explicit
    kind: str  # of the named or explicit file
    references: list[str]  # of: file, variable, variable-unset
    reference_in: str
    secret_end: str
    extra: dict[str, object] = field(default_factory=dict)


SETUPS = st.builds(
    Setup,
    environment=IN_ENVIRONMENT,
    yaml=IN_YAML,
    ini=IN_INI,
    files=st.lists(
        st.sampled_from(["home-yaml", "home-ini", "named", "named-missing", "explicit"]),
        unique=True,
    ),
    kind=st.sampled_from(["x.yaml", "x.yml", "x.config", "x"]),
    references=st.lists(
        st.sampled_from(["file", "variable", "variable-unset"]), unique=True, max_size=2
    ),
    reference_in=st.sampled_from(["environment", "files"]),
    secret_end=st.sampled_from(["", "\n", "\r\n"]),
    extra=st.sampled_from([{}, {"logger": {"level": 0}, "task": {"project": "p"}}]),
)


def yaml_text(setup: Setup) -> str:
    blocks = {"admin": {}, "console": {}} | setup.extra
    for name, value in setup.yaml.items():
        blocks[BY_FIELD[name].block][BY_FIELD[name].key] = value
    return yaml.safe_dump(blocks)


def ini_text(setup: Setup) -> str:
    lines = {"platform": [], "credentials": []}
    for name, value in setup.ini.items():
        lines[BY_FIELD[name].section].append(f"{BY_FIELD[name].option} = {value}")
    return "".join(
        f"[{name}]\n" + "".join(f"{line}\n" for line in body) for name, body in lines.items()
    )


def add_references(setup: Setup, home: Path) -> None:
    """Put the references to a secret into the environment or the files."""
    (home / "secret").write_text(f"from the file{setup.secret_end}")
    found = {}
    for reference in setup.references:
        kept = "client_secret_file" if reference == "file" else "client_secret_env_var"
        found[kept] = {"file": str(home / "secret"), "variable": "SET"}.get(reference, "UNSET")
    places = [setup.environment] if setup.reference_in == "environment" else [setup.yaml, setup.ini]
    for place in places:
        place.update(found)


@contextmanager
def machine(setup: Setup) -> Iterator[str | None]:
    """Build the machine; give the file to name explicitly, if any."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        home = Path(directory)
        (home / ".flyte").mkdir()
        patch.chdir(home)
        patch.setenv("HOME", str(home))
        patch.setenv("SET", "from the variable")
        add_references(setup, home)
        for name, value in setup.environment.items():
            patch.setenv(BY_FIELD[name].variable, value)
        written = {"yaml": yaml_text(setup), "ini": ini_text(setup)}
        if "home-yaml" in setup.files:
            (home / ".flyte" / "config.yaml").write_text(written["yaml"])
        if "home-ini" in setup.files:
            (home / ".flyte" / "config").write_text(written["ini"])
        other = home / setup.kind
        other.write_text(written["yaml" if setup.kind.endswith("ml") else "ini"])
        if "named" in setup.files or "named-missing" in setup.files:
            named = other if "named" in setup.files else home / "missing.yaml"
            patch.setenv("FLYTECTL_CONFIG", str(named))
        get_config_file.cache_clear()
        yield str(other) if "explicit" in setup.files else None
    get_config_file.cache_clear()


def plain(config: Any, name: str) -> Any:
    value = getattr(config, name)
    if name == "client_credentials_secret":
        return value.reveal() if value else None
    return list(value) if isinstance(value, tuple) else value


def expected_mode(theirs: Theirs, ours: PlatformConfig) -> str:
    """Return what flytekit would make of its mode, or what the repair makes of none."""
    if isinstance(theirs.auth_mode, str):
        return Theirs().auth_mode.__class__[theirs.auth_mode.upper()].name
    repaired = ours.client_credentials_secret or ours.client_secret_env_var
    return "CLIENTSECRET" if repaired else "STANDARD"


@settings(max_examples=250)
@given(setup=SETUPS)
def test_auto_says_what_flytekits_auto_says(setup: Setup) -> None:
    with machine(setup) as explicit:
        theirs, ours = Theirs.auto(explicit), PlatformConfig.auto(explicit)
        for each in fields(Theirs):
            if each.name != "auth_mode":
                assert plain(ours, each.name) == getattr(theirs, each.name), each.name
        assert ours.auth_mode.name == expected_mode(theirs, ours)
        event(f"{'secret' if ours.client_credentials_secret else 'no secret'}, {ours.flow}")
        if ours.client_credentials_secret:
            assert ours.client_secret() == ours.client_credentials_secret


def test_the_modes_flytekit_accepts_start_the_same_flow() -> None:
    """By the authenticator class that flytekit picks."""
    from unittest.mock import Mock, patch

    from flytekit.clients import auth_helper

    classes = {
        "pkce": "PKCEAuthenticator",
        "client_credentials": "ClientCredentialsAuthenticator",
        "command": "CommandAuthenticator",
        "device": "DeviceCodeAuthenticator",
    }
    for mode in AuthType:
        ours = PlatformConfig("host", auth_mode=mode, command=["x"], client_credentials_secret="s")
        name = classes[ours.flow]
        config = Theirs(
            auth_mode=mode.value, command=["x"], client_id="c", client_credentials_secret="s"
        )
        with patch.object(auth_helper, name) as chosen:
            auth_helper.get_authenticator(config, Mock())
        assert chosen.called, mode


@pytest.mark.parametrize("name", sorted(BY_FIELD))
def test_every_variable_and_key_is_one_flytekit_reads(name: str) -> None:
    from flytekit.configuration import internal

    entry = BY_FIELD[name]
    theirs = [
        each
        for section in (internal.Platform, internal.Credentials)
        for each in vars(section).values()
        if hasattr(each, "legacy") and each.legacy.get_env_name() == entry.variable
    ]
    assert len(theirs) == 1
    assert (theirs[0].legacy.section, theirs[0].legacy.option) == (entry.section, entry.option)
    switch = theirs[0].yaml_entry.switch if theirs[0].yaml_entry else None
    assert switch == (f"{entry.block}.{entry.key}" if entry.key else None)


def test_no_setting_of_flytekits_is_missing() -> None:
    from flytekit.configuration import internal

    theirs = {
        each.legacy.get_env_name()
        for section in (internal.Platform, internal.Credentials)
        for each in vars(section).values()
        if hasattr(each, "legacy")
    }
    assert {entry.variable for entry in ENTRIES} == theirs
