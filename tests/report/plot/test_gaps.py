"""Gaps between probes."""

from itertools import pairwise

import pytest

from analyzer.report.plot.gaps import Inferred, gaps, inferred, multiples
from analyzer.units import NS_PER_S
from tests.judging import captured, opened, scenario, written


def flow(name, number=0):
    """A judged flow of a capture."""
    return captured(name)[0][number]


def in_s(found):
    """Gaps in seconds, rounded."""
    return [round(gap.gap_ns / NS_PER_S, 1) for gap in found]


def test_every_probe_has_its_gap():
    """In a flow that was seen from its start each probe has one."""
    judged = flow("founding_go_fin60.pcap")
    found = gaps(judged.record)

    assert len(judged.record.probes) == len(found)
    assert {5.1, 5.2, 15.2} == set(in_s(found))


def test_the_first_gap_of_a_train_is_the_idle_time():
    """What TCP_KEEPIDLE counts from is the peer's last segment that was not keepalive."""
    judged = flow("founding_go_fin60.pcap")
    (client,) = judged.record.probes_from("a")

    assert [client.idle_ns] == [gap.gap_ns for gap in gaps(judged.record) if gap.of is client]
    assert client.gap_ns < client.idle_ns


def test_a_probe_behind_the_end_has_the_gap_to_its_senders_probe_before():
    """Behind a RST that did not reach it a prober keeps its rhythm: its gap is no idle time."""
    judged = scenario("reset_lost_behind_the_capture")[0]

    assert [5.0, 5.0, 2.0] == in_s(gaps(judged.record))


def test_a_probe_before_which_nothing_was_captured_has_none():
    """A capture that starts with a probe shows no gap before it."""
    record = flow("lab/midstream_half_closed.pcap").record

    assert len(record.probes) - 1 == len(gaps(record))


def test_one_sided_captures_have_gaps_too():
    """Where nothing of the peer was captured, the gap to the flow's previous segment is all there is."""
    (judged,) = scenario("one_sided_even_spacing_is_suspected")

    assert judged.record.probes
    assert len(gaps(judged.record)) >= len(judged.record.probes) - 1


def test_giving_up_comes_an_interval_after_the_last_probe():
    """The RST with which a prober gives up is drawn like a probe: its timer ran once more."""
    judged = flow("dead_peer_silence.pcap")
    *_, last = gaps(judged.record)

    assert judged.record.resets[0] is last.of
    assert 5.1 == in_s([last])[0]


def test_window_probes_count_from_the_closing_and_then_from_each_other():
    """An exponential train doubles, from the first probe after the window closed."""
    record = flow("lab/zero_window_pending.pcap").record
    found = [gap for gap in gaps(record) if gap.of in record.zero_window_probes]

    assert len(record.zero_window_probes) == len(found)
    assert [False, *[True] * (len(found) - 1)] == [gap.regular for gap in found]
    assert all(1.7 < later.gap_ns / earlier.gap_ns < 2.3 for earlier, later in pairwise(found))


def test_a_window_closed_again_starts_a_new_train():
    """Window probes of two closings are not joined."""
    judged = opened("""
+1   b > a  .   1:1(0) ack 6 win 0
+1   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6 win 0
+2   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6 win 0
+4   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6 win 0
+1   b > a  .   1:1(0) ack 6 win 500
+1   b > a  .   1:1(0) ack 6 win 0
+1   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6 win 0
+2   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6 win 0
+4   a > b  .   5:5(0) ack 1
""")

    assert len(judged.record.zero_window_probes) == len(gaps(judged.record))
    assert {1, 2} == {gap.train[2] for gap in gaps(judged.record)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("founding_go_fin60.pcap", ["client idle 15 s", "server idle 5 s"]),
        ("dead_peer_silence.pcap", ["idle, interval 5 s"]),
        ("lab/both_sides.pcap", ["client idle 2 s", "client interval 1 s", "server idle 3 s"]),
        ("lab/ipv6_graceful.pcap", ["idle 1 s", "interval 2 s"]),
        ("lab/midstream_half_closed.pcap", ["spacing 2 s"]),
    ],
)
def test_timers_are_named_once(name, expected):
    """Equal timers share a line, what only bounds are known of gives way, both ends are told apart."""
    assert expected == [timer.words for timer in inferred(flow(name))]


def test_a_timer_is_drawn_where_it_was_seen():
    """The retry interval spans the unanswered probes, to the RST."""
    judged = flow("lab/both_sides.pcap")
    (interval,) = (timer for timer in inferred(judged) if "interval" in timer.name)

    assert judged.record.resets[0].ts_ns == interval.end_ns
    assert interval.begin_ns > judged.record.probes_from("b")[-1].ts_ns


def test_bounds_are_said_where_there_is_no_value():
    """A timer without a value is named with its bounds."""
    assert "idle 1 s to 2.07 s" == Inferred("idle", None, NS_PER_S, 2_066_000_000, 0, 1).words


def test_a_probe_that_was_not_captured_shows_as_a_multiple():
    """A gap twice the usual one is said to be that, if no timer explains it."""
    probe = "+10 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
    judged = opened(probe * 5 + probe.replace("+10", "+20.01") + probe * 5)

    assert [(20, "twice the usual gap")] == [
        (round(ns / NS_PER_S), words) for ns, words in multiples(gaps(judged.record), inferred(judged))
    ]


@pytest.mark.parametrize("name", ["lab/loss_acks.pcap", "founding_go_fin60.pcap", "lab/zero_window_pending.pcap"])
def test_what_a_timer_explains_is_no_multiple(name):
    """Idle time twice the interval does not mean that a probe was missed."""
    judged = flow(name)

    assert [] == multiples(gaps(judged.record), inferred(judged))


def test_few_gaps_have_no_usual_one():
    """Two probes are no rhythm."""
    judged = written("+0 a > b . 0:0(0) ack 1\n+.01 b > a . 1:1(0) ack 1\n+5 a > b . 0:0(0) ack 1")

    assert [] == multiples(gaps(judged.record), inferred(judged))
