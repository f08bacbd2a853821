"""Segments that look like keepalive."""

from analyzer import explain
from tests.judging import captured


def test_segments_are_counted_by_what_they_are():
    """The segments that Wireshark labels are counted by what they really are."""
    (judged,), _ = captured("lab/telnet_lost_byte.pcap")
    found = judged.finding("not-keepalive-lookalikes")

    assert {"retransmission": 12} == found.data
    assert "The client sent 12 retransmitted bytes" in explain.detail(found, judged)
