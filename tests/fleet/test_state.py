"""A stream's state as a file."""

import io

import numpy as np
import pytest

from analyzer.fleet import state
from analyzer.fleet.state import StateError

KIND = np.dtype([("a", np.int64), ("b", np.int8)], align=True)


def some():
    """Return a state as octets, and its digest."""
    out = io.BytesIO()
    rows = np.zeros(3, dtype=KIND)
    rows["a"] = 1, 2, 1 << 60
    digest = state.write(out, {"rows": rows, "numbers": np.arange(5), "none": np.empty(0, dtype=KIND)}, {"n": [1, "x"]})
    return out.getvalue(), digest


def test_a_state_comes_back():
    """Arrays and facts are what they were."""
    octets, digest = some()
    arrays, facts = state.read(io.BytesIO(octets), digest, {"rows": KIND, "none": KIND})

    assert [1, 2, 1 << 60] == arrays["rows"]["a"].tolist()
    assert list(range(5)) == arrays["numbers"].tolist()
    assert 0 == len(arrays["none"])
    assert {"n": [1, "x"]} == facts


@pytest.mark.parametrize(
    "damage",
    [
        lambda octets: b"",
        lambda octets: octets[:-1],
        lambda octets: octets[:40],
        lambda octets: octets + b"more",
        lambda octets: b"\x80\x04" + octets,
        lambda octets: octets[:60] + bytes([octets[60] ^ 1]) + octets[61:],
    ],
)
def test_a_damaged_state_is_refused(damage):
    """Whatever octet is wrong, lacking or too many, nothing is made of it."""
    octets, digest = some()

    with pytest.raises(StateError):
        state.read(io.BytesIO(damage(octets)), digest, {"rows": KIND, "none": KIND})


def test_another_layout_is_refused():
    """Records of another size than this program's are none."""
    octets, digest = some()

    with pytest.raises(StateError):
        state.read(io.BytesIO(octets), digest, {"rows": np.dtype("i4"), "none": KIND})


def test_an_array_that_is_code_is_refused():
    """A pickle, where an array should be, is not opened."""
    import zstandard

    packed = io.BytesIO()
    np.lib.format.write_array(packed, np.array([print], dtype=object), allow_pickle=True)
    octets = state.MAGIC + zstandard.ZstdCompressor().compress(packed.getvalue())

    with pytest.raises(StateError):
        state.read(io.BytesIO(octets), "", {})
