"""The segments in a timeline."""

from collections import Counter

import pytest

from analyzer.report.plot import flow_timeline
from analyzer.report.plot.lanes import AT, MIDDLE
from analyzer.report.plot.symbols import LAST_LIFE, LIFE, LINK_SAYS, QUESTION, probe_meaning
from tests import drawing
from tests.judging import captured, opened, scenario

CAPTURES = [
    "founding_go_fin60.pcap",
    "dead_peer_silence.pcap",
    "half_close_deliberate.pcap",
    "lab/both_sides.pcap",
    "lab/loss_acks.pcap",
    "lab/zero_window_pending.pcap",
    "lab/midstream_half_closed.pcap",
    "lab/icmp_host_unreachable.pcap",
    "lab/dead_data_pending.pcap",
    "lab/fw_reject_rst.pcap",
    "lab/syn_only.pcap",
]


BESIDE = {QUESTION, LINK_SAYS, LIFE, LAST_LIFE}


def timeline(judged):
    """A flow's timeline."""
    return flow_timeline(judged, judged.record.first_ns)


def places(axes, meaning):
    """Where marks of a meaning stand."""
    return [
        tuple(spot)
        for collection in axes.collections
        if collection.get_label() == meaning
        for spot in collection.get_offsets().data.tolist()
    ]


def expected_marks(record):
    """The marks that the facts of a record call for."""
    window = Counter(
        f"zero-window probe, {'unanswered' if probe.answer_frame is None else 'answered'}"
        for probe in record.zero_window_probes
    )
    data = [len({facts.first_data_ns, facts.last_data_ns} - {None}) for facts in (record.facts_a, record.facts_b)]
    counted = {
        "answer": sum(probe.answer in {"ack", "data"} for probe in record.probes),
        "no answer captured": sum(probe.answer is None for probe in record.probes)
        + sum(probe.answer_frame is None for probe in record.zero_window_probes),
        "FIN": len(record.fins),
        "RST": len(record.resets),
        "ICMP error": len(record.icmp_errors),
        "data sent again": len(record.resent),
        "SYN": sum(facts.syn_ns is not None for facts in (record.facts_a, record.facts_b)),
        "first and last data": sum(data),
    }
    return dict(Counter(probe_meaning(probe) for probe in record.probes) + window + Counter(counted))


@pytest.mark.parametrize("name", CAPTURES)
def test_every_fact_is_a_mark(name):
    """There are as many marks of each meaning as the record has facts; what stands beside the flow has its own test."""
    judged = captured(name)[0][0]
    found = drawing.marks(timeline(judged))

    assert expected_marks(judged.record) == {meaning: many for meaning, many in found.items() if meaning not in BESIDE}


def test_a_probe_stands_at_its_senders_lane_and_its_answer_at_the_other():
    """Who probed and who answered is told by the lane."""
    axes = timeline(captured("peer_rebooted.pcap")[0][0])

    assert {AT["b"]} == {y for _, y in places(axes, "probe, answered")}
    assert {AT["a"]} == {y for _, y in places(axes, "answer")}


def test_a_reset_of_neither_end_stands_between_the_lanes():
    """A RST that does not fit the endpoint in whose name it came starts half way, and so far its probe got."""
    axes = timeline(captured("lab/fw_reject_rst.pcap")[0][0])
    (reset,) = places(axes, "RST")

    assert MIDDLE == reset[1]


def test_an_icmp_error_stands_between_the_lanes():
    """An ICMP error comes from something in between."""
    axes = timeline(captured("lab/icmp_host_unreachable.pcap")[0][0])

    assert {MIDDLE} == {y for _, y in places(axes, "ICMP error")}


def test_a_closed_window_bars_the_lane():
    """While an endpoint's window is closed its lane is barred, from the closing to the opening."""
    judged = captured("lab/zero_window_pending.pcap")[0][0]
    shut, opened_again = (change.ts_ns for change in judged.record.windows)
    (bars,) = (c for c in timeline(judged).collections if c.get_label() == "window closed")
    ((begin, end),) = (segment[:, 0] for segment in bars.get_segments())

    assert [(shut - judged.record.first_ns) / 1e9, (opened_again - judged.record.first_ns) / 1e9] == pytest.approx(
        [begin, end]
    )


def test_a_window_that_stays_closed_is_barred_to_the_end():
    """A window that never opens again bars the lane to the end of the picture."""
    judged = captured("lab/zero_window_nothing_pending.pcap")[0][0]
    (bars,) = (c for c in timeline(judged).collections if c.get_label() == "window closed")

    assert pytest.approx((judged.record.end_ns - judged.record.first_ns) / 1e9) == bars.get_segments()[0][-1][0]


def test_a_closed_window_is_timed_to_the_captures_end():
    """How long a window was closed is said in full, even where not all of that time is drawn."""
    judged = opened("+1 b > a . 1:1(0) ack 6 win 0\n+5 b > a . 1:1(0) ack 6 win 0\nend: +100000")

    assert "window closed for 1 d 4 h" in drawing.said(timeline(judged))


def test_what_may_be_either_kind_of_probe_has_a_mark_of_its_own():
    """A single probe of a closed window is drawn as undecided."""
    (judged,) = scenario("one_probe_at_a_closed_window_is_undecided")

    assert 1 == drawing.marks(timeline(judged))["keepalive or zero-window probe"]


def test_a_suspected_probe_is_fainter():
    """What is only suspected to be keepalive is said and drawn to be that."""
    (judged,) = scenario("one_sided_even_spacing_is_suspected")
    axes = timeline(judged)
    (found,) = (c for c in axes.collections if c.get_label() == "suspected probe, answer not visible here")

    assert 1 > found.get_alpha()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lab/midstream_half_closed.pcap", "capture starts in mid-flow"),
        ("lab/any_router_sll.pcap", "not all of the client's segments captured"),
        ("lab/syn_only.pcap", "SYN, sent 7 times"),
        ("lab/zero_window_pending.pcap", "data, 47648 bytes"),
        ("lab/zero_window_pending.pcap", "window closed for 16 s"),
    ],
)
def test_what_a_reader_must_know_is_said(name, expected):
    """A capture's gaps, and how much was sent, stand beside the lane."""
    assert expected in drawing.said(timeline(captured(name)[0][0]))


def test_one_byte_is_one_byte():
    """A single byte has no plural."""
    judged = opened("+1 a > b P. 6:7(1) ack 1\n+.01 b > a P. 1:2(1) ack 7\n+.01 a > b . 7:7(0) ack 2")

    assert {"data, 6 bytes", "data, 1 byte"} <= set(drawing.said(timeline(judged)))


def test_heartbeats_bar_the_lane_of_their_sender():
    """From the first to the last, what nothing answered with a bar of its own; both are in the legend."""
    (judged,) = scenario("heartbeats_unanswered_at_the_end")
    axes = timeline(judged)
    bars = {
        each.get_label(): [[tuple(end) for end in bar.tolist()] for bar in each.get_segments()]
        for each in axes.collections
        if "heartbeats" in each.get_label()
    }

    assert bars == {
        "heartbeats of a program": [[(20, AT["a"]), (100, AT["a"])]],
        "heartbeats, unanswered": [[(100, AT["a"]), (140, AT["a"])]],
    }
    assert set(bars) <= {text.get_text() for text in axes.get_legend().get_texts()}
