"""Watching for what --fail-on names."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.cli.failing import FailOn
from analyzer.cli.options import UsageError


class Flow:
    """A flow that says whether its findings were asked for."""

    capture, number, a, b = 0, 7, "10.0.0.1:5", "10.0.0.2:80"
    causes = ("filter-rejects",)

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
    fail_on.count(SimpleNamespace(first_of={"closed": (0, "flow 1")}))
    assert 0 == fail_on.status

    fail_on.count(SimpleNamespace(first_of={"silent": (0, "flow 2")}))
    assert 1 == fail_on.status


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("silent", "flow 7 (10.0.0.1:5 and 10.0.0.2:80) is silent"),
        ("both-ends-probe", "flow 7 (10.0.0.1:5 and 10.0.0.2:80) has both-ends-probe"),
        ("filter-rejects", "flow 7 (10.0.0.1:5 and 10.0.0.2:80) has filter-rejects"),
    ],
)
def test_the_condition_and_the_flow_are_said(capsys, word, said):
    """Which verdict, finding or cause was met, and by which flow, is said; nothing where none was."""
    fail_on = FailOn([word])
    fail_on.say([])
    fail_on.look_at(Flow("silent", "both-ends-probe"))
    fail_on.say([])

    assert f"keepalive: --fail-on: {said}\n" == capsys.readouterr().err


@pytest.mark.parametrize("form", [(), ("--json",), ("--jsonl",), ("--csv",), ("--csv", "--limit", "1")])
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("reset_on_probe", "flow 1 (127.0.0.1:59285 and 127.0.0.1:4001) of founding_go_fin60.pcap is reset_on_probe"),
        ("fin-wait-2-expired", "founding_go_fin60.pcap has fin-wait-2-expired"),
    ],
)
def test_every_form_says_the_same(keepalive, form, word, said):
    """Whatever is written, the condition is met by any flow, written or not, and that flow is named."""
    done = keepalive("report", "fixed_server.pcap", "founding_go_fin60.pcap", *form, "--fail-on", word)

    assert 1 == done.status
    assert said.replace("flow 1", "flow 0") in done.err


CAUSED = Path(__file__).parents[1] / "causes" / "captures" / "beside_prohibited.pcap"


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
def test_a_cause_meets_the_condition_in_every_form(keepalive, form):
    """A cause is looked for in flows that are written from columns, too."""
    done = keepalive("report", CAUSED, *form, "--fail-on", "filter-rejects")

    assert 1 == done.status
    assert "has filter-rejects" in done.err


def test_unknown_words_are_refused():
    """Words are checked before anything is read."""
    with pytest.raises(UsageError):
        FailOn(["dead"])
