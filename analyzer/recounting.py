"""What is counted of heartbeats anew once the data of their connection was read: beats, answers, which were missed.

Form takes what comes second for an answer if it always does, an answer that comes late for a heartbeat, and a train
with much jitter for several; and it keeps no list of those that got no answer. It must not know how data is read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.tolerances import BEAT_LENGTH_PLAY, BEAT_MOST_OCTETS, BEATS_LEAST
from analyzer.track.beat_trains import is_answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.wireshark.dissection import Piece


MOST_COMPARED: Final = 32
"""With so many distances before it at most a new one is compared."""


class Pairs(NamedTuple):
    """Heartbeats and their answers."""

    answered: list[tuple[Piece, Piece]]
    lapsed: list[Piece]
    """What got no answer though a later one did."""
    waiting: list[Piece]
    """What waits for its answer still."""


def pair(beats: Sequence[Piece], answers: Sequence[Piece]) -> Pairs:
    """Return which heartbeats of a train were answered by what.

    Where answers are as many as heartbeats up to the last of them, each is that to the first that waits for one.
    Otherwise some were passed over, and each is that to the latest: who was asked several times meanwhile may answer
    the last alone (RFC 6455 5.5.3).
    """
    until_ns = answers[-1].ts_ns if answers else -1
    in_order = sum(beat.ts_ns <= until_ns for beat in beats) <= len(answers)
    found = Pairs([], [], [])
    waiting = found.waiting
    coming = sorted([*((each.ts_ns, 0, each) for each in beats), *((each.ts_ns, 1, each) for each in answers)])
    for _, is_answer, piece in coming:
        if not is_answer:
            waiting.append(piece)
        elif waiting:
            found.answered.append((waiting.pop(0 if in_order else -1), piece))
            if not in_order:
                found.lapsed.extend(waiting)
                waiting.clear()
    return found


def pair_by_form(train: np.void, pieces: Sequence[Piece]) -> Pairs:
    """Return the same of a train that only its form tells: each is answered by what comes, as long, before the next."""
    side, first, last = (int(train[name]) for name in ("side", "first_frame", "last_frame"))
    beats = [
        each
        for each in pieces
        if each.side == side and first <= each.frame <= last and _is_as_long(each, train, "length")
    ]
    answers = [each for each in pieces if each.side != side and _is_as_long(each, train, "answer_len")]
    found = Pairs([], [], [])
    at = 0
    for beat, behind in pairwise([*beats, None]):
        assert beat is not None
        while at < len(answers) and answers[at].frame < beat.frame:
            at += 1
        if at < len(answers) and (behind is None or answers[at].frame < behind.frame):
            found.lapsed.extend(found.waiting)
            found.waiting.clear()
            found.answered.append((beat, answers[at]))
        else:
            found.waiting.append(beat)
    return found


def _is_as_long(piece: Piece, train: np.void, column: str) -> bool:
    return piece.is_new and abs(piece.length - int(train[column])) <= BEAT_LENGTH_PLAY


def enter_answers(train: np.void, pairs: Pairs, *, all_acked: bool) -> None:
    """Enter which of the heartbeats of a train were answered."""
    waiting, train["answered"] = pairs.waiting, len(pairs.answered)
    if pairs.answered:
        _, last = pairs.answered[-1]
        train["answer_frame"], train["answer_ns"], train["answer_len"] = last.frame, last.ts_ns, last.length
        train["slowest_ns"] = max(answer.ts_ns - beat.ts_ns for beat, answer in pairs.answered)
    train["missed"], train["unanswered"] = len(pairs.lapsed) + len(waiting), len(waiting)
    train["acked"] = len(waiting) if all_acked else max(len(waiting) - 1, 0)
    train["due"] = is_answered(train)
    if waiting:
        train["silent_frame"], train["silent_ns"] = waiting[0].frame, waiting[0].ts_ns
    note_which(train, pairs)


def note_which(train: np.void, pairs: Pairs) -> None:
    """Enter which heartbeats got no answer, and whose answer took longest, as far as these are what was counted."""
    if pairs.lapsed and len(pairs.lapsed) == train["missed"] - train["unanswered"]:
        train["lapse_frame"], train["lapse_last_frame"] = pairs.lapsed[0].frame, pairs.lapsed[-1].frame
    took = {answer.ts_ns - beat.ts_ns: beat.frame for beat, answer in reversed(pairs.answered)}
    train["slow_frame"] = took.get(int(train["slowest_ns"]), 0)


def count(train: np.void, side: int, beats: Sequence[Piece]) -> bool:
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


def paces(beats: Sequence[Piece]) -> list[Sequence[Piece]]:
    """Return heartbeats in parts of one period each: where it changes, to any other, a part ends.

    Single ones may come early or late, or be missing. As many in a row as make a train, an eighth of the period about
    evenly apart, and a quarter nearer or farther than those before, come by another timer.
    """
    distances = np.diff(np.array([piece.ts_ns for piece in beats], dtype=np.int64))
    begins = [0]
    for at in range(BEATS_LEAST - 1, len(distances) - BEATS_LEAST + 1):
        before, behind = distances[begins[-1] : at], distances[at : at + BEATS_LEAST]
        if len(before) < BEATS_LEAST - 1:
            continue
        was, now = (int(np.median(some[-MOST_COMPARED:])) for some in (before, behind))
        is_even = bool((8 * np.abs(behind - now) <= now).all())
        was_even = 2 * int((8 * np.abs(before[-MOST_COMPARED:] - was) <= was).sum()) > len(before[-MOST_COMPARED:])
        if is_even and was_even and 4 * abs(now - was) > max(now, was):
            begins.append(at + 1)
    return [beats[first:last] for first, last in pairwise([*begins, len(beats)])]


def within(pairs: Pairs, beats: Sequence[Piece]) -> Pairs:
    """Return of heartbeats and their answers those of some of the heartbeats."""
    frames = {each.frame for each in beats}
    return Pairs(
        [(beat, answer) for beat, answer in pairs.answered if beat.frame in frames],
        [each for each in pairs.lapsed if each.frame in frames],
        [each for each in pairs.waiting if each.frame in frames],
    )


def believe_acknowledgements(train: np.void, by_form: np.void) -> None:
    """Take what form knows of a train, if fewer are unanswered by it: it sees that what is missing is acknowledged."""
    if by_form["count"] != train["count"] or by_form["missed"] >= train["missed"]:
        return
    for each in ("answered", "missed", "unanswered", "acked", "silent_frame", "silent_ns", "answer_frame", "answer_ns"):
        train[each] = by_form[each]
    train["lapse_frame"] = train["lapse_last_frame"] = 0
