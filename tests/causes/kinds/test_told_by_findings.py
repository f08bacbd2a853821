"""Causes that a finding tells, and what the capture lacks."""

import pytest

from analyzer.causes.kinds.told_by_findings import POINTERS
from analyzer.findings import CODES
from tests.judging import captured, scenario


def test_pointers_name_findings_that_exist():
    """Each pointer's only condition names a finding, whose text it takes."""
    named = [row.conditions[0].__doc__.split()[-1].rstrip(".") for kind in POINTERS for row in kind.rows]

    assert set(named) <= set(CODES)


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        (lambda: captured("founding_go_fin10.pcap")[0][0], "fin-wait-2-expired"),
        (lambda: scenario("box_resets_both_ends")[0], "reset-from-between"),
        (lambda: scenario("half_open_connection_discovered")[0], "half-open-discovered"),
    ],
)
def test_what_a_finding_says_is_the_cause(flow, code):
    """A flow whose ending a finding explains has that cause, in the finding's frames."""
    cause = flow().cause

    assert code == cause.code
    assert cause.frames == tuple(sorted(flow().finding(code).frames))


def test_a_capture_that_cannot_tell():
    """Where the verdict is undetermined, the capture lacks frames."""
    (flow,) = scenario("acknowledgements_on_another_way")

    assert "undetermined" == flow.ending.verdict.value
    assert flow.cause.code == "capture-incomplete"


def test_answers_that_were_not_captured_are_elsewhere():
    """Where probes echo what the capture lacks, their answers passed elsewhere: that is the cause."""
    (flow,) = scenario("answers_on_another_way")

    assert flow.cause.code == "answers-elsewhere"
