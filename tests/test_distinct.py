"""The values of an array, each once."""

import subprocess
import sys

import numpy as np
import pytest

from analyzer.distinct import distinct


@pytest.mark.parametrize("values", [[], [7], [3, 1, 3, 2, 1], [0, 0, 0]])
def test_each_value_comes_once_and_in_order(values):
    """The same as numpy's own."""
    array = np.array(values, dtype=np.int64)

    assert np.unique(array).tolist() == distinct(array).tolist()


def test_masked_arrays_are_not_imported_for_it():
    """What makes it worth having."""
    code = "import sys, numpy, analyzer.distinct as d; d.distinct(numpy.array([1])); print('numpy.ma' in sys.modules)"

    assert (
        "False"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    )
