"""``name_heartbeats``: which protocols the heartbeats of kept flows are of, by tshark.

Flows with trains of heartbeats are cut out of their captures, which are read once more for it, into a small temporary
one; tshark reads that. Without such flows nothing is read, and no program runs. What is learned goes into the records
of the trains, before anybody judges their flows; whatever goes wrong is a sentence, and trains stay known by form.

It must not know how a train is found, or what a dissector says.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.capture.cutting import CutWriter, frames_of
from analyzer.capture.reader import CaptureReader, open_capture
from analyzer.capture.source import STDIN
from analyzer.errors import AnalyzerError
from analyzer.judge.protocols import PROTOCOLS
from analyzer.survey.membership import identity
from analyzer.survey.overview import responder_is_b
from analyzer.tolerances import BEAT_LENGTH_PLAY, BEAT_MOST_OCTETS, BEATS_LEAST
from analyzer.track.beat_trains import is_answered
from analyzer.wireshark.dissection import (
    KEPT_OCTETS,
    Candidate,
    Piece,
    answers_of,
    asked_in,
    beats_of,
    dissect,
    name,
)
from analyzer.wireshark.tshark import WiresharkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.analysis import Analysis
    from analyzer.capture.cutting import CutFrame
    from analyzer.kept_flows import Kept
    from analyzer.survey.overview import CaptureSummary
    from analyzer.wireshark.beat_signs import Fields

MOST_FLOWS: Final = 64
"""Maximum number of flows that are cut out; those with the longest trains first."""
MOST_EACH: Final = 4 << 20
"""From so many bytes of a flow on, only small segments are cut out of it."""
MOST_PIECES: Final = 4_096
"""Maximum number of segments of a flow that are cut out."""
MOST_OCTETS: Final = 96 << 20
"""A cut is no larger."""
SEQUENCES: Final = 1 << 32
NUMBERS: Final = {protocol.name: number for number, protocol in enumerate(PROTOCOLS, start=1)}


class Beating(NamedTuple):
    """A flow with trains of heartbeats: where it is kept, and its index there."""

    capture: int
    kept: Kept
    row: int

    @property
    def flow(self) -> np.void:
        """Its FLOW record."""
        record: np.void = self.kept.batch.flow[self.row]
        return record

    @property
    def trains(self) -> NDArray[np.int64]:
        """The indices of its trains."""
        return np.flatnonzero(self.kept.batch.trains["number"] == self.flow["number"])


@dataclass(slots=True)
class _Cut:
    """A flow that is being cut out."""

    beating: Beating
    candidate: Candidate
    octets: int = 0
    ends: list[int] = field(default_factory=lambda: [-1, -1])
    """Of each end the number behind the last byte that was cut out, -1 none."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more of it."""
        return len(self.candidate.pieces) >= MOST_PIECES


def name_heartbeats(result: Analysis, keylog: str | Path | None = None) -> list[str]:
    """Name the heartbeats of the flows that an analysis keeps, as far as tshark can; return what kept it from it.

    ``keylog`` is a file of TLS secrets, as browsers and libraries write it (SSLKEYLOGFILE), for tshark to read.
    """
    secrets = None if keylog is None else str(Path(keylog).resolve())
    found = [Beating(kept.capture, kept, row) for kept, rows in result.beating() for row in rows.tolist()]
    found.sort(key=lambda each: int(each.kept.batch.trains["count"][each.trains].max()), reverse=True)
    told = []
    if len(found) > MOST_FLOWS:
        told.append(
            f"heartbeats of {len(found) - MOST_FLOWS} more flows are not named, but known by their form: --flow and"
            " --port pick flows"
        )
    for capture in sorted({each.capture for each in found[:MOST_FLOWS]}):
        some = [each for each in found[:MOST_FLOWS] if each.capture == capture]
        try:
            _name(result, result.captures[capture], some, secrets)
        except WiresharkError as error:
            told.append(f"heartbeats are known by their form alone: {' '.join(str(error).split())}")
            break
        except (AnalyzerError, OSError) as error:
            told.append(f"heartbeats are known by their form alone: {error}")
    return told


