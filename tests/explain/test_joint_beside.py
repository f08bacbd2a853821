"""What is told of frames beside a connection that several points saw."""

import socket
import struct

import pytest

from analyzer.explain.joined import joint_story
from analyzer.joining import join
from tests.vantages import ACK, START_NS, World, keepalive


def story(made, folder):
    """Return the story of the first connection."""
    joined = join(*made.write(folder))
    return joint_story(joined.flows[0], joined.points, joined.zero)


def refuse(made, at_s, quoted, *, point="A", by="192.0.2.254"):
    """Have a router tell the client by ICMP that it does not pass a frame on: communication prohibited."""
    packet = made.frames[point][quoted - 1][1][14:]
    body = struct.pack("!BBHI", 3, 13, 0, 0) + packet[:28]
    source, target = socket.inet_aton(by), packet[12:16]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0) + source + target
    made.frames[point].append(
        (made._clock_ns(point, START_NS + round(at_s * 1e9)), bytes(12) + b"\x08\x00" + header + body)
    )


def refused(made, *, fate="lost"):
    """Play a connection whose probes a router refuses from some time on; both captures go on."""
    a, b = keepalive(made, probes=2)
    for at in range(3):
        made.send(100 + 10 * at, "a", ACK, a + 30, b + 1, fate=fate)
        refuse(made, 100.001 + 10 * at, len(made.frames["A"]))
    made.client = ("192.0.2.9", 41000)
    keepalive(made, isn=(500_000, 900_000), probes=20, every_s=10.0)


@pytest.mark.parametrize("offset_s", [0.0, 3600.0])
def test_who_refuses_is_named(tmp_path, offset_s):
    """ICMP of one capture says who lost what the other lacks: in the headline, as evidence, and who must act."""
    made = World(offset_s=offset_s)
    refused(made)

    told = story(made, tmp_path)
    beside = [line.text for line in told.section("What passed beside it").lines]

    assert told.headline.startswith("192.0.2.254 rejects this connection's packets: communication administratively")
    assert beside[0].startswith("192.0.2.254 sent the client 3 ICMP errors: communication administratively prohibited")
    assert beside[0].endswith("quoting a probe. [frames A 11, 13, 15]")
    assert beside[-1].startswith("Who must act: Whoever runs the packet filter at 192.0.2.254")


def test_what_both_points_have_is_told_once(tmp_path):
    """The same said by two captures stands once, with the frames of each, though their clocks differ by an hour."""
    made = World(offset_s=3600.0)
    a, b = keepalive(made, probes=2)
    for at in range(3):
        made.send(100 + 10 * at, "a", ACK, a + 30, b + 1)
        refuse(made, 100.001 + 10 * at, len(made.frames["A"]))
        refuse(made, 100.001 + 10 * at, len(made.frames["B"]), point="B", by="192.0.2.254")

    (line, *_) = story(made, tmp_path).section("What passed beside it").lines

    assert line.text.endswith("[frames A 11, 13, 15; B 11, 13, 15]")


def test_who_says_that_he_refused_what_passed_leads_nothing(tmp_path):
    """Where every packet is at all points, ICMP that says otherwise is shown, and is no cause."""
    made = World()
    refused(made, fate="both")

    told = story(made, tmp_path)
    beside = " ".join(line.text for line in told.section("What passed beside it").lines)

    assert "rejects" not in told.headline
    assert "ICMP errors" in beside
    assert "Who must act" not in beside
