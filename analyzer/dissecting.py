"""``name_heartbeats``: which protocols the heartbeats of kept flows are of, by tshark.

Flows with trains of heartbeats are cut out of their captures, which are read once more for it, into a small temporary
one; tshark reads that. So are those without, whose last data may be a farewell, by port, if their capture is small or
read anyway. Without such flows nothing is read, and no program runs. What is learned goes into the records
of the trains, before anybody judges their flows; whatever goes wrong is a sentence, and trains stay known by form.

It must not know how a train is found, or what a dissector says.
"""

from __future__ import annotations

import tempfile
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer import recounting
from analyzer.capture.cutting import CutWriter, frames_of
from analyzer.capture.reader import CaptureReader, open_capture
from analyzer.capture.source import STDIN
from analyzer.errors import AnalyzerError
from analyzer.findings.notable import OF_OTHERS
from analyzer.judge.farewells import ANY_PORT, CALM, PORTS
from analyzer.judge.protocols import PROTOCOLS
from analyzer.survey.membership import identity
from analyzer.survey.overview import responder_is_b
from analyzer.tolerances import BEAT_LENGTH_PLAY, BEAT_MOST_OCTETS
from analyzer.track.beats import BEATS, of_those_that_left
from analyzer.values import dataclass
from analyzer.wireshark.dissection import (
    KEPT_OCTETS,
    Candidate,
    Piece,
    answers_of,
    asked_in,
    beats_of,
    dissect,
    farewell_of,
    is_read_as,
    name,
    replies_to,
)
from analyzer.wireshark.tshark import WiresharkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.analysis import Analysis
    from analyzer.capture.cutting import CutFrame
    from analyzer.kept_flows import Kept
    from analyzer.recounting import Pairs
    from analyzer.survey.overview import CaptureSummary
    from analyzer.wireshark.beat_signs import Fields

MOST_FLOWS: Final = 64
"""Maximum number of flows that are cut out; those with the longest trains first."""
MOST_READ_AGAIN: Final = 64 << 20
"""Bytes of a capture that is read again for farewells alone: of more it would take too much of the time."""
MOST_EACH: Final = 4 << 20
"""From so many bytes of a flow on, only small segments are cut out of it."""
MOST_PIECES: Final = 4_096
"""Maximum number of segments of a flow that are cut out."""
MOST_OCTETS: Final = 96 << 20
"""A cut is no larger."""
SEQUENCES: Final = 1 << 32
NOBODYS: Final = -1
"""The number of the flow of a train that is none."""
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
    found += _parting(result, {each.capture for each in found})
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


def _parting(result: Analysis, read_anyway: set[int]) -> list[Beating]:
    """Return flows without heartbeats whose ends may have said why they end them, of captures that cost little more."""
    return [
        Beating(kept.capture, kept, row)
        for kept, rows in result.parting()
        if kept.capture in read_anyway or _octets_of(result.captures[kept.capture]) <= MOST_READ_AGAIN
        for row in rows.tolist()
    ]


def _octets_of(summary: CaptureSummary) -> int:
    """Return how large the files of a capture are."""
    paths = [Path(part.path) for part in summary.parts if part.path != STDIN]
    return sum(path.stat().st_size for path in paths if path.is_file())


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
        read: dict[int, Fields] | None = None
        try:
            read = dissect(file.name, candidates, keylog)
        finally:  # which heartbeats were missed the lengths and times tell, too
            for cut in cuts:
                if len(cut.beating.trains):
                    if read is not None:
                        _enter(cut, read)
                    _note_which(cut)
                elif read is None or not _note_lone_farewell(cut, read):
                    continue
                result.search_again(cut.beating.kept, cut.beating.row)


def _enter(cut: _Cut, read: dict[int, Fields]) -> None:
    """Enter what was read of a flow."""
    answering = [at for at in cut.beating.trains.tolist() if not _fill_in(cut, at, read)]
    _turn_round(cut, answering, read)
    _count_all(cut, read)
    _note_farewell(cut, read)


