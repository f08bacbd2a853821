"""How kinds of segments look."""

import pytest

from analyzer.report.plot import symbols
from analyzer.report.plot.colours import THEMES
from tests.judging import captured

LIGHT = THEMES["light"]


def probes(name):
    """The probes of a capture's first flow."""
    return captured(name)[0][0].record.probes


def test_a_probe_points_to_its_receiver():
    """Probes of the upper lane's endpoint go down, those of the other up."""
    a, b = (
        next(probe for probe in probes("lab/both_sides.pcap") if probe.sender == side and probe.answer) for side in "ab"
    )

    assert ("v", "^") == (symbols.probe_mark(a, LIGHT).shape, symbols.probe_mark(b, LIGHT).shape)


def test_an_unanswered_probe_is_hollow():
    """Whether a probe was answered is told by its face, not by its colour."""
    found = {probe.answer is None: symbols.probe_mark(probe, LIGHT) for probe in probes("dead_peer_silence.pcap")}

    assert symbols.HOLLOW == found[True].face
    assert symbols.HOLLOW != found[False].face
    assert found[True].edge == found[False].edge


def test_a_probe_after_a_fin_stands_out():
    """It is larger, of another colour, and has a dark rim, unless so many stand side by side that the rim is all."""
    server = [probe for probe in probes("founding_go_fin60.pcap") if probe.sender == "b" and probe.answered]
    before, after = server[0], server[-1]
    ordinary, striking = symbols.probe_mark(before, LIGHT), symbols.probe_mark(after, LIGHT)

    assert striking.size > ordinary.size
    assert striking.face != ordinary.face
    assert LIGHT.ink == striking.edge
    assert LIGHT.after_fin == symbols.probe_mark(after, LIGHT, 0.5).edge


@pytest.mark.parametrize("theme", THEMES)
def test_every_meaning_is_in_the_legend_and_has_its_own_look(theme):
    """No two kinds of segment are drawn alike, and each has a place in the legend."""
    names = [symbols.SYN, symbols.DATA, symbols.RESENT, symbols.UNDECIDED, symbols.ANSWER, symbols.NO_ANSWER]
    looks = [symbols.mark(name, THEMES[theme]) for name in (*names, symbols.FIN, symbols.RESET, symbols.ICMP)]

    assert len(looks) == len({(look.shape, look.face == symbols.HOLLOW) for look in looks})
    assert {look.meaning for look in looks} <= set(symbols.ORDER)


@pytest.mark.parametrize("name", ["founding_go_fin60.pcap", "dead_peer_silence.pcap", "lab/loss_acks.pcap"])
def test_every_probe_has_a_line_in_the_legend(name):
    """What the mark of a probe means is one of the legend's lines."""
    assert {symbols.probe_meaning(probe) for probe in probes(name)} <= set(symbols.ORDER)


def test_a_window_probe_is_another_shape():
    """A zero-window probe is not taken for keepalive, answered or not."""
    found = [
        symbols.window_probe_mark(probe, LIGHT)
        for probe in captured("lab/zero_window_pending.pcap")[0][0].record.zero_window_probes
    ]

    assert {"D"} == {look.shape for look in found}
    assert {True, False} == {look.face == symbols.HOLLOW for look in found}
    assert {look.meaning for look in found} <= set(symbols.ORDER)


def test_a_probe_whose_answer_cannot_be_seen_is_not_called_unanswered():
    """Where nothing of the receiver was captured, the legend says that answers are not visible."""
    probe = probes("dead_peer_silence.pcap")[-1]

    assert "probe, unanswered" == symbols.probe_meaning(probe)
    assert "probe, answer not visible here" == symbols.probe_meaning(probe, instead=symbols.NOT_VISIBLE)
    assert symbols.probe_meaning(probe, instead=symbols.NOT_VISIBLE) in symbols.ORDER
