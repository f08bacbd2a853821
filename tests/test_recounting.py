"""Counting heartbeats anew once the data of their connection was read."""

import itertools

import numpy as np
import pytest

from analyzer.recounting import count, enter_answers, paces, pair, pair_by_form, within
from analyzer.track.beats import TRAINS
from analyzer.wireshark.dissection import Piece


def piece(frame, side=0, *, length=6, took_ns=0):
    """A segment at ten seconds times its frame."""
    return Piece(frame, frame, side, length, b"", frame * 10_000_000_000 + took_ns)


def record():
    """A train without anything."""
    return np.zeros(1, dtype=TRAINS)[0]


def test_answers_go_to_the_first_that_waits():
    """Where as many answers as heartbeats came, a late one is that to the heartbeat that waited longest."""
    beats = [piece(at) for at in (1, 2, 3, 4)]
    answers = [piece(at, 1) for at in (2, 3, 4)] + [piece(4, 1, took_ns=1)]
    train = record()
    assert count(train, 0, beats)

    enter_answers(train, pair(beats, answers), all_acked=True)

    assert (4, 0, 0) == tuple(int(train[name]) for name in ("answered", "missed", "lapse_frame"))
    assert (1, 10_000_000_000) == (train["slow_frame"], train["slowest_ns"])


def test_those_that_were_passed_over_are_known():
    """The heartbeats that got no answer though a later one did are known by their frames, the last ones apart."""
    beats = [piece(at) for at in range(1, 9)]
    answers = [piece(at, 1, took_ns=at) for at in (1, 2, 5, 6)]
    train = record()
    assert count(train, 0, beats)

    enter_answers(train, pair(beats, answers), all_acked=False)

    assert (4, 4, 2, 1) == tuple(int(train[name]) for name in ("answered", "missed", "unanswered", "acked"))
    assert (3, 4, 7, 6) == tuple(
        int(train[name]) for name in ("lapse_frame", "lapse_last_frame", "silent_frame", "slow_frame")
    )


def test_by_form_an_answer_comes_before_the_next_heartbeat():
    """Where nothing is read, lengths and order tell which heartbeats were answered."""
    train = record()
    train["length"], train["answer_len"], train["first_frame"], train["last_frame"] = 6, 8, 1, 30
    pieces = [
        piece(1),
        piece(2, 1, length=8),
        piece(11),
        piece(20),
        piece(21, 1, length=90),
        piece(22, 1, length=8),
        piece(30),
    ]

    pairs = pair_by_form(train, pieces)

    assert [(1, 2), (20, 22)] == [(beat.frame, answer.frame) for beat, answer in pairs.answered]
    assert ([11], [30]) == ([each.frame for each in pairs.lapsed], [each.frame for each in pairs.waiting])


def test_no_rhythm_is_no_train():
    """Heartbeats that were read and show no rhythm are not entered."""
    train = record()

    assert not count(train, 0, [piece(1), piece(2), piece(9)])
    assert 0 == train["count"]


def coming(*distances):
    """Segments so many seconds apart."""
    times = itertools.accumulate(distances, initial=10)
    return [Piece(at, at, 0, 6, b"", at_s * 1_000_000_000) for at, at_s in enumerate(times, start=1)]


@pytest.mark.parametrize(
    ("distances", "parts"),
    [
        ([10] * 9, [10]),
        ([20] * 6 + [10] * 8, [7, 8]),
        ([10] * 6 + [20] * 4, [7, 4]),
        ([10] * 6 + [15] * 5 + [10] * 5, [7, 5, 5]),
        ([10] * 6 + [20, 10, 30, 10, 10, 20, 20, 10, 10], [16]),
        ([30, 24, 27, 29, 23, 28, 25, 30, 24, 22, 29, 23], [13]),
        ([10] * 6 + [20] * 3, [10]),
    ],
    ids=["one", "halves", "doubles", "there and back", "some are missing", "jitter", "too few"],
)
def test_a_period_that_changes(distances, parts):
    """Heartbeats that were read are a part for each period, if as many as make a train come by it one after another."""
    assert parts == [len(part) for part in paces(coming(*distances))]


def test_answers_go_with_their_part():
    """Of a part of the heartbeats the answers, and those that got none, are those of its own."""
    beats = [piece(at) for at in range(1, 9)]
    pairs = pair(beats, [piece(at, 1, took_ns=at) for at in (1, 2, 5, 6)])
    early, late = within(pairs, beats[:3]), within(pairs, beats[3:])

    assert ([1, 2], [3], []) == ([beat.frame for beat, _ in early.answered], *_frames(early))
    assert ([5, 6], [4], [7, 8]) == ([beat.frame for beat, _ in late.answered], *_frames(late))


def _frames(pairs):
    return [[each.frame for each in some] for some in (pairs.lapsed, pairs.waiting)]
