"""What a tracker knows of hosts beside its flows: from captures made frame by frame."""

import struct

import numpy as np
import pytest

from analyzer.capture import open_capture
from analyzer.segment import (
    ABSENT,
    GIVEN,
    MAPPED_IPV4,
    NO_NEWS,
    PORT_SHUT,
    SAYS,
    SEGMENT,
    SIGN,
    WITNESS,
    SegmentBatch,
)
from analyzer.track import attend, beside
from analyzer.track.batch import FlowBatch
from analyzer.track.beside import PART, Beside
from analyzer.track.news import OF_LINK
from analyzer.track.signs import HOP, OWN, TAKEN_FOR_HOP
from analyzer.track.tracker import Tracker
from tests.capture.craft import IP_A, IP_B, Kept, ethernet, ipv4, ipv6, pcap, tcp, udp
from tests.capture.test_beside import advertisement, arp, solicitation
from tests.notation import SCENARIOS, follow, load

MAC_A, MAC_B, MAC_C = 0x020000000001, 0x020000000002, 0x020000000003
IP_C, IP_R = bytes([10, 9, 0, 7]), bytes([10, 0, 0, 254])
V6_A, V6_B, V6_FAR = (bytes.fromhex(f"20010db80000000{net}000000000000000{host}") for net, host in ("11", "12", "22"))
LOCAL = bytes.fromhex("fe800000000000000000000000000002")
START_NS = 1_600_000_000_000_000_000
S = 1_000_000_000
ACK, SYN, RST = 0x10, 0x02, 0x04


class Made:
    """A capture in the making: a and b are hosts on one link, behind ``router`` if b's packets come from there."""

    def __init__(self, *, router=False, host_b=IP_B):
        self.frames = []
        self.mac_b = MAC_C if router else MAC_B
        self.ip_b = host_b

    def put(self, at_s, octets):
        """Add a frame."""
        self.frames.append(Kept(octets, START_NS + int(at_s * S)))

    def a(self, at_s, flags=ACK, seq=1, ack=1, data=b"", port=40000, options=b""):
        """A segment of a to b's port 80."""
        segment = tcp(data, seq=seq, ack=ack, flags=flags, ports=(port, 80), options=options)
        self.put(at_s, ethernet(ipv4(segment, src=IP_A, dst=self.ip_b), src=MAC_A))

    def b(self, at_s, flags=ACK, seq=1, ack=1, data=b"", port=40000, options=b"", ttl=64):
        """A segment of b's port 80 to a."""
        window = 0 if flags & RST else 500
        segment = tcp(data, seq=seq, ack=ack, flags=flags, ports=(80, port), options=options, window=window)
        self.put(at_s, ethernet(ipv4(segment, src=self.ip_b, dst=IP_A, ttl=ttl), src=self.mac_b))

    def opened(self, at_s=0, port=40000, options=b""):
        """A handshake, and two probes of a, both answered, at 5 s and 10 s."""
        self.a(at_s, SYN, 0, 0, port=port)
        self.b(at_s + 0.001, SYN | ACK, 0, 1, port=port, options=options)
        self.a(at_s + 0.002, port=port)

    def in_vain(self, *times, port=40000):
        """Probes of a that nobody answers."""
        for at_s in times:
            self.a(at_s, seq=0, port=port)

    def arp(self, at_s, *args, **kwargs):
        """An ARP packet; its station is the one it speaks of."""
        self.put(at_s, ethernet(arp(*args, **kwargs), 0x0806, src=kwargs.get("mac", MAC_A)))

    def testimony(self, tmp_path, *, jit=False):
        """The records about all flows, as dicts without what is zero."""
        path = tmp_path / "made.pcap"
        path.write_bytes(pcap(sorted(self.frames, key=lambda frame: frame.ts_ns)))
        with open_capture(path, jit=jit) as reader:
            tracker = Tracker(jit=jit)
            batches = [tracker.feed(batch) for batch in reader]
            batches += tracker.close()
        both = np.concatenate([batch.beside for batch in batches if batch is not None])
        return [dict(zip(both.dtype.names, row, strict=True)) for row in both.tolist()]


