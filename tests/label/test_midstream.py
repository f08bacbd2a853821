"""Segments that cannot be judged alone."""

import pytest

from analyzer.label.outcome import Doubt
from tests.labelling import probes_of

QUIET = "+5 a > b . 99:99(0) ack 50\n"


def test_too_late_an_ack_disproves_nothing():
    """An ACK long after an unanchored segment neither proves nor disproves it."""
    text = "+0 a > b . 99:99(0) ack 50\n+20 b > a . 50:50(0) ack 99\n+1 a > b R. 100:100(0) ack 50\n"

    assert [Doubt.MIDSTREAM] == probes_of(text, opening="")["doubt"].tolist()


@pytest.mark.parametrize(
    ("text", "suspected"),
    [
        (QUIET * 3, 3),
        (QUIET * 2, 0),
        (QUIET * 2 + "+5.6 a > b . 99:99(0) ack 50\n", 3),
        (QUIET * 2 + "+6 a > b . 99:99(0) ack 50\n", 0),
        ("+.95 a > b . 99:99(0) ack 50\n" * 3, 3),
        ("+5 a > b . 99:100(1) ack 50\n" * 3, 3),
    ],
    ids=["three", "two", "an eighth late", "uneven", "just slow enough", "octets"],
)
def test_even_spacing_is_suspicious(text, suspected):
    """Three or more equal empty segments, as even as a timer, are suspected probes where nothing else is known."""
    assert suspected == len(probes_of(text, opening=""))