def _name(result: Analysis, summary: CaptureSummary, some: list[Beating], keylog: str | None) -> None:
    """Name the heartbeats of some flows of one capture."""
    if any(part.path == STDIN or not Path(part.path).is_file() for part in summary.parts):
        return  # a stream passes once
    with tempfile.NamedTemporaryFile(prefix="keepalive-", suffix=".pcapng") as file:
        cuts = _cut_out(summary, some, CutWriter(file.write))
        file.flush()
        candidates = [cut.candidate for cut in cuts]
        if not any(candidate.pieces for candidate in candidates):
            return
        read = dissect(file.name, candidates, keylog)
    for cut in cuts:
        changed = False
        for at in cut.beating.trains.tolist():
            changed |= _fill_in(cut, at, read)
        if changed:
            _count_all(cut, read)
            result.search_again(cut.beating.kept, cut.beating.row)


def _fill_in(cut: _Cut, at: int, read: dict[int, dict[str, list[str]]]) -> bool:
    """Enter what is known of a train; say whether anything is."""
    train = cut.beating.kept.batch.trains[at]
    side, length, first, last = (int(train[column]) for column in ("side", "length", "first_frame", "last_frame"))
    beats = [
        piece
        for piece in cut.candidate.pieces
        if piece.side == side and abs(piece.length - length) <= BEAT_LENGTH_PLAY and first <= piece.frame <= last
    ]
    named = name(cut.candidate, read, beats, side, first)
    if named is None:
        return False
    number = NUMBERS[named.protocol]
    train["protocol"], train["limit_ns"] = number, named.limit_ns
    train["refused_frame"], train["refused_for"] = named.refused_frame, named.refused_for
    if not PROTOCOLS[number - 1].answers:  # what looked like answers are the other end's own
        train["due"] = 0
    return True


def _count_all(cut: _Cut, read: dict[int, Fields]) -> None:
    """Count what is read as heartbeats of both ends, where both beat by themselves, or what answers one is read, too.

    Form takes what comes second for an answer if it always does, an answer that comes late for a heartbeat, and a train
    with much jitter for several.
    """
    batch, trains = cut.beating.kept.batch, cut.beating.kept.batch.trains
    mine = cut.beating.trains
    for number in set(trains["protocol"][mine].tolist()) - {0}:
        protocol = PROTOCOLS[number - 1]
        answers = [answers_of(protocol.name, cut.candidate, read, side) for side in (1, 0)]
        if cut.is_full or (protocol.answers and None in answers):
            continue
        named = mine[trains["protocol"][mine] == number]
        gone = [at for at in mine.tolist() if at in named or _is_answering(trains[at], answers)]
        made = []
        for side in (0, 1):
            known = named[trains["side"][named] == side]
            like = trains[known if len(known) else named][:1].copy()
            if not len(known):  # what is known of the other end's: that somebody refuses them is none of these
                like["refused_frame"] = like["refused_for"] = 0
            if protocol.answers:
                beats = asked_in(protocol.name, cut.candidate, read, side)
                is_counted = _count(like[0], side, beats)
                if is_counted:
                    _answer(like[0], beats, answers[side] or [], all_acked=_is_acked(cut.beating, side))
                    if len(known) == 1 and _lacks(cut.beating, 1 - side):
                        _believe_acknowledgements(like[0], trains[known[0]])
            else:
                is_counted = _count(like[0], side, beats_of(protocol.name, cut.candidate, read, side))
            made.append(like if is_counted else trains[known])
        trains = np.concatenate([np.delete(trains, gone), *made])
        trains = trains[np.argsort(trains["number"], kind="stable")]
        cut.beating.kept.batch = replace(batch, trains=trains)
        mine = cut.beating.trains


