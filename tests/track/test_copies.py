"""Which segments are packets that were captured before, rule by rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.loops.loop import records
from analyzer.segment import ACK, FIN, PSH, RST, SYN
from analyzer.track import copies
from analyzer.track.endpoint import ENDPOINT, new_endpoint
from analyzer.track.flow import FLOW
from tests.notation import parse, plain
from tests.traffic import captures, plains

SECOND = 1_000_000_000
LONG = 100
"""Packets of a flow or capture that are there once."""


def row_of(line):
    """Return the SEGMENT record of one hand-written line as a dict."""
    return plain(parse(f"# A segment.\n{line}").rows[0])


class Once:
    """A flow of which every packet so far is there once, and whose end has just sent one."""

    def __init__(self, flags=SYN | ACK, **fields):
        self.flow, self.end, self.peer = (records(each, 1, jit=False)[0] for each in (FLOW, ENDPOINT, ENDPOINT))
        for end in (self.end, self.peer):
            new_endpoint(end)
        self.row = row_of("+1 a > b . 50:50(0) ack 1") | {"flags": flags, "ip_id": 0, "tsval": -1} | fields
        self.end["segments"] = LONG
        self.end["snd_nxt"] = self.row["seq"] + self.row["payload_len"]
        self.end["ttl_low"] = self.end["ttl_high"] = self.row["ttl"]
        self.end["mac"] = self.row["src_mac"]
        self.flow["copies"] = 0
        self.flow["reset_way"] = copies.way_of(self.row)
        copies.sign_in(self.end, copies.signature(self.row), self.row["ts_ns"])

    def again(self, later_ns=100_000, *, distinct=LONG, twice=0, **fields):
        """Say whether the same is a copy if it comes so much later, with other ``fields``."""
        row = self.row | {"ts_ns": self.row["ts_ns"] + later_ns} | fields
        sign = copies.signature(row)
        return copies.is_copy(self.flow, self.end, self.peer, row, sign, distinct, twice)


@settings(max_examples=200)
@given(captures())
def test_signatures_differ_where_segments_differ(rows):
    """Two segments have the same signature only if they share all that copies share."""
    names = ["seq", "ack", "tsval", "tsecr", "window", "ip_id", "flags", "payload_len", "sack_left", "sack_right"]
    whole = {tuple(row[name] for name in names): copies.signature(row) for row in plains(rows)}

    assert len(whole) == len(set(whole.values()))


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 2**16),
    st.integers(1, 2**16),
    st.sampled_from([("ack", "window"), ("seq", "ack"), ("ack", "tsecr"), ("payload_len", "window"), ("tsval", "seq")]),
)
def test_differences_in_two_fields_do_not_cancel_out(value, one, two, names):
    """Two fields that both move by a little make another signature."""
    row = row_of("+0 a > b . 0:0(0) ack 1 win 0 <ts 1 1>") | {names[0]: value, names[1]: value}
    other = row | {names[0]: value + one, names[1]: value ^ two}

    assert copies.signature(row) != copies.signature(other)


@pytest.mark.parametrize("field", ["ttl", "src_mac", "interface", "ts_ns", "frame"])
def test_copies_differ_in_ttl_station_and_time(field):
    """What a router or a second interface changes does not change the signature."""
    row = row_of("+0 a > b . 0:0(0) ack 1")

    assert copies.signature(row) == copies.signature(row | {field: row[field] + 1})


@pytest.mark.parametrize(
    ("later_ns", "fields", "expected"),
    [
        (190_000_000, {"ip_id": 5}, 1),
        (190_000_001, {"ip_id": 5}, 0),
        (0, {"ip_id": 5}, 1),
        (190_000_000, {"tsval": 4711}, 1),
        (10_000_001, {"tsval": 4711}, 1),
        (190_000_001, {"tsval": 4711}, 0),
        (10_000_001, {}, 0),
        (-10_000_001, {}, 0),
    ],
)
def test_ids_and_timestamps_name_a_packet(later_ns, fields, expected):
    """An equal IP ID shows within 190 ms that it is the same packet, an equal TSval where it would have gone on."""
    assert expected == Once(**fields).again(later_ns)


@pytest.mark.parametrize("flags", [SYN | ACK, RST, RST | ACK, ACK])
@pytest.mark.parametrize("tsval", [-1, 4711])
def test_what_answers_may_be_sent_twice(flags, tsval):
    """SYN,ACKs, RSTs and ACKs without IP ID are two packets where a capture has all others once."""
    assert [0, 0, 0] == [Once(flags, tsval=tsval).again(later_ns) for later_ns in (-100_000, 0, 10_000_000)]


@pytest.mark.parametrize("flags", [SYN | ACK, RST])
@pytest.mark.parametrize("changed", [{"ttl": 7}, {"src_mac": 7}])
def test_what_came_another_way_is_a_copy(flags, changed):
    """Behind a router, or from another station, it is the same packet."""
    assert Once(flags).again(**changed) == 1


def test_where_half_of_a_flow_is_there_twice_the_next_is_a_copy():
    """A capture that has the other packets of a flow twice has this one twice."""
    once = Once()
    found = {}
    for once.flow["copies"] in (LONG // 2 - 1, LONG // 2):
        found[once.flow["copies"]] = once.again()

    assert found == {LONG // 2 - 1: 0, LONG // 2: 1}


@pytest.mark.parametrize(("distinct", "twice", "expected"), [(1, 0, 1), (LONG, 49, 0), (LONG, 50, 1), (LONG, 0, 0)])
def test_of_a_flow_that_has_just_begun_the_capture_tells(distinct, twice, expected):
    """The first packet of a flow is a copy in a capture that has others twice, and where it is the capture's first."""
    once = Once()
    once.end["segments"] = 1

    assert expected == once.again(distinct=distinct, twice=twice)


