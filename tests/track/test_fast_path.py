"""The short way through the tracker against the long one."""

import numpy as np
import pytest

from analyzer.capture.reader import open_capture
from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, PSH, RST, SYN, SegmentBatch
from analyzer.track import observe
from analyzer.track.copies import signature
from analyzer.track.fast_path import NOT_STEADY, STEADY, STEADY_SENDER, go_on, goes_on, steady
from tests.beside import lab, or_skip
from tests.judging import CAPTURES
from tests.notation import follow, parse, plain
from tests.traffic import at_random

TALK = """# Two endpoints that have both sent data.
+0 a > b S 1000:1000(0) win 65535
+.01 b > a S. 2000:2000(0) ack 1001 win 65535
+.01 a > b . 1001:1001(0) ack 2001 win 500
+.01 a > b P. 1001:1101(100) ack 2001 win 500
+.01 b > a P. 2001:2051(50) ack 1101 win 400
+.01 a > b . 1101:1101(0) ack 2051 win 500
"""


WAYS = {True: 0, False: 0}


def counted(*args):
    """Ask ``goes_on``, and count what it says."""
    way = goes_on(*args)
    WAYS[way] += 1
    return way


@pytest.fixture
def taken(monkeypatch):
    """Count which way segments take, in plain loops: True the short one."""
    WAYS.update({True: 0, False: 0})
    monkeypatch.setattr(observe, "goes_on", loop(counted))
    monkeypatch.setattr(observe, "observe", loop(observe.observe.plain))
    return WAYS


@pytest.fixture
def the_long_way(monkeypatch):
    """Return a function that follows rows with no segment taking the short way."""

    def follow_long(rows):
        with monkeypatch.context() as patched:
            patched.setattr(observe, "goes_on", loop(lambda *_: False))
            patched.setattr(observe, "observe", loop(observe.observe.plain))
            return follow([SegmentBatch(rows, len(rows))])

    return follow_long


def whole(batches):
    """Return everything that is known of flows, as lists."""
    return [
        (
            batch.flow["number"].tolist(),
            *(getattr(batch, name).tolist() for name in ("flow", "a", "b", "seen", "trains")),
        )
        for batch in batches
    ]


def known(batches):
    """The same without the hash, which is stirred anew."""
    for batch in batches:
        batch.flow["hash"] = 0
    return whole(batches)


def test_both_ways_lead_to_the_same(the_long_way):
    """Whatever was captured, flows, endpoints and notable rows are equal to the last field."""
    for seed in range(60):
        rows = at_random(seed, 150)

        assert known(the_long_way(rows)) == known(follow([SegmentBatch(rows, len(rows))]))


def both_ways_are_one(path, the_long_way):
    """Whether a capture's flows are equal both ways, compiled as well."""
    with open_capture(str(path), jit=False) as capture:
        rows = np.concatenate([batch.rows for batch in capture])
    expected = known(the_long_way(rows))
    batch = SegmentBatch(rows, len(rows))
    return expected == known(follow([batch])) == known(follow([batch], jit=True))


@pytest.mark.parametrize("path", sorted(CAPTURES.rglob("*.pcap*")), ids=lambda path: path.stem)
def test_both_ways_lead_to_the_same_in_real_captures(path, the_long_way):
    """What kernels sent gives equal flows both ways too, compiled as well."""
    assert both_ways_are_one(path, the_long_way)


def test_both_ways_lead_to_the_same_in_the_shared_lab(the_long_way):
    """So it is in all captures of the shared lab."""
    paths = or_skip(lab(), "the lab")

    assert len(paths) > 50
    assert [] == [path.name for path in paths if not both_ways_are_one(path, the_long_way)]


def test_a_conversation_takes_the_short_way(taken):
    """Data and acknowledgements in order are ordinary once both ends have been heard and have sent data."""
    talk = parse(
        TALK
        + "".join(
            f"+.01 a > b P. {1101 + 10 * i}:{1111 + 10 * i}(10) ack {2051 + 10 * i} win 500\n"
            f"+.01 b > a P. {2051 + 10 * i}:{2061 + 10 * i}(10) ack {1111 + 10 * i} win 400\n"
            f"+.01 a > b . {1111 + 10 * i}:{1111 + 10 * i}(0) ack {2061 + 10 * i} win 500\n"
            for i in range(20)
        )
    )
    # in two batches: the flow of a segment is looked up ahead of it, and then must be there
    follow([SegmentBatch(talk.rows[:6], 6), SegmentBatch(talk.rows[6:], 60)])

    assert {True: 60, False: 0} == taken


