"""Segments in the form of a probe that are none, counted over whole captures."""

from pathlib import Path

import pytest

from analyzer.analyzing import analyze
from analyzer.survey.lookalikes import lookalikes
from tests.notation import follow, parse

CAPTURES = Path(__file__).parents[2] / "captures"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("telnet_lost_byte.pcap", {"retransmission": 12}),
        ("pcapng_two_interfaces.pcapng", {"duplicate_copy": 5}),
        ("zero_window_pending.pcap", {}),
        ("windows_like_answered.pcap", {}),
    ],
)
def test_segments_that_only_look_like_probes_are_counted_by_what_they_are(name, expected):
    """What has the form of a probe and is judged otherwise is counted, kept or not; window probes are elsewhere."""
    whole, notable = (analyze(CAPTURES / "lab" / name, keep_all=keep_all) for keep_all in (True, False))

    assert expected == whole.totals.not_probes == notable.totals.not_probes
    assert expected == whole.summary["not_probes"]
    assert {kind: 2 * count for kind, count in expected.items()} == _twice(whole).not_probes


def test_a_form_that_nothing_proves_is_counted_too():
    """A segment one below SND.NXT whose acknowledgement was not captured, and that nothing proves, is no probe."""
    scene = parse("""# Written in a test.
+0   a > b  .   1:1(0) ack 1
+.01 b > a  .   1:1(0) ack 1
+.1  a > b  P.  1:6(5) ack 1
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 3
""")
    batch = next(iter(follow([scene.batch()])))

    assert {"unproven": 1} == lookalikes(batch)


def _twice(analysis):
    """The sums of a capture read twice."""
    totals = analysis.totals.copy()
    totals.merge(analysis.totals)
    return totals
