"""Which flows are alike, and what is left to tell them apart."""

import numpy as np

from analyzer.judge import verdict
from analyzer.judge.alike import Traced, likenesses
from analyzer.judge.facts import Facts
from analyzer.judge.recording import records
from tests.notation import follow, parse

ANSWERED = """
# A probe is answered.
+0    a > b  S   0:0(0)
+.01  b > a  S.  0:0(0) ack 1
+.01  a > b  .   1:1(0) ack 1
+5    a > b  .   0:0(0) ack 1
+.01  b > a  .   1:1(0) ack 1
"""


def likes(*texts):
    """Return the likeness of the first flow of each capture."""
    found = []
    for text in texts:
        (batch,) = follow([parse(text).batch()])
        facts = Facts((batch, np.array([0])))
        endings = verdict.ending_table(facts.flow, facts.ends, facts.ending, verdict.decide(batch)[:1])
        found.append(likenesses(facts, (), endings).of(0))
    return found


def test_later_and_in_other_frames_is_alike():
    """When a flow began and what was captured between its segments does not matter; its frames are told."""
    late = ANSWERED.replace("+0    a", "+9    a").replace("+5 ", "+1  c > d  S  0:0(0)\n+4 ")
    one, other = likes(ANSWERED, late)

    assert (1, 2, 3, 4, 5) == one.frames
    assert (1, 2, 3, 5, 6) == other.frames
    assert one.shape != other.shape  # frames that follow each other are named as one range


def test_frames_as_close_together_are_alike():
    """So are flows whose frames have others between them in the same places."""
    one, other = likes(
        ANSWERED.replace("+5 ", "+1  c > d  S  0:0(0)\n+4 "),
        ANSWERED.replace("+5 ", "+1  c > d  S  0:0(0)\n+1  c > d  S  0:0(0)\n+3 "),
    )

    assert (1, 2, 3, 6, 7) == other.frames
    assert one.shape == other.shape


def test_another_time_between_segments_is_another_shape():
    """A nanosecond is enough, and so is one more segment."""
    one, slower, longer = likes(
        ANSWERED, ANSWERED.replace("+5 ", "+5.000000001 "), ANSWERED + "+.01  b > a  .   1:1(0) ack 1\n"
    )

    assert 3 == len({one.shape, slower.shape, longer.shape})


def test_when_the_capture_ended_is_told_apart():
    """The end of the capture is no part of the shape, and stands beside it."""
    one, later = likes(ANSWERED, ANSWERED + "end: +.25\n")

    assert (one.shape, one.frames) == (later.shape, later.frames)
    assert one.until != later.until


def test_who_asks_for_the_end_is_noted():
    """A traced record is the record, and says whether it was asked until when its flow could have been heard."""
    (batch,) = follow([parse(ANSWERED).batch()])
    (plain,), (traced,) = records(Facts((batch, np.array([0])))), records(Facts((batch, np.array([0]))), Traced)
    Traced.asked.clear()

    assert (plain.first_ns, plain.probes) == (traced.first_ns, traced.probes)
    assert not Traced.asked
    assert plain.end_ns == traced.end_ns
    assert [True] == Traced.asked