def _is_answering(train: np.void, answers: list[list[Piece] | None]) -> bool:
    """Say whether what form takes for heartbeats of an end is what it answers to the other's."""
    own = answers[1 - int(train["side"])] or []
    within = [each for each in own if train["first_frame"] <= each.frame <= train["last_frame"]]
    return bool(train["protocol"] == 0 and 2 * len(within) > train["count"])


def _is_acked(beating: Beating, side: int) -> bool:
    """Say whether all data that an end sent was acknowledged when it was last looked at."""
    end = beating.kept.batch.b if side else beating.kept.batch.a
    return bool(end["unacked_ns"][beating.row] < 0)


def _lacks(beating: Beating, side: int) -> bool:
    """Say whether the capture lacks segments of an end."""
    end = beating.kept.batch.b if side else beating.kept.batch.a
    return bool(end["missed"][beating.row] > 0)


def _believe_acknowledgements(train: np.void, by_form: np.void) -> None:
    """Take what form knows of a train, if fewer are unanswered by it: it sees that what is missing is acknowledged."""
    if by_form["count"] != train["count"] or by_form["missed"] >= train["missed"]:
        return
    for each in ("answered", "missed", "unanswered", "acked", "silent_frame", "silent_ns", "answer_frame", "answer_ns"):
        train[each] = by_form[each]


def _answer(train: np.void, beats: list[Piece], answers: list[Piece], *, all_acked: bool) -> None:
    """Enter which of the heartbeats of a train were answered.

    Where answers are as many as heartbeats up to the last of them, each is that to the first that waits for one.
    Otherwise some were passed over, and each is that to the latest: who was asked several times meanwhile may answer
    the last alone (RFC 6455 5.5.3).
    """
    until_ns = answers[-1].ts_ns if answers else -1
    in_order = sum(beat.ts_ns <= until_ns for beat in beats) <= len(answers)
    waiting: list[Piece] = []
    coming = sorted([*((each.ts_ns, 0, each) for each in beats), *((each.ts_ns, 1, each) for each in answers)])
    for ts_ns, is_answer, piece in coming:
        if not is_answer:
            waiting.append(piece)
        elif waiting:
            asked = waiting.pop(0 if in_order else -1)
            if not in_order:
                waiting.clear()
            train["answered"] += 1
            train["answer_frame"], train["answer_ns"], train["answer_len"] = piece.frame, ts_ns, piece.length
            train["slowest_ns"] = max(train["slowest_ns"], ts_ns - asked.ts_ns)
    train["missed"], train["unanswered"] = len(beats) - train["answered"], len(waiting)
    train["acked"] = len(waiting) if all_acked else max(len(waiting) - 1, 0)
    train["due"] = is_answered(train)
    if waiting:
        train["silent_frame"], train["silent_ns"] = waiting[0].frame, waiting[0].ts_ns


