"""Segments that are too large for the path, where no ICMP error says so."""

from tests.judging import scenario, texts, told

MAY_BE = "What it may be, and how to find out"


def codes_of(name):
    """The causes of a scenario's flow."""
    return [cause.code for cause in scenario(name)[0].causes]


def test_what_was_lost_is_all_large():
    """Where a small segment came through and only full ones are retransmitted in vain, the path's MTU may be why."""
    assert "path-mtu" in codes_of("only_large_segments_in_vain")
    text = texts(told(scenario("only_large_segments_in_vain")[0]), MAY_BE)

    assert "All that was retransmitted in vain is large: 1,460 bytes or more, 4 times" in text
    assert "ping -M do" in text


def test_large_segments_had_passed():
    """Where as large segments had been acknowledged before, their size is not named."""
    assert "path-mtu" not in codes_of("large_segments_in_vain_where_large_ones_passed")


def test_small_data_in_vain():
    """Small data in vain says nothing of the path's MTU."""
    assert "path-mtu" not in codes_of("data_unanswered_until_its_ports_are_used_again")
