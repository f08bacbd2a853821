"""Which known boxes may have forgotten a flow."""

import pytest

from analyzer import explain
from analyzer.findings import boxes
from analyzer.findings.case import Case
from tests.heartbeats import Talk, each
from tests.judging import judge, scenario
from tests.notation import parse


def case_of(judged):
    """The flow, looked at from its client."""
    return Case(judged.record, judged.ending, "a", (None, None))


def test_a_box_is_named_once_per_limit():
    """The boxes that forget sooner come one per limit, shortest first, without those that probing cannot help."""
    (judged,) = scenario("heartbeats_stopped")

    assert [240, 350, 600] == [row.idle_s for row in boxes.forgetful(case_of(judged), 700_000_000_000)]


@pytest.mark.parametrize(
    ("tail", "named"),
    [
        ("@2100.030 b > a R 31:31(0)\nend: +5\n", "AWS Network Load Balancer 350 s"),
        (
            "".join(f"@{2100 + after} a > b P. 31:37(6) ack 31\n" for after in (0.2, 0.6, 1.4, 3)) + "end: +900\n",
            "AWS Network Firewall 350 s",
        ),
    ],
    ids=["refused", "silent"],
)
def test_findings_name_the_same_boxes(tail, named):
    """Behind five survived silences of five minutes, and one of ten, no box of four minutes is named, by anything."""
    talk = Talk().beats(each(300, 300, 5)).says(2100, "a", 6, acked=False)
    (judged,) = judge(parse("\n".join([*talk.lines, tail])))
    told = {found.code: found.data["limits"] for found in judged.findings if "limits" in found.data}

    assert {named} == set(told.values())
    assert "heartbeat-slower-than-limit" in told
    assert "240 s" not in str(explain.story(judged, 0))
