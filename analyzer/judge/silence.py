"""Silence: whether what was sent stayed unanswered, or its answers only were not captured.

Conditions over the columns of a FlowBatch, for the table of verdicts; each docstring is the sentence that
``keepalive rules`` prints. It must not know which row of the table wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.tolerances import OVERDUE, RTO_FIRST_NS, RTO_LEAST_NS, SILENCE_LEAST_NS
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch
    from analyzer.track.flow import Side

INTERVAL_DEFAULT_NS: Final = 75_000_000_000
"""Interval of Linux, macOS and FreeBSD unless configured (field guide 2.3, 3.2, 4)."""
MOST_PROBES: Final = 127
"""No Linux prober sends more in a row without an answer (MAX_TCP_KEEPCNT); the defaults are 9 and 8."""
LARGEST_UNSCALED: Final = 0xFFFF
"""The largest window without RFC 7323: more than this is seldom in flight unacknowledged."""

ENOUGH_UNANSWERED: Final = 3
"""Where packets were dropped while capturing, so many sendings without an answer are silence all the same."""

HALF_OF_STAMPS: Final = 1 << 31
"""A timestamp that is ahead of another by less is later (RFC 7323 5.2)."""

Mask = Any


def probes_unanswered_to_the_end(f: FlowBatch) -> Mask:
    """The last probes stayed unanswered, the first of them for at least one expected interval."""
    return f.once(_probes_silent, "a") | f.once(_probes_silent, "b")


def window_probes_unanswered_to_the_end(f: FlowBatch) -> Mask:
    """Probes of a closed window stayed unanswered: two or more, or one for longer than until the next was due."""
    return f.once(_window_silent, "a") | f.once(_window_silent, "b")


def data_unanswered_to_the_end(f: FlowBatch) -> Mask:
    """Data (or a FIN) was sent again at least once and never acknowledged, and the capture went on for a second."""
    return f.once(_data_silent, "a") | f.once(_data_silent, "b")


def fin_unanswered_to_the_end(f: FlowBatch) -> Mask:
    """A FIN was sent again at least once and never acknowledged, and the capture went on for a second."""
    a_silent = f.once(_data_silent, "a") & (f.a["fin_frame"] > 0) & (f.a["fin_acked_frame"] == 0)
    b_silent = f.once(_data_silent, "b") & (f.b["fin_frame"] > 0) & (f.b["fin_acked_frame"] == 0)
    return a_silent | b_silent


def answers_may_be_dropped(f: FlowBatch) -> Mask:
    """Packets were dropped while capturing, and what stayed unanswered was sent no more than twice."""
    if not f.lost and not any(hole.packets for hole in f.holes):
        return np.zeros(len(f), dtype=bool)
    silent = np.zeros(len(f), dtype=bool)
    enough = np.zeros(len(f), dtype=bool)
    for side in SIDES:
        run, end = (f.run_a, f.a) if side == "a" else (f.run_b, f.b)
        for unanswered, sendings, since in (
            (f.once(_probes_silent, side), run["trailing"], run["trailing_ns"]),
            (f.once(_window_silent, side), run["window_trailing"], run["window_trailing_ns"]),
            (f.once(_data_silent, side), end["resent"] + 1, end["unacked_ns"]),
        ):
            silent |= unanswered & f.may_lack(since)
            enough |= unanswered & (sendings >= ENOUGH_UNANSWERED)
    return silent & ~enough


def acknowledgements_not_captured(f: FlowBatch) -> Mask:
    """More than 65,535 bytes were sent without an acknowledgement, for longer than a retransmission timer would wait.

    Nothing was sent again: so they were acknowledged, and the capture does not have it.
    """
    return _acknowledged_unseen(f, "a") | _acknowledged_unseen(f, "b")


def more_probes_than_any_count(f: FlowBatch) -> Mask:
    """More than 127 probes in a row seem unanswered, by a peer that probes itself: no Linux prober goes on so long."""
    a_many = (f.run_a["trailing"] > MOST_PROBES) & (f.b["last_ns"] > f.run_a["trailing_ns"])
    b_many = (f.run_b["trailing"] > MOST_PROBES) & (f.a["last_ns"] > f.run_b["trailing_ns"])
    return a_many | b_many


def heard_what_was_not_captured(f: FlowBatch) -> Mask:
    """The last probes or data stayed unanswered, but meanwhile their sender acknowledged what the capture missed.

    Or its last probe echoes a later timestamp of its peer (RFC 7323) than any that was captured.
    """
    a_silent = f.once(_probes_silent, "a") & ((f.b["missed_ns"] > f.run_a["trailing_ns"]) | _echoes_unseen(f, "a"))
    b_silent = f.once(_probes_silent, "b") & ((f.a["missed_ns"] > f.run_b["trailing_ns"]) | _echoes_unseen(f, "b"))
    a_data = f.once(_data_silent, "a") & (f.b["missed_ns"] > f.a["unacked_ns"])
    b_data = f.once(_data_silent, "b") & (f.a["missed_ns"] > f.b["unacked_ns"])
    a_window = f.once(_window_silent, "a") & (f.b["missed_ns"] > f.run_a["window_trailing_ns"])
    b_window = f.once(_window_silent, "b") & (f.a["missed_ns"] > f.run_b["window_trailing_ns"])
    return a_silent | b_silent | a_data | b_data | a_window | b_window


def _probes_silent(f: FlowBatch, side: Side) -> Mask:
    run = f.run_a if side == "a" else f.run_b
    waited = f.ends_ns - f.awake_since(run["trailing_ns"])
    expected = np.where(run["gap_least_ns"] > 0, run["gap_least_ns"], _first_interval(f, run))
    return (run["trailing"] > 0) & (waited >= np.maximum(expected, SILENCE_LEAST_NS))


def _echoes_unseen(f: FlowBatch, side: Side) -> Mask:
    run, peer = (f.run_a, f.b) if side == "a" else (f.run_b, f.a)
    ahead = (run["trailing_echo"] - peer["tsval"]) & 0xFFFFFFFF
    return (run["trailing_echo"] > 0) & (peer["tsval"] >= 0) & (ahead > 0) & (ahead < HALF_OF_STAMPS)


def _window_silent(f: FlowBatch, side: Side) -> Mask:
    run = f.run_a if side == "a" else f.run_b
    waited = f.ends_ns - run["window_trailing_ns"]
    # window probes double their gaps: one that got no answer is followed by the next after twice its own wait
    due = np.where(run["window_trailing"] > 1, 0, OVERDUE * run["window_wait_ns"])
    return (run["window_trailing"] > 0) & (waited >= np.maximum(due, SILENCE_LEAST_NS))


def _first_interval(f: FlowBatch, run: NDArray[np.void]) -> Mask:
    """Return how long a prober that probed once may wait: as long as it had waited, at most the default of all systems.

    RFC 9293 MUST-29: without an interval seen, one unanswered probe must not look like death too soon.
    """
    if not len(f.seen):
        return INTERVAL_DEFAULT_NS
    idle = f.seen["gap_ns"][np.clip(f.start[:-1] + run["first_row"], 0, len(f.seen) - 1)]
    return np.where(idle > 0, np.minimum(idle, INTERVAL_DEFAULT_NS), INTERVAL_DEFAULT_NS)


def _data_silent(f: FlowBatch, side: Side) -> Mask:
    end, peer = (f.a, f.b) if side == "a" else (f.b, f.a)
    outstanding = (end["unacked_ns"] >= 0) & (end["resent"] > 0)
    # what the peer said meanwhile without acknowledging it is no answer if it was sent again behind that
    since_ns = np.maximum(end["unacked_ns"], peer["last_ns"])
    in_vain = (peer["last_ns"] <= end["unacked_ns"]) | (end["resent_ns"] > peer["last_ns"])
    waited = f.ends_ns - f.awake_since(since_ns)
    return outstanding & in_vain & (waited >= SILENCE_LEAST_NS)


def _acknowledged_unseen(f: FlowBatch, side: Side) -> Mask:
    end, peer = (f.a, f.b) if side == "a" else (f.b, f.a)
    met = (end["ack_frame"] > 0) & (peer["ack_frame"] > 0)
    much = (end["unacked_ns"] >= 0) & (end["snd_una"] >= 0) & (end["snd_nxt"] - end["snd_una"] > LARGEST_UNSCALED)
    went_on = end["data_ns"] - end["unacked_ns"] >= RTO_LEAST_NS
    waited = f.ends_ns - end["last_ns"] >= RTO_FIRST_NS
    return met & much & (end["resent"] == 0) & (went_on | waited)