def dead(**options):
    """A flow in which b falls silent at 1 s, and a probes in vain from 10 s on."""
    made = Made(**options)
    made.arp(0, 1, mac=MAC_A)
    made.arp(0, 2, sender=IP_R if options.get("router") else IP_B, target=IP_A, mac=made.mac_b)
    made.opened(1)
    made.in_vain(10, 12, 14)
    return made


def test_an_address_of_the_other_version_is_no_next_hop(tmp_path):
    """What neighbour discovery says of a station is no router of a flow of IPv4, and neither is whom it asks for."""
    made = Made()
    mac_a, mac_b = (mac.to_bytes(6, "big") for mac in (MAC_A, MAC_B))
    made.put(0.5, ethernet(advertisement(V6_B, 0x60, b"\2\1" + mac_b), 0x86DD, src=MAC_B))
    made.put(0.6, ethernet(solicitation(V6_A, V6_FAR, b"\1\1" + mac_a), 0x86DD, src=MAC_A))
    made.opened(1)
    made.in_vain(10, 12, 14)

    (about,) = made.testimony(tmp_path)

    assert (0, 0, 0) == tuple(about[name] for name in ("place", "hop_lo", "hop_asked"))


def test_nothing_was_heard(tmp_path):
    """Of a host that falls silent altogether no frame is known, although it was known before."""
    (about,) = dead().testimony(tmp_path)

    assert (1, OWN, MAC_B, 0, 0, 0) == tuple(
        about[name] for name in ("side", "place", "mac", "last_frame", "station_frame", "any_frame")
    )
    assert about["known"] == 1


def test_signs_of_life(tmp_path):
    """What the host's address and its station send otherwise is known, first and last."""
    made = dead()
    made.put(11, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=MAC_B))
    made.put(30, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=MAC_B))
    made.put(31, ethernet(b"", 0x88CC, src=MAC_B))

    (about,) = made.testimony(tmp_path)

    assert (7, 10, 17) == (about["sign_frame"], about["last_frame"], about["last_what"])
    assert (7, 11) == (about["station_frame"], about["station_last_frame"])
    assert about["any_frame"] == 11


def test_another_flow_of_the_host(tmp_path):
    """A segment in another flow is a sign of life; one with RST is none."""
    made = dead()
    made.opened(20, port=40001)
    made.b(30, RST, port=40002)

    (about, *_) = made.testimony(tmp_path)

    assert (10, 6) == (about["last_frame"], about["last_what"])


def test_an_answer_that_comes_just_behind_is_no_sign(tmp_path):
    """What was on its way when the host fell silent says nothing."""
    made = dead()
    made.put(1.5, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=MAC_B))

    assert made.testimony(tmp_path)[0]["last_frame"] == 0


def test_questions_in_vain(tmp_path):
    """Unanswered questions for the host are counted from the first to the last."""
    made = dead()
    for at_s in (15, 16, 17):
        made.arp(at_s, 1, mac=MAC_A)

    (about,) = made.testimony(tmp_path)

    names = ("asked", "asked_frame", "asked_last_frame", "said_frame")
    assert [3, 9, 11, 0] == [about[name] for name in names]


def test_questions_that_are_answered(tmp_path):
    """A question that is answered is none in vain, and the answer is known."""
    made = dead()
    made.arp(15, 1, mac=MAC_A)
    made.arp(15.001, 2, sender=IP_B, target=IP_A, mac=MAC_B)

    (about,) = made.testimony(tmp_path)

    assert (0, 10) == (about["asked"], about["said_frame"])


def test_questions_of_somebody_else_are_none(tmp_path):
    """Whether others get an answer may not be seen here: only the other end's questions count."""
    made = dead()
    for at_s in (15, 16, 17):
        made.arp(at_s, 1, sender=IP_C, mac=MAC_C)

    assert made.testimony(tmp_path)[0]["asked"] == 0


