"""THE SECOND TABLE: how a flow ended, and who ended it.

Ordered rows over the columns of a FlowBatch, first match wins, the last has no condition. Like the first table it
serves a million flows and one alike, and a condition's docstring is the sentence that ``keepalive rules`` prints. The
vocabulary is closed (docs/json-report.md).

It must not hold a sentence for the user, a rounding, or a unit other than nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.silence import (
    acknowledgements_not_captured,
    answers_may_be_dropped,
    data_unanswered_to_the_end,
    fin_unanswered_to_the_end,
    heard_what_was_not_captured,
    more_probes_than_any_count,
    probes_unanswered_to_the_end,
    window_probes_unanswered_to_the_end,
)
from analyzer.judge.table import Table
from analyzer.label.reset import ResetKind
from analyzer.label.unlike_sender import Stranger
from analyzer.loops.loop import pick
from analyzer.segment import NONE
from analyzer.tolerances import CLOSE_NS
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign


class Severity(Enum):
    """How a verdict looks to those who run the connection, worst first; colour and rank follow from it."""

    BAD = "bad"
    """One end does not know the other any more."""
    WARNING = "warning"
    """It ended, or stands, as it should not; or nobody can tell."""
    NONE = "none"
    """There was no connection."""
    GOOD = "good"
    """It ended in order, or goes on."""


class Verdict(Enum):
    """How a flow ended."""

    CLOSED = "closed"
    """FIN both ways, and nothing contradicts either."""
    HALF_CLOSED = "half_closed"
    """One FIN; the other end never closed, and nothing ended the flow before the capture did."""
    CLOSING = "closing"
    """One FIN, so shortly before the capture's end that the other end could not yet have closed."""
    RESET_ON_PROBE = "reset_on_probe"
    """A RST answered a probe."""
    TIMED_OUT = "timed_out"
    """The prober sent a RST after unanswered probes."""
    ABORTED = "aborted"
    """Any other RST that its receiver accepts."""
    SILENT = "silent"
    """Probes or data stayed unanswered to the capture's end, for at least one expected interval."""
    OPEN = "open"
    """None of these when the capture ended."""
    UNESTABLISHED = "unestablished"
    """No handshake completed."""
    UNDETERMINED = "undetermined"
    """The capture cannot tell."""

    @property
    def is_reset(self) -> bool:
        """Whether a RST ended the flow."""
        return self in (Verdict.RESET_ON_PROBE, Verdict.TIMED_OUT, Verdict.ABORTED)

    @property
    def is_over(self) -> bool:
        """Whether a frame ended the flow: nothing is to come of it, however long the capture goes on.

        A flow without a handshake is not: another SYN may still be answered.
        """
        return self is Verdict.CLOSED or self.is_reset

    @property
    def severity(self) -> Severity:
        """How bad it is that a flow ended so."""
        return SEVERITIES[self]


SEVERITIES: Final = {
    Verdict.CLOSED: Severity.GOOD,
    Verdict.CLOSING: Severity.GOOD,
    Verdict.OPEN: Severity.GOOD,
    Verdict.SILENT: Severity.BAD,
    Verdict.TIMED_OUT: Severity.BAD,
    Verdict.RESET_ON_PROBE: Severity.BAD,
    Verdict.ABORTED: Severity.WARNING,
    Verdict.HALF_CLOSED: Severity.WARNING,
    Verdict.UNDETERMINED: Severity.WARNING,
    Verdict.UNESTABLISHED: Severity.NONE,
}
"""For users: ``Verdict.severity``."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A flow's verdict, who brought it about, and the frame that shows it."""

    verdict: Verdict
    by: str | None
    """``a``, ``b``, ``between`` or None."""
    frame: int | None
    ts_ns: int | None
    rule: str
    """Name of the row of VERDICTS that won."""


NOBODY: Final = -1
BETWEEN: Final = 2
"""Who brought about an ending, where it was neither endpoint 0 nor 1."""
BY: Final = (*SIDES, "between")
"""The same as words, but for NOBODY."""

Mask = Any
Condition = Callable[["FlowBatch"], Mask]


def most_headers_cut(f: FlowBatch) -> Mask:
    """The snap length left only the ports of more than half of the flow's segments."""
    return f.flow["cut"] > f.a["segments"] + f.b["segments"]


