"""The pages say what the program says: tables are the program's own, links between pages lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

from analyzer.judge.verdict import Verdict

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def load_build():
    """docs/build.py, which is a program beside the pages and no part of a package."""
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build()
PAGES = [*(ROOT / name for name in build.TOP_PAGES), *sorted(DOCS.glob("*.md"))]


def test_known_timers_are_those_of_the_program():
    """docs/known-timers.md is what analyzer/judge/signatures.py makes of it today."""
    assert build.known_timers() == (DOCS / "known-timers.md").read_text(encoding="utf-8")


def test_the_json_page_has_every_verdict():
    """The table of verdicts of docs/json-report.md has the words of the program, no more and no less."""
    page = (DOCS / "json-report.md").read_text(encoding="utf-8").split("## The verdicts")[1]

    assert {verdict.value for verdict in Verdict} == set(re.findall(r"(?m)^\| `(\w+)` \|", page))


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    """A link to a file leads to one that is in the repository."""
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [] == [target for target in targets if not (page.parent / target).exists()]


def test_the_site_has_its_pages(tmp_path):
    """The site is laid out with the README as its front, every page of docs/, the tables and the interface."""
    build.site(tmp_path)

    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert {"index.md", "rules.md", "api/analyzer.md", *(page.name for page in DOCS.glob("*.md"))} <= made
    rules = (tmp_path / "rules.md").read_text(encoding="utf-8")
    assert all(f"## {verdict.value}\n" in rules for verdict in Verdict)


def test_links_are_adapted_to_the_site(tmp_path, monkeypatch):
    """On the site a link to a page has that page's name there, and of a link to code only the words are left."""
    monkeypatch.setattr(build, "ROOT", tmp_path)
    page = tmp_path / "docs" / "some.md"
    page.parent.mkdir()
    page.write_text(
        "[a](../README.md#live) [b](../captures/x.py) [c](https://x.org/y.md) [d](other.md)", encoding="utf-8"
    )

    text = build.on_the_site(page, {"README.md": "index.md", "docs/other.md": "other.md"})

    assert "[a](index.md#live) b [c](https://x.org/y.md) [d](other.md)" == text