def after_talk():
    """Return flow, endpoint a, endpoint b and the next ordinary segment of a, as dicts."""
    rows = [plain(row) for row in parse(TALK + "+.01 a > b P. 1101:1201(100) ack 2051 win 500\n").rows]
    (batch,) = follow([parse(TALK).batch()])
    flow, a, b = (plain(table[0]) for table in (batch.flow, batch.a, batch.b))
    return flow, a, b, rows[-1]


def test_the_next_segment_goes_on():
    """The segment that follows on goes the short way."""
    flow, a, b, row = after_talk()

    assert goes_on(flow, a, b, row, signature(row))


@pytest.mark.parametrize(
    "change",
    [
        {"flags": ACK | FIN},
        {"flags": ACK | SYN},
        {"flags": ACK | RST},
        {"flags": PSH},
        {"seq": 1100},
        {"seq": 1102},
        {"ack": 2050},
        {"ack": 2052},
        {"window": 0},
        {"ttl": 200},
        {"tsval": 5},
    ],
    ids=str,
)
def test_every_exception_takes_the_long_way(change):
    """One odd field is enough: flags, numbers, a closed window, another TTL, a new option."""
    flow, a, b, row = after_talk()

    assert not goes_on(flow, a, b, row | change, 1)


def test_a_lone_octet_in_order_goes_on():
    """An octet behind all that its sender has sent is data: what could be a probe bears a lower number."""
    flow, a, b, row = after_talk()

    assert goes_on(flow, a, b, row | {"payload_len": 1}, 1)
    assert not goes_on(flow, a, b, row | {"payload_len": 1, "seq": row["seq"] - 1}, 1)
    assert not goes_on(flow, a, b | {"window": 0, "steady": steady(flow, b | {"window": 0})}, row, 1)


def test_what_came_before_takes_the_long_way():
    """A clock that went back, a segment seen moments ago, and an end that is not steady are exceptions too."""
    flow, a, b, row = after_talk()

    assert not goes_on(flow | {"last_ns": row["ts_ns"] + 1}, a, b, row, 1)
    assert not goes_on(flow, a | {"sign3": 1}, b, row, 1)
    assert not goes_on(flow, a | {"steady": STEADY}, b, row, 1)
    assert goes_on(flow, a | {"steady": STEADY}, b, row | {"payload_len": 0}, 1)
    assert not goes_on(flow, a, b | {"steady": NOT_STEADY}, row, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"snd_nxt": -1},
        {"snd_una": -1},
        {"ack_frame": 0},
        {"window": 0},
        {"window": -1},
        {"fin_seq": 5},
        {"pending_seq": 5},
    ],
    ids=str,
)
def test_an_end_is_steady_once_everything_is_known_of_it(change):
    """An end of which something is unknown, closing or pending is not steady, nor any in a flow with a RST."""
    flow, a, _, _ = after_talk()

    assert STEADY_SENDER == steady(flow, a)
    assert STEADY == steady(flow, a | {"first_data_frame": 0})
    assert NOT_STEADY == steady(flow, a | change)
    assert NOT_STEADY == steady(flow | {"reset_count": 1}, a)


def test_going_on_moves_both_ends():
    """Data moves the sender's SND.NXT, its ACK the peer's SND.UNA, and the clocks follow."""
    flow, a, b, row = after_talk()
    go_on(flow, a, b, row)

    assert (a["snd_nxt"] - a["last_seq"], a["data_len"], a["data_frame"]) == (100, 100, row["frame"])
    assert row["ts_ns"] == a["last_ns"] == flow["last_ns"] == flow["active_ns"] == a["unacked_ns"]
    assert b["snd_una"] == a["last_ack"] == b["snd_nxt"]
