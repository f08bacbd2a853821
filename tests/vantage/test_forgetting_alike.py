"""Whatever happens in connections, as many are said to have something to tell when the others are forgotten."""

import random

import pytest

from analyzer.joining import join
from tests.vantage.test_forgetting import in_small_pieces
from tests.vantages import ACK, FIN, PSH, RST, SYN, World

KINDS = ("plain", "plain", "lost", "cut", "reset", "lost ack", "probes", "dup acks", "middle")
DATA = b"0123456789"


def played(seed, **world):
    """Play connections one after the other, in each of which something may happen."""
    dice, made = random.Random(seed), World(offset_s=37.25, ppm=100, **world)
    for number in range(40):
        made.client = ("192.0.2.1", 40000 + number)
        connection(made, 10.0 * number, 100 + 100_000 * number, 500 + 100_000 * number, dice.choice(KINDS))
    return made


def connection(world, at_s, a, b, kind):
    """Play one: a download from ``b``."""
    if kind != "middle":
        world.send(at_s, "a", SYN, a - 1, 0, mss=1460)
        world.send(at_s + 0.001, "b", SYN | ACK, b - 1, a, mss=1460)
        world.send(at_s + 0.002, "a", ACK, a, b)
    for packet in range(30):
        sent = at_s + 0.01 + packet * 0.02
        if kind == "cut" and packet % 5 == 0:  # two points have the same data in other pieces
            world.send(sent, "b", ACK | PSH, b, a, DATA * 2, missed="B")
            world.send(sent, "b", ACK | PSH, b, a, DATA, missed="A")
            world.send(sent + 0.0001, "b", ACK | PSH, b + 10, a, DATA, missed="A")
            b += 10
        else:
            is_lost = kind == "lost" and packet == 11
            world.send(sent, "b", ACK | PSH, b, a, DATA, fate="lost" if is_lost else "both")
            if is_lost:
                world.send(sent + 0.3, "b", ACK | PSH, b, a, DATA)
        b += 10
        world.send(sent + 0.015, "a", ACK, a, b, fate="lost" if kind == "lost ack" and packet == 9 else "both")
        for again in range(3 if kind == "dup acks" and packet == 9 else 0):
            world.send(sent + 0.016 + again * 0.0005, "a", ACK, a, b)
    for probe in range(3 if kind == "probes" else 0):
        world.send(at_s + 2 + probe * 1.5, "a", ACK, a - 1, b)
        world.send(at_s + 2.001 + probe * 1.5, "b", ACK, b, a)
    if kind == "reset":
        world.send(at_s + 7, "b", RST | ACK, b, a)
        return
    world.send(at_s + 7, "b", ACK | FIN, b, a)
    world.send(at_s + 7.01, "a", ACK | FIN, a, b + 1)
    world.send(at_s + 7.02, "b", ACK, b + 1, a + 1)


@pytest.mark.parametrize(
    ("seed", "world"),
    [(1, {}), (2, {"timestamps": False}), (3, {"ids": False, "nat": "203.0.113.9"})],
    ids=["plain", "no timestamps", "behind NAT, no IP IDs"],
)
def test_as_many_have_something_to_tell(tmp_path, monkeypatch, seed, world):
    """The first that are told are those of all, and so are the numbers of the others, quiet ones and lone flows."""
    paths = played(seed, **world).write(tmp_path)
    whole = join(*paths, jit=False)
    in_small_pieces(monkeypatch)
    for most in (None, 1, 5):
        few = join(*paths, jit=False, keep_all=False, most=most)
        assert len(few.eventful) + few.more == len(whole.eventful)
        assert few.eventful[:most] == whole.eventful[:most]
        assert (len(few.flows), len(few.lone)) == (len(whole.flows), len(whole.lone))
