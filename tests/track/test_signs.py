"""What is known of a host since an instant."""

import pytest

from analyzer.loops.loop import records
from analyzer.track.hosts import ASK, HOST
from analyzer.track.signs import first_since, in_vain

S = 1_000_000_000


@pytest.mark.parametrize(("since_s", "frame"), [(1, 2), (3, 3), (30, 4)])
def test_the_first_frame_known_since(since_s, frame):
    """Of a host the ends of its longest silence are known, and its last frame: the first of these that is later."""
    (host,) = records(HOST, 1, jit=False)
    host |= {"gap_from_ns": 2 * S, "gap_from_frame": 2, "gap_to_ns": 20 * S, "gap_to_frame": 3}
    host |= {"last_ns": 40 * S, "last_frame": 4}

    assert frame == first_since(host, since_s * S)[1]


@pytest.mark.parametrize(
    ("said_s", "since_s", "expected"),
    [(0, 5, 1), (11, 5, 0), (0, 13, 0), (20, 5, 1), (7, 5, 1)],
    ids=["never said", "said between", "asked before", "said at last", "said before"],
)
def test_questions_in_vain(said_s, since_s, expected):
    """Questions since then are in vain if no answer came behind the first, or one came behind the last of several."""
    (ask,) = records(ASK, 1, jit=False)
    ask |= {"first_ns": 10 * S, "last_ns": 12 * S, "count": 3}

    assert expected == in_vain(ask, said_s * S, since_s * S)