def test_a_router_between(tmp_path):
    """Where another address is at the station that brings the host's packets, that is the next hop."""
    made = dead(router=True, host_b=IP_C)
    for at_s in (15, 16, 17):
        made.arp(at_s, 1, target=IP_R, mac=MAC_A)

    (about,) = made.testimony(tmp_path)

    assert (HOP, 0xFFFF0A0000FE, 3, 9) == (
        about["place"],
        about["hop_lo"],
        about["hop_asked"],
        about["hop_asked_frame"],
    )


def test_a_router_that_nobody_named(tmp_path):
    """Whom the other end asks for when it wants to send is taken for the next hop."""
    made = Made(router=True, host_b=IP_C)
    made.opened(1)
    made.in_vain(10, 12, 14)
    for at_s in (15, 16, 17):
        made.arp(at_s, 1, target=IP_R, mac=MAC_A)

    (about,) = made.testimony(tmp_path)

    assert (TAKEN_FOR_HOP, 3) == (about["place"], about["hop_asked"])


@pytest.mark.parametrize(
    ("mac", "place"),
    [(MAC_B, 0), (MAC_C, TAKEN_FOR_HOP), (0x00005E000107, TAKEN_FOR_HOP), (0x00000C9FF123, TAKEN_FOR_HOP)],
    ids=["another station", "the station that brings them", "a virtual router", "another kind of virtual router"],
)
def test_a_neighbour_that_is_no_router(tmp_path, mac, place):
    """Who is asked for but is at another station than that which brings packets is a next hop only as a virtual one."""
    made = Made(router=True, host_b=IP_C)
    made.arp(0, 2, sender=IP_R, target=IP_A, mac=mac)
    # its frame is of a station of its own, so that no address is known where the packets come from
    made.frames[-1] = Kept(ethernet(arp(2, sender=IP_R, target=IP_A, mac=mac), 0x0806, src=0x02AA00000009), START_NS)
    made.opened(1)
    made.in_vain(10, 12, 14)
    made.arp(15, 1, target=IP_R, mac=MAC_A)

    (about,) = made.testimony(tmp_path)

    assert place == about["place"]


@pytest.mark.parametrize(
    ("b", "place"),
    [(V6_B, 0), (V6_FAR, HOP)],
    ids=["on the same network", "on another network"],
)
@pytest.mark.parametrize("by", ["said", "asked"])
def test_a_link_local_address_at_the_station_of_a_host(tmp_path, b, place, by):
    """On one network a host's link-local address is perhaps its own second one, and not a router's."""
    made = Made()
    mac = MAC_B.to_bytes(6, "big")
    if by == "said":
        made.put(0, ethernet(advertisement(LOCAL, 0x60, b"\2\1" + mac), 0x86DD, src=MAC_B))
    else:
        made.put(0, ethernet(solicitation(V6_A, LOCAL, b"\1\1" + mac), 0x86DD, src=MAC_B))
    for at_s, src, dst, flags, seq, ack, station in (
        (1, V6_A, b, SYN, 0, 0, MAC_A),
        (1.1, b, V6_A, SYN | ACK, 0, 1, MAC_B),
        (1.2, V6_A, b, ACK, 1, 1, MAC_A),
        (10, V6_A, b, ACK, 0, 1, MAC_A),
        (12, V6_A, b, ACK, 0, 1, MAC_A),
    ):
        ports = (40000, 80) if src == V6_A else (80, 40000)
        segment = tcp(b"", seq=seq, ack=ack, flags=flags, ports=ports)
        made.put(at_s, ethernet(ipv6(segment, src=src, dst=dst), 0x86DD, src=station))

    (about,) = made.testimony(tmp_path)

    assert place == about["place"]


