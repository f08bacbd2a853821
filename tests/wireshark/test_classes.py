"""The table of differences: every row is won, named once, and argued."""

import re
from types import SimpleNamespace

import pytest

from analyzer.wireshark import difference_conditions
from analyzer.wireshark.classes import CLASSES, Right, classify, evidence
from analyzer.wireshark.compared_frame import ComparedFrame, Seen, Word
from analyzer.wireshark.frame_labels import Label
from tests.wireshark.needs import needs_tshark
from tests.wireshark.surveying import bundled, drawn, scenarios, written

TWO_VLANS = """
+0      a > b  S   0:0(0)
+.00001 a > b  S   0:0(0)             vlan 9
+.01    b > a  S.  0:0(0) ack 1
+.01    b > a  S.  0:0(0) ack 1       vlan 9
+.01    a > b  .   1:1(0) ack 1
+.01    a > b  .   1:1(0) ack 1       vlan 9
+.1     a > b  P.  1:2(1) ack 1
+.01    a > b  .   1:1(0) ack 1       vlan 9 id 77
+.01    b > a  .   1:1(0) ack 2
verdict: open
verdict 2: open
"""
FIRST_OF_THE_PEER = """
isn: a 1000 b 2000
+0      a > b  .   5:6(1) ack 1       octet 00
+1      a > b  .   5:6(1) ack 1       octet 00
+1      a > b  .   5:6(1) ack 1       octet 00
+.03    b > a  .   1:1(0) ack 6       <sack 5-6>
verdict: open
"""
EVENLY = "+0 a > b S 0:0(0)\n+.00006 b > a S. 0:0(0) ack 1\n+.00006 a > b . 1:1(0) ack 1\n" + "".join(
    f"+.00006 a > b P. {at}:{at + 10}(10) ack 1\n+.00006 b > a . 1:1(0) ack {at + 10}\n" for at in range(1, 401, 10)
)
EVENLY += "+.00006 a > b . 400:400(0) ack 1\n+.00006 b > a . 1:1(0) ack 401\nverdict: open\n"


@pytest.fixture(scope="module")
def won():
    """The names of the rows that something wins: scenarios, drawn traffic, captures, and what is written here."""
    comparisons = [
        scenarios(),
        drawn(),
        *bundled().values(),
        *(written(text) for text in (TWO_VLANS, FIRST_OF_THE_PEER, EVENLY)),
    ]
    return {row.name for comparison in comparisons for row, _ in comparison.classes()}


@needs_tshark
@pytest.mark.slow
@pytest.mark.parametrize("name", [row.name for row in CLASSES])
def test_every_row_is_won(won, name):
    """There is a capture in which this is why Wireshark and we differ."""
    assert name in won | {"not-of-a-known-flow", "frames-out-of-order"}  # which are tested below, without tshark


@needs_tshark
@pytest.mark.parametrize(
    ("text", "frame", "name", "right"),
    [
        (TWO_VLANS, 8, "another-vlan", Right.OURS),
        (FIRST_OF_THE_PEER, 4, "answer-begins-midstream", Right.OURS),
        (EVENLY, 84, "times-rewritten", Right.UNDECIDED),
        (EVENLY, 85, "answer-to-what-nobody-can-tell", Right.UNDECIDED),
    ],
)
def test_rows_that_need_a_capture_of_their_own(text, frame, name, right):
    """The frame is of the class that the capture was written for."""
    found = {each.frame: each for each in written(text).differences}

    assert name == found[frame].row.name
    assert right == found[frame].right


def test_a_frame_of_no_flow():
    """What only Wireshark puts together cannot be compared."""
    case = ComparedFrame(Seen(3, "a", None, Label.KEEP_ALIVE), None)

    assert "not-of-a-known-flow" == classify(case).name


def test_frames_that_are_not_in_order_of_time():
    """Where the capture's clock ran backwards, nobody can tell what came first."""
    facts = SimpleNamespace(missed=0, first_data_frame=None, syn_frame=1, ack_frame=1)
    record = SimpleNamespace(backwards=2, starts_with="handshake", facts=lambda side: facts)

    assert "frames-out-of-order" == classify(ComparedFrame(Seen(3, "a", None, Label.KEEP_ALIVE), record)).name


def test_what_nobody_has_thought_of_is_of_no_class():
    """The table has no row for the rest."""
    case = ComparedFrame(Seen(3, "a", Word.NOT_IDLE, Label.ZERO_WINDOW_PROBE_ACK | Label.RETRANSMISSION), object())

    assert all(row.conditions for row in CLASSES)
    assert classify(case) is None or "answer" in classify(case).name


def test_names_are_slugs_and_unique():
    """A class is called by one name, in small letters with hyphens."""
    names = [row.name for row in CLASSES]

    assert sorted(set(names)) == sorted(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("row", CLASSES, ids=lambda row: row.name)
def test_a_row_is_argued_in_sentences(row):
    """Reason and knowledge are sentences, conditions have theirs, and ours is never right without one."""
    assert all(re.match(r"[A-Z].*[.?]$", text) for text in (row.reason, row.known))
    assert all(condition.__doc__.rstrip().endswith(".") for condition in row.conditions)
    assert all(getattr(difference_conditions, condition.__name__) is condition for condition in row.conditions)


@needs_tshark
def test_evidence_names_the_frames():
    """How it is known names the probe of an answer, and the answer of a probe."""
    found = {each.frame: each.why for each in bundled()["midstream_answered.pcap"].differences}

    assert found[4].endswith("Frame 5 answers it.")
    assert found[5].endswith("The probe is frame 4.")


def test_evidence_without_frames_is_what_is_known():
    """Where no other frame is involved, it is the row's own sentence."""
    row = CLASSES[0]

    assert row.known == evidence(row, ComparedFrame(Seen(3, "a", None, Label.KEEP_ALIVE), None))