def reset_accepted(f: FlowBatch) -> Mask:
    """A RST came that its receiver accepts (or that nothing followed)."""
    return f.ending["reset_row"] >= 0


def no_reset_accepted(f: FlowBatch) -> Mask:
    """No RST came that its receiver accepts."""
    return f.ending["reset_row"] < 0


def reset_answers_probe(f: FlowBatch) -> Mask:
    """It came right behind a probe and bears the numbers that answer it."""
    return f.ending["answers_row"] >= 0


def reset_is_give_up(f: FlowBatch) -> Mask:
    """It came from the prober itself, RST with ACK, one above its last unanswered probe."""
    return f.ending["reset_kind"] == ResetKind.GAVE_UP


def both_sent_fin(f: FlowBatch) -> Mask:
    """Both ends sent FIN (before any RST)."""
    both = (f.a["fin_frame"] > 0) & (f.b["fin_frame"] > 0)
    later = np.maximum(f.a["fin_frame"], f.b["fin_frame"])  # where clocks leap, frames still come in order
    return both & ((f.ending["reset_row"] < 0) | (later < f.ending["reset_frame"]))


def one_sent_fin(f: FlowBatch) -> Mask:
    """One end sent FIN."""
    return (f.a["fin_frame"] > 0) | (f.b["fin_frame"] > 0)


def saw_syn(f: FlowBatch) -> Mask:
    """A SYN was captured."""
    return (f.a["syn_frame"] > 0) | (f.b["syn_frame"] > 0)


def handshake_incomplete(f: FlowBatch) -> Mask:
    """The endpoint that sent the SYN never sent an ACK after it, nor did its peer once it had acknowledged the SYN."""
    a_opened = (f.a["syn_frame"] > 0) & (f.a["syn_had_ack"] == 0)
    b_opened = (f.b["syn_frame"] > 0) & (f.b["syn_had_ack"] == 0)
    a_acked, b_acked = f.a["ack_frame"] > 0, f.b["ack_frame"] > 0
    a_done = a_acked | (b_acked & (f.a["snd_una"] > f.a["iss"]))
    b_done = b_acked | (a_acked & (f.b["snd_una"] > f.b["iss"]))
    return np.where(a_opened, ~a_done, np.where(b_opened, ~b_done, ~(a_acked | b_acked)))


def one_end_unseen(f: FlowBatch) -> Mask:
    """Nothing of one endpoint was captured."""
    return (f.a["segments"] == 0) | (f.b["segments"] == 0)


def close_in_flight(f: FlowBatch) -> Mask:
    """The first FIN came so shortly before the capture's end that the peer could not yet have closed.

    That is less than a second, or two round trips where these are longer.
    """
    first = np.where((f.b["fin_frame"] == 0) | ((f.a["fin_frame"] > 0) & (f.a["fin_ns"] <= f.b["fin_ns"])), 0, 1)
    fin_ns = np.where(first == 0, f.a["fin_ns"], f.b["fin_ns"])
    to_the_end = (f.flow["reused_ns"] < 0) | (f.ends_ns < f.flow["reused_ns"])
    return to_the_end & (f.ends_ns - fin_ns < np.maximum(CLOSE_NS, 2 * _round_trip(f)))


def _round_trip(f: FlowBatch) -> Mask:
    """Return how long the way to the peer and back takes, by the handshake, else by a FIN; 0 where neither shows it."""
    opening = np.zeros(len(f), dtype=np.int64)
    closing = np.zeros(len(f), dtype=np.int64)
    for end in (f.a, f.b):
        opened = (end["syn_count"] == 1) & (end["syn_had_ack"] == 0) & (end["ack_frame"] > 0)
        opening = np.maximum(opening, np.where(opened, end["ack_ns"] - end["syn_ns"], 0))
        acked = end["fin_acked_frame"] > 0
        closing = np.maximum(closing, np.where(acked, end["fin_acked_ns"] - end["fin_ns"], 0))
    return np.where(opening > 0, opening, closing)