def _beats(cut: _Cut, train: np.void) -> list[Piece]:
    """Return the pieces that may be heartbeats of a train."""
    side, length, first, last = (int(train[column]) for column in ("side", "length", "first_frame", "last_frame"))
    return [
        piece
        for piece in cut.candidate.pieces
        if piece.side == side and abs(piece.length - length) <= BEAT_LENGTH_PLAY and first <= piece.frame <= last
    ]


def _fill_in(cut: _Cut, at: int, read: dict[int, Fields]) -> bool:
    """Enter what is known of a train; say whether anything is."""
    train = cut.beating.kept.batch.trains[at]
    side, first = int(train["side"]), int(train["first_frame"])
    named = name(cut.candidate, read, _beats(cut, train), side, first)
    if named is None:
        return False
    number = NUMBERS[named.protocol]
    train["protocol"], train["limit_ns"] = number, named.limit_ns
    train["refused_frame"], train["refused_for"] = named.refused_frame, named.refused_for
    if not PROTOCOLS[number - 1].answers:  # what looked like answers are the other end's own
        train["due"] = 0
    return True


def _turn_round(cut: _Cut, unnamed: list[int], read: dict[int, Fields]) -> None:
    """Let those ask who ask, where form took what waited for news, and was then asked for the next, for heartbeats."""
    for at in unnamed:
        train = cut.beating.kept.batch.trains[at]
        replies = _beats(cut, train)
        protocol = replies_to(read, replies)
        if protocol is None:
            continue
        side, length = 1 - int(train["side"]), int(train["answer_len"])
        asked = [
            piece
            for piece in cut.candidate.pieces
            if piece.side == side
            and piece.is_new
            and abs(piece.length - length) <= BEAT_LENGTH_PLAY
            and is_read_as(protocol, read, piece)
        ]
        if recounting.count(train, side, asked):
            train["protocol"] = NUMBERS[protocol]
            recounting.enter_answers(train, recounting.pair(asked, replies), all_acked=_is_acked(cut.beating, side))
        else:
            train["number"] = NOBODYS
    trains = cut.beating.kept.batch.trains
    if (trains["number"] == NOBODYS).any():
        cut.beating.kept.batch = replace(cut.beating.kept.batch, trains=trains[trains["number"] != NOBODYS])


def _count_all(cut: _Cut, read: dict[int, Fields]) -> None:
    """Count what is read as heartbeats of both ends, where both beat by themselves or what answers one is read, too."""
    mine = cut.beating.trains
    for number in sorted(set(cut.beating.kept.batch.trains["protocol"][mine].tolist()) - {0}, key=_answers_last):
        batch, trains = cut.beating.kept.batch, cut.beating.kept.batch.trains
        protocol = PROTOCOLS[number - 1]
        answers = [answers_of(protocol.name, cut.candidate, read, side) for side in (1, 0)]
        if cut.is_full or (protocol.answers and None in answers):
            continue
        named = mine[trains["protocol"][mine] == number]
        if not len(named):
            continue
        gone = [at for at in mine.tolist() if at in named or _is_answering(trains[at], number, answers)]
        made = []
        for side in (0, 1):
            known = named[trains["side"][named] == side]
            like = trains[known if len(known) else named][:1]
            if protocol.answers:
                beats = asked_in(protocol.name, cut.candidate, read, side)
                pairs = recounting.pair(beats, answers[side] or [])
            else:
                beats, pairs = beats_of(protocol.name, cut.candidate, read, side), None
            counted = _counted(cut.beating, like, side, beats, pairs)
            if not len(known):  # what is known of the other end's: that somebody refuses them is none of these
                counted["refused_frame"] = counted["refused_for"] = 0
            if len(counted) == len(known) == 1 and pairs is not None and _lacks(cut.beating, 1 - side):
                recounting.believe_acknowledgements(counted[0], trains[known[0]])
            made.append(counted if len(counted) else trains[known])
        trains = np.concatenate([np.delete(trains, gone), *made])
        trains = trains[np.argsort(trains["number"], kind="stable")]
        cut.beating.kept.batch = replace(batch, trains=trains)
        mine = cut.beating.trains


