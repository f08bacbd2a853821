from analyzer.capture.frame import NOTES
from analyzer.capture.notices import Notices
from analyzer.loops.loop import records


def notes(**values):
    """A NOTES record with these values."""
    return records(NOTES, 1, jit=False)[0] | values


def test_nothing_to_say():
    """An undamaged capture has no warnings."""
    assert [] == Notices().sentences(notes(frames=100, timed=100))


def test_the_same_is_counted_once():
    """What happens to many frames is one sentence, with the first frame."""
    notices = Notices()
    for frame in range(7, 1007):
        notices.count("fell over", frame)
    notices.count("rose", 3)

    assert [
        "1,000 frames fell over; the first is frame 7",
        "frame 3 rose",
    ] == notices.sentences(notes())


def test_a_sentence_is_said_once():
    """A sentence is not repeated, and comes after the counts."""
    notices = Notices()
    notices.say("it ended")
    notices.say("it ended")

    assert ["2 frames have an impossible timestamp; the first is frame 5", "it ended"] == notices.sentences(
        notes(odd=2, odd_frame=5)
    )
