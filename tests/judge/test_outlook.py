"""What to expect of a prober: the next probe, and when it gives up."""

import pytest

from analyzer.judge.outlook import hurried, outlook
from tests.judging import captured, opened
from tests.notation import START_NS

S = 1_000_000_000
ANSWERED = """
+5      b > a . 0:0(0) ack 6
+.00002 a > b . 6:6(0) ack 1
"""
UNANSWERED = """
+5  b > a . 0:0(0) ack 6
"""


def offset(ts_ns):
    """Return an instant in seconds from the start of a scene, to the millisecond."""
    return round((ts_ns - START_NS) / S, 3)


def test_answered_probes_are_expected_to_go_on():
    """After answered probes the next is due one period later, and nothing is about to be given up."""
    found = outlook(opened(ANSWERED * 3))

    assert ("b", 0, None) == (found.prober, found.unanswered, found.give_up_ns)
    assert 5 == pytest.approx((found.next_ns - found.last.ts_ns) / S, abs=0.2)


def test_unanswered_probes_lead_to_giving_up():
    """Of the nine that Linux allows by default two are gone: eight intervals are left, counted from the last."""
    found = outlook(opened(ANSWERED + UNANSWERED * 2))

    assert (2, 9, True) == (found.unanswered, found.count, found.count_is_default)
    assert 5 == pytest.approx((found.next_ns - found.last.ts_ns) / S, abs=0.2)
    assert 40 == pytest.approx((found.give_up_ns - found.last.ts_ns) / S, abs=1.5)


def test_a_single_probe_repeats_after_its_idle_time():
    """One answered probe after five seconds of silence lets the next be expected after as many."""
    found = outlook(opened(ANSWERED))

    assert 5 == pytest.approx((found.next_ns - found.last.ts_ns) / S, abs=0.3)


def test_a_single_unanswered_probe_tells_no_interval():
    """After one unanswered probe nobody can say when the next comes."""
    found = outlook(opened(UNANSWERED))

    assert (1, None, None) == (found.unanswered, found.next_ns, found.give_up_ns)


@pytest.mark.parametrize(
    "name", ["founding_go_fin60.pcap", "dead_peer_silence.pcap", "fixed_server.pcap", "founding_killed_unread.pcap"]
)
def test_nothing_is_expected_of_a_flow_that_is_over(name):
    """After a RST or both FINs no probe comes."""
    assert outlook(captured(name)[0][0]) is None


def test_nothing_is_expected_without_probes():
    """A flow without keepalive has no outlook."""
    assert outlook(opened("")) is None


def test_nothing_is_expected_of_a_flow_in_use():
    """When the peer sends data again, the idle time starts anew."""
    assert outlook(opened(ANSWERED + "+1 a > b P. 6:11(5) ack 1\n+.01 b > a . 1:1(0) ack 11\n")) is None


def test_a_prober_that_hears_no_answer_goes_on_soon():
    """Where answered probes came much sooner than before, the next is due as soon; not if they echo the answers."""
    slow, soon = (f"+{gap_s} b > a . 0:0(0) ack 6\n+.00002 a > b . 6:6(0) ack 1\n" for gap_s in (60, 10))
    found = outlook(opened(slow * 3 + soon * 4))

    assert 10 == pytest.approx((found.next_ns - found.last.ts_ns) / S, abs=0.2)
    assert [] == hurried(opened(slow * 4).record.probes)
    assert [] == hurried(opened(soon * 4).record.probes)
    assert 4 == len(hurried(opened(slow * 3 + soon * 4).record.probes))