def _counted(
    beating: Beating, like: NDArray[np.void], side: int, beats: list[Piece], pairs: Pairs | None
) -> NDArray[np.void]:
    """Return what is counted of heartbeats that were read, with their answers if there are such.

    It is a train for each period that they have, in all else ``like`` a train; none if they have no rhythm.
    """
    for parts in (recounting.paces(beats), [beats]):
        made = like.repeat(len(parts))
        if all(recounting.count(made[at], side, part) for at, part in enumerate(parts)):
            if pairs is not None:
                all_acked = _is_acked(beating, side)
                for at, part in enumerate(parts):
                    recounting.enter_answers(made[at], recounting.within(pairs, part), all_acked=all_acked)
            return made
    return like[:0]


def _answers_last(number: int) -> tuple[bool, int]:
    """Return what puts protocols in order whose heartbeats are answered before others: their answers are no more."""
    return not PROTOCOLS[number - 1].answers, number


def _is_answering(train: np.void, number: int, answers: list[list[Piece] | None]) -> bool:
    """Say whether what is taken for heartbeats of an end is what it answers to the other's."""
    own = answers[1 - int(train["side"])] or []
    within = [each for each in own if train["first_frame"] <= each.frame <= train["last_frame"]]
    is_else = train["protocol"] != number and not PROTOCOLS[max(train["protocol"] - 1, 0)].answers
    return bool((train["protocol"] == 0 or is_else) and 2 * len(within) > train["count"])


def _is_acked(beating: Beating, side: int) -> bool:
    """Say whether all data that an end sent was acknowledged when it was last looked at."""
    end = beating.kept.batch.b if side else beating.kept.batch.a
    return bool(end["unacked_ns"][beating.row] < 0)


def _lacks(beating: Beating, side: int) -> bool:
    """Say whether the capture lacks segments of an end."""
    end = beating.kept.batch.b if side else beating.kept.batch.a
    return bool(end["missed"][beating.row] > 0)


def _note_farewell(cut: _Cut, read: dict[int, Fields]) -> None:
    """Enter why an end said that it ends the connection, in all trains of it."""
    trains, mine = cut.beating.kept.batch.trains, cut.beating.trains
    numbers = set(trains["protocol"][mine].tolist()) - {0}
    protocols = frozenset(PROTOCOLS[number - 1].name.split()[0] for number in numbers)
    if not protocols:
        return
    said = farewell_of(cut.candidate, read, protocols, int(trains["first_frame"][mine].min()))
    told = (trains["refused_frame"][mine] > 0) & (trains["refused_for"][mine] != OF_OTHERS)
    if said is not None and not (said.place in CALM and told.any()):
        trains["said"][mine], trains["said_side"][mine], trains["said_frame"][mine] = said.place, said.side, said.frame


def _note_lone_farewell(cut: _Cut, read: dict[int, Fields]) -> bool:
    """Enter the same of a flow without heartbeats, in a train of none, if its last data says so; say whether."""
    batch, row = cut.beating.kept.batch, cut.beating.row
    protocol = PORTS.get(cut.candidate.service_port, ANY_PORT)
    said = farewell_of(cut.candidate, read, frozenset({protocol}), 0)
    if said is None or said.frame < (batch.b if said.side else batch.a)["data_frame"][row]:
        return False
    none = of_those_that_left(np.zeros(1, dtype=BEATS))
    none["number"], none["side"] = batch.flow["number"][row], said.side
    none["said"], none["said_side"], none["said_frame"] = said.place, said.side, said.frame
    cut.beating.kept.batch = replace(batch, trains=np.concatenate([batch.trains, none]))
    return True


def _note_which(cut: _Cut) -> None:
    """Enter which heartbeats got no answer, and which the latest, where nobody has read that."""
    for at in cut.beating.trains.tolist():
        train = cut.beating.kept.batch.trains[at]
        if train["due"] == 1 and train["slow_frame"] == 0 and not cut.is_full:
            recounting.note_which(train, recounting.pair_by_form(train, cut.candidate.pieces))


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
