"""Captures from several points become one story, whatever clocks, addresses and file formats they have."""

import struct
from pathlib import Path

import pytest

from analyzer.errors import AnalyzerError
from analyzer.joining import join
from tests.judging import CAPTURES
from tests.vantages import ACK, FIN, PSH, RST, SYN, World, fates, keepalive, pcap

LAB = CAPTURES / "lab"

WORLDS = {
    "plain": {},
    "ahead by 37.25 s": {"offset_s": 37.25},
    "hours behind": {"offset_s": -3 * 3600.0},
    "drifting 150 ppm": {"offset_s": 37.25, "ppm": 150.0},
    "drifting -200 ppm": {"ppm": -200.0},
    "set meanwhile": {"step": (9.0, 5.0)},
    "NAT": {"nat": "203.0.113.9"},
    "NAPT": {"nat": "203.0.113.9", "nat_port": 61234},
    "IPv6": {"ipv6": True, "client": ("2001:db8::1", 40000), "server": ("2001:db8:1::1", 443)},
    "nothing but numbers": {"timestamps": False, "ids": False, "offset_s": 12.0},
    "timestamps stripped": {"change": {"strip": 8}},
    "a bridge": {"hops": 0, "offset_s": -7.5},
    "slow path": {"delay_ns": 300_000_000},
}


def played(**world):
    """Return a world in which probes and answers were lost and a RST ended it, and what it did."""
    made = World(**world)
    a, b = keepalive(made, lost=(2, 5, 6), answers_lost=(3,))
    made.send(19.0, "a", RST | ACK, a + 31, b + 1, fate="lost")
    made.send(25.0, "b", ACK | PSH, b + 1, a + 31, b"are you there", fate="both")
    return made


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("swap", [False, True], ids=["A B", "B A"])
def test_every_fate_is_what_the_router_did(tmp_path, world, swap):
    """Each packet's fate is what was done to it, whichever capture is named first and however clocks stand."""
    made = played(**world)

    found = join(*made.write(tmp_path, swap=swap))

    assert sorted(made.truth, key=str) == fates(found, swapped=swap)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_clocks_are_within_their_bounds(tmp_path, world):
    """The true offset lies within the bounds that are given for it."""
    made = played(**world)

    clock = join(*made.write(tmp_path)).points[1].clock

    first = clock.first
    since_ns = first.at_ns - made.frames["B"][0][0]
    true_ns = round(made.offset_s * 1e9) + round(since_ns * made.ppm / 1e6)
    assert first.low_ns <= true_ns <= first.high_ns
    assert first.drift_low <= made.ppm / 1e6 <= first.drift_high
    assert (2 if made.step else 1) == len(clock.pieces)


@pytest.mark.parametrize(
    "files",
    [
        {"forms": ("gz", "pcapng")},
        {"snaplen": 66},
        {"parts": (slice(7, None), None)},
        {"parts": (None, slice(9, None))},
    ],
    ids=["gzip and pcapng", "snaplen 66", "A began later", "B began later"],
)
def test_files_of_other_kinds_and_lengths_join_alike(tmp_path, files):
    """What is lost stays lost in other formats, cut packets and captures that began later, and nothing else is."""
    made = played(offset_s=37.25)

    found = join(*made.write(tmp_path, **files))

    assert [2, 5, 6] == [
        number for number, probe in enumerate(probes_of(found)) if probe.crossing.fate.value == "lost"
    ] or files.get("parts")
    assert {"lost"} == {fate for fate, *_ in fates(found)} - {"both", "not_captured"}


def probes_of(found):
    """Return the probes of the first connection."""
    return found.flows[0].probes


def test_a_hole_of_one_capture_is_no_loss(tmp_path):
    """What was acknowledged or answered from beyond a point had passed it, though its capture lacks it."""
    made = World()
    a, b = keepalive(made, probes=2)
    made.send(8.0, "a", ACK | PSH, a + 31, b + 1, b"0123456789", missed="B")
    made.send(8.01, "b", ACK, b + 1, a + 41)
    made.send(10.0, "a", ACK, a + 40, b + 1, missed="B")
    made.send(10.01, "b", ACK, b + 1, a + 41)
    made.send(12.0, "b", ACK | PSH, b + 1, a + 41, b"abc", missed="B")
    made.send(12.01, "a", ACK, a + 41, b + 4)
    made.send(14.0, "b", ACK | PSH, b + 4, a + 41, b"abc")

    assert sorted(made.truth, key=str) == fates(join(*made.write(tmp_path)))


