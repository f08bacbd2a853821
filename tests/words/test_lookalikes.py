"""Segments in the form of a probe that are none, in words."""

from analyzer.judge.record import NOT_PROBE_WORDS
from analyzer.words.lookalikes import LOOKS, lookalikes_text


def test_each_kind_is_counted_in_its_words():
    """Kinds come in a fixed order, one or several of each, and those that are not there are not named."""
    assert "1 octet sent again, 3 overtaken ACKs" == lookalikes_text({"stale_ack": 3, "retransmission": 1, "first": 7})


def test_every_kind_of_the_report_has_words():
    """Whatever word the report has for a segment that is no probe, there are words for a reader."""
    assert set(NOT_PROBE_WORDS.values()) < set(LOOKS)
