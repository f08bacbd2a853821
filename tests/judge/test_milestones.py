"""What moves states, as columns of many flows."""

import numpy as np

from analyzer.judge.connection import EVENTS, Event
from analyzer.judge.milestones import milestones, until
from tests.tables import scenario_flows


def marks_of(name):
    """Return the milestones of a scenario's first flow as (frame, side, event), in order of frames."""
    batch = scenario_flows()[name][0]
    marks = milestones((batch.a, batch.b), batch.ending)
    columns = (marks.frame[0].tolist(), marks.side[0].tolist(), marks.event[0].tolist())
    found = [(frame, side, EVENTS[event]) for frame, side, event in zip(*columns, strict=True) if frame]
    return sorted(found, key=lambda mark: mark[:2])


def test_a_segment_is_one_event_to_its_sender_and_another_to_its_peer():
    """A SYN is sent by one end and got by the other, in the same frame."""
    assert [(1, 0, Event.SENT_SYN), (1, 1, Event.GOT_SYN)] == marks_of("orderly_close")[:2]


def test_fins_that_crossed_are_got_when_the_own_was_sent():
    """RFC 9293 figure 13: in a simultaneous close neither end had received the other's FIN when it sent its own."""
    fins = [mark for mark in marks_of("simultaneous_close") if mark[2] in {Event.SENT_FIN, Event.GOT_FIN}]
    sent = {side: frame for frame, side, event in fins if event is Event.SENT_FIN}
    got = {side: frame for frame, side, event in fins if event is Event.GOT_FIN}

    assert set(sent.values()) == {max(sent.values()), min(sent.values())}
    assert {max(sent.values())} == set(got.values())


def test_a_reset_is_one_for_both_ends():
    """The RST that ended a flow happens to both."""
    assert [0, 1] == [side for _, side, event in marks_of("dead_peer_gave_up") if event is Event.RESET]


def test_what_came_behind_the_reset_is_not_heard():
    """Both ends are set back to how they stood when the RST came, unless they were silent since long before."""
    reset = {
        "side": np.array([0]),
        "frame": np.array([10]),
        **{f"own_{name}": np.array([value]) for name, value in (("last_ns", 5), ("active_ns", 4), ("active_frame", 8))},
        **{
            f"peer_{name}": np.array([value]) for name, value in (("last_ns", 7), ("active_ns", 6), ("active_frame", 9))
        },
    }
    went_on = {"last_ns": np.array([99]), "active_ns": np.array([98]), "active_frame": np.array([12])}
    silent = {"last_ns": np.array([7]), "active_ns": np.array([3]), "active_frame": np.array([2])}

    a, b = until(reset, (went_on, silent))

    assert {"last_ns": [5], "active_ns": [4], "active_frame": [8]} == {name: at.tolist() for name, at in a.items()}
    assert {"last_ns": [7], "active_ns": [3], "active_frame": [2]} == {name: at.tolist() for name, at in b.items()}
