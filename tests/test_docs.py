"""What docs/ says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from platform_auth.config import AuthType, Profiles
from platform_auth.oauth import flows

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
FLOWS = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
TROUBLE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "platform_auth").rglob("*.py")
)
THEIR_OWN_WORDS = {"redirect_uri mismatch"}  # a provider's page, not ours


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def links() -> list[tuple[str, str]]:
    found = re.compile(r"\]\((?!https?://)([^)]+)\)")
    return [(page.name, link) for page in PAGES for link in found.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize(("page", "link"), links())
def test_its_links_lead_somewhere(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = ROOT / "docs" / (path or page)
    assert target.exists()
    if anchor:
        titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        words = (re.sub(r"[^\w\- ]", "", each.lower()) for each in titles)
        assert anchor in {each.replace(" ", "-") for each in words}


def test_the_profiles_of_the_flows_can_be_used_as_they_are(tmp_path: Path) -> None:
    shapes: dict[str, object] = {}
    for block in blocks(FLOWS, "yaml"):
        shapes |= yaml.safe_load(block)["profiles"]
    path = tmp_path / "profiles.yaml"
    path.write_text(yaml.safe_dump({"profiles": shapes}))
    profiles = Profiles(user_file=path, flyte=False)
    assert profiles.problems == []
    found = profiles.all().values()
    assert {each.config.flow for each in found} == set(flows._BUILT_IN)
    assert [warning for each in found for warning in each.warnings] == []


def test_each_name_of_a_flow_is_one() -> None:
    rows = re.findall(r"^\| [^|]+ \| (`\w+`(?:, `\w+`)*) \| ([^|]+) \| \[", FLOWS, re.MULTILINE)
    named = [(flow, names) for cell, names in rows for flow in re.findall(r"\w+", cell)]
    assert {flow for flow, _names in named} == set(flows._BUILT_IN)
    for flow, names in named:
        if names.startswith("none: "):
            assert "flow:" in names
            continue
        assert {AuthType.parse(name).flow for name in re.findall(r"`([^`]+)`", names)} == {flow}


def quoted() -> list[str]:
    cells = [line.split("|")[1] for line in TROUBLE.splitlines() if line.startswith("| ")]
    found = [words for cell in cells for words in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", cell)]
    return sorted(set(found) - THEIR_OWN_WORDS)


@pytest.mark.parametrize("words", quoted())
def test_a_message_that_it_quotes_is_one_of_ours(words: str) -> None:
    assert words in SOURCES
