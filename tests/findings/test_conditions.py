"""The conditions of the third table answer no where they cannot be sure."""

import inspect

import pytest

from analyzer.findings import FINDINGS, Case, conditions
from tests.judging import codes, opened, scenario, written

PROBED = """
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
+5   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
"""
"""Two answered probes, behind OPENING."""
FIN = """
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
"""


def test_every_condition_is_one_sentence():
    """A condition's docstring is the one sentence that `keepalive rules` prints."""
    used = {condition for rule in FINDINGS for condition in rule.conditions}

    assert [] == [c.__name__ for c in used if not inspect.getdoc(c) or "\n" in inspect.getdoc(c)]


def test_a_half_close_with_data_is_no_leak():
    """Data taken after the FIN makes it a half-close in use."""
    judged = opened(
        FIN
        + """
+5   b > a  .   0:0(0) ack 7
+.01 a > b  .   7:7(0) ack 1
+1   b > a  P.  1:101(100) ack 7
+.01 a > b  .   7:7(0) ack 101
end: +5
"""
    )

    assert ["half-close-in-use"] == [code for code in codes(judged) if "close" in code]


def test_an_unacknowledged_fin_puts_nobody_in_close_wait():
    """Whether a FIN arrived is unknown until something acknowledges it."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
end: +100
""")

    assert "close-wait-without-probes" not in codes(judged)


def test_a_fin_answered_by_nothing_for_a_minute_is_found():
    """An end that does not close for a minute, unprobed, is a finding, and a shorter time is none."""
    assert "close-wait-without-probes" in codes(opened(FIN + "end: +61"))
    assert "close-wait-without-probes" not in codes(opened(FIN + "end: +59"))


def test_silence_without_probes_counts_from_a_minute():
    """A silence of a minute that nobody probes is found, a shorter one is not."""
    assert "idle-without-probes" in codes(opened("end: +60"))
    assert "idle-without-probes" not in codes(opened("end: +59"))


def test_silence_with_keepalive_on_is_not_called_unprobed():
    """Where probes were seen, keepalive is not off: then they stopped."""
    assert ["probes-stopped"] == codes(opened(PROBED + "end: +100"))


def test_probes_not_yet_overdue_have_not_stopped():
    """Twice the longest wait must pass before probes are said to have stopped."""
    assert [] == codes(opened(PROBED + "end: +11"))
    assert ["probes-stopped"] == codes(opened(PROBED + "end: +13"))


def test_outstanding_data_explains_why_no_probe_comes():
    """While its data is outstanding a prober is not said to have stopped."""
    judged = opened(PROBED + "+1   a > b  P.  6:7(1) ack 1\nend: +100")

    assert "probes-stopped" not in codes(judged)


def test_a_clock_that_went_back_makes_no_timing_finding():
    """Findings from spacing need a clock that runs forward."""
    assert ["clock-went-back"] == codes(scenario("clock_steps_back")[0])


@pytest.mark.parametrize(("gap", "found"), [(9, True), (11, False)])
def test_probing_is_aggressive_below_ten_seconds(gap, found):
    """Three gaps of under ten seconds between answered probes are aggressive."""
    judged = opened(
        f"""
+{gap}   a > b  .   5:5(0) ack 1
+.01 b > a  .   1:1(0) ack 6
"""
        * 4
        + "end: +1"
    )

    assert found == ("aggressive-probing" in codes(judged))


def test_two_gaps_are_no_rhythm():
    """Two gaps are too few to speak of a rhythm."""
    assert "aggressive-probing" not in codes(opened(PROBED + "end: +1"))


def test_a_window_closed_by_an_end_that_got_a_fin_matters_to_nobody():
    """After its FIN the peer sends no more, so a closed window holds nothing back."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7 win 0
end: +100
""")

    assert "window-closed" not in codes(judged)


def test_silence_before_the_failing_probe_is_measured_against_known_boxes():
    """A probe that fails after five minutes of silence points at boxes that forget sooner."""
    slow = opened("""
+300 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")
    quick = opened("""
+200 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")

    assert "idle-beyond-middlebox-limit" in codes(slow)
    assert "idle-beyond-middlebox-limit" not in codes(quick)


def test_a_box_is_named_once_per_limit():
    """The boxes that forget sooner come one per limit, shortest first, without those that probing cannot help."""
    limits = [row.idle_s for row in conditions.forgetful(700_000_000_000)]

    assert [240, 350, 600] == limits


def test_a_reset_right_after_a_probe_is_not_unprompted():
    """Only a RST that nothing asked for can be FIN-WAIT-2 given up by itself."""
    lines = (
        FIN
        + """
+30  b > a  .   0:0(0) ack 7
+.01 a > b  .   7:7(0) ack 1
+{wait}  a > b  R.  7:7(0) ack 1
"""
    )

    assert "fin-wait-2-expired" in codes(opened(lines.format(wait=30)))
    assert "fin-wait-2-expired" not in codes(opened(lines.format(wait=10)))


def test_silence_of_a_flow_with_no_activity_at_all_counts_from_its_last_segment():
    """A flow of nothing but keepalive forms has its silence measured from its last segment."""
    judged = scenario("midstream_octet_unproven")[0]
    case = Case(judged.record, judged.ending, "a", None)
    span = conditions.silence(case)

    assert span is None or span[0] < 10_000_000_000


def test_mid_connection_matters_only_with_probes_or_a_reset():
    """A start in mid-connection is worth saying only where something hangs on it."""
    plain = written("+0 a > b P. 100:105(5) ack 1\n+.01 b > a . 1:1(0) ack 105\nend: +1")

    assert [] == codes(plain)
    assert "midstream-start" in codes(scenario("midstream_live")[0])
