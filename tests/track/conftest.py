"""What tests of tracking share."""

import pytest


@pytest.fixture(autouse=True)
def _numba_where_needed(request):
    """Skip compiled variants without numba."""
    if "jit" in request.fixturenames and request.getfixturevalue("jit"):
        pytest.importorskip("numba")
