"""All that a worker will need."""

import subprocess
import sys

import pytest


def test_everything_is_there_and_no_thread_runs():
    """What a worker calls is imported by one thread, and pandas, which it does not call, is not."""
    pytest.importorskip("distributed")
    pytest.importorskip("pyarrow")
    code = (
        "import sys, threading, analyzer.fleet.imported\n"
        "needed = {'analyzer.fleet.work', 'distributed.nanny', 'pyarrow.parquet', 'fsspec.implementations.local'}\n"
        "import pyarrow; pyarrow.array([1])\n"
        "print(needed - set(sys.modules), threading.active_count(), 'pandas' in sys.modules)"
    )

    assert "set() 1 False\n" == subprocess.check_output([sys.executable, "-P", "-c", code], text=True)