def test_a_reset_made_between_is_proven(tmp_path):
    """A RST that its sender's own capture does not have, while it goes on, was made between; so `by` is proven."""
    made = World(offset_s=100.0)
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1, fate="lost")
    made.send(8.001, "b", RST, b + 1, 0, fate="made")
    made.send(20.0, "b", ACK | PSH, b + 1, a + 31, b"still here", fate="lost")

    (flow,) = join(*made.write(tmp_path)).flows

    assert ("reset_on_probe", "between", True, (1, 0)) == (
        flow.ending.verdict,
        flow.ending.by,
        flow.ending.proven,
        flow.ending.between,
    )
    assert ["answered"] * 3 + ["reset"] == [probe.outcome for probe in flow.probes]


def test_a_reset_that_left_its_sender_is_its_own(tmp_path):
    """A RST that passed the point nearest to its sender was not made between the points."""
    made = World(offset_s=-0.5)
    a, b = keepalive(made, probes=3)
    made.send(8.0, "a", ACK, a + 30, b + 1)
    made.send(8.001, "b", RST, a + 31, 0, ttl=64)
    made.frames["A"].pop()
    made.frames["B"].pop()
    made.truth.pop()
    made.send(8.001, "b", RST, b + 1, 0)

    (flow,) = join(*made.write(tmp_path)).flows

    assert ("reset_on_probe", "b", True) == (flow.ending.verdict, flow.ending.by, flow.ending.proven)


def test_what_changed_on_the_way_is_told(tmp_path):
    """MSS, window, options and data that a box changed are told apart from what it left alone."""
    made = World(change={"mss": 1380, "window": 499, "strip": 8, "data": b"X"})
    keepalive(made, probes=2)

    (flow,) = join(*made.write(tmp_path)).flows

    assert {"ttl", "mss", "window", "option_stripped", "payload"} == {
        change.what for change in flow.changes if change.sender == "a"
    }


def test_ports_that_are_used_again_are_other_connections(tmp_path):
    """Two connections on the same addresses, one behind the other, are joined each with its own."""
    made = World(offset_s=5.0)
    a, b = keepalive(made, probes=1)
    made.send(5.0, "a", FIN | ACK, a + 31, b + 1)
    made.send(5.01, "b", FIN | ACK, b + 1, a + 32)
    made.send(5.02, "a", ACK, a + 32, b + 2)
    made.send(7.0, "a", SYN, 500_000, 0, mss=1460)
    made.send(7.01, "b", SYN | ACK, 900_000, 500_001, mss=1460)
    made.send(7.02, "a", ACK, 500_001, 900_001)
    made.send(9.0, "a", ACK | PSH, 500_001, 900_001, b"gone", fate="lost")
    made.send(10.0, "a", ACK | PSH, 500_001, 900_001, b"gone")

    found = join(*made.write(tmp_path))

    assert sorted(made.truth, key=str) == fates(found)
    assert [(0, 0), (1, 1)] == [tuple(part.flow for part in flow.parts) for flow in found.flows]


def test_a_connection_from_its_middle_is_joined(tmp_path):
    """Nothing but probes and answers is enough."""
    made = World(offset_s=1000.0)
    keepalive(made, middle=True, lost=(3,), answers_lost=(5,))

    assert sorted(made.truth, key=str) == fates(join(*made.write(tmp_path)))


@pytest.mark.parametrize(
    ("name", "outcomes", "by"),
    [
        ("fw_silent_drop", ["answered"] * 2 + ["lost"] * 5, ("a", True)),
        ("fw_reject_rst", ["answered"] * 3 + ["reset"], ("between", True)),
        ("nat_idle_expired", ["lost"] * 3, ("a", True)),
    ],
)
def test_captures_of_the_lab_show_what_its_rules_did(name, outcomes, by):
    """The probes that a firewall or an expired translation took are lost, and RSTs are whose they are."""
    (flow,) = join(LAB / f"{name}.pcap", LAB / f"{name}.peer.pcap").flows

    assert outcomes == [probe.outcome for probe in flow.probes]
    assert by == (flow.ending.by, flow.ending.proven)


