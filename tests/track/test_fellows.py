"""What another connection of the same hosts and service survived."""

import pytest

from tests.causes.scenes import Shown, cause_of
from tests.track.test_beside import IP_C

PSH_ACK = 0x18


def connection(made, port, at_s, silence_s, *, survives):
    """A connection from this port whose client breaks a silence, answered or in vain."""
    made.opened(at_s, port=port)
    made.a(at_s + 1, PSH_ACK, data=b"howdy", port=port)
    made.b(at_s + 1.001, ack=6, port=port)
    then = at_s + 1 + silence_s
    made.a(then, PSH_ACK, seq=6, data=b"howdy", port=port)
    if survives:
        made.b(then + 0.001, ack=11, port=port)
        return
    for later_s in (0.3, 0.9, 2.1, 4.5, 9.3):
        made.a(then + later_s, PSH_ACK, seq=6, data=b"howdy", port=port)


def two(first_s, second_s, *, other_host=False):
    """One connection that survives a silence, and one of the same hosts, or of another, that does not."""
    made = Shown()
    connection(made, 40001, 0, first_s, survives=True)
    if other_host:
        made.ip_b = IP_C
    connection(made, 40002, 5, second_s, survives=False)
    return made


def test_a_fellow_that_survived_refutes_what_is_shorter():
    """A box that forgets after 240 s is not there where another connection of both survived 340 s."""
    made = two(340, 400)

    beside = made.judged(1).record.beside
    assert (339_999_001_000, 0) == (beside["fellow_ns"], beside["fellow_flow"])
    fits = next(cause for cause in made.judged(1).causes if cause.code == "idle-limit")
    assert "350 s" == fits.data["limits"]


@pytest.mark.parametrize("other_host", [False, True])
def test_no_limit_is_left_where_a_fellow_survived_longer(other_host):
    """A silence that a fellow survived broke no limit; a connection to another host says nothing of it."""
    made = two(340, 300, other_host=other_host)

    codes = [cause.code for cause in made.judged(1).causes]
    assert other_host == ("idle-limit" in codes)
    assert (made.judged(1).record.fellow_ns > 0) != other_host


def test_a_flow_is_no_fellow_of_its_own():
    """What a connection survived itself is not said of a fellow."""
    made = Shown()
    connection(made, 40001, 0, 100, survives=True)
    connection(made, 40001, 200, 100, survives=False)

    assert all(flow.judged.record.fellow_ns < 100_100_000_000 for flow in made._analysis.flows)
    alone = Shown()
    connection(alone, 40001, 0, 100, survives=False)
    assert 0 == alone.judged().record.fellow_ns
    assert cause_of(alone) is not None
