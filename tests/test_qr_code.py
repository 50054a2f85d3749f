from __future__ import annotations

import re

import pytest
import segno

from platform_auth.qr_code import qr_code

URL = "https://id.example.com/device?user_code=ABCD-EFGH"


def drawn(path: str, size: int) -> list[list[int]]:
    """Return the modules that a path's rectangles cover."""
    modules = [[0] * size for _ in range(size)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        for column in range(int(x), int(x) + int(width)):
            modules[int(y)][column] = 1
    return modules


def test_it_is_the_code_of_the_address_with_its_quiet_zone() -> None:
    code = qr_code(URL)
    assert code is not None
    expected = segno.make(URL, micro=False).matrix_iter(border=4)
    assert drawn(code.path, code.size) == [list(row) for row in expected]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9400/device",
        "https://localhost/device",
        "javascript:alert(1)",
        "https://",
        "https://[",
        "/device",
        "https://id.example.com/" + "x" * 5000,
    ],
)
def test_there_is_none_of_what_a_phone_cannot_open(url: str) -> None:
    assert qr_code(url) is None


def test_it_holds_nothing_but_modules() -> None:
    # Whatever an address says, it becomes a pattern: no text of a server's gets into the page.
    code = qr_code("https://id.example.com/<script>alert(1)</script>")
    assert code is not None
    assert re.fullmatch(r"[Mhvz\d -]+", code.path)
    assert "script" not in code.svg()
    assert "id.example" not in code.svg()
