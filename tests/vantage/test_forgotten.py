"""What was counted of forgotten packets is found by connection."""

import numpy as np

from analyzer.vantage.forgotten import COVER, Forgotten, Thinned
from analyzer.vantage.meeting import SENDER


def forgotten():
    """Return what was counted of flow 1 of the first capture: nine packets of its ``b``."""
    senders, covers = np.zeros(4, dtype=SENDER), np.zeros(2, dtype=COVER)
    senders["gone"][3], senders["gone_ttl"][3] = 9, 9
    covers["sender"], covers["from_seq"] = (2, 3), (70, 80)
    return Forgotten(Thinned((), (senders,), covers), [0, 1])


def test_counts_follow_the_ends_of_the_connection():
    """An end that is called otherwise in the first capture is found all the same."""
    a, b = forgotten().of([(0, 1, False), (1, 5, False)])
    assert (a.count, b.count, b.changed["ttl"]) == (0, 9, 9)
    a, b = forgotten().of([(0, 1, True), (1, 5, False)])
    assert (a.count, b.count) == (9, 0)
    assert a.covers["from_seq"].tolist() == [80]


def test_flow_of_which_nothing_was_forgotten():
    """Of a flow that the first capture lacks, or that came too late to be thinned, nothing was forgotten."""
    assert forgotten().of([(1, 5, False)]) is None
    assert forgotten().of([(0, 0, False)]) is None
    assert forgotten().of([(0, 7, False)]) is None
