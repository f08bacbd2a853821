"""Tick rows: probes, FINs and RSTs along a flow's time."""

import pytest

from analyzer.report.screen import Screen
from analyzer.report.ticks import (
    ANSWERED,
    FIN,
    NOTHING,
    RESET,
    UNANSWERED,
    UNSEEN,
    WINDOW_PROBE,
    drawn,
    legend,
    span,
    tick_rows,
)
from tests.judging import scenario

PLAIN = Screen(unicode=False)


def rows(judged, cells=40):
    """Tick rows as (side, ASCII)."""
    return [(side, drawn(row, PLAIN)) for side, row in tick_rows(judged, cells)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "founding_go_fin10.pcap",
            [("a", "---------------------F-----------------R"), ("b", "---------*--------*-----------*--------@")],
        ),
        ("dead_peer_silence.pcap", [("b", "---*--*---o--o--o--o---o--o--o--o---o--R")]),
        (
            "fixed_server.pcap",
            [("a", "---------------------------------------F"), ("b", "-----------------*----------------*----F")],
        ),
        ("lab/syn_only.pcap", []),
    ],
)
def test_a_row_shows_when_probes_fins_and_resets_came(flow, name, expected):
    """Each endpoint that sent a probe, a FIN or a RST has a row with its marks where they fall in time."""
    judged, _ = flow(name)

    assert expected == rows(judged)


def test_what_matters_more_hides_what_matters_less(flow):
    """Where several marks share a cell, RST wins over FIN, FIN over a probe that drew a RST, that over others."""
    judged, _ = flow("founding_go_fin60.pcap")

    assert [("a", "R"), ("b", "@")] == rows(judged, 1)
    assert [("b", "R")] == rows(flow("dead_peer_silence.pcap")[0], 1)


def test_probes_whose_answers_cannot_be_seen_have_a_mark_of_their_own():
    """Where nothing of the receiver was captured, no probe is drawn as unanswered."""
    (_, row), *_ = tick_rows(scenario("one_sided_even_spacing_is_suspected")[0], 40)

    assert UNSEEN in row
    assert UNANSWERED not in row


def test_window_probes_have_a_mark_of_their_own(flow):
    """A probe of a closed window is not drawn as keepalive."""
    judged, _ = flow("lab/zero_window_pending.pcap")
    marks = {mark for _, row in tick_rows(judged, 200) for mark in row}

    assert {NOTHING, WINDOW_PROBE, ANSWERED, FIN} == marks


@pytest.mark.parametrize(
    ("name", "to_the_end"),
    [
        ("capture_stops_early.pcap", True),
        ("dead_peer_silence.pcap", False),
        ("lab/zero_window_nothing_pending.pcap", True),
    ],
)
def test_time_runs_to_the_end_of_the_flow_or_of_the_capture(flow, name, to_the_end):
    """A flow that nothing ended is drawn up to the end of its capture."""
    judged, _ = flow(name)

    assert (judged.record.first_ns, judged.record.end_ns if to_the_end else judged.record.last_ns) == span(judged)


def test_colour_is_around_equal_neighbours():
    """A run of equal marks is painted once."""
    painted = drawn([NOTHING, NOTHING, ANSWERED, RESET], Screen(colour=True))

    assert "\x1b[2m──\x1b[0m\x1b[32m●\x1b[0m\x1b[1;31mR\x1b[0m" == painted


def test_the_key_names_only_what_is_drawn_and_fits():
    """The key leaves out what does not occur, and breaks where the screen ends."""
    assert ["  * probe, answered   R RST"] == list(legend([RESET, ANSWERED, NOTHING], PLAIN, "  "))
    assert [len(line) <= 40 for line in legend([RESET, ANSWERED, UNANSWERED, FIN], Screen(40), "  ")] == [True, True]


def test_heartbeats_are_marked_from_the_first_to_the_last():
    """A train fills the time that it lasted, and what of it nothing answered is told apart, in the legend too."""
    (judged,) = scenario("heartbeats_unanswered_at_the_end")
    (row,) = tick_rows(judged, 17)

    assert ("a", "--~~~~~~~~=====--") == (row[0], drawn(row[1], PLAIN))
    assert ["~ heartbeats of a program   = heartbeats, no answer"] == list(legend(row[1], PLAIN, ""))
