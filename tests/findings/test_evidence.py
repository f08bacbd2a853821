"""What findings bring along is put together from frames and numbers that are known."""

from analyzer.findings import Case
from analyzer.findings.evidence import count_answered, end_ns, frames_of, known, numbers_of
from tests.judging import captured


def test_frames_come_once_and_in_order():
    """Frames given singly, in any order, twice or not at all become one ordered tuple."""
    assert (3, 5, 9) == frames_of(9, (5, 3), None, [3])


def test_what_is_not_known_is_left_out():
    """None is no value of a finding's data, zero is one."""
    assert {"probes": 0, "what": "data"} == known(probes=0, what="data", frame=None)


def test_probes_are_numbered_and_their_answers_counted():
    """Probes give their frames, and those that ACK or data answered are counted."""
    (judged,), _ = captured("dead_peer_silence.pcap")

    assert list(numbers_of(judged.record.probes)) == [probe.frame for probe in judged.record.probes]
    assert 2 == count_answered(judged.record.probes)


def test_a_flow_ends_with_its_reset_or_with_the_capture():
    """Where a RST ended the flow its time counts, else the capture's end."""
    (reset,), _ = captured("founding_go_fin60.pcap")
    (open_,), _ = captured("capture_stops_early.pcap")

    assert reset.ending.ts_ns == end_ns(Case(reset.record, reset.ending, "a", (None, None)))
    assert open_.record.end_ns == end_ns(Case(open_.record, open_.ending, "a", (None, None)))
