"""A judged flow answers for its ends and its findings."""

from tests.judging import captured


def test_settings_are_those_of_one_end():
    """Each end's settings are inferred from its own probes."""
    (judged,), _ = captured("founding_go_fin60.pcap")

    assert (judged.inferred[0], judged.inferred[1]) == (judged.settings("a"), judged.settings("b"))
    assert 5_000_000_000 == judged.settings("b").idle.value_ns


def test_a_finding_is_looked_up_by_its_code():
    """The first finding with a code is returned, and None where there is none."""
    (judged,), _ = captured("founding_go_fin60.pcap")

    assert judged.findings[0] is judged.finding(judged.findings[0].code)
    assert None is judged.finding("no-such-code")
