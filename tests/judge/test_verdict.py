"""THE SECOND TABLE: total, every row won by a scenario, every contest shown by one, and who is named."""

import re

import pytest
from hypothesis import given, settings

from analyzer.judge import verdict
from analyzer.judge.verdict import SEVERITIES, VERDICTS, Severity, Verdict, decide, ending_of
from analyzer.segment import SegmentBatch
from tests.notation import follow, parse
from tests.tables import beaten, drawn_flows, first_paragraph, scenario_flows, winners
from tests.traffic import captures

CONDITIONS = sorted({condition for rule in VERDICTS for condition in rule.conditions}, key=lambda each: each.__name__)
OPENING = """# A flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
"""


def over_all(function, flows):
    """Return the union of what a function of (table, columns, count) finds in all flows."""
    return set().union(*(function(VERDICTS, batch, len(batch)) for batch in flows))


def scenarios():
    """Return all finished flows of all scenarios."""
    return [batch for batches in scenario_flows().values() for batch in batches]


def endings(text, opening=OPENING):
    """Return the endings of the flows that hand-written lines after a handshake make."""
    scenario = parse(opening + text)
    return [
        ending_of(batch, index, int(winner))
        for batch in follow([scenario.batch()])
        for index, winner in enumerate(decide(batch))
    ]


def test_names_are_unique():
    """No two rows of the table share a name."""
    assert len(VERDICTS) == len({rule.name for rule in VERDICTS})


def test_last_row_has_no_condition():
    """The table is total, because its last row, and no other, has no condition."""
    assert [VERDICTS[-1]] == [rule for rule in VERDICTS if not rule.conditions]


def test_every_word_can_be_given():
    """Each word of the closed vocabulary is the verdict of some row."""
    assert set(Verdict) == {rule.verdict for rule in VERDICTS}


def test_every_row_is_won_by_a_scenario():
    """Each row of the table decides at least one flow of the scenarios."""
    assert set() == {rule.name for rule in VERDICTS} - over_all(winners, scenarios())


def test_every_contest_has_a_scenario():
    """Where two rows match one flow in drawn traffic, a scenario shows which of them wins."""
    assert set() == over_all(beaten, drawn_flows()) - over_all(beaten, scenarios())


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.__name__)
def test_every_condition_is_a_sentence(condition):
    """A condition says what it is in one sentence, which the command prints."""
    sentence = first_paragraph(condition)

    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
    assert not re.search(r"[a-z)][.] [A-Z]", sentence)


@settings(max_examples=40)
@given(captures())
def test_every_flow_ends_somehow(rows):
    """Whatever is captured, each flow has a verdict, a frame that shows it, and a name where the verdict names one."""
    for batch in follow([SegmentBatch(rows, len(rows))]):
        for index, winner in enumerate(decide(batch)):
            ending = ending_of(batch, index, int(winner))
            by = {"reset": {"a", "b", "between"}, "first_fin": {"a", "b"}, "nobody": {None}}[VERDICTS[winner].by]

            assert ending.by in by
            assert 1 <= ending.frame <= len(rows)
            assert ending.ts_ns in rows["ts_ns"]


def test_judging_flows_together_or_alone_is_the_same():
    """A batch of flows gets the verdicts that its flows get one by one."""
    for batch in scenarios():
        assert decide(batch).tolist() == [decide(batch.take([index])).item() for index in range(len(batch))]


def test_asking_only_flows_that_are_left_is_the_same(monkeypatch):
    """Where few flows are left, later rows of the table are asked of these alone, and say the same."""
    every = [decide(batch).tolist() for batch in scenarios()]
    monkeypatch.setattr(verdict, "FEW", 1)

    assert every == [decide(batch).tolist() for batch in scenarios()]


def test_a_reset_is_shown_by_its_frame():
    """The frame of an ending by RST is the RST's."""
    ending = endings("+1 b > a R. 1:1(0) ack 1\n+1 b > a R. 1:1(0) ack 1\n")

    assert [(Verdict.ABORTED, "b", 4)] == [(each.verdict, each.by, each.frame) for each in ending]


