"""Silences, and the wall of a middlebox."""

import pytest

from analyzer.judge.signatures import MIDDLEBOXES, Behaviour, Middlebox
from analyzer.report.plot import idle_histogram
from analyzer.report.plot.histogram import ENDED, LIMIT, SURVIVED, bins, limits_within, silences
from analyzer.units import NS_PER_S
from tests import drawing
from tests.judging import captured, opened, scenario


def went_on(idle_s):
    """A flow that goes on after a silence, and closes."""
    return opened(f"""
+{idle_s} a > b P. 6:11(5) ack 1
+.01 b > a . 1:1(0) ack 11
+1   a > b F. 11:11(0) ack 1
+.01 b > a F. 1:1(0) ack 12
+.01 a > b . 12:12(0) ack 2
""")


def cut_off(idle_s):
    """A flow in which data after a silence draws a RST."""
    return opened(f"+{idle_s} a > b P. 6:11(5) ack 1\n+.001 b > a R 1:1(0) win 0 ttl 61")


def probe_cut_off(idle_s):
    """A flow in which the first probe after a silence draws a RST."""
    return opened(f"+{idle_s} a > b . 5:5(0) ack 1\n+.001 b > a R 1:1(0) win 0 ttl 61")


def in_s(judged):
    """The silences of a flow, survived and not, in whole seconds."""
    found = silences(judged)
    return tuple(None if ns is None else round(ns / NS_PER_S) for ns in (found.survived_ns, found.ended_ns))


def bars(axes):
    """The bars of each kind that have a height."""
    return {
        meaning: [bar for bar in container if bar.get_height()]
        for meaning, container in zip((SURVIVED, ENDED), axes.containers, strict=True)
    }


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (went_on(300), (300, None)),
        (cut_off(400), (None, 400)),
        (probe_cut_off(600), (None, 600)),
        (captured("peer_rebooted.pcap")[0][0], (5, 5)),
        (captured("dead_peer_silence.pcap")[0][0], (5, 5)),
        (captured("lab/dead_data_pending.pcap")[0][0], (2, None)),
        (captured("lab/loss_acks.pcap")[0][0], (2, None)),
        (captured("fixed_server.pcap")[0][0], (5, None)),
    ],
)
def test_a_silence_is_survived_or_not(judged, expected):
    """What counts is the longest silence after which a flow went on, and the one before its end."""
    assert expected == in_s(judged)


def test_unanswered_data_ends_a_flow_without_probes():
    """A flow whose data after a long silence is never acknowledged ended with that silence."""
    judged = opened("+400 a > b P. 6:11(5) ack 1\n" + "+1 a > b P. 6:11(5) ack 1\n" * 3 + "end: +60")

    assert (None, 400) == in_s(judged)


def test_a_reset_long_after_the_last_data_ends_no_silence():
    """An application that aborts by itself says nothing about a middlebox."""
    judged = opened("+400 a > b P. 6:11(5) ack 1\n+.01 b > a . 1:1(0) ack 11\n+30 b > a R. 1:1(0) ack 11")

    assert None is silences(judged).ended_ns


def test_a_limit_shows_as_a_wall():
    """Silences up to the limit are survived, longer ones are not, and the limit stands between."""
    flows = [went_on(s) for s in (100, 200, 300, 340)] + [cut_off(s) for s in (360, 420, 700)] + [probe_cut_off(600)]
    axes = idle_histogram(flows)

    found = bars(axes)

    assert 4 == sum(bar.get_height() for bar in found[SURVIVED])
    assert 4 == sum(bar.get_height() for bar in found[ENDED])
    assert (
        max(bar.get_x() for bar in found[SURVIVED]) < 350 < min(bar.get_x() + bar.get_width() for bar in found[ENDED])
    )
    assert any(words.startswith("350 s: AWS Network Load Balancer") for words in drawing.said(axes))
    assert 1 == len(drawing.lines(axes, LIMIT))
    assert [] == drawing.misplaced(axes.figure)


def test_bars_are_told_apart_without_colour():
    """The silences that ended a flow are hatched."""
    axes = idle_histogram([went_on(100), cut_off(400)])

    assert {SURVIVED: {None}, ENDED: {"////"}} == {
        meaning: {bar.get_hatch() for bar in found} for meaning, found in bars(axes).items()
    }


def test_only_limits_in_view_are_marked():
    """Limits far from every silence are left out, equal ones stand together."""
    limits = [Middlebox(name, s, Behaviour.SILENT, "a test") for name, s in (("x", 60), ("y", 60), ("z", 9000))]

    assert [(60, ["x", "y"])] == limits_within(limits, 10, 100)
    assert [] == drawing.lines(idle_histogram([went_on(3)], limits=limits), LIMIT)


@pytest.mark.parametrize("theme", ["light", "dark", "transparent"])
def test_all_known_limits_have_room(theme):
    """Even where every known limit is in view no two words overlap."""
    flows = [went_on(s) for s in (20, 200, 3000, 500_000)]
    axes = idle_histogram(flows, theme=theme)

    assert len({box.idle_s for box in MIDDLEBOXES}) == len(drawing.lines(axes, LIMIT) + drawing.lines(axes, "_limit"))
    assert [] == drawing.misplaced(axes.figure)


def test_bins_have_the_same_ratio():
    """Bins cover all values, each as much larger than the last."""
    edges = bins([1.0, 1000.0])

    assert edges[0] < 1
    assert edges[-1] > 1000
    assert pytest.approx(10 ** (1 / 24)) == edges[5] / edges[4]


def test_no_silence_is_said_to_be_none():
    """Flows without any silence give a picture that says so."""
    (judged,) = scenario("syn_sent_again")

    assert "no silence to show" in drawing.said(
        idle_histogram([judged] if silences(judged).survived_ns is None else [])
    )


def test_the_legend_can_be_left_out():
    """Without a legend there is none."""
    assert None is idle_histogram([went_on(100)], legend=False).get_legend()
