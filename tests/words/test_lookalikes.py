"""Segments in the form of a probe that are none, in words."""

from analyzer.judge.probe import NOT_PROBE_WORDS
from analyzer.words.lookalikes import LOOKS, lookalikes_text, may_be_probes


def test_each_kind_is_counted_in_its_words():
    """Kinds come in a fixed order, one or several of each, and those that are not there are not named."""
    assert "1 retransmitted byte, 3 overtaken ACKs" == lookalikes_text(
        {"stale_ack": 3, "retransmission": 1, "first": 7}
    )


def test_every_kind_of_the_report_has_words():
    """Whatever word the report has for a segment that is no probe, there are words for a reader."""
    assert set(NOT_PROBE_WORDS.values()) < set(LOOKS)


def test_what_is_undecided_is_not_called_none():
    """An overtaken ACK is no probe; of what nothing proves, or under a closed window, some may be one."""
    assert not may_be_probes({"stale_ack": 3, "unproven": 0})
    assert may_be_probes({"stale_ack": 3, "unproven": 1})
    assert may_be_probes({"keepalive_or_zero_window_probe": 1})
