"""Why ends say that they end a connection."""

from analyzer.judge.farewells import ANSWERED, MISSES, NAMES, PORTS, REASONS, SAID_BY_EITHER, is_of_heartbeats


def test_each_reason_has_a_name_of_its_own():
    """What a reader is told names one reason, and which of them speak of heartbeats is known by it."""
    assert len(set(NAMES)) == len(NAMES) == 1 + len(REASONS)
    assert is_of_heartbeats("BGP NOTIFICATION 4/0, hold timer expired")
    assert not is_of_heartbeats("BGP NOTIFICATION 6/2, administrative shutdown")
    assert not is_of_heartbeats(None)
    assert [NAMES[place] for place in MISSES] == [name for name in NAMES if is_of_heartbeats(name)]


def test_ports_are_of_protocols_that_have_reasons():
    """Only where something can be read is a port looked at, and what is said of its protocol is said of one there."""
    assert set(PORTS.values()) <= {reason.protocol for reason in REASONS}
    assert ANSWERED | SAID_BY_EITHER <= set(PORTS.values())
