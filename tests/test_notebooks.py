"""The notebooks: they run from top to bottom, are stored with current outputs, and end with what they show."""

import json
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = {"analyzer"}

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind):
    """The sources of a notebook's cells of a kind."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_there_are_four():
    """The notebooks that the README names are there."""
    names = ["reading_your_own_capture", "rst_or_silence", "where_was_it_lost", "why_does_my_server_keep_probing"]
    assert names == [path.stem for path in NOTEBOOKS]


@by_name
def test_it_is_stored_with_its_outputs(path):
    """A notebook in the repository was run from top to bottom, shows a picture, and names no folder of a machine."""
    text = path.read_text(encoding="utf-8")
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]

    assert list(range(1, len(code) + 1)) == [cell["execution_count"] for cell in code]
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell["outputs"])
    assert [] == re.findall(r"/(?:home|root|tmp|work|Users)/[\w.-]+", text)


@by_name
def test_it_uses_public_names_only(path):
    """Of this package a notebook imports nothing but itself, and touches no private name."""
    code = "\n".join(cells(path, "code"))

    assert set(re.findall(r"(?:import|from) (analyzer[\w.]*)", code)) == PUBLIC
    assert [] == re.findall(r"\w\._[a-z]\w*", code)


@by_name
def test_it_ends_with_what_it_shows(path):
    """The last cell ends with one sentence, in bold."""
    last = cells(path, "markdown")[-1].splitlines()[-1]

    assert re.fullmatch(r"\*\*What this shows: [^*]+\.\*\*", last)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@by_name
def test_it_runs(path, monkeypatch):
    """Every cell runs, in order, in a fresh kernel, none complains, and what it says is what is stored."""
    for needed in ("ipykernel", "pandas", "nbclient"):
        pytest.importorskip(needed)
    nbformat = pytest.importorskip("nbformat")
    from notebooks import execute

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("MPLBACKEND", "")
    notebook = execute.executed(path)

    said = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [] == [output["text"] for output in said if output.output_type == "stream" and output.name == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in said)
    stored = execute.texts(nbformat.read(path, as_version=4))
    assert execute.texts(notebook) == stored, "the stored outputs are old: make notebooks"
