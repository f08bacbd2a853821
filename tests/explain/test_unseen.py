"""Probes that a capture most likely lacks."""

import pytest

from tests.judging import texts, told, written

OPENING = """
+0   a > b  S   0:0(0)
+.01 b > a  S.  0:0(0) ack 1
+.01 a > b  .   1:1(0) ack 1
"""
ANSWERED = "+{0} a > b . 0:0(0) ack 1\n+.01 b > a . 1:1(0) ack 1\n"
LIMITS = "What this capture cannot show"


def shown(*waits):
    """What a capture cannot show of probes that come after these waits, each answered."""
    return texts(told(written(OPENING + "".join(ANSWERED.format(wait) for wait in waits))), LIMITS)


def test_a_multiple_of_the_usual_wait():
    """A wait of four times the usual one is told as three probes that are most likely not in the capture."""
    text = shown(3, 3, 3, 3, 12, 3)

    assert "It usually waits 3.010 s, but 12.010 s, a multiple of that, passed before frame 12: most likely" in text
    assert "most likely 3 more probes came in between and are not in this capture" in text


@pytest.mark.parametrize(
    "waits",
    [(3, 3, 3, 3, 4.4, 3), (3, 3, 6, 3, 6, 6, 3), (3, 3, 12), (3, 3, 3, 3, 120, 3), (8, 8, 4, 4, 4, 4, 4)],
    ids=["no multiple", "too many", "too few", "a pause", "idle time, then interval"],
)
def test_what_is_no_missing_probe(waits):
    """Other waits, those that alternate, and a prober that was itself silent say nothing of missing probes."""
    assert "How many probes" not in shown(*waits)
