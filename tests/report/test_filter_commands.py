"""Filters to copy: what Wireshark and tcpdump select by them is what they say."""

import functools
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.analyzing import analyze
from analyzer.capture import tunnel
from analyzer.judge.judged import Finding
from analyzer.report import filter_commands as filters
from analyzer.track.flow import Endpoint
from tests.capture.craft import IP_A, IP_B, Kept, ipv4, pcap, tcp
from tests.wireshark.needs import needs_tcpdump, needs_tshark

CAPTURES = Path(__file__).parents[2] / "captures"
PICKED = (
    "founding_go_fin60.pcap",
    "lab/icmp_host_unreachable.pcap",
    "lab/ipv6_graceful.pcap",
    "lab/port_reuse.pcap",
    "lab/simultaneous_close.pcap",
    "lab/vlan_tagged.pcap",
)


@dataclass
class Record:
    """As much of a flow as filters need."""

    a: Endpoint
    b: Endpoint
    first_frame: int = 3
    last_frame: int = 9
    tag: int = 0
    levels: int = 0
    fins: tuple = ()
    resets: tuple = ()
    icmp_errors: tuple = ()

    def facts(self, side):
        """A SYN of a in frame 3."""
        return SimpleNamespace(syn_frame=3 if side == "a" else None)


def between(one="192.0.2.1", other="192.0.2.2", ports=(40000, 443), **more):
    """A flow between two addresses."""
    return Record(Endpoint(one, ports[0]), Endpoint(other, ports[1]), **more)


def finding(*frames):
    """A finding that rests on these frames."""
    return Finding("aggressive-probing", "a", frames)


@functools.cache
def judged(name):
    """The flows of a bundled capture."""
    return [flow.judged for flow in analyze(CAPTURES / name).flows]


