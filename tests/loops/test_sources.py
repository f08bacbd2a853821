"""What compiled code was made from."""

import ast
import builtins
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import analyzer
from analyzer.loops.loop import Loop
from analyzer.loops.sources import PACKAGE, digest, sources

ROOT = PACKAGE.parent
RUN_ALONE = {"analyzer.__main__", "analyzer.fleet.imported"}
"""Modules that are for a process of their own: the first is the command, the second hides pandas from its process."""


def all_loops():
    """Every loop of the package."""
    found = {}
    for each in pkgutil.walk_packages(analyzer.__path__, "analyzer."):
        if each.name in RUN_ALONE:
            continue
        module = importlib.import_module(each.name)
        for value in vars(module).values():
            if isinstance(value, Loop):
                found[f"{value.plain.__module__}.{value.plain.__name__}"] = value
    return found


@cache
def file_of(module):
    """Where a module of the package is; None for another package's."""
    path = PACKAGE.parent / (module.replace(".", "/") + ".py")
    if not path.exists():
        path = PACKAGE.parent / module.replace(".", "/") / "__init__.py"
    return path if path.exists() else None


@cache
def bindings(module):
    """What the names of a module are bound by at its top level."""
    found = {}
    for node in ast.parse(file_of(module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            found.update({each.asname or each.name: node for each in node.names})
        elif isinstance(node, ast.Import):
            found.update({(each.asname or each.name).split(".")[0]: node for each in node.names})
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found.update({each.id: node for each in ast.walk(target) if isinstance(each, ast.Name)})
    return found


def homes(module, name, seen):
    """Add where a name comes from, and whatever its value is made of, to the files and names seen."""
    if (module, name) in seen or file_of(module) is None:
        return
    seen.add((module, name))
    node = bindings(module).get(name)
    if isinstance(node, ast.ImportFrom):
        real = next(each.name for each in node.names if (each.asname or each.name) == name)
        if file_of(f"{node.module}.{real}"):  # a module, of which any name may be used
            for each in bindings(f"{node.module}.{real}"):
                homes(f"{node.module}.{real}", each, seen)
        else:
            homes(node.module, real, seen)
    elif node is not None and not isinstance(node, ast.Import):
        parts = [node.value] if isinstance(node, ast.Assign | ast.AnnAssign) else node.body
        if isinstance(node, ast.ClassDef):
            parts = [*node.body, *node.bases]
        for part in parts:
            for each in ast.walk(part) if part is not None else ():
                if isinstance(each, ast.Name) and not hasattr(builtins, each.id):
                    homes(module, each.id, seen)


def test_no_file_is_forgotten():
    """Every loop, and every constant in one, followed to where it is defined, is in a file that the digest sees."""
    seen = set()
    loops = all_loops()
    for value in loops.values():
        names = set(value.plain.__code__.co_names) & set(value.plain.__globals__)
        for name in {value.plain.__name__, *names}:
            homes(value.plain.__module__, name, seen)
    files = {file_of(module) for module, name in seen if bindings(module).get(name) is not None}

    assert len(loops) > 60
    assert {PACKAGE / "label/rules.py", PACKAGE / "segment.py", PACKAGE / "track/endpoint.py"} < files
    assert [] == sorted(files - set(sources()))


def test_every_source_changes_the_name(tmp_path):
    """One octet more in any of the files, or other conditions, and code of before is not found."""
    package = tmp_path / "analyzer"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    names = [digest(["one"], package), digest(["two"], package)]
    for path in sources(package):
        content = path.read_bytes()
        path.write_bytes(content + b"#")
        names.append(digest(["one"], package))
        path.write_bytes(content)

    assert len(names) == len(set(names))
    assert names[0] == digest(["one"], package)


def test_other_files_do_not(tmp_path):
    """A change of words costs nobody a compilation, and moving a loop to another file does."""
    package = tmp_path / "analyzer"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = digest([], package)
    (package / "judge/verdict.py").write_text("# changed")
    unchanged = digest([], package)
    (package / "seqnum.py").rename(package / "renamed.py")

    assert before == unchanged
    assert before != digest([], package)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("moved.py", "value + STEP", "value - STEP"),
        ("label/rules.py", "\nSTEP = 5\n", "\nSTEP = 50\n"),
    ],
    ids=["loop", "constant"],
)
def test_a_changed_source_runs_changed_code(tmp_path, file, old, new):
    """In a copy of the package, with one cache: another line in a loop, or another constant, is what runs next."""
    pytest.importorskip("numba")
    package = tmp_path / "analyzer"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    rules = package / "label/rules.py"
    rules.write_text(rules.read_text(encoding="utf-8") + "\nSTEP = 5\n", encoding="utf-8")
    (package / "moved.py").write_text(
        "from analyzer.label.rules import STEP\nfrom analyzer.loops.loop import loop\n\n\n"
        "@loop\ndef stepped(value):\n    return value + STEP\n"
    )

    def run():
        code = "import sys; from analyzer.moved import stepped; print(stepped.compiled(100), 'numba' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-B", "-P", "-c", code],
            env={**os.environ, "PYTHONPATH": str(tmp_path), "KEEPALIVE_CACHE_DIR": str(tmp_path), "KEEPALIVE_JIT": ""},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.split()

    tmp_path.chmod(0o700)
    before = [run(), run()]
    path = package / file
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    assert [["105", "True"], ["105", "False"]] == before
    assert [str(95 if file == "moved.py" else 150), "True"] == run()
    assert Path(package).exists()