def _count(train: np.void, side: int, beats: list[Piece]) -> bool:
    """Enter heartbeats that were read in the record of a train; do nothing, and say so, if they show no rhythm."""
    times = np.array([piece.ts_ns for piece in beats], dtype=np.int64)
    distances = np.diff(times)
    usual = int(np.median(distances)) if len(distances) else 0
    even = distances[np.abs(distances - usual) <= usual * 3 // 8]
    if len(even) < BEATS_LEAST - 1 or usual == 0:
        return False
    alone = min(piece.length for piece in beats)  # the first of both ends may share a segment with much else
    train["side"], train["length"], train["count"] = side, min(alone, BEAT_MOST_OCTETS), len(beats)
    train["gaps"], train["sum_ns"], train["low_ns"], train["high_ns"] = len(even), even.sum(), even.min(), even.max()
    train["first_frame"], train["first_ns"] = beats[0].frame, times[0]
    train["last_frame"], train["last_ns"] = beats[-1].frame, times[-1]
    for column in ("due", "answered", "unlike", "unanswered", "acked", "answer_len", "answer_frame", "silent_frame"):
        train[column] = 0
    train["answer_ns"] = train["silent_ns"] = -1
    train["slowest_ns"] = 0
    train["missed"] = len(beats)
    return True


class _Wanted:
    """Which rows of a batch are of flows that are being cut out, and have data that there is room for."""

    def __init__(self, cuts: list[_Cut]) -> None:
        """Look out for these flows."""
        self.keys = np.zeros(0, dtype=np.uint64)
        """Of all rows of the batch at hand, which flow they may be of."""
        self._cuts = cuts
        self._of_cuts = identity(np.array([cut.beating.flow for cut in cuts]), "a", "b")

    def __call__(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Say of which rows the frames are wanted; those of flows that have enough are not looked at one by one."""
        self.keys = identity(rows, "src", "dst")
        length = rows["payload_len"]
        wanted: NDArray[np.bool_] = (length > 0) & np.isin(self.keys, self._having(lambda cut: not cut.is_full))
        large = (length > BEAT_MOST_OCTETS) & np.isin(self.keys, self._having(lambda cut: cut.octets > MOST_EACH))
        return wanted & ~large

    def cut(self, at: int, frame: int) -> _Cut | None:
        """Return the flow that a row of the batch at hand is of, by its place and the number of its frame."""
        for which in np.flatnonzero(self._of_cuts == self.keys[at]).tolist():
            flow = self._cuts[which].beating.flow
            if flow["first_frame"] <= frame <= flow["last_frame"]:
                return self._cuts[which]
        return None

    def _having(self, fits: Callable[[_Cut], bool]) -> NDArray[np.uint64]:
        return self._of_cuts[[fits(cut) for cut in self._cuts]]


def _cut_out(summary: CaptureSummary, some: list[Beating], writer: CutWriter) -> list[_Cut]:
    """Write the segments of some flows that have data, and return what was written."""
    cuts = [_Cut(each, _candidate(each)) for each in some]
    wanted = _Wanted(cuts)
    for part in summary.parts:
        with open_capture(part.path) as reader:
            if not isinstance(reader, CaptureReader):
                return []  # text has no bytes
            for places, frames in frames_of(reader, wanted):
                for at, frame in zip(places.tolist(), frames, strict=True):
                    number = int(frame.row["frame"]) + part.first_frame - 1
                    cut = wanted.cut(at, number)
                    if cut is not None and not cut.is_full and writer.octets < MOST_OCTETS:
                        _take(frame, number, cut, writer)
    return cuts


def _candidate(beating: Beating) -> Candidate:
    """Return a flow as a candidate, without segments yet."""
    batch, ports = beating.kept.batch, (int(beating.flow["a_port"]), int(beating.flow["b_port"]))
    port = ports[int(responder_is_b(batch)[beating.row])]
    is_guess = not (batch.a["syn_frame"][beating.row] or batch.b["syn_frame"][beating.row])
    return Candidate(port, ports=ports if is_guess else None)


def _take(frame: CutFrame, number: int, cut: _Cut, writer: CutWriter) -> None:
    """Write a frame of a flow."""
    cut.octets += len(frame.octets)
    flow = cut.beating.flow
    from_a = all(frame.row[f"src_{part}"] == flow[f"a_{part}"] for part in ("hi", "lo", "port"))
    length, data = int(frame.row["payload_len"]), frame.data[:KEPT_OCTETS]
    side = 0 if from_a else 1
    end = (int(frame.row["seq"]) + length) % SEQUENCES
    is_new = cut.ends[side] < 0 or 0 < (end - cut.ends[side]) % SEQUENCES < SEQUENCES // 2
    if is_new:
        cut.ends[side] = end
    ts_ns = int(frame.row["ts_ns"])
    cut.candidate.pieces.append(Piece(writer.add(frame), number, side, length, data, ts_ns, is_new))
