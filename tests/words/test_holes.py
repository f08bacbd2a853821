"""Holes in words."""

from analyzer.track.awake import Hole
from analyzer.words.holes import WHY, hole_sentences, hole_words
from tests.judging import scenario, texts, told

DAY_NS = 86_400_000_000_000


def test_a_hole_is_told_with_its_frames_and_length():
    """The last frame before and the first behind it are named."""
    assert "between frames 9 and 10 (2,132 d" in hole_words(Hole(0, 2132 * DAY_NS, 9, 10, "years")).replace(
        "2132", "2,132"
    )
    (sentence,) = hole_sentences([Hole(0, DAY_NS, 9, 10, "missed")])
    assert sentence.endswith("nothing is measured across it")


def test_a_clock_that_goes_back():
    """A leap back is told as one."""
    assert "goes back by 2.000 s" in hole_words(Hole(2_000_000_000, 0, 9, 10, "clock"))


def test_many_holes_are_summed_up():
    """Of many holes some are told, and how many there are in all, and how many of them are leaps back."""
    sentences = hole_sentences([Hole(9_000_000_000, 0, at, at + 1, "clock") for at in range(1, 41)])

    assert 4 == len(sentences)
    assert "at 40 places or more, at 40 of them back" in sentences[-1]


def test_drops_are_told_with_their_frames_and_number():
    """Where a drop counter grew, frames before and behind are named, or that the capture ends with it."""
    loss = Hole(0, 30_000_000_000, 9, 21, "dropped", 12)
    last = Hole(0, 30_000_000_000, 9, 21, "dropped", 1, to_end=True)

    assert "between frames 9 and 21 (30.000 s) 12 packets were dropped while capturing" in hole_words(loss)
    assert "from frame 9 to the end (30.000 s) 1 packet was dropped while capturing" in hole_words(last)


def test_many_drops_are_summed_up():
    """Of many stretches with drops some are told, and how many packets are missing in all; silences stand apart."""
    losses = [Hole(0, 9, 10 * at, 10 * at + 5, "dropped", 2) for at in range(1, 41)]
    sentences = hole_sentences([Hole(0, DAY_NS, 9, 10, "missed"), *losses])

    assert 5 == len(sentences)
    assert "at 40 places or more, 80 of them, the last between frames 400 and 405" in sentences[-1]


def test_every_silence_has_its_words():
    """Each reason why a silence is a hole is told."""
    assert {"clock", "missed", "paused", "merged", "days", "years", "down"} == set(WHY)


def test_a_flow_that_met_a_hole_says_so():
    """The hole stands among what the capture cannot show of the flow."""
    story = told(scenario("suspended_capture")[0])

    assert "between frames 5 and 6" in texts(story, "What this capture cannot show")
