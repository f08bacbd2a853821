"""Trackers that something passed, and what to feed them."""

import numpy as np
import pytest

from analyzer.judge import recording
from analyzer.segment import SegmentBatch
from analyzer.track.tracker import Tracker
from tests.notation import START_NS, parse

S = 1_000_000_000
CLOSED = """# Closed in order, then another flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.01    a > b  F.  1:1(0) ack 1
+.01    b > a  F.  1:1(0) ack 2
+.01    a > b  .   2:2(0) ack 2
+0      c > d  S   0:0(0)
+.01    d > c  S.  0:0(0) ack 1
+.01    c > d  .   1:1(0) ack 1
"""
CLOSED_NS = START_NS + 40_000_000
PROBED = """# A connection that is probed again and again, and another that is not.
+0      a > b  .   0:0(0) ack 1
+.01    b > a  .   1:1(0) ack 1
+0      c > d  .   0:0(0) ack 1
+.01    d > c  .   1:1(0) ack 1
"""
PROBE = "+5      a > b  .   0:0(0) ack 1\n+.01    b > a  .   1:1(0) ack 1\n"

modes = pytest.mark.parametrize("jit", [False, pytest.param(True, id="compiled")])


def fed(text, **fields):
    """Return a tracker that hand-written lines have passed."""
    tracker = Tracker(**fields)
    tracker.feed(parse(text).batch())
    return tracker


def many(count, per_flow=1):
    """Return rows of this many flows, ``per_flow`` SYNs each."""
    row = parse("# A SYN.\n+0 a > b S 0:0(0)\n").rows
    rows = np.repeat(row, count * per_flow)
    rows["src_port"] = 1 + np.arange(len(rows)) % count
    rows["frame"] = 1 + np.arange(len(rows))
    rows["ts_ns"] += np.arange(len(rows)) * 1000
    return rows


def in_order(batches):
    """Return the records of all flows in order of their first segment."""
    flows = [recording.build(batch, at) for batch in batches if batch is not None for at in range(len(batch))]
    return sorted(flows, key=lambda each: each.number)


def numbers(batch):
    """Return the numbers of the flows of a batch; none for no batch."""
    return [] if batch is None else batch.flow["number"].tolist()


def flood_of_syns(count, first=0):
    """A batch of lone SYNs from so many ports, a millisecond apart."""
    rows = np.concatenate([parse("# A SYN.\n+0 a > b S 0:0(0)\n").batch().rows] * count)
    rows["frame"] = np.arange(first + 1, first + count + 1)
    rows["ts_ns"] = 1_000_000_000_000 + rows["frame"] * 1_000_000
    rows["src_port"], rows["src_lo"] = 1 + np.arange(count) % 60_000, 1 + np.arange(first, first + count)
    return SegmentBatch(rows, count, (0, 0, 0), int(rows["ts_ns"][-1]))
