"""Names for what the type checker cannot follow."""

import ast
from pathlib import Path
from typing import Any

import analyzer
from analyzer import untyped

PACKAGE = Path(analyzer.__file__).parent


def test_each_is_any_and_says_what_is_meant():
    """Every name stands for Any, and the string behind it says of what."""
    body = ast.parse((PACKAGE / "untyped.py").read_text(encoding="utf-8")).body
    names = [node.targets[0].id for node in body if isinstance(node, ast.Assign)]

    assert all(getattr(untyped, name) is Any for name in names)
    assert len(names) == sum(isinstance(node, ast.Expr) for node in body[1:])


def test_nothing_is_let_off_with_a_bare_any():
    """No line of the package is excused from saying what its Any means."""
    sources = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}

    assert [] == [str(path) for path, source in sources.items() if "ANN401" in source]
