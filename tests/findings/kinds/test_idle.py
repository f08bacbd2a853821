"""Long silences."""

from analyzer.findings import Case
from analyzer.findings.kinds import idle
from tests.judging import codes, opened, scenario


def test_silence_without_probes_counts_from_a_minute():
    """A silence of a minute that nobody probes is found, a shorter one is not."""
    assert "idle-without-probes" in codes(opened("end: +60"))
    assert "idle-without-probes" not in codes(opened("end: +59"))


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
    limits = [row.idle_s for row in idle.forgetful(700_000_000_000)]

    assert [240, 350, 600] == limits


def test_silence_of_a_flow_with_no_activity_at_all_counts_from_its_last_segment():
    """A flow of nothing but keepalive forms has its silence measured from its last segment."""
    judged = scenario("midstream_octet_unproven")[0]
    case = Case(judged.record, judged.ending, "a", None)
    span = idle.silence(case)

    assert span is None or span[0] < 10_000_000_000


def test_the_limits_shorter_than_a_silence_are_listed():
    """Boxes that forget sooner than the silence lasted are named with their limits."""
    judged = opened("""
+400 a > b  .   5:5(0) ack 1
+75  a > b  .   5:5(0) ack 1
end: +80
""")
    limits = judged.finding("idle-beyond-middlebox-limit").data["limits"]

    assert "Azure Load Balancer 240 s" in limits
    assert "350 s" in limits
    assert "600 s" not in limits
