"""The package as an interface."""

import subprocess
import sys

import pytest

from analyzer import fleet


def test_importing_it_loads_no_engine():
    """Dask, fsspec, pyarrow and DuckDB are imported when they are needed."""
    code = "import sys, analyzer.fleet; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert set() == {"dask", "distributed", "duckdb", "fsspec", "numpy", "pyarrow"} & set(loaded)


def test_other_names_are_none():
    """A name that it has not is an error as with any module."""
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        fleet.runn  # noqa: B018
