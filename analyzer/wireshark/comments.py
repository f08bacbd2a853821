"""What is said of single frames in an annotated copy: short, factual, with the flow's number.

Marks are columns, taken from finished flows without building a record: of an uneventful flow there are three (its FINs
and its end). Words are made when the copy is written. Every comment begins with ``keepalive:``, by which display
filters and colouring rules find it.
"""

from __future__ import annotations

import itertools
from enum import IntEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.events import REDIRECTS
from analyzer.judge.probe import AFTER_FIN_WORDS, PROBE_KINDS
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.outcome import Answer, Certainty
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind
from analyzer.track.flow import SIDES
from analyzer.units import format_duration
from analyzer.wireshark.mark_store import MARK
from analyzer.words.icmp import icmp_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from analyzer.track.batch import FlowBatch

PREFIX: Final = "keepalive: "


class What(IntEnum):
    """What a mark says of its frame."""

    PROBE = 0
    ANSWER = 1
    WINDOW_PROBE = 2
    WINDOW_ANSWER = 3
    NO_PROBE = 4
    FIN = 5
    RESET = 6
    ENDING = 7
    RETRANSMISSION = 8
    ICMP = 9


NO_PROBES: Final = {
    Kind.DUPLICATE_COPY: "second capture of the same packet",
    Kind.STALE_ACK: "an older ACK, captured late",
    Kind.NOT_IDLE: "in the form of a probe, but the connection was not idle",
    Kind.AT_ZERO_WINDOW: "a probe of the closed window or of the peer, which the capture cannot tell",
    Kind.OCTET_RETRANSMISSION: "a single byte retransmitted, no probe",
}
RESETS: Final = {
    ResetKind.NO_SOCKET: "RST of an address that knows no such connection",
    ResetKind.GAVE_UP: "RST from the prober, which gave up",
    ResetKind.ABORT: "RST",
    ResetKind.IGNORED: "RST that ended nothing",
}
ANSWERS: Final = {
    Answer.NONE: "no answer",
    Answer.ACK: "answered",
    Answer.DATA: "answered by data",
    Answer.RST: "answered by RST",
}
AFTER_FIN: Final = {"sent": "after its own FIN", "received": "after the peer's FIN", "both": "after both FINs"}
CERTAINTY: Final = {Certainty.SUSPECTED: "suspected ", Certainty.PROBABLE: "probable "}


def marks_of(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.void]:
    """Return the marks of finished flows; ``winners`` are their rows of VERDICTS."""
    return np.concatenate([_segments(batch), _fins(batch), _endings(batch, winners)])


def comments(marks: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, str]]:
    """Yield the comment of each marked frame, by frame, as the marks come."""
    names = MARK.names or ()
    for frame, group in itertools.groupby(marks, key=itemgetter(names.index("frame"))):
        said = [dict(zip(names, mark, strict=True)) for mark in group]
        yield frame, f"{PREFIX}flow {said[0]['flow']}: {'; '.join(map(words, said))}"


def words(mark: dict[str, Any]) -> str:
    """Return what one mark says."""
    match mark["what"]:
        case What.PROBE:
            return _probe(mark)
        case What.ANSWER:
            return f"answers the probe in frame {mark['other']}, {format_duration(mark['passed_ns'])} later"
        case What.WINDOW_PROBE:
            return "zero-window probe, no keepalive"
        case What.WINDOW_ANSWER:
            return f"answers the zero-window probe in frame {mark['other']}"
        case What.NO_PROBE:
            return NO_PROBES[mark["which"]]
        case What.FIN:
            acked = f"acknowledged in frame {mark['other']}" if mark["other"] else "not acknowledged"
            return f"FIN, {acked}"
        case What.RESET:
            answers = f", answers the probe in frame {mark['other']}" if mark["other"] else ""
            return f"{RESETS[mark['which']]}{answers}"
        case What.RETRANSMISSION:
            return "data retransmitted"
        case What.ICMP:
            version, type_, code = 6 if mark["number"] >> 16 else 4, mark["number"] >> 8 & 0xFF, mark["number"] & 0xFF
            what = "ICMP" if (version, type_) in REDIRECTS else "ICMP error"
            return f"{what} about this connection: {icmp_text(version, type_, code)}"
    verdict = VERDICTS[mark["which"]].verdict
    return f"{'ends it' if verdict.is_over else 'last frame of it here'}: {verdict.value}"


