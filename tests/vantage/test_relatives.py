"""Two connections that carry the same data are told as those before and behind a proxy."""

from analyzer.joining import join
from tests.vantages import ACK, PSH, SYN, World


def talk(world, isn, data=b"GET / HTTP/1.1", *, fate_of):
    """Play a request and a reply that one point alone sees."""
    a, b = isn
    for at, sender, flags, seq, ack, body in (
        (0.0, "a", SYN, a, 0, b""),
        (0.1, "b", SYN | ACK, b, a + 1, b""),
        (0.2, "a", ACK | PSH, a + 1, b + 1, data),
        (0.3, "b", ACK | PSH, b + 1, a + 1 + len(data), b"200 OK, here it is"),
    ):
        world.send(at, sender, flags, seq, ack, body, fate=fate_of[sender])


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