def by_wireshark(name, display_filter):
    """The frames that tshark shows by a display filter; anything that it complains of is an error."""
    done = subprocess.run(
        ["tshark", "-n", "-r", CAPTURES / name, "-Y", display_filter, "-T", "fields", "-e", "frame.number"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert [] == [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    return [int(line) for line in done.stdout.split()]


def by_tcpdump(name, capture_filter):
    """The times of the frames that tcpdump prints by a capture filter."""
    done = subprocess.run(
        ["tcpdump", "-n", "-tt", "--nano", "-r", CAPTURES / name, capture_filter],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split()[0] for line in done.stdout.splitlines() if line[:1].isdigit()]


def times(name, frames):
    """The times of frames, as tcpdump prints them."""
    done = subprocess.run(
        ["tshark", "-n", "-r", CAPTURES / name, "-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch"],
        check=True,
        capture_output=True,
        text=True,
    )
    every = dict(line.split("\t") for line in done.stdout.splitlines())
    return {every[str(frame)] for frame in frames}


@pytest.mark.parametrize(
    ("addresses", "wireshark", "tcpdump"),
    [
        (
            ("192.0.2.1", "192.0.2.2"),
            "ip.addr == 192.0.2.1 && ip.addr == 192.0.2.2 && tcp.port == 40000 && tcp.port == 443",
            "tcp and host 192.0.2.1 and host 192.0.2.2 and port 40000 and port 443",
        ),
        (
            ("2001:db8::1", "::1"),
            "ipv6.addr == 2001:db8::1 && ipv6.addr == ::1 && tcp.port == 40000 && tcp.port == 443",
            "tcp and host 2001:db8::1 and host ::1 and port 40000 and port 443",
        ),
    ],
)
def test_filters_name_both_endpoints(addresses, wireshark, tcpdump):
    """The display filter of Wireshark names the frames too, the capture filter of tcpdump cannot."""
    record = between(*addresses)

    assert f"{wireshark} && frame.number >= 3 && frame.number <= 9" == filters.wireshark(record)
    assert tcpdump == filters.tcpdump(record)


def test_equal_ends_have_to_be_both():
    """An address or a port that both ends share selects no other connection of one of them."""
    record = between("127.0.0.1", "127.0.0.1", ports=(443, 443))

    assert filters.wireshark(record).startswith(
        "ip.src == 127.0.0.1 && ip.dst == 127.0.0.1 && tcp.srcport == 443 && tcp.dstport == 443 && "
    )
    assert "tcp and src host 127.0.0.1 and dst host 127.0.0.1 and src port 443 and dst port 443" == filters.tcpdump(
        record
    )


@needs_tshark
@pytest.mark.parametrize("name", PICKED)
def test_wireshark_shows_the_flow(name):
    """By a flow's display filter tshark shows its segments, its copies and the ICMP errors that quote it."""
    for flow in judged(name):
        record = flow.record
        shown = by_wireshark(name, filters.wireshark(record))
        segments = record.facts_a.segments + record.facts_b.segments + len(record.icmp_errors) + record.copies

        assert record.first_frame == shown[0]
        assert segments == len(shown)


@needs_tshark
@pytest.mark.parametrize("name", PICKED)
def test_wireshark_shows_the_evidence(name):
    """By a finding's display filter tshark shows the frames that it rests on, and no other."""
    for flow in judged(name):
        for each in flow.findings:
            assert list(each.frames) == by_wireshark(name, filters.finding_wireshark(flow.record, each))


@needs_tshark
@needs_tcpdump
@pytest.mark.parametrize("name", PICKED)
def test_tcpdump_shows_the_flow_and_the_evidence(name):
    """A flow's capture filter lets its segments through, and a finding's lets the evidence through."""
    for flow in judged(name):
        record = flow.record
        whole = by_tcpdump(name, filters.tcpdump(record))
        ends = {record.first_frame, *(fin.frame for fin in record.fins)} - {each.frame for each in record.icmp_errors}
        assert times(name, ends) <= set(whole)
        assert len(whole) >= record.facts_a.segments + record.facts_b.segments
        for each in flow.findings:
            assert times(name, each.frames) <= set(by_tcpdump(name, filters.finding_tcpdump(record, each)))


@needs_tcpdump
@pytest.mark.parametrize(("name", "flags"), [("lab/simultaneous_close.pcap", "fin"), ("lab/ipv6_graceful.pcap", "fin")])
def test_evidence_of_flags_alone_narrows_tcpdump(name, flags):
    """Where a finding rests on FINs alone, tcpdump shows these, of IPv4 and of IPv6."""
    record = judged(name)[0].record
    narrowed = filters.finding_tcpdump(record, finding(*(fin.frame for fin in record.fins)))

    assert narrowed.endswith(f"& (tcp-{flags}) != 0")
    assert 2 <= len(by_tcpdump(name, narrowed)) < record.facts_a.segments


def test_flags_are_named_only_if_the_evidence_carries_nothing_else():
    """A probe among the evidence keeps the filter as wide as the flow."""
    record = between(fins=(SimpleNamespace(frame=5),), resets=(SimpleNamespace(frame=9),))
    flow = filters.tcpdump(record)

    assert f"{flow} and tcp[tcpflags] & (tcp-fin|tcp-rst) != 0" == filters.finding_tcpdump(record, finding(5, 9))
    assert f"{flow} and tcp[tcpflags] & (tcp-syn) != 0" == filters.finding_tcpdump(record, finding(3))
    assert flow == filters.finding_tcpdump(record, finding(5, 7, 9))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((8,), "frame.number == 8"),
        ((6, 8, 30), "frame.number in {6, 8, 30}"),
        ((6, 7, 8, 30, 31), "frame.number in {6..8, 30..31}"),
        (tuple(range(4, 44, 2)), f"frame.number in {{{', '.join(map(str, range(4, 44, 2)))}}}"),
    ],
)
def test_evidence_is_named_frame_by_frame(frames, expected):
    """Frames in a row are a range, and nothing else is selected."""
    assert expected == filters.finding_wireshark(between(), finding(*frames))


def test_long_evidence_is_bounded():
    """A thousand frames become at most twenty ranges, of the flow alone, which hold all of them."""
    frames = sorted({*range(10, 2000, 2), *range(50_000, 900_000, 45_000)})
    text = filters.finding_wireshark(between(), finding(*frames))
    members = text[text.index("{") + 1 : text.index("}")].split(", ")
    spans = [tuple(map(int, (member.split("..") * 2)[:2])) for member in members]

    assert len(members) <= filters.MOST_MEMBERS
    assert len(members) == 20
    assert all(any(first <= frame <= last for first, last in spans) for frame in frames)
    assert text.endswith("} && ip.addr == 192.0.2.1 && ip.addr == 192.0.2.2 && tcp.port == 40000 && tcp.port == 443")


def test_a_finding_without_frames_is_the_flow():
    """What rests on no frame in particular is selected with the whole flow."""
    assert filters.wireshark(between()) == filters.finding_wireshark(between(), finding())
    assert filters.tcpdump(between()) == filters.finding_tcpdump(between(), finding())


def test_vlans_are_named_outermost_first():
    """A capture filter looks behind a VLAN tag only if it is told to, and Wireshark tells VLANs apart only then."""
    record = between(tag=10 * 4096 + 42)

    assert filters.tcpdump(record).startswith("vlan 10 and vlan 42 and tcp and ")
    assert " && vlan.id == 10 && vlan.id == 42 && " in filters.wireshark(record)


@needs_tcpdump
@pytest.mark.parametrize(
    ("there", "back"),
    [((10,), (20,)), ((10,), ()), ((), (10,)), ((100, 10), (10,)), ((100, 10), ()), ((100, 10), (100, 20))],
    ids=["a tag each way", "one way only", "back only", "two and one", "two and none", "two each way"],
)
def test_of_a_flow_with_two_tags_tcpdump_finds_both_directions(tmp_path, there, back):
    """Whatever tags the two directions have, the filter of the flow selects every packet of it."""
    path, at_ns, frames = tmp_path / "tags.pcap", 0, []
    for to_server, flags, seq, ack in ((1, 2, 0, 0), (0, 18, 0, 1), (1, 16, 1, 1), (1, 16, 0, 1), (0, 16, 1, 1)):
        ends, ports = ((IP_A, IP_B), (40000, 80)) if to_server else ((IP_B, IP_A), (80, 40000))
        packet = ipv4(tcp(b"", seq=seq, ack=ack, flags=flags, ports=ports), src=ends[0], dst=ends[1])
        tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in (there if to_server else back))
        at_ns += 2_000_000_000
        frames.append(Kept(b"\2" * 12 + tags + b"\x08\0" + packet, at_ns))
    path.write_bytes(pcap(frames))
    (flow,) = analyze(path).flows

    text = filters.tcpdump(flow.judged.record)
    shown = subprocess.run(["tcpdump", "-nr", str(path), text], check=True, capture_output=True, text=True).stdout
    assert len(frames) == len(shown.splitlines())


