"""Which flows, and which end of each, raise questions about what passed beside them."""

import pytest

from analyzer.label.reset import ABORT, GAVE_UP
from analyzer.track.in_question import STOPPED_NS, asked_about, end_in_question


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


@pytest.mark.parametrize(
    ("asked", "of", "run_a", "later_ns"),
    [
        (True, {"icmp_errors": 1}, run(), 0),
        (True, {"reset_row": 3, "reset_kind": GAVE_UP}, run(2), 0),
        (False, {"reset_row": 3, "reset_kind": ABORT}, run(), 0),
        (True, {}, run(1), 0),
        (False, {}, run() | {"probes": 1}, STOPPED_NS),
        (True, {}, run() | {"probes": 1}, STOPPED_NS + 1),
        (False, {}, run(), STOPPED_NS + 1),
    ],
    ids=["ICMP", "gave up", "aborted", "in vain", "probes", "probes stopped", "no probes"],
)
def test_the_flows_that_are_asked_about(asked, of, run_a, later_ns):
    """Those with an ICMP error, a RST that is no program's own, something unanswered, or probes that ceased."""
    flow = {"reused_ns": -1, "last_ns": 7}
    end = END | {"segments": 4}
    first = ending(icmp_errors=0, answers_row=-1, stranger=0) | of
    picked = [-1]

    assert asked == asked_about([flow], [end], [end], [first], [run_a], [run()], 7 + later_ns, picked)
    assert picked == [0 if asked else -1]


def test_addresses_that_were_used_anew_are_not_asked_about():
    """A flow whose addresses another connection took leaves at once, when nothing is known of what came later."""
    flow = {"reused_ns": 9, "last_ns": 7}
    first = ending(icmp_errors=1, answers_row=-1, stranger=0)

    assert 0 == asked_about([flow], [END], [END], [first], [run()], [run()], 9, [-1])
