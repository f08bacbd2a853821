"""Gaps of probes against time."""

from collections import Counter

import pytest

from analyzer.report.plot import probe_intervals, symbols
from analyzer.report.plot.gaps import gaps, inferred
from tests import drawing
from tests.judging import captured, opened


def drawn(name, number=0, **options):
    """The intervals of a flow of a capture."""
    flows, start_ns = captured(name)
    return probe_intervals(flows[number], start_ns, **options)


@pytest.mark.parametrize(
    "name", ["founding_go_fin60.pcap", "dead_peer_silence.pcap", "lab/loss_acks.pcap", "lab/zero_window_pending.pcap"]
)
def test_every_gap_is_a_mark(name):
    """There are as many marks of each meaning as the record has probes with a gap."""
    record = captured(name)[0][0].record
    expected = Counter(symbols.probe_meaning(gap.of) for gap in gaps(record) if gap.of in record.probes)
    expected += Counter("RST" for gap in gaps(record) if gap.of in record.resets)
    for gap in gaps(record):
        if gap.of in record.zero_window_probes:
            answered = "unanswered" if gap.of.answer_frame is None else "answered"
            expected[f"zero-window probe, {answered}"] += 1

    assert expected == drawing.marks(drawn(name))


def test_even_ticks_lie_flat_on_a_linear_axis():
    """Gaps of one size are drawn from zero."""
    axes = drawn("dead_peer_silence.pcap")

    assert "linear" == axes.get_yscale()
    assert 0 == axes.get_ylim()[0]


def test_a_train_that_backs_off_is_drawn_logarithmically():
    """Gaps that differ much are drawn on a logarithmic axis, in which doubling is even."""
    axes = drawn("lab/zero_window_pending.pcap")

    assert "log" == axes.get_yscale()
    assert "idle 1 s" in drawing.said(axes)


def test_settings_are_lines_with_their_bounds():
    """Each inferred timer is a line at its value and a band between its bounds."""
    judged = captured("lab/both_sides.pcap")[0][0]
    axes = drawn("lab/both_sides.pcap")
    timers = inferred(judged)

    assert [timer.value_ns / 1e9 for timer in timers] == [line.get_ydata()[0] for line in drawing.lines(axes, "_value")]
    bands = drawing.patches(axes, "_bounds")
    assert [timer.low_ns / 1e9 for timer in timers] == pytest.approx([band.get_y() for band in bands])
    assert [timer.high_ns / 1e9 for timer in timers] == pytest.approx([b.get_y() + b.get_height() for b in bands])
    assert {timer.words for timer in timers} <= set(drawing.said(axes))


def test_fin_and_reset_are_drawn_through():
    """The turning points of the timeline go on through the gaps."""
    axes = drawn("founding_go_fin60.pcap")

    assert (1, 1) == (len(drawing.lines(axes, "_FIN")), len(drawing.lines(axes, "_RST")))


def test_gaps_of_a_train_are_joined():
    """Each train of probes is one line."""
    record = captured("founding_go_fin60.pcap")[0][0].record
    trains = {(probe.sender, probe.train) for probe in record.probes}

    assert len(trains) == len(drawing.lines(drawn("founding_go_fin60.pcap"), "_train"))


def test_a_missed_probe_is_pointed_out():
    """A gap twice the usual one lies on a line that says so."""
    probe = "+10 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
    judged = opened(probe * 5 + probe.replace("+10", "+20.01") + probe * 5)

    assert "twice the usual gap" in drawing.said(probe_intervals(judged, judged.record.first_ns))


def test_no_probe_no_gap():
    """A flow without probes says so."""
    axes = drawn("lab/syn_only.pcap")

    assert "no gap between probes to show" in drawing.said(axes)
    assert {} == drawing.marks(axes)


def test_words_keep_clear_of_marks():
    """The name of a line covers none of the marks on it."""
    axes = drawn("founding_go_fin60.pcap")
    names = [(text, box) for text, box in drawing.placed(axes) if "idle" in text.get_text()]
    spots = [
        axes.transData.transform(spot) for collection in axes.collections for spot in collection.get_offsets().data
    ]

    assert 2 == len(names)
    assert [] == [text for text, box in names for spot in spots if box.contains(*spot)]


@pytest.mark.parametrize("theme", ["light", "dark", "transparent"])
@pytest.mark.parametrize("name", ["lab/loss_acks.pcap", "lab/both_sides.pcap", "founding_go_fin60.pcap"])
def test_nothing_overlaps(name, theme):
    """Every word has its own place in the picture."""
    assert [] == drawing.misplaced(drawn(name, theme=theme).figure)