def test_a_half_close_is_shown_by_the_fin():
    """The frame of a half-close is the FIN's, and its sender is named."""
    ending = endings("+1 b > a F. 1:1(0) ack 1\n+.04 a > b . 1:1(0) ack 2\nend: +2\n")

    assert [(Verdict.HALF_CLOSED, "b", 4)] == [(each.verdict, each.by, each.frame) for each in ending]


@pytest.mark.parametrize(
    ("lines", "by"),
    [
        ("+0 a > b F. 9:9(0) ack 5\n+.01 b > a . 5:5(0) ack 10\n", "a"),
        ("+0 b > a F. 9:9(0) ack 5\n+.01 a > b . 5:5(0) ack 10\n", "a"),
        ("+0 a > b P. 9:10(1) ack 5\n+.01 b > a F. 5:5(0) ack 10\n+.01 a > b . 10:10(0) ack 6\n", "b"),
    ],
)
def test_a_capture_may_begin_with_a_fin(lines, by):
    """A FIN counts wherever it stands, in the capture's first frame too; endpoint a sent first."""
    assert [(Verdict.HALF_CLOSED, by)] == [
        (each.verdict, each.by) for each in endings(lines + "end: +2\n", opening="# A flow.\n")
    ]


def test_a_close_is_shown_by_the_second_fin():
    """The frame of an orderly close is the second FIN's; who sent the first is named."""
    ending = endings("+1 b > a F. 1:1(0) ack 1\n+.04 a > b F. 1:1(0) ack 2\n+.01 b > a . 2:2(0) ack 2\n")

    assert [(Verdict.CLOSED, "b", 5)] == [(each.verdict, each.by, each.frame) for each in ending]


def test_an_open_flow_is_shown_by_its_last_frame():
    """The frame of an ending that nobody brought about is the flow's last."""
    ending = endings("+1 a > b P. 1:2(1) ack 1\n")

    assert [(Verdict.OPEN, None, 4)] == [(each.verdict, each.by, each.frame) for each in ending]


@pytest.mark.parametrize(
    ("fields", "by"),
    [("ttl 50 mac 7", "between"), ("mac 7", "b"), ("ttl 50", "b"), ("id 9", "b"), ("", "b")],
    ids=["another TTL and station", "another station", "another TTL of the same station", "another IP ID", "nothing"],
)
def test_between_is_said_of_what_a_host_does_not_change(fields, by):
    """A RST from another distance and station came from between; each may change alone, as an IP ID does."""
    assert [by] == [each.by for each in endings(f"+1 b > a R. 1:1(0) ack 1 {fields}\n")]


@pytest.mark.parametrize("interval", [1, 2, 10])
def test_one_unanswered_probe_is_never_death(interval):
    """RFC 9293 MUST-29: before an interval has passed, a probe without an answer makes no flow silent."""
    probe = "+{gap} a > b . 0:0(0) ack 1\n"
    answer = "+.01 b > a . 1:1(0) ack 1\n"
    text = probe.format(gap=interval) + answer + probe.format(gap=interval) + f"end: +{interval * 0.85}\n"

    assert [Verdict.OPEN] == [each.verdict for each in endings(text)]


def test_what_a_frame_ended_is_over():
    """A flow is over by both FINs or a RST, never by silence; without a handshake another SYN may be answered."""
    resets = {Verdict.RESET_ON_PROBE, Verdict.TIMED_OUT, Verdict.ABORTED}
    assert resets == {verdict for verdict in Verdict if verdict.is_reset}
    assert resets | {Verdict.CLOSED} == {verdict for verdict in Verdict if verdict.is_over}


def test_a_verdict_that_names_a_reset_is_over():
    """Rows of the table that name a RST's sender, and no others, give verdicts that are resets."""
    assert all(rule.verdict.is_reset == (rule.by == "reset") for rule in VERDICTS)


def test_every_verdict_has_a_severity():
    """An end that does not know the other any more is bad; what ended in order, or goes on, is good."""
    assert set(Verdict) == set(SEVERITIES)
    assert {Verdict.SILENT, Verdict.TIMED_OUT, Verdict.RESET_ON_PROBE} == {
        verdict for verdict in Verdict if verdict.severity is Severity.BAD
    }
    assert {Verdict.CLOSED, Verdict.CLOSING, Verdict.OPEN} == {
        verdict for verdict in Verdict if verdict.severity is Severity.GOOD
    }