def test_two_legs_of_one_capture_are_two_points():
    """What a router's capture has once of a packet that it should have twice, it did not pass on."""
    found = join(LAB / "any_router_sll.pcap")

    (flow,) = found.flows
    assert [(0, 0), (0, 1)] == [(point.capture, point.leg) for point in found.points]
    assert ["answered"] * 3 + ["lost"] * 4 == [probe.outcome for probe in flow.probes]


@pytest.mark.parametrize("ids", [True, False], ids=["with IP IDs", "without"])
def test_a_loss_beside_what_a_capture_missed_is_not_proven(tmp_path, ids):
    """Whether a probe was lost or not captured nothing tells where the exchange before it was not captured either."""
    made = World(ids=ids, timestamps=False, offset_s=3600.5)
    a, b = keepalive(made, probes=2)
    for at_s, missed, gone in ((10, "B", False), (20, "", True), (21, "", False), (30, "", False)):
        made.send(at_s, "a", ACK, a + 30, b + 1, fate="lost" if gone else "both", missed=missed)
        if not gone:
            made.send(at_s + 0.02, "b", ACK, b + 1, a + 31, missed=missed)

    (flow,) = join(*made.write(tmp_path)).flows

    assert ["answered"] * 3 + ["unproven"] + ["answered"] * 2 == [probe.outcome for probe in flow.probes]
    assert {"not_captured", "unproven", "both"} >= {probe.crossing.fate.value for probe in flow.probes}


def test_hole_of_one_capture_is_no_loss(tmp_path):
    """Probes and answers that fell into a hole passed: their answers came to the other point, and fit who sent them."""
    made = World(offset_s=-10800, ppm=-200)
    keepalive(made, probes=20, lost=(12,), answers_lost=(15,))
    made.frames["B"] = made.frames["B"][:12] + made.frames["B"][20:]

    (flow,) = join(*made.write(tmp_path)).flows

    assert {"both": 28, "lost": 2, "not_captured": 8, "made": 0, "unproven": 0, "changed": 0} == flow.counts | {
        "both": 28
    }
    assert ["lost"] == [probe.outcome for probe in flow.probes if probe.outcome not in {"answered", "answer_lost"}]
    assert 12 == [probe.outcome for probe in flow.probes].index("lost")


def test_rotated_files_are_one_point(tmp_path):
    """Files of one series are one point, whatever order they are named in, and their frames count through."""
    made = World()
    keepalive(made, probes=6, lost=(3,))
    client, server = made.write(tmp_path)
    (tmp_path / "server_1.pcap").write_bytes(pcap(made.frames["B"][:9]))
    (tmp_path / "server_2.pcap").write_bytes(pcap(made.frames["B"][9:]))
    whole = join(client, server)

    found = join(client, tmp_path / "server_2.pcap", tmp_path / "server_1.pcap")

    assert fates(whole) == fates(found)
    assert ["server_1.pcap", "server_2.pcap"] == [Path(path).name for path in found.points[1].paths]
    assert len(made.frames["B"]) == found.points[1].frames
    alone = refusal(tmp_path / "server_1.pcap", tmp_path / "server_2.pcap")
    assert "their names differ only in digits: they are read as rotated files of one point; " in alone


def test_points_whose_names_differ_in_a_digit_are_two(tmp_path):
    """Captures of the same time are no rotated files, whatever they are called."""
    made = World()
    keepalive(made)
    for number, point in enumerate("AB", start=1):
        (tmp_path / f"point{number}.pcap").write_bytes(pcap(made.frames[point]))

    assert 2 == len(join(tmp_path / "point1.pcap", tmp_path / "point2.pcap").points)


def test_bad_input_is_refused_in_one_sentence(tmp_path):
    """What cannot be joined is refused with its reason."""
    one, other = LAB / "fw_reject_rst.pcap", LAB / "loss_acks.peer.pcap"
    made = World()
    keepalive(made)
    made.frames["B"] = made.frames["A"][10:]
    early, late = made.write(tmp_path, parts=(slice(0, 10), None))

    rotated = f"{early} and {late} have no packet in common: the second goes on where the first ends, with the same "
    rotated += "flows, so they are most likely of one point; report reads both as one"

    nothing = "have no packet in common, and no connections that carry the same data, as those of a proxy would"

    said = [refusal(*paths) for paths in ((one, one), (one, other), (one,), (), (early, late), (other, one, one))]

    assert [
        f"{one} is named twice: a capture has nothing to tell about itself",
        f"{one} and {other} {nothing}",
        f"{one} has every packet once: name a capture from another point as well",
        "no capture named",
        rotated,
        f"{one} is named twice: a capture has nothing to tell about itself",
    ] == said