def reset_refuses_data(f: FlowBatch) -> Mask:
    """Data that its receiver had sent before its FIN was not acknowledged: that RST refuses it."""
    by_a = f.ending["reset_side"] == 0
    una = np.where(by_a, f.b["snd_una"], f.a["snd_una"])
    fin_seq = np.where(by_a, f.b["fin_seq"], f.a["fin_seq"])
    return (una >= 0) & (una < fin_seq)


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """A row of the table: if all conditions hold, and no earlier row won, this is the verdict."""

    verdict: Verdict
    name: str
    by: str
    """Who is named: ``reset`` its sender or ``between``; ``first_fin`` that endpoint; ``nobody``."""
    conditions: tuple[Condition, ...]


VERDICTS: Final = (
    VerdictRule(Verdict.UNDETERMINED, "headers-cut", "nobody", (most_headers_cut,)),
    # before the RST rows: a RST that refuses a SYN ends nothing
    VerdictRule(Verdict.UNESTABLISHED, "no-handshake", "nobody", (saw_syn, handshake_incomplete)),
    # before the RST and silence rows: with one end unseen nothing can be said to be answered or not
    VerdictRule(Verdict.UNDETERMINED, "one-sided", "nobody", (one_end_unseen,)),
    # before the row of closed flows: a FIN alone is not the end of the story
    VerdictRule(Verdict.ABORTED, "reset-refuses-data", "reset", (both_sent_fin, reset_accepted, reset_refuses_data)),
    VerdictRule(
        Verdict.UNDETERMINED,
        "fin-answer-perhaps-dropped",
        "nobody",
        (both_sent_fin, no_reset_accepted, fin_unanswered_to_the_end, answers_may_be_dropped),
    ),
    VerdictRule(
        Verdict.UNDETERMINED,
        "fin-answer-not-captured",
        "nobody",
        (both_sent_fin, no_reset_accepted, fin_unanswered_to_the_end, heard_what_was_not_captured),
    ),
    VerdictRule(
        Verdict.SILENT, "fin-unanswered", "nobody", (both_sent_fin, no_reset_accepted, fin_unanswered_to_the_end)
    ),
    # before the RST rows: a straggler's RST after an orderly close is no abort
    VerdictRule(Verdict.CLOSED, "fin-both-ways", "first_fin", (both_sent_fin,)),
    VerdictRule(Verdict.TIMED_OUT, "prober-gave-up", "reset", (reset_accepted, reset_is_give_up)),
    VerdictRule(Verdict.RESET_ON_PROBE, "reset-answers-probe", "reset", (reset_accepted, reset_answers_probe)),
    VerdictRule(Verdict.ABORTED, "reset", "reset", (reset_accepted,)),
    # before the rows of silence: what was not captured is not unanswered
    VerdictRule(
        Verdict.UNDETERMINED,
        "acknowledgements-not-captured",
        "nobody",
        (no_reset_accepted, acknowledgements_not_captured),
    ),
    VerdictRule(
        Verdict.UNDETERMINED, "answers-not-captured", "nobody", (no_reset_accepted, heard_what_was_not_captured)
    ),
    VerdictRule(
        Verdict.UNDETERMINED, "more-probes-than-any-count", "nobody", (no_reset_accepted, more_probes_than_any_count)
    ),
    VerdictRule(Verdict.UNDETERMINED, "answers-perhaps-dropped", "nobody", (no_reset_accepted, answers_may_be_dropped)),
    VerdictRule(Verdict.SILENT, "probes-unanswered", "nobody", (probes_unanswered_to_the_end,)),
    VerdictRule(Verdict.SILENT, "window-unanswered", "nobody", (window_probes_unanswered_to_the_end,)),
    VerdictRule(Verdict.SILENT, "data-unanswered", "nobody", (data_unanswered_to_the_end,)),
    VerdictRule(
        Verdict.CLOSING, "fin-just-before-the-end", "first_fin", (no_reset_accepted, one_sent_fin, close_in_flight)
    ),
    VerdictRule(Verdict.HALF_CLOSED, "one-fin", "first_fin", (one_sent_fin,)),
    VerdictRule(Verdict.OPEN, "open", "nobody", ()),
)


FEW: Final = 4
"""The other rows are asked of the flows that are left, where these are fewer than one of so many."""

