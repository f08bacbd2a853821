"""Which end a flow raises questions about."""

import pytest

from analyzer.label.reset import ABORT, GAVE_UP
from analyzer.track.testimony import end_in_question


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