@pytest.mark.parametrize("alike", ["probes", "data sent again"])
def test_a_capture_that_goes_on_where_another_ends_is_of_the_same_point(tmp_path, alike):
    """What is alike in both, by chance or because it was sent again, makes no two points of them."""
    made = World(timestamps=False, ids=False)
    if alike == "probes":
        keepalive(made)
    else:
        for number in range(20):
            made.send(number / 10, "a", ACK | PSH, 100 + number, 7, b"x")
        made.send(2.0, "a", ACK | PSH, 109, 7, b"x")
    made.frames["B"] = made.frames["A"][11:]
    early, late = made.write(tmp_path, parts=(slice(0, 11), None))

    assert (
        f"{early} and {late} have hardly a packet in common: the second goes on where the first ends, with the same "
        "flows, so they are most likely of one point; report reads both as one"
    ) == refusal(late, early)


def test_a_capture_without_packets_is_named(tmp_path):
    """What has no packets, or none of TCP, is said to have none, alone and beside another."""
    empty, other = tmp_path / "empty.pcap", tmp_path / "other.pcap"
    empty.write_bytes(pcap([]))
    other.write_bytes(pcap([(1_700_000_000_000_000_000, bytes(12) + b"\x08\x06" + bytes(28))]))

    said = [refusal(*paths) for paths in ((empty,), (LAB / "loss_acks.pcap", empty), (other,))]

    assert [f"{empty} has no packets: there is nothing to join"] * 2 == said[:2]
    assert f"{other} has no TCP segments in 1 frame: there is nothing to join" == said[2]


def refusal(*paths):
    """Return why captures are not joined."""
    with pytest.raises(AnalyzerError) as refused:
        join(*paths)
    return str(refused.value)


def rewritten(path, folder, *, times):
    """Write a capture with neighbours in the other order, each with its own time or, with ``times``, its neighbour's.

    Returns the path and the frames of the original, in that order.
    """
    octets, at, frames = path.read_bytes(), 24, []
    while at < len(octets):
        seconds, rest, captured, _ = struct.unpack_from("<IIII", octets, at)
        frames.append((seconds * 10**9 + rest * 1000, octets[at + 16 : at + 16 + captured]))
        at += 16 + captured
    order = list(range(len(frames)))
    for at in range(0, len(frames) - 1, 2):
        if frames[at + 1][0] - frames[at][0] < 100_000:
            order[at : at + 2] = at + 1, at
    written = folder / path.name
    written.write_bytes(pcap([(frames[at if times else was][0], frames[was][1]) for at, was in enumerate(order)]))
    return written, [was + 1 for was in order]


@pytest.mark.parametrize("which", [(True, False), (False, True), (True, True)], ids=["A", "B", "both"])
@pytest.mark.parametrize("times", [True, False], ids=["times of the place", "own times"])
@pytest.mark.parametrize("name", ["loss_acks", "fw_silent_drop", "fw_reject_rst"])
def test_packets_written_in_another_order_have_the_same_fates(tmp_path, name, times, which):
    """A point that hands over packets in another order, by microseconds, changes no fate, and its clock was not set."""
    paths = [LAB / f"{name}.pcap", LAB / f"{name}.peer.pcap"]
    moved, was = zip(
        *(
            rewritten(path, tmp_path, times=times) if chosen else (path, range(1, 10_000))
            for path, chosen in zip(paths, which, strict=True)
        ),
        strict=True,
    )

    def told(found, names):
        return sorted(
            (crossing.fate.value, sorted((sight.point, names[sight.point][sight.frame - 1]) for sight in crossing.seen))
            for flow in found.flows
            for crossing in (*flow.notable, *flow.others)
        )

    found = join(*moved)

    assert told(join(*paths), (range(1, 10_000),) * 2) == told(found, was)
    piece = found.points[1].clock.first
    assert piece.low_ns <= 2000
    assert piece.high_ns >= -2000
    assert 1 == len(found.points[1].clock.pieces)