WORDS: Final = {"verdict": [rule.verdict for rule in VERDICTS], "by": BY, "rule": [rule.name for rule in VERDICTS]}
"""What the numbers in the columns of ``ending_table`` stand for."""


def decide(batch: FlowBatch) -> NDArray[np.int8]:
    """Return for each flow the index in VERDICTS of the row that wins it."""
    winner = np.full(len(batch), -1, dtype=np.int8)
    known: dict[Condition, Mask] = {}
    asked, left = batch.by_columns(), np.arange(len(batch))
    for index, rule in enumerate(VERDICTS):
        free = winner[left] < 0
        if free.sum() < len(left) // FEW:  # most flows are won by the first rows
            left = left[free]
            asked, free, known = batch.by_columns(left), free[free], {}
        if not len(left):
            break
        for condition in rule.conditions:
            if condition not in known:
                known[condition] = condition(asked)
            free = free & known[condition]
        winner[left[free]] = index
    return winner


def by_first_fin(a: Foreign, b: Foreign) -> Mask:
    """Return which endpoint's FIN came first, 0 or 1; of flows where one sent a FIN."""
    return np.where((a["fin_frame"] > 0) & ((b["fin_frame"] == 0) | (a["fin_frame"] <= b["fin_frame"])), 0, 1)


def by(ending: Foreign, a: Foreign, b: Foreign, winners: Foreign) -> Mask:
    """Return who brought about the endings of flows: 0 or 1 that endpoint, BETWEEN, or NOBODY.

    The first three are columns of ENDING and ENDPOINT records, ``winners`` the rows of VERDICTS that won.
    """
    # another station alone is no box: another first-hop router, interface or machine at the address shows the same
    foreign = (ending["stranger"] & int(Stranger.TTL | Stranger.WENT_ON)) != 0
    named = {"reset": np.where(foreign, BETWEEN, ending["reset_side"]), "first_fin": by_first_fin(a, b)}
    who = np.full(np.shape(winners), NOBODY)
    for word, column in named.items():
        who = np.where(np.array([rule.by == word for rule in VERDICTS])[winners], column, who)
    return who


def ending_of(batch: FlowBatch, index: int, winner: int) -> Ending:
    """Return the ending of one flow, given the row of VERDICTS that won it."""
    return endings(batch, np.array([index]), np.array([winner]))[0]


def endings(batch: FlowBatch, picked: NDArray[np.int64], winners: NDArray[np.int8]) -> list[Ending]:
    """Return the endings of the flows at these indices, given the rows of VERDICTS that won them."""
    flow, a, b, ending = (pick(part, picked) for part in (batch.flow, batch.a, batch.b, batch.ending))
    return endings_of(ending_table(flow, (a, b), ending, winners))


def endings_of(table: Table) -> list[Ending]:
    """Return the rows of an ``ending_table`` as objects."""
    return [one for (one,) in table.made(Ending, tuple(field.name for field in fields(Ending)))]


def ending_table(flow: Foreign, ends: tuple[Foreign, Foreign], ending: Foreign, winners: NDArray[np.int8]) -> Table:
    """Return the endings of flows as columns: of their FLOW, ENDPOINT and ENDING records."""
    a, b = ends
    frame, ts_ns = flow["last_frame"], flow["last_ns"]
    both = (a["fin_frame"] > 0) & (b["fin_frame"] > 0)
    first_is_a = by_first_fin(a, b) == 0
    closed = np.array([rule.verdict is Verdict.CLOSED for rule in VERDICTS])[winners]
    shown_is_a = np.where(both & closed, ~first_is_a, first_is_a)
    columns = {
        "reset": (ending["reset_frame"], ending["reset_ns"]),
        "first_fin": tuple(np.where(shown_is_a, a[name], b[name]) for name in ("fin_frame", "fin_ns")),
    }
    for word, shown in columns.items():
        won = np.array([rule.by == word for rule in VERDICTS])[winners]
        frame, ts_ns = np.where(won, shown[0], frame), np.where(won, shown[1], ts_ns)
    who = by(ending, a, b, winners)
    rules = winners.astype(np.int64)
    told = {"verdict": rules, "by": np.where(who == NOBODY, NONE, who), "frame": frame, "ts_ns": ts_ns, "rule": rules}
    return Table(np.arange(len(winners) + 1), WORDS, told)
