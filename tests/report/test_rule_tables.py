"""The decision tables, printed from what decides."""

from analyzer.causes import CAUSES
from analyzer.findings import CODES, FINDINGS
from analyzer.judge.connection import TRANSITIONS
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.label.rules import RULES
from analyzer.report.rule_tables import codes, long_text, tables
from analyzer.report.screen import Screen

WIDE = Screen(400)


def test_every_row_and_condition_is_printed():
    """Each row of each table is there with its citation and the sentence of each condition."""
    lines = list(tables(WIDE))
    text = " ".join(" ".join(lines).split())
    rows = (*RULES, *VERDICTS, *(row for kind in (*FINDINGS, *CAUSES) for row in kind.rows))

    for rule in rows:
        for condition in rule.conditions:
            assert f"- {' '.join(condition.__doc__.split())}" in text
    for rule in RULES:
        assert f"{rule.kind.name.lower()}  {rule.name}{'; ' + rule.cite if rule.cite else ''}" in lines
    assert sum(line.startswith("  Set when") for line in lines) == len(rows)


def test_every_transition_is_printed():
    """The table of states is there in full."""
    shown = [line.split("  ") for line in tables(WIDE)]

    for (state, event), after in TRANSITIONS.items():
        assert [state.value, event.value, after.value] in [
            [part.strip() for part in line if part.strip()] for line in shown
        ]


def test_codes_are_verdicts_then_findings_then_causes():
    """Whatever a report can name has a long text, once."""
    named = codes()

    assert [*(verdict.value for verdict in Verdict), *CODES] == named[: len(Verdict) + len(CODES)]
    assert {*(verdict.value for verdict in Verdict), *CODES, *(kind.code for kind in CAUSES)} == set(named)
    assert len(set(named)) == len(named)


def test_a_long_text_ends_with_its_rows():
    """Behind the words stand the rows of the table that lead there."""
    lines = list(long_text("silent", Screen()))

    assert lines[0].startswith("silent: ")
    rows = sum(rule.verdict is Verdict.SILENT for rule in VERDICTS)
    assert rows == sum(line.startswith("silent  ") for line in lines)