@pytest.mark.parametrize(
    ("fields", "sent_before", "expected"),
    [
        ({"flags": SYN}, None, 1),
        ({"flags": ACK, "seq": 49}, 50, 1),  # a probe
        ({"flags": ACK | PSH, "payload_len": 9}, None, 1),
    ],
)
def test_what_nobody_sends_twice_at_once_is_a_copy(fields, sent_before, expected):
    """A SYN, a probe, data that nothing asked for again: a host takes longer for another."""
    once = Once(**fields)
    once.end["snd_nxt"] = sent_before or once.end["snd_nxt"]

    assert expected == once.again()


@pytest.mark.parametrize("fields", [{"flags": ACK | FIN}, {"flags": ACK | PSH, "payload_len": 1}], ids=["FIN", "octet"])
def test_what_is_sent_again_unacknowledged_is_no_probe(fields):
    """A tail loss probe repeats a FIN or an octet after two ticks: another packet, though a probe has its number."""
    once = Once(**fields)
    once.end["snd_nxt"], once.end["snd_una"] = once.row["seq"] + 1, once.row["seq"]

    assert [1, 0] == [once.again(later_ns) for later_ns in (100_000, 5_000_000)]


def test_data_that_was_asked_for_again_is_another_packet():
    """A fast retransmission may come moments after what was lost, once the other end was heard."""
    once = Once(ACK | PSH, payload_len=9)
    once.peer["last_ns"] = once.row["ts_ns"] + 50_000

    assert (once.again(), once.again(1_000_001)) == (0, 0)


def test_four_signatures_are_remembered():
    """A copy is recognised among the last four segments of its sender, not among older ones."""
    end = records(ENDPOINT, 1, jit=False)[0]
    new_endpoint(end)
    for sign in range(1, 6):
        copies.sign_in(end, sign, sign * 10)

    found = [copies.like_ns(end, sign, 50, SECOND) for sign in range(1, 6)]
    assert [copies.NEVER_NS, 20, 30, 40, 50] == found
