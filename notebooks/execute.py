"""Runs the notebooks, and stores what they show: python notebooks/execute.py (make notebooks).

A notebook is read by people who do not run it, so its outputs are in the repository; a test says when they are old.
"""

import os
import re
from pathlib import Path

import nbclient
import nbformat

FOLDER = Path(__file__).parent
TEMPORARY = re.compile(r"/[\w/.-]*/tmp\w+/|/tmp/tmp\w+/")
"""A folder that is another one each time."""


def executed(path):
    """Return the notebook with the outputs that it has now; the rest of it is as it was."""
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    nbclient.NotebookClient(
        fresh,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    for cell, ran in zip(stored.cells, fresh.cells, strict=True):
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = ran.execution_count, [_anywhere(output) for output in ran.outputs]
    return stored


def texts(notebook):
    """Return what each cell shows as text."""
    return [
        [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _anywhere(output):
    """Return an output without the folder it was made in."""
    for held in (output, output.get("data", {})):
        for name in ("text", "text/plain", "text/html"):
            if isinstance(held.get(name), str):
                held[name] = TEMPORARY.sub("", held[name])
    return output


def main():
    """Run all, and write what changed."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(executed(path), path)
        print(path.name)


if __name__ == "__main__":
    main()
