"""Closed windows."""

from types import SimpleNamespace

import numpy as np

from analyzer import explain
from analyzer.findings.columns import Columns
from analyzer.findings.flows import Flows
from analyzer.findings.kinds.window import _long, window_closed_for_long
from analyzer.judge import recording, verdict
from analyzer.judge.facts import Facts
from tests.judging import captured, codes, opened, scenario, texts, told
from tests.tables import drawn_flows, scenario_flows


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_a_window_closed_by_an_end_that_got_a_fin_matters_to_nobody():
    """After its FIN the peer sends no more, so a closed window holds nothing back."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7 win 0
end: +100
""")

    assert "window-closed" not in codes(judged)


def test_window_probes_come_with_the_closing_and_the_opening():
    """The frames that close and open the window enclose the probes."""
    data = finding("lab/zero_window_pending.pcap", "window-closed").data

    assert (6, 11, 33) == (data["probes"], data["shut_frame"], data["opened_frame"])


def test_a_window_that_stays_closed_is_told_without_probes():
    """A closed window that nobody probes has words of its own."""
    (judged,) = scenario("keepalive_under_a_closed_window")

    assert "stayed closed for 15.060 s to the flow's last segment; its peer sent no window probe" in explain.detail(
        judged.finding("window-closed"), judged
    )


def test_a_closed_window_with_nothing_pending_says_how_long():
    """Where both ends of a closing are in the capture, its length is said, also of one that nobody probes."""
    (judged,), _ = captured("lab/zero_window_nothing_pending.pcap")

    assert "stayed closed for 12.096 s to the flow's last segment" in explain.detail(
        judged.finding("window-closed"), judged
    )
    assert "still closed when last heard of, after 12.096 s" in explain.headline(judged, 0)


def test_each_closing_is_counted_by_itself():
    """Several closings are several, and the longest is said, not the time from the first probe to the last."""
    (judged,) = scenario("window_closes_several_times")
    found = judged.finding("window-closed")

    assert (2, 2, 5, 11) == tuple(found.data[name] for name in ("closings", "probes", "shut_frame", "opened_frame"))
    assert "closed twice, for at most 210 ms at a time; the client probed it twice, and each time it opened again" in (
        explain.detail(found, judged)
    )


def test_unanswered_window_probes_lead_and_explain_why_there_is_no_keepalive():
    """The story of an end that no longer answers window probes says so first, and does not call keepalive off."""
    (judged,) = scenario("window_probes_unanswered")
    told = explain.story(judged, judged.record.first_ns)
    text = " ".join(line.text for section in told.sections for line in section.lines)

    assert "of the client's 3 window probes the last 2 got no answer" in told.headline
    assert "Keepalive cannot run meanwhile" in text
    assert "keepalive is off" not in text
    assert (5, 8, 9) == judged.finding("window-probes-unanswered").frames


def test_a_long_closing_that_ended_is_told_as_past():
    """A window that was closed for long and opened again leads an open flow, in the past."""
    judged = opened("""
+1   b > a  .   1:1(0) ack 6 win 0
+11  b > a  .   1:1(0) ack 6 win 512
end: +1
""")

    assert "was closed for 11.000 s: the client could send nothing in that time" in explain.headline(judged, 0)
    assert "window-closed-for-long" not in codes(
        opened("""
+1   b > a  .   1:1(0) ack 6 win 0
+9   b > a  .   1:1(0) ack 6 win 512
end: +1
""")
    )


def test_undecided_probes_of_a_closed_window_are_neither_denied_nor_called():
    """Where it is open what the probes ask for, no sentence says that there are none, or that they are no keepalive."""
    judged = scenario("midstream_undecided_under_a_window_closed_before")[0]
    detail = explain.detail(judged.finding("window-closed"), judged)
    story = told(judged)

    assert "3 probes of endpoint a asked for the window or for the peer, which is undecided" in detail
    assert "does not tell whether they are keepalive or window probes" in texts(story, "What happened")
    assert "No keepalive probe" not in texts(story, "What happened")
    assert "not taken for keepalive" in texts(story, "Also")


def test_columns_say_what_the_closings_of_a_record_say():
    """Which windows were closed for long is the same for flows together as for the record of each."""
    batches = [each for flows in scenario_flows().values() for each in flows] + drawn_flows()
    columns = Columns(
        batches[0],
        verdict.decide(batches[0]),
        more=[(batch, verdict.decide(batch), np.arange(len(batch))) for batch in batches[1:]],
    )
    records = list(recording.records(Facts(*((batch, np.arange(len(batch))) for batch in batches))))
    found = [window_closed_for_long(Flows(columns, at)).tolist() for at in range(2)]
    expected = [[bool(_long(SimpleNamespace(record=each, side=side))) for each in records] for side in "ab"]

    assert expected == found
    assert any(map(any, found))
