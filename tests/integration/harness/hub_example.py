"""The documentation's examples for Hubs, with addresses that exist on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PLATFORM: Final = "http://127.0.0.1:9"
"""The platform of all examples: nobody is there."""

_DIRECTORY: Final = Path(__file__).parents[3] / "docs" / "examples"


def example(name: str, issuer: str | None, here: Mapping[str, str]) -> str:
    """Return an example.

    Parameters
    ----------
    name
        Of the file.
    issuer
        The provider in place of the example's; None where it names none.
    here
        What else is replaced: it must be there.

    """
    text = (_DIRECTORY / name).read_text(encoding="utf-8")
    provider = {"https://flyte.example.com": PLATFORM, "https://id.example.com": issuer or ""}
    for theirs, ours in ((provider if issuer else {}) | dict(here)).items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    # It becomes a part of a longer file, where this may stand at the beginning only.
    text = text.replace("from __future__ import annotations\n", "")
    return text.replace("flyte.example.com", "127.0.0.1")
