"""Causes against what kernels made true: captures of the lab's scenarios, played once and kept here."""

import struct
from pathlib import Path

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.track import beside as tables
from captures.recipes.lab import beside
from tests.capture.craft import Kept, ethernet, icmp, ipv4, pcap, tcp, udp
from tests.capture.test_announced import bpdu, dhcp, lldp
from tests.capture.test_beside import arp
from tests.causes.truth import EXPECTED, cause, probed

CAPTURES = Path(__file__).parent / "captures"


@pytest.mark.parametrize("name", EXPECTED)
def test_the_cause_is_the_true_one(name):
    """The cause is what was done to the peer, or is among those that are said to remain."""
    (path,) = CAPTURES.glob(f"{name}.pcap*")

    assert EXPECTED[name] == cause(probed(analyze(path)))


def test_every_scenario_has_its_cause():
    """Each scenario of the module stands in the table, with a capture."""
    names = {name for name in vars(beside) if name.startswith("beside_")}

    assert set(EXPECTED) == names == {path.name.partition(".")[0] for path in CAPTURES.iterdir()}


@pytest.mark.parametrize(("name", "machine"), [("beside_prohibited", "10.29.2.1"), ("beside_arp_silent", "10.19.0.1")])
def test_the_story_names_the_machine(name, machine):
    """Who must act is a machine with its address, not a program."""
    story = analyze(CAPTURES / f"{name}.pcap").flows[0].explain()

    assert machine in story.headline
    assert machine in story.section("Who must act").lines[0].text


def test_what_cannot_be_told_names_what_would():
    """A capture that was filtered to the port says which capture would have told."""
    story = analyze(CAPTURES / "beside_link_down_tcp_only.pcap").flows[0].explain()

    assert "port 4802 or arp or icmp or icmp6" in str(story)


def test_a_filter_that_a_capture_tells_is_told():
    """The filter of a pcapng stands in the evidence, and says why nothing beside the flow is there."""
    story = str(analyze(CAPTURES / "beside_filtered_to_port.pcapng").flows[0].explain())

    assert "filtered to 'tcp port 4818'" in story
    assert "cannot contain ARP" in " ".join(story.split())


def test_drops_of_a_capture_are_known():
    """What a capturing program dropped while it was stopped is known, and no flow is called dead for it."""
    analysis = analyze(CAPTURES / "beside_capture_drops.pcapng.gz")

    assert analysis.captures[0].dropped > 1000
    assert {flow.judged.ending.verdict.value for flow in analysis.flows} == {"open"}


PROVEN = sorted(name for name, expected in EXPECTED.items() if expected and expected[1] == "proven")
GATEWAY = bytes([203, 0, 113, 1])


def frames_of(name):
    """The frames of a scenario's capture, which is a pcap of this byte order, in microseconds."""
    octets, at, found = (CAPTURES / f"{name}.pcap").read_bytes(), 24, []
    while at < len(octets):
        seconds, rest_us, length, _ = struct.unpack_from("<IIII", octets, at)
        found.append(Kept(octets[at + 16 : at + 16 + length], seconds * 1_000_000_000 + rest_us * 1000))
        at += 16 + length
    return found


def amid(name, forge, count, folder):
    """What is concluded of a scenario amid so many frames of ``forge``, spread over all of it."""
    frames = frames_of(name)
    chance = np.random.default_rng(16)
    times = chance.integers(frames[0].ts_ns, frames[-1].ts_ns, count).tolist()
    frames += [Kept(forge(chance), at_ns) for at_ns in times]
    (folder / "amid.pcap").write_bytes(pcap(sorted(frames, key=lambda frame: frame.ts_ns)))
    return cause(probed(analyze(folder / "amid.pcap", jit=False)))


def of_strangers(chance):
    """A frame of a host that is not there: ARP, DHCP, LLDP, spanning tree, or some packet."""
    mac = int(chance.integers(1 << 32)) | 2 << 40
    here, there = (bytes([10, 200 + at, *chance.bytes(2)]) for at in (0, 1))
    made = (
        lambda: ethernet(arp(1, sender=here, target=there, mac=mac), 0x0806, src=mac),
        lambda: ethernet(arp(2, sender=here, target=here, mac=mac), 0x0806, src=mac),
        lambda: dhcp(int(chance.choice([1, 5, 7])), client=here, given=here, mac=mac, op=2),
        lambda: ethernet(lldp(chance.bytes(6), chance.bytes(4), int(chance.choice([0, 120]))), 0x88CC, src=mac),
        lambda: ethernet(bpdu(0, 1), 38, src=mac),
        lambda: ethernet(ipv4(udp(b"", 53), 17, src=here, dst=there), src=mac),
    )
    return made[int(chance.integers(len(made)))]()


def in_the_name_of(ends):
    """What makes up frames of two hosts, from elsewhere: packets, leases, errors about no segment of theirs."""

    def forge(chance):
        mac = int(chance.integers(1 << 32)) | 2 << 40
        here, there = ends[:: int(chance.choice([1, -1]))]
        quoted = ipv4(tcp(seq=int(chance.integers(1 << 32)), ports=(4800, 4800)), src=there, dst=here)
        made = (
            lambda: ethernet(ipv4(udp(b"", 53), 17, src=here, dst=there), src=mac),
            lambda: dhcp(int(chance.choice([1, 5, 7])), client=here, given=here, mac=mac, op=2),
            lambda: ethernet(
                ipv4(icmp(quoted, 3, int(chance.choice([0, 1, 3, 13]))), 1, src=GATEWAY, dst=there), src=mac
            ),
        )
        return made[int(chance.integers(len(made)))]()

    return forge


@pytest.mark.parametrize("name", PROVEN)
def test_a_flood_of_strangers_changes_no_proven_cause(name, tmp_path, monkeypatch):
    """Frames of many more made-up hosts than tables hold drive nothing out on which a proof rests."""
    monkeypatch.setattr(tables, "TABLES", tuple((dtype, 64) for dtype, _ in tables.TABLES))

    assert EXPECTED[name] == amid(name, of_strangers, 600, tmp_path)


@pytest.mark.parametrize(
    "name", [*PROVEN, "beside_filter_drops", "beside_link_down_tcp_only", "beside_forgotten_alone"]
)
def test_what_somebody_else_can_forge_proves_nothing(name, tmp_path):
    """Frames in the name of a flow's own hosts make no proof; that one was never heard again they can take away."""
    ends = next(frame.octets for frame in frames_of(name) if frame.octets[12:14] == b"\x08\0" and frame.octets[23] == 6)
    found = amid(name, in_the_name_of((ends[26:30], ends[30:34])), 60, tmp_path)

    assert found[1] != "proven" or found == EXPECTED[name]
    assert (found == EXPECTED[name]) or name not in set(PROVEN) - {"beside_link_down"}
