"""Watching for what --fail-on names."""

import pytest

from analyzer.cli.failing import FailOn
from analyzer.cli.options import UsageError


class Flow:
    """A flow that says whether its findings were asked for."""

    def __init__(self, verdict, *codes):
        self.verdict = verdict
        self._codes = codes
        self.asked = 0

    @property
    def codes(self):
        self.asked += 1
        return list(self._codes)


def test_a_verdict_or_a_finding_meets_the_condition():
    """One flow with one of the words is enough."""
    by_verdict, by_finding, neither = (FailOn(["silent", "both-ends-probe"]) for _ in range(3))

    by_verdict.look_at(Flow("silent"))
    by_finding.look_at_each([Flow("closed"), Flow("closed", "both-ends-probe"), Flow("closed")])
    neither.look_at(Flow("closed", "window-closed"))

    assert [1, 1, 0] == [fail_on.status for fail_on in (by_verdict, by_finding, neither)]


def test_findings_are_asked_for_only_if_they_count():
    """A condition on verdicts alone asks for none."""
    flow = Flow("closed", "both-ends-probe")
    fail_on = FailOn(["silent"])
    assert [flow] == list(fail_on.all_of([flow]))

    assert not fail_on.asks_for_findings
    assert 0 == flow.asked


def test_counted_verdicts_count():
    """Verdicts of flows that were not kept meet the condition too."""
    fail_on = FailOn(["silent"])
    fail_on.count({"closed": 3})
    assert 0 == fail_on.status

    fail_on.count({"silent": 1})
    assert 1 == fail_on.status


def test_unknown_words_are_refused():
    """Words are checked before anything is read."""
    with pytest.raises(UsageError):
        FailOn(["dead"])