@needs_tcpdump
@pytest.mark.parametrize("kind", sorted(filters.TUNNELS))
def test_of_a_tunnel_tcpdump_shows_all(kind):
    """A flow in a tunnel gets a filter that libpcap takes, for everything in such tunnels."""
    record = between(tag=tunnel.tunnel_tag(kind, 77, 42))
    text = filters.tcpdump(record)

    assert "vlan and (" in text
    assert text == filters.finding_tcpdump(record, finding(3))
    assert 0 == subprocess.run(["tcpdump", "-d", "-y", "EN10MB", text], check=False, capture_output=True).returncode
    assert "vlan" not in filters.wireshark(record)


@pytest.mark.parametrize("tag", [0, 7, *(tunnel.tunnel_tag(kind, 77, 42) for kind in sorted(filters.TUNNELS))])
def test_filters_of_many_flows_are_those_of_each(tag):
    """Columns give the same texts as flows one by one, on VLANs and in tunnels too."""
    flows = [between(tag=tag), between("2001:db8::1", "2001:db8::2", (5, 6), tag=tag)]
    columns = SimpleNamespace(
        a=[flow.a.address for flow in flows],
        b=[flow.b.address for flow in flows],
        a_port=[flow.a.port for flow in flows],
        b_port=[flow.b.port for flow in flows],
        tag=[flow.tag for flow in flows],
        levels=[flow.levels for flow in flows],
        first_frame=[flow.first_frame for flow in flows],
        last_frame=[flow.last_frame for flow in flows],
    )

    assert ([filters.wireshark(flow) for flow in flows], [filters.tcpdump(flow) for flow in flows]) == filters.each(
        columns
    )


def test_the_tunnels_are_those_of_the_decoder():
    """Every kind of tunnel that the decoder knows has its filter."""
    kinds = {value for name, value in vars(tunnel).items() if name.startswith("IN_")}

    assert (kinds, tunnel.TUNNEL) == (set(filters.TUNNELS), filters.TUNNEL)


def test_what_is_there_to_copy():
    """The flow's two filters come first, then each finding's; one that says the same again is left out."""
    flow = judged("lab/icmp_host_unreachable.pcap")[0]

    assert [
        "Wireshark, this flow",
        "tcpdump, this flow",
        "Wireshark, dead-peer-detected",
        "Wireshark, icmp-errors-end-nothing",
        "tcpdump, icmp-errors-end-nothing",
    ] == [label for label, _ in filters.to_copy(flow)]
