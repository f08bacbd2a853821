"""Which end a flow raises questions about, and which frames are known since."""

import pytest

from analyzer.label.reset import ABORT, GAVE_UP
from analyzer.loops.loop import records
from analyzer.track.hosts import ASK, HOST
from analyzer.track.signs import first_since, in_vain
from analyzer.track.testimony import end_in_question

S = 1_000_000_000


def ending(**fields):
    """An ENDING record as a dict."""
    return {"reset_row": -1, "reset_side": 0, "reset_kind": 0, "heard_a_ns": 5, "heard_b_ns": 9} | fields


def run(trailing=0, window=0):
    """A RUN record as a dict."""
    return {"trailing": trailing, "window_trailing": window, "probes": trailing + window}


END = {"unacked_ns": -1}


@pytest.mark.parametrize(
    ("expected", "of", "run_a", "run_b", "a", "b"),
    [
        (1, ending(reset_row=3, reset_side=0, reset_kind=GAVE_UP), run(), run(), END, END),
        (0, ending(reset_row=3, reset_side=0, reset_kind=ABORT), run(), run(), END, END),
        (1, ending(), run(2), run(), END, END),
        (0, ending(), run(), run(), END, {"unacked_ns": 7}),
        (0, ending(), run(1), run(window=1), END, END),
        (1, ending(heard_a_ns=9, heard_b_ns=9), run(), run(), END, END),
    ],
    ids=["gave up", "reset", "probes", "data", "both", "neither"],
)
def test_the_end_in_question(expected, of, run_a, run_b, a, b):
    """It is the one a prober gave up on, who sent a RST, who leaves the other unanswered, or was heard longer ago."""
    assert expected == end_in_question(a, b, of, run_a, run_b)


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
