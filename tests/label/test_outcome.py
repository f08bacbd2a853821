"""The names that loops have for what settling writes."""

import pytest

from analyzer.label import outcome, reset
from analyzer.label.rules import Kind


@pytest.mark.parametrize(
    ("names", "members"),
    [
        ("UNJUDGED SUSPECTED PROBABLE CERTAIN", outcome.Certainty),
        ("NO_ANSWER ANSWER_ACK ANSWER_RST ANSWER_DATA", outcome.Answer),
        ("NO_DOUBT MIDSTREAM ONE_SIDED ZERO_WINDOW MISSED UNNUMBERED", outcome.Doubt),
    ],
)
def test_every_member_has_a_name_for_loops(names, members):
    """Loops take plain ints, one for each member."""
    values = [getattr(outcome, name) for name in names.split()]

    assert [int(member) for member in members] == values
    assert {int} == {type(value) for value in values}


def test_kinds_of_resets_have_names_for_loops():
    """So have the kinds of RSTs, less the one that stands for none."""
    assert list(reset.ResetKind)[1:] == [reset.NO_SOCKET, reset.GAVE_UP, reset.ABORT, reset.IGNORED]


def test_kinds_of_segments_are_those_of_the_table():
    """The kinds that loops compare with are members of Kind."""
    assert (Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_OCTET) == (outcome.PROBE, outcome.OCTET)
    assert (Kind.ZERO_WINDOW_PROBE, Kind.AT_ZERO_WINDOW) == (outcome.WINDOW_PROBE, outcome.AT_ZERO)
    assert (Kind.UNANCHORED, Kind.ANSWER) == (outcome.UNANCHORED, outcome.ANSWERED)