def test_an_address_that_moves(tmp_path):
    """An address that is said to be at another station is known to have moved, and whether somebody had asked."""
    made = dead()
    made.arp(12.5, 2, sender=IP_B, target=IP_B, mac=MAC_C)

    (about,) = made.testimony(tmp_path)

    assert (MAC_B, MAC_C, 8, 1) == tuple(about[f"moved_{name}"] for name in ("from", "to", "frame", "unasked"))
    assert about["place"] == OWN


def test_a_service_that_refuses_then_accepts(tmp_path):
    """What the address and port answered to SYNs later is known."""
    made = dead()
    made.a(20, SYN, 0, 0, port=40001)
    made.b(20.001, RST | ACK, 0, 1, port=40001)
    made.opened(30, port=40002)

    about = made.testimony(tmp_path)[0]

    assert (10, 10, 12) == (about["refused_frame"], about["refused_last_frame"], about["accepted_frame"])


@pytest.mark.parametrize(("tsval", "broke"), [(1_029_000, 0), (5, 13), (900_000_000, 13)], ids=["on", "back", "far"])
def test_a_clock_that_starts_anew(tmp_path, tsval, broke):
    """A SYN,ACK whose timestamp does not go on from those before shows a clock that started anew."""
    made = dead()
    for at_s, port, value in ((20, 40001, 1_020_000), (24, 40002, 1_024_000), (29, 40003, tsval)):
        made.b(at_s, SYN | ACK, 0, 1, port=port, options=b"\1\1\x08\x0a" + struct.pack("!II", value, 0))
        made.a(at_s + 0.1, port=port)

    about = made.testimony(tmp_path)[0]

    assert (broke, 1 if broke else 0) == (about["clock_frame"], about["clock_agreed"])


def test_a_syn_that_is_sent_again_is_no_second_handshake(tmp_path):
    """Repetitions of one handshake agree with each other, and say nothing of the clock of another connection."""
    made = dead()
    for at_s, port, value in ((20, 40001, 1_020_000), (21, 40001, 1_021_000), (29, 40003, 5)):
        made.b(at_s, SYN | ACK, 0, 1, port=port, options=b"\1\1\x08\x0a" + struct.pack("!II", value, 0))
        made.a(at_s + 0.1, port=port)

    assert 0 == made.testimony(tmp_path)[0]["clock_agreed"]


def test_another_way(tmp_path):
    """A change of the TTL, or of the station, of a host's packets is known with its frame."""
    made = dead()
    made.b(20, port=40001, ttl=60)
    made.mac_b = MAC_C
    made.b(30, port=40002, ttl=60)

    about = made.testimony(tmp_path)[0]

    assert (64, 60, 9) == (about["ttl_before"], about["ttl"], about["ttl_frame"])
    assert (MAC_B, 10, 1) == (about["mac_before"], about["mac_frame"], about["mac_turns"])


@pytest.mark.parametrize("make", [dead, lambda: dead(router=True, host_b=IP_C)])
def test_compiled_loops_give_the_same(tmp_path, make):
    """Plain and compiled loops testify alike."""
    made = make()
    made.arp(15, 1, mac=MAC_A)
    made.put(16, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=MAC_B))
    made.opened(20, port=40001, options=b"\1\1\x08\x0a" + struct.pack("!II", 77, 0))

    assert made.testimony(tmp_path) == made.testimony(tmp_path, jit=True)


def test_only_flows_in_question_have_testimony():
    """A flow that closes in order has none."""
    assert all(len(batch.beside) == 0 for batch in follow([load(SCENARIOS / "half_close_in_use.pkt").batch()]))


