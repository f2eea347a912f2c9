import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_variable_of_the_settings_stands_in_the_docs():
    read = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", (ROOT / "chatplatform" / "settings.py").read_text()))
    assert "DATABASE_URL" in read
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert read - documented == set()
    assert documented - read == {"HOST", "PORT", "DEMO"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