def _probe(mark: dict[str, Any]) -> str:
    answered = ANSWERS[mark["answer"]]
    if mark["answer"] != Answer.NONE:
        answered += f" in frame {mark['other']}, {format_duration(mark['passed_ns'])} later"
    after = AFTER_FIN_WORDS[mark["after_fin"]]
    tail = f", {AFTER_FIN[after]}" if after else ""
    return f"{CERTAINTY.get(mark['certainty'], '')}probe {mark['number']}{tail}, {answered}"


def _segments(batch: FlowBatch) -> NDArray[np.void]:
    """Return the marks of probes, answers, what only looks so, retransmissions, ICMP errors and RSTs."""
    seen = batch.seen
    owner = np.repeat(np.arange(len(batch)), np.diff(batch.start))
    kinds = seen["kind"]
    is_probe, is_window = np.isin(kinds, PROBE_KINDS), kinds == Kind.ZERO_WINDOW_PROBE
    answers = (seen["answers_row"] >= 0) & (kinds != Kind.RESET)
    answered = np.clip(batch.start[owner] + seen["answers_row"], 0, max(len(seen) - 1, 0))
    parts = [
        _take(batch, owner, is_probe, What.PROBE, "answer_row"),
        _take(batch, owner, is_window, What.WINDOW_PROBE, "answer_row"),
        _take(batch, owner, answers & is_probe[answered], What.ANSWER, "answers_row"),
        _take(batch, owner, answers & is_window[answered], What.WINDOW_ANSWER, "answers_row"),
        _take(batch, owner, np.isin(kinds, list(NO_PROBES)) & ~answers, What.NO_PROBE, "answers_row"),
        _take(batch, owner, kinds == Kind.RETRANSMISSION, What.RETRANSMISSION, "answers_row"),
        _take(batch, owner, kinds == Kind.ICMP_ERROR, What.ICMP, "answers_row"),
        _take(batch, owner, kinds == Kind.RESET, What.RESET, "answers_row"),
    ]
    parts[0]["number"] = _ordinals(owner[is_probe] * 2 + seen["side"][is_probe])
    parts[-2]["number"] = seen["icmp"][kinds == Kind.ICMP_ERROR]
    parts[-1]["which"] = seen["reset_kind"][kinds == Kind.RESET]
    return np.concatenate(parts)


def _take(batch: FlowBatch, owner: NDArray[np.int64], mask: NDArray[np.bool_], what: What, to: str) -> NDArray[np.void]:
    """Return marks of the rows in a mask, which point at another row of their flow."""
    seen, flows = batch.seen[mask], owner[mask]
    marks = _marks(batch, flows, what)
    marks["frame"], marks["which"] = seen["frame"], seen["kind"]
    marks["answer"], marks["certainty"], marks["after_fin"] = seen["answer"], seen["certainty"], seen["after_fin"]
    there = np.flatnonzero(seen[to] >= 0)
    other = batch.seen[batch.start[flows[there]] + seen[to][there]]
    marks["other"][there] = other["frame"]
    marks["passed_ns"][there] = np.abs(other["ts_ns"] - seen["ts_ns"][there])
    return marks


def _fins(batch: FlowBatch) -> NDArray[np.void]:
    parts = []
    for side in SIDES:
        end = batch.a if side == "a" else batch.b
        flows = np.flatnonzero(end["fin_frame"] > 0)
        marks = _marks(batch, flows, What.FIN)
        marks["frame"], marks["other"] = end["fin_frame"][flows], end["fin_acked_frame"][flows]
        parts.append(marks)
    return np.concatenate(parts)


def _endings(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.void]:
    """Return the mark of each flow's end: its RST, its last FIN, or its last frame."""
    marks = _marks(batch, np.arange(len(batch)), What.ENDING)
    marks["which"] = winners
    by = np.array([rule.by for rule in VERDICTS])[winners]
    closed = np.array([rule.verdict is Verdict.CLOSED for rule in VERDICTS])[winners]
    last_fin = np.maximum(batch.a["fin_frame"], batch.b["fin_frame"])
    marks["frame"] = np.where(
        by == "reset", batch.ending["reset_frame"], np.where(closed, last_fin, batch.flow["last_frame"])
    )
    return marks


def _marks(batch: FlowBatch, flows: NDArray[np.int64], what: What) -> NDArray[np.void]:
    marks = np.zeros(len(flows), dtype=MARK)
    marks["flow"], marks["what"] = batch.flow["number"][flows], what
    return marks


def _ordinals(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each key how many equal ones came up to it."""
    order = np.argsort(keys, kind="stable")
    first = np.searchsorted(keys[order], keys[order])
    ordinals = np.empty(len(keys), dtype=np.int64)
    ordinals[order] = np.arange(len(keys)) - first + 1
    return ordinals