def asking(count, start=0):
    """WITNESS rows: one station asks for so many addresses, a hundred a second."""
    rows = np.zeros(count, dtype=WITNESS)
    rows["frame"] = np.arange(start + 1, start + count + 1)
    rows["ts_ns"] = START_NS + np.arange(start, start + count) * (S // 100)
    rows["kind"], rows["src_mac"], rows["said_mac"] = 2, MAC_A, MAC_A
    rows["src_lo"] = 0xFFFF00000000 + np.arange(start, start + count)
    rows["dst_lo"] = 0xFFFF00000000 + np.arange(start, start + count)[::-1]
    return rows


def test_memory_does_not_follow_a_flood_of_questions():
    """However many addresses are asked for, in whoever's name, the tables stay of one size."""
    beside = Beside(jit=True, seed=1)
    sizes = []
    for at in range(0, 40 * PART, PART):
        beside.add(asking(PART, at))
        beside.hear(0)
        sizes.append(sum(len(table.records) for table in beside._tables))

    assert sizes[-1] == sizes[8]


def test_nothing_is_asked_of_no_flows():
    """Of a batch without flows in question there is no testimony."""
    (batch,) = follow([load(SCENARIOS / "half_close_in_use.pkt").batch()])

    assert isinstance(batch, FlowBatch)
    assert len(Beside(jit=False, seed=1).about(batch)) == 0


def test_frames_without_any_segment_do_not_pile_up():
    """A flood of ARP in which no segment passes is heard part by part: what waits is bounded."""
    tracker = Tracker(jit=False)
    others = np.zeros(PART // 2, dtype=WITNESS)
    others["src_mac"], others["said_mac"] = MAC_A, -1
    for _ in range(5):
        tracker.feed(SegmentBatch(np.empty(0, dtype=SEGMENT), len(others), others=others))
        assert tracker._beside._waiting <= 2 * PART


NEW = 4_000_000_000
"""Above all numbers that the forged frames have."""


def forged(count, seed):
    """So many WITNESS rows in which hosts, stations, questions and announcements are all made up."""
    chance = np.random.default_rng(seed)
    rows = np.zeros(count, dtype=WITNESS)
    rows["frame"] = np.arange(count) + seed * count
    rows["ts_ns"] = START_NS + rows["frame"] * 1000
    rows["kind"] = chance.integers(SIGN, SAYS + 1, count)
    rows["news"] = chance.integers(NO_NEWS, PORT_SHUT + 1, count)
    for name in ("src_lo", "dst_lo", "src_mac", "news_mac"):
        rows[name] = chance.integers(1, NEW, count)
    rows["said_mac"] = np.where(rows["kind"] == SAYS, rows["src_mac"], ABSENT)
    rows["protocol"] = 17
    return rows


def test_a_flood_of_made_up_hosts_costs_bounded_memory(monkeypatch):
    """However many hosts, questions and announcements are made up, tables stay; what connections are of is kept."""
    monkeypatch.setattr(beside, "TABLES", tuple((dtype, 256) for dtype, _ in beside.TABLES))
    made = Beside(jit=False, seed=7)
    true = forged(1, 0)
    for name, value in (("kind", SAYS), ("news", GIVEN), ("src_mac", NEW), ("news_mac", NEW), ("said_mac", NEW)):
        true[name] = value
    true["src_lo"] = true["dst_lo"] = MAPPED_IPV4 | 1
    made.add(true)
    made.hear(0)
    made._tables[attend.STATIONS].records[0]["has_tcp"] = 1
    sizes = []
    for seed in range(1, 31):
        made.add(forged(200, seed))
        made.hear(0)
        sizes.append([(len(table.records), len(table.slots)) for table in made._tables])

    used = [int(made._registers[at]) for at in range(len(made._tables))]
    stations, claims, news = (
        made._tables[at].column(name, used[at])
        for at, name in ((attend.STATIONS, "lo"), (attend.CLAIMS, "mac"), (attend.ANNOUNCED, "mac"))
    )
    most = [256 + 200 * each for each in beside.RECORDS]
    assert all(
        records <= 2 * bound and slots <= 4 * bound
        for each in sizes
        for (records, slots), bound in zip(each, most, strict=True)
    )
    assert [1, 1, 2] == [int(np.count_nonzero(macs == NEW)) for macs in (stations, claims, news)]
    assert np.count_nonzero(news == OF_LINK) >= 2
