"""Flows that fell silent together."""

from tests.track.test_beside import Made


def two(*, sign_s=None):
    """Two flows with one host, last heard at 10 s and at 30 s, that both ask in vain from 60 s on."""
    made = Made()
    made.opened(1)
    made.opened(2, port=40001)
    for at_s, port in ((10, 40000), (30, 40001)):
        made.a(at_s, seq=0, port=port)
        made.b(at_s + 0.001, port=port)
    made.in_vain(60, 62, 64)
    made.in_vain(61, 63, 65, port=40001)
    if sign_s is not None:
        made.b(sign_s, port=40002)
    return made


def shared(made, tmp_path):
    """How many flows with the same host fell silent with each flow, and since when each is silent, in seconds."""
    found = made.testimony(tmp_path)
    return [(about["shared_peer"], about["since_ns"] // 10**6) for about in found if about["silent"]]


def test_flows_that_were_heard_at_different_times_share_an_outage(tmp_path):
    """What one flow heard of a host before the other one asked in vain says that both fell silent since."""
    (one, early_ms), (two_, late_ms) = shared(two(), tmp_path)

    assert (one, two_) == (1, 1)
    assert late_ms - early_ms == 20_000


def test_a_host_that_was_heard_after_the_question(tmp_path):
    """Where the host was heard after both flows had asked in vain, nothing brings flows together that idled long."""
    assert [number for number, _ in shared(two(sign_s=63.5), tmp_path)][:2] == [0, 0]
