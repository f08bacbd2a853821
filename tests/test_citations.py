"""Every citation leads somewhere in the repository: of the field guide to a heading, of a page to the page."""

import ast
import io
import json
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.report.rule_tables import codes

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "field-guide.md"
CAPTURES = sorted((ROOT / "captures").glob("*.pcap"))

CITED = re.compile(r"field guide(?: sections?)? (\d[\d.]*(?:(?:, | and | to |, and )\d[\d.]*)*)", re.IGNORECASE)
PAGE = re.compile(r"\b(?:docs/[\w./-]+\.md|[A-Z]{4,}\.md)\b")
OUTSIDE = re.compile(r"\bDESIGN\b|\bJUDGEMENT\b|style\.md|\.\./shared|(?<!\w)/(?:home|root|tmp|Users|work)/")
"""Documents and folders that only those who wrote it have."""


@cache
def sections():
    """The numbers of the guide's headings."""
    return set(re.findall(r"(?m)^#+ (\d+(?:\.\d+)*)\b", GUIDE.read_text(encoding="utf-8")))


def cited_in(text):
    """The sections of the guide that a text cites, in ranges the two ends."""
    text = re.sub(r"\s*\n\s*(?:#\s)?\s*", " ", text)
    return [number.rstrip(".") for run in CITED.findall(text) for number in re.split(r", and |, | and | to ", run)]


def unresolved(text):
    """What a text cites and does not exist."""
    headings = sections()
    return [
        *(f"field guide {number}" for number in cited_in(text) if number not in headings),
        *(page for page in PAGE.findall(text) if not (ROOT / page).exists()),
        *OUTSIDE.findall(text),
    ]


def prose(path):
    """Strings, docstrings and comments of a module, neighbouring comment lines as one text."""
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
    with io.StringIO(path.read_text(encoding="utf-8")) as source:
        return "\n".join(token.string for token in tokenize.generate_tokens(source.readline) if token.type in kinds)


def modules():
    """Every file whose prose is ours: modules, templates, the schema."""
    folders = [ROOT / "analyzer", ROOT / "captures" / "recipes"]
    return [p for folder in folders for p in sorted(folder.rglob("*")) if p.suffix in {".py", ".html", ".json"}]


def test_citations_in_the_source_lead_somewhere():
    """What docstrings, comments and texts of a module cite is in the repository."""
    texts = {path: prose(path) if path.suffix == ".py" else path.read_text(encoding="utf-8") for path in modules()}

    assert {} == {path: missing for path, text in texts.items() if (missing := unresolved(text))}


NAMED = re.compile(r"``([a-z_]+(?:\.\w+)+)(?:\(.*?\))?``")
FILES = (".parquet", ".json")
VARIABLES = frozenset({"flow"})
"""Modules by name that a docstring's example has as a variable."""


@cache
def places():
    """Return where modules and packages of each name lie."""
    found = {}
    for path in sorted((ROOT / "analyzer").rglob("*.py")):
        found.setdefault(path.parent.name if path.name == "__init__.py" else path.stem, []).append(path)
    return found


@cache
def words(path):
    """Return every word of a module."""
    return set(re.findall(r"\w+", path.read_text(encoding="utf-8")))


def is_there(path, names):
    """Whether a module, or one below a package, has all these names."""
    while names and path.name == "__init__.py":
        both = path.with_name(f"{names[0]}.py"), path.parent / names[0] / "__init__.py"
        below = next((each for each in both if each.exists()), None)
        if below is None:
            break
        path, names = below, names[1:]
    return words(path).issuperset(names)


def named_in(path):
    """Return what docstrings of a module name of our modules: a name, and the rest behind it."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    text = "\n".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, scopes))
    named = [each.removeprefix("analyzer.").split(".") for each in NAMED.findall(text) if not each.endswith(FILES)]
    return [(first, rest) for first, *rest in named if first in places() and first not in VARIABLES]


def test_docstrings_name_what_exists():
    """What a docstring names of another module, as ``module.name``, is there."""
    named = [(path, *each) for path in sorted((ROOT / "analyzer").rglob("*.py")) for each in named_in(path)]

    assert [] == [
        (path, ".".join([first, *rest]))
        for path, first, rest in named
        if not any(is_there(place, rest) for place in places()[first])
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_citations_in_the_pages_lead_somewhere(path):
    """What a page cites is in the repository."""
    assert [] == unresolved(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("code", [None, "--tables", *codes()])
def test_citations_that_rules_prints_lead_somewhere(code, capsys):
    """What `keepalive rules` prints, all tables or the long text of a word, cites what is there."""
    assert 0 == main(["rules", *([code] if code else [])])

    assert [] == unresolved(capsys.readouterr().out)


def test_the_long_texts_do_cite_the_guide(capsys):
    """Most of the long texts name a section of the guide, so that the check above is not of nothing."""
    citing = 0
    for code in codes():
        main(["rules", code])
        citing += bool(cited_in(capsys.readouterr().out))

    assert len(codes()) / 2 < citing


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_citations_in_stories_and_json_lead_somewhere(capture, capsys):
    """What the text and the JSON of a bundled capture cite is there."""
    for words in (["explain", str(capture)], ["report", str(capture), "--json"]):
        assert 0 == main(words)
        out = capsys.readouterr().out
        if words[-1] == "--json":
            report = json.loads(out)
            for each in report["captures"]:
                each["path"] = ""  # where the checkout lies is no citation
            out = json.dumps(report)
        assert [] == unresolved(out.replace(str(ROOT), ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Linux tcp_close; field guide 2.8, 3.3, 7", ["2.8", "3.3", "7"]),
        ("field guide 2.3 to 2.5.", ["2.3", "2.5"]),
        ("(see field\nguide 99.1)", ["99.1"]),
        ("Whole seconds, field guide\n9.2).", ["9.2"]),
        ("# as field guide\n# 6 has it", ["6"]),
        ("RFC 9293 3.6; field guide 7.3, 9.5", ["7.3", "9.5"]),
    ],
)
def test_citations_are_found(text, expected):
    """A citation is a list or a range of section numbers, over the ends of lines."""
    assert expected == cited_in(text)


@pytest.mark.parametrize("text", ["field guide 2.9", "field guide 2.8, 11", "docs/nowhere.md", "see DESIGN section 4"])
def test_a_citation_of_nothing_is_seen(text):
    """A section, a page or a document that is not here does not resolve."""
    assert unresolved(text)
