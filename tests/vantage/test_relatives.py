"""Two connections that carry the same data are told as those before and behind a proxy."""

import re

import pytest

from analyzer.errors import AnalyzerError
from analyzer.joining import join
from analyzer.refusing import NotJoinedError
from tests.vantages import ACK, FIN, PSH, RST, SYN, World

REPLY = b"200 OK, here it is"
PROXY = "203.0.113.7"


def talk(world, isn, data=b"GET / HTTP/1.1", *, fate_of, from_s=0.0, late_s=0.0):
    """Play a request and a reply that one point alone sees; ``late_s`` is how much later data comes by."""
    a, b = isn
    for at, sender, flags, seq, ack, body in (
        (0.0, "a", SYN, a, 0, b""),
        (0.1, "b", SYN | ACK, b, a + 1, b""),
        (0.2 + late_s, "a", ACK | PSH, a + 1, b + 1, data),
        (0.3 - late_s, "b", ACK | PSH, b + 1, a + 1 + len(data), REPLY),
    ):
        world.send(from_s + at, sender, flags, seq, ack, body, fate=fate_of[sender])


def proxied(world, *, behind=b"GET / HTTP/1.1"):
    """Play a connection to a proxy, which only A sees, and one from it, which only B sees, 10 ms later."""
    talk(world, (1000, 2000), fate_of={"a": "lost", "b": "made"})
    world.client = (PROXY, 51000)
    talk(world, (777_000, 888_000), behind, fate_of={"a": "made", "b": "lost"}, from_s=0.01, late_s=0.015)


def seen_apart(tmp_path, *, client, other=b"GET / HTTP/1.1"):
    """Return what is said of a connection at A and another at B."""
    made = World()
    talk(made, (1000, 2000), fate_of={"a": "lost", "b": "made"})
    made.client = client
    talk(made, (777_000, 888_000), other, fate_of={"a": "made", "b": "lost"})
    return [(each.point, each.why, each.other_point, each.other) for each in join(*made.write(tmp_path)).lone]


def test_the_same_data_with_other_numbers_and_addresses_is_a_proxy(tmp_path):
    """Each is told with the other, and nothing is joined by force."""
    assert [(0, "proxy", 1, 0), (1, "proxy", 0, 0)] == seen_apart(tmp_path, client=("203.0.113.7", 51000))


def test_the_same_addresses_with_other_numbers_are_renumbered(tmp_path):
    """A box that rewrites sequence numbers leaves addresses and ports alone."""
    found = seen_apart(tmp_path, client=("192.0.2.1", 40000))

    assert [(0, "renumbered", 1, 0), (1, "renumbered", 0, 0)] == found


def test_another_connection_of_the_same_host_and_service_is_none_of_a_proxy(tmp_path):
    """A program says the same in each of its connections: two runs of it are refused, with what reads both."""
    with pytest.raises(NotJoinedError) as error:
        seen_apart(tmp_path, client=("192.0.2.1", 40007))

    assert "both have connections from 192.0.2.1 to 198.51.100.1:443, but not the same ones" in str(error.value)
    assert "keepalive report reads both side by side" in str(error.value)


@pytest.mark.parametrize("offset_s", [0.0, 37.25, -10_800.0])
@pytest.mark.parametrize("swap", [False, True], ids=["A B", "B A"])
def test_what_a_proxy_passes_on_bounds_the_clocks(tmp_path, offset_s, swap):
    """Where no packet is at both points, data that is tells the offset, and which half is nearer to the client."""
    made = World(offset_s=offset_s)
    proxied(made)

    found = join(*made.write(tmp_path, swap=swap))

    (pair,) = found.halves
    assert (True, int(swap)) == (pair.ordered, pair.front.point)
    clock = found.points[1].clock.first
    assert clock.low_ns <= (-offset_s if swap else offset_s) * 1e9 <= clock.high_ns
    assert clock.high_ns - clock.low_ns < 100_000_000


@pytest.mark.parametrize("more_s", [20, 3000])
def test_halves_of_which_one_lasts_longer_belong_together(tmp_path, more_s):
    """A half that is reset, while nobody tells the other, is still that proxy's; so is one that carried more since."""
    made = World()
    proxied(made)
    made.send(0.5, "b", ACK | PSH, 888_001 + len(REPLY), 777_015, b"and more", fate="lost")
    made.send(more_s, "b", ACK | PSH, 888_009 + len(REPLY), 777_015, b"and more, that nobody hears", fate="lost")
    made.client = ("192.0.2.1", 40000)
    made.send(0.6, "b", RST | ACK, 2001 + len(REPLY), 1015, fate="made")

    (pair,) = join(*made.write(tmp_path)).halves

    verdicts = [half.flow.judged.ending.verdict.value for half in (pair.front, pair.back)]
    assert "aborted" == verdicts[0] != verdicts[1]


