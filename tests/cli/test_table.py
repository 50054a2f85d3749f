from __future__ import annotations

from platform_auth.cli.table import table


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert table(["A", "LONG", ""], [["xyz", "1", "z"], ["", "", ""]]) == [
        "A    LONG",
        "xyz  1     z",
        "",
    ]


def test_a_cell_keeps_its_line() -> None:
    assert table(["A", "B"], [["x\ny", "\x1b[2J"]])[1] == "x y   [2J"
