from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from platform_auth.config.yaml_file import load_own, load_shared
from platform_auth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from platform_auth.config.yaml_file import YamlDocument


LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
# Within the number of aliases that is accepted, 36 million keys to whoever follows them all.
NESTED = f"a: &a {{{', '.join(f'k{i}: v' for i in range(1000))}}}\n" + "".join(
    f"{name}: &{name} {{{', '.join(f'k{i}: *{before}' for i in range(33))}}}\n"
    for before, name in zip("abc", "bcd", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}], {name}{name}: 1}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def load(load_it: Callable[[Path], YamlDocument], tmp_path: Path, content: Any) -> YamlDocument:
    path = tmp_path / "profiles.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_it(path)


@pytest.mark.parametrize(
    ("content", "line", "column", "problem"),
    [
        ("a:\n\tb: 1\n", 2, 1, "\\t"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "a second time"),
        ("a:\n  b: 1\n  'b': 2\n", 3, 3, "a second time"),
        ("a: &x 1\nb: *x\n", 1, 4, "anchors"),
        ("a: *x\n", 1, 4, "aliases"),
        (LAUGHS, 1, 4, "anchors"),
        ("a: " + "[" * 2000, 1, 23, "nested more than 20"),
        ("\n".join(" " * i + "a:" for i in range(30)), 20, 20, "nested more than 20"),
        ("a: 1\n---\nb: 2\n", 2, 1, "another document"),
        ("- a\n- b\n", 1, 1, "not a mapping"),
        ("just text", 1, 1, "not a mapping"),
        ("a: 1\nb: '\x00'\n", 2, 5, "does not allow"),
        ("a: 1\nb: ü\n".encode("latin-1"), 2, 4, "not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, 1, "not UTF-8"),
        ("a: [1, 2\nb: 3\n", 2, 2, "expected"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "constructor"),
        ("a: 2024-13-45\n", 1, 4, "not a valid timestamp"),
        ("a: !!bool perhaps\n", 1, 4, "not a valid bool"),
        ("a: !!timestamp x\n", 1, 4, "not a valid timestamp"),
        ("a: !!int ''\n", 1, 4, "not a valid int"),
        (f"a: {'1' * 5000}\n", 1, 4, "not a valid int"),
        ("? [a, b]\n: c\n", 1, 3, "unhashable"),
        ("%YAML 9.0\n---\na: 1\n", 1, 1, "version"),
    ],
)
def test_what_is_refused_is_named_with_line_and_column(
    content: Any, line: int, column: int, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(load_own, tmp_path, content)
    assert f"profiles.yaml, line {line}, column {column}: " in caught.value.what
    assert problem in caught.value.what
    assert caught.value.fix


def test_a_file_is_at_most_64_kib(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="longer than 64 KiB"):
        load(load_own, tmp_path, b"#" * (64 * 1024 + 1))
    assert load(load_own, tmp_path, b"#" * 64 * 1024).data == {}


def test_keys_and_values_know_their_place(tmp_path: Path) -> None:
    document = load(load_own, tmp_path, "a:\n  b: {c: 1}\n")
    assert document.place(("a", "b", "c")).endswith("profiles.yaml, line 2, column 10")
    assert document.place(("a", "b", "c"), of_key=True).endswith("line 2, column 7")
    assert document.place(("a", "b", "missing")).endswith("line 2, column 6")
    assert document.place(()) == str(document.path)


def test_many_aliases_are_refused_in_a_shared_file_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="more than 100 aliases"):
        load(load_shared, tmp_path, "a: &a 1\nb: [" + "*a, " * 101 + "]\n")


def test_no_error_quotes_the_file(tmp_path: Path) -> None:
    text = "oauth: {client_secret: hunter2\nprofiles: ]\n"
    with pytest.raises(ConfigError) as caught:
        load(load_own, tmp_path, text)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