def test_other_data_is_no_proxy(tmp_path):
    """Data of the same length that differs behind its beginning is other data."""
    made = World()
    talk(made, (1000, 2000), b"GET /one/two/three HTTP/1.1", fate_of={"a": "lost", "b": "made"})
    made.client = (PROXY, 51000)
    talk(made, (777_000, 888_000), b"GET /one/two/three HTTP/1.0", fate_of={"a": "made", "b": "lost"})
    made.client = ("192.0.2.9", 9)  # something that both points have
    made.send(1, "a", SYN, 5, 0)

    assert not join(*made.write(tmp_path)).halves


def test_several_that_carry_the_same_are_not_told_apart(tmp_path):
    """Of two connections that carry the same none is said to be the other half."""
    made = World()
    proxied(made)
    made.client = ("192.0.2.1", 40000)
    talk(made, (31_000, 32_000), fate_of={"a": "lost", "b": "made"}, from_s=1)
    made.client = ("192.0.2.9", 9)
    made.send(3, "a", SYN, 5, 0)

    assert not join(*made.write(tmp_path)).halves


def both_halves(tmp_path, back, *, from_s=0.0, late_s=0.01):
    """Write one capture with two connections, of which the other is from ``back``; return it joined with itself."""
    made = World()
    talk(made, (1000, 2000), fate_of={"a": "lost", "b": "made"})
    made.send(0.5, "a", FIN | ACK, 1015, 2001 + len(REPLY), fate="lost")
    made.client, made.server = back, ("198.51.100.77", 8080)
    talk(made, (777_000, 888_000), fate_of={"a": "lost", "b": "made"}, from_s=from_s, late_s=late_s)
    frames = sorted(made.frames["A"], key=lambda frame: frame[0])
    made.frames = {"A": frames, "B": frames}
    path, _ = made.write(tmp_path)
    return join(path)


def test_both_connections_of_a_proxy_in_one_capture_belong_together(tmp_path):
    """A capture on the proxy's host has what comes in before what goes on, and what comes back the other way round."""
    (pair,) = both_halves(tmp_path, (PROXY, 51000)).halves

    assert (0, 1, True) == (pair.front.number, pair.back.number, pair.ordered)


@pytest.mark.parametrize(
    ("back", "from_s"), [(("192.0.2.1", 51000), 0.0), ((PROXY, 51000), 0.05)], ids=["same client", "replied later"]
)
def test_alike_connections_of_one_capture_are_no_proxy(tmp_path, back, from_s):
    """Two of one client, or such as are not one within the other in time, carry the same by chance."""
    with pytest.raises(AnalyzerError, match="has every packet once"):
        both_halves(tmp_path, back, from_s=from_s, late_s=0.0 if from_s else 0.01)


@pytest.mark.parametrize("swap", [False, True], ids=["A B", "B A"])
@pytest.mark.parametrize("change", ["headers", "TLS"])
def test_a_proxy_that_changes_what_it_passes_on_pairs_nothing(tmp_path, change, swap):
    """Two connections whose data differ are not matched by addresses or times; that one host has both is said."""
    made = World()
    talk(made, (1000, 2000), b"GET / HTTP/1.1", fate_of={"a": "lost", "b": "made"})
    made.client, made.server = (made.server[0], 51000), ("198.51.100.9", 8080)
    behind = {"headers": b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1", "TLS": bytes(range(14))}[change]
    talk(made, (777_000, 888_000), behind, fate_of={"a": "made", "b": "lost"}, from_s=0.01, late_s=0.015)
    client, server = made.write(tmp_path)

    said = f"198.51.100.1 answers in {client} and begins connections in {server}: if it is a proxy that changes"
    with pytest.raises(AnalyzerError, match=re.escape(said)):
        join(*made.write(tmp_path, swap=swap))


@pytest.mark.parametrize("later_s", [0.0, 5.0], ids=["as soon", "5 s later"])
def test_the_same_data_at_other_times_is_no_proxy(tmp_path, later_s):
    """Where no one clock has everything passed on after it came, both carry the same by chance."""
    made = World()
    for client, server, isn, fate_of, from_s, wait_s in (
        (made.client, made.server, (1000, 2000), {"a": "lost", "b": "made"}, 0.0, 0.0),
        ((PROXY, 51000), ("203.0.113.9", 443), (777_000, 888_000), {"a": "made", "b": "lost"}, 0.01, later_s),
    ):
        made.client, made.server = client, server
        talk(made, isn, fate_of=fate_of, from_s=from_s, late_s=0.015 if from_s else 0.0)
        a, b = isn[0] + 15, isn[1] + 1 + len(REPLY)
        made.send(from_s + 2 + wait_s, "a", ACK | PSH, a, b, b"once more", fate=fate_of["a"])
        made.send(from_s + 2.1 + wait_s - 0.03, "b", ACK | PSH, b, a + 9, b"once more, too", fate=fate_of["b"])

    if later_s:
        with pytest.raises(AnalyzerError, match="no packet in common"):
            join(*made.write(tmp_path))
    else:
        assert 1 == len(join(*made.write(tmp_path)).halves)
