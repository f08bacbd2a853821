"""The pages say what the program says: tables are the program's own, links between pages lead somewhere."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from analyzer.howto import CASES
from analyzer.judge.verdict import Verdict
from tests.beside import CORPUS, corpus, known_sums

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


def test_the_capturing_page_has_every_case():
    """The table of docs/capturing.md is that of ``keepalive how``, with how far each case was tried."""
    page = (DOCS / "capturing.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.+) \| (.+) \|$", page)

    assert [(case.name, case.title, case.tried) for case in CASES] == rows


def test_the_corpus_page_names_each_capture_once():
    """docs/corpus.md has a row for each public capture: project, path, licence, octets and sum."""
    rows = re.findall(r"(?m)^\| [\w.-]+/[\w.-]+ \| \[.+\]\(https://github\.com/.+\) at [0-9a-f]{12} \|", corpus_page())

    assert 78 == len(rows) == len(known_sums())


def test_the_corpus_beside_is_that_of_the_page():
    """Every public capture that is read in place is one that docs/corpus.md names."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not beside this checkout")

    assert sorted(CORPUS.glob("*cap*")) == corpus()


def corpus_page():
    """The page of the corpus."""
    return (DOCS / "corpus.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    """A link to a file leads to one that is in the repository."""
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [] == [target for target in targets if not (page.parent / target).exists()]


def test_the_map_names_what_is_there():
    """Every folder and file that ARCHITECTURE.md places in analyzer/ is there."""
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Who knows what")[1].split("\n## ")[0]
    cells = re.findall(r"(?m)^\| (`.+?) \|", table)
    named = re.findall(r"`([\w/]+(?:/|\.py))`", " ".join(cells))

    assert len(named) > 15
    assert [] == [name for name in named if not (ROOT / "analyzer" / name).exists()]


def test_the_map_names_everything():
    """Every folder and module of analyzer/ stands in the tree of ARCHITECTURE.md."""
    tree = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("\nanalyzer/\n")[1].split("\ncaptures/")[0]
    there = {path.stem for path in (ROOT / "analyzer").iterdir() if not path.name.startswith(("_", "."))}

    assert set() == there - set(re.findall(r"\w+", tree)) - {"py"}


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.name)
def test_paths_that_a_page_names_are_there(page):
    """A path of the repository in a page is that of a file or folder; capitals stand for any name."""
    named = re.findall(r"`((?:analyzer|captures|docs|tests)/[\w./-]*)`", page.read_text(encoding="utf-8"))
    paths = [path for path in named if not re.search(r"[A-Z]{3,}", path)]

    assert [] == [path for path in paths if not (ROOT / path).exists()]


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


def nav():
    """The pages that mkdocs.yml names, in order."""
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    return re.findall(r"(?m)^ +- (?:[^:\n]+: )?(\S+\.md)$", config)


def test_every_page_is_in_the_navigation():
    """The navigation has each page of the site once, and no other; Zensical itself says nothing of either."""
    assert sorted(build.pages()) == sorted(nav())


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    """The site is built strictly: no dead link, docstrings on the pages of the interface, nothing from elsewhere."""
    program = Path(sys.executable).with_name("zensical")
    if not program.exists():
        pytest.skip("zensical is not installed: make docs does that")
    build.site(tmp_path / "site-src")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for old, new in (("build/site-src", "site-src"), ("build/site", "site"), ("paths: [.]", f"paths: [{ROOT}]")):
        config = config.replace(old, new)
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")

    done = subprocess.run([program, "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    made = {name: (tmp_path / "site" / name).with_suffix(".html").read_text(encoding="utf-8") for name in nav()}
    assert [] == [name for name in made if name.startswith("api/") and "doc-heading" not in made[name]]
    loads = re.compile(r'<(?:script|img|iframe)[^>]* src="https?:|<link[^>]* href="https?:[^>]*stylesheet')
    assert [] == [name for name, page in made.items() if loads.search(page)]


def test_lower_bounds_are_those_of_the_project():
    """The workflow's oldest dependencies are pinned at the lower bounds of pyproject.toml, none left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    printed = subprocess.run(
        [sys.executable, ROOT / ".github" / "lower_bounds.py"], capture_output=True, text=True, check=True
    ).stdout.split()

    names = {line.split("==")[0] for line in printed}
    assert {re.split(r"[\[>=<; ]", each)[0] for each in project["dependencies"]} <= names
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+", line) for line in printed)
