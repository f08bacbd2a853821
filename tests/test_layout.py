"""The order of the project itself: what stands where, and what importing it costs."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "analyzer"
TESTS = ROOT / "tests"

# Modules without a test file of their own, each with the reason. The list only gets shorter.
EXCUSED = {
    "__main__.py": "one call of cli.main, which test_cli.py runs as a program",
}

HEAVY = {"matplotlib", "numba", "numpy", "pyshark", "rich", "scapy"}


def has_code(path):
    """Whether a file defines a function or a class, and is not only a docstring and names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in tree.body)


def expected_test_file(module):
    """Where the tests of a module stand; those of a package's __init__.py are in test_init.py."""
    stem = "init" if module.name == "__init__.py" else module.stem
    return TESTS / module.relative_to(PACKAGE).with_name(f"test_{stem}.py")


def modules_to_test():
    """Every module of the package, less the __init__.py files that hold no code."""
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.name != "__init__.py" or has_code(p)]


def stated_behaviours():
    """Every test function in tests/, as (place, docstring)."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        scopes = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name.startswith("Test"))]
        found += [
            (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", ast.get_docstring(node))
            for scope in scopes
            for node in scope.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
        ]
    return found


def is_one_sentence(docstring):
    """Whether a docstring is a single paragraph that ends once, at its end."""
    text = (docstring or "").strip()
    return bool(re.fullmatch(r"\S.*[.?!][`'\")]?", text, re.DOTALL)) and not re.search(
        r"\n\s*\n|[a-z)`][.?!]\s+[A-Z]", text
    )


def commands_in(markdown):
    """The shell commands in the fenced blocks of a page, in order."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    lines = (line.strip().removeprefix("$ ").strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if re.match(r"(make|pip|pipx|uv|python3?|pytest|keepalive) ", line)]


def test_every_module_has_its_test_file():
    """Each module of the package has a test file in the mirrored place."""
    missing = [
        f"{p.relative_to(ROOT)} -> {expected_test_file(p).relative_to(ROOT)}"
        for p in modules_to_test()
        if not expected_test_file(p).exists() and p.relative_to(PACKAGE).as_posix() not in EXCUSED
    ]

    assert [] == missing


@pytest.mark.parametrize("name", EXCUSED)
def test_an_excused_module_has_no_test_file(name):
    """A module leaves the list of excuses once it has tests or is gone."""
    module = PACKAGE / name

    assert module.exists()
    assert not expected_test_file(module).exists()


def test_every_folder_of_the_package_is_a_package():
    """No folder lacks __init__.py, without which import-linter does not see its modules."""
    folders = {p.parent for p in PACKAGE.rglob("*.py")}

    assert [] == sorted(str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists())


def test_every_test_states_its_behaviour_in_one_sentence():
    """Each test function has a docstring of one sentence."""
    assert [] == [place for place, docstring in stated_behaviours() if not is_one_sentence(docstring)]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("A probe is answered.", True),
        ("The table of RFC 9293 3.8.4 is total,\nand its order is meant.", True),
        ("A probe is answered. The flow stays open.", False),
        ("A probe is answered.\n\nAt length.", False),
        ("no end", False),
        ("", False),
        (None, False),
    ],
)
def test_one_sentence_is_recognised(docstring, expected):
    """One sentence is a single paragraph with one full stop, at its end."""
    assert expected == is_one_sentence(docstring)


@pytest.mark.parametrize("module", ["analyzer", "analyzer.pytest_plugin"])
def test_import_loads_nothing_heavy(module):
    """Importing the package or the pytest plugin loads none of the heavy libraries."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()

    assert module in loaded
    assert set() == HEAVY & set(loaded)


def test_readme_starts_with_demo_and_test():
    """The first two commands that the README shows are make demo and make test."""
    assert ["make demo", "make test"] == commands_in((ROOT / "README.md").read_text(encoding="utf-8"))[:2]


def test_readme_is_the_description_of_the_distribution():
    """A README that exists is named in pyproject.toml, which could not name it before."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert (ROOT / "README.md").exists() == (project.get("readme") == "README.md")
