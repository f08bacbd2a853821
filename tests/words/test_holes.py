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


def test_every_reason_has_its_words():
    """Each reason that the tracker gives is told."""
    assert {"clock", "missed", "merged", "days", "years"} == set(WHY)


def test_a_flow_that_met_a_hole_says_so():
    """The hole stands among what the capture cannot show of the flow."""
    story = told(scenario("suspended_capture")[0])

    assert "between frames 5 and 6" in texts(story, "What this capture cannot show")
