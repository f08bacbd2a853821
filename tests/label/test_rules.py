"""THE TABLE: total, every row won by a scenario, every contest between two rows shown by one."""

import re

import numpy as np
import pytest
from hypothesis import given, settings

from analyzer.label.rules import RULES, Kind, classify, decide
from analyzer.segment import SegmentBatch
from analyzer.track.seen import SEEN
from tests.notation import follow
from tests.tables import beaten, drawn_flows, first_paragraph, scenario_flows, winners
from tests.traffic import captures

CONDITIONS = sorted({condition for rule in RULES for condition in rule.conditions}, key=lambda each: each.__name__)

SECTIONS = {
    "RFC 9293 3.4": "Sequence Numbers",
    "RFC 9293 3.5.2": "Reset Generation",
    "RFC 9293 3.10.7.4": "Other States: a SYN or an ACK of something not yet sent draws an ACK",
    "RFC 5961 4.2": "Blind Reset Attack Using the SYN Bit: Mitigation",
    "RFC 9293 3.8.4": "TCP Keep-Alives",
    "RFC 9293 3.8.6": "Managing the Window",
    "RFC 9293 3.8.6.1": "Zero-Window Probing",
    "RFC 5927 4": "Constraints in the Possible Solutions: what an ICMP error that quotes TCP may do",
    "RFC 6298 5.4": "Managing the RTO Timer: retransmit the earliest segment",
    "RFC 7323 5": "PAWS",
    "field guide 1.2": "Known wrong cases",
    "field guide 1.3": "What other tools do: tcpdump prints no number of an empty segment",
    "field guide 8": "Capture artefacts that break naive identification",
    "Linux tcp_xmit_probe_skb": "net/ipv4/tcp_output.c",
}
"""Every place that a row may cite, by its own title."""
REQUIREMENTS = {"MUST-26", "SHLD-12", "MAY-6"}
"""Numbered requirements of RFC 9293 3.8.4."""


def by_name(name):
    """Return a row of the table."""
    return next(rule for rule in RULES if rule.name == name)


def over_all(function, flows):
    """Return the union of what a function of (table, rows, count) finds in the SEEN rows of all flows."""
    return set().union(*(function(RULES, batch.seen, len(batch.seen)) for batch in flows if len(batch.seen)))


def scenarios():
    """Return all finished flows of all scenarios."""
    return [batch for batches in scenario_flows().values() for batch in batches]


def test_names_are_unique():
    """No two rows of the table share a name."""
    assert len(RULES) == len({rule.name for rule in RULES})


def test_last_row_has_no_condition():
    """The table is total, because its last row, and no other, has no condition."""
    assert [RULES[-1]] == [rule for rule in RULES if not rule.conditions]


@settings(max_examples=40)
@given(captures())
def test_every_segment_is_something(rows):
    """One row of the table wins every notable segment that can be captured."""
    for batch in follow([SegmentBatch(rows, len(rows))]):
        assert [] == [index for index in decide(batch.seen) if not 0 <= index < len(RULES)]


def test_nothing_at_all_is_nothing():
    """Rows that know nothing fall to the last row, and no rows give no winners."""
    blank = np.zeros(1, dtype=SEEN)
    for name in ("snd_nxt", "snd_una", "ack", "own_wnd", "tsval", "own_tsval"):
        blank[name] = -1

    assert ["other"] == [RULES[index].name for index in decide(blank)]
    assert [] == decide(blank[:0]).tolist()


def test_classify_writes_the_kind_of_the_winner():
    """Each row gets the kind of the row of the table that won it."""
    rows = np.zeros(3, dtype=SEEN)
    rows["note"] = 1, 0, 0
    rows["is_copy"] = 0, 1, 0
    rows["flags"] = 0, 4, 4
    classify(rows)

    assert [Kind.ICMP_ERROR, Kind.DUPLICATE_COPY, Kind.RESET] == list(rows["kind"])


def test_every_row_is_won_by_a_scenario():
    """Each row of the table decides at least one segment of the scenarios."""
    assert set() == {rule.name for rule in RULES} - over_all(winners, scenarios())


def test_every_contest_has_a_scenario():
    """Where two rows match one segment in drawn traffic, a scenario shows which of them wins."""
    assert set() == over_all(beaten, drawn_flows()) - over_all(beaten, scenarios())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_cites_known_sections(rule):
    """Every row but the last cites sections that exist, and requirements of RFC 9293 by their number."""
    cites = [cite for cite in rule.cite.split(", ") if cite]
    required = re.findall(r" ((?:MUST|SHLD|MAY)-\d+)", rule.cite)
    places = [re.sub(r" (MUST|SHLD|MAY)-\d+", "", cite) for cite in cites]

    assert bool(cites) == bool(rule.conditions)
    assert [] == [place for place in places if place not in SECTIONS]
    assert set() == set(required) - REQUIREMENTS


def test_every_known_section_is_cited():
    """The list of sections holds none that no row cites."""
    cited = ", ".join(rule.cite for rule in RULES)

    assert [] == [place for place in SECTIONS if place not in cited]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.__name__)
def test_every_condition_is_a_sentence(condition):
    """A condition says what it is in one sentence, which the command prints."""
    sentence = first_paragraph(condition)

    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)
    assert not re.search(r"[a-z)][.] [A-Z]", sentence)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.__name__)
def test_conditions_judge_row_by_row(condition):
    """A condition says of many rows what it says of each of them alone."""
    rows = np.concatenate([batch.seen for batch in scenarios()])[:: len(CONDITIONS)]

    assert [bool(condition(row)) for row in rows] == np.broadcast_to(condition(rows), len(rows)).tolist()


def test_kinds_of_the_table():
    """Every kind but the answer, which only the order of segments can tell, is given by some row."""
    assert set(Kind) - {Kind.ANSWER} == {rule.kind for rule in RULES}


def test_window_rows_stand_before_keepalive():
    """The row for closed windows stands before those for keepalive, whose form it shares."""
    names = [rule.name for rule in RULES]

    assert names.index("probe-at-zero-window") < names.index("keepalive") < names.index("keepalive-octet")
    assert by_name("keepalive").kind is Kind.KEEPALIVE_PROBE
