"""A connection between two hosts, a router, and a capture on either side of it, in which every packet's fate is known.

``World`` writes both captures, by clocks that need not agree, and keeps a list of what it did.
"""

import gzip
import ipaddress
import struct
from dataclasses import dataclass, field

from analyzer.joining import join
from analyzer.vantage.joint import Fate

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_NS = 1_700_000_000_000_000_000
DELAY_NS = 400_000


@dataclass
class World:
    """Client (a), point A, router, point B, server (b)."""

    ipv6: bool = False
    timestamps: bool = True
    ids: bool = True
    nat: str | None = None
    """What the client is called behind the router."""
    nat_port: int | None = None
    offset_s: float = 0.0
    """How far the clock of B is ahead, at START."""
    ppm: float = 0.0
    hops: int = 1
    ttl: int = 64
    """Of packets at the point nearest to who sent them."""
    delay_ns: int = DELAY_NS
    change: dict = field(default_factory=dict)
    """Fields that the router changes: mss, window, strip (a kind of option), data."""
    client: tuple = ("192.0.2.1", 40000)
    server: tuple = ("198.51.100.1", 443)
    frames: dict = field(default_factory=lambda: {"A": [], "B": []})
    truth: list = field(default_factory=list)
    ip_id: dict = field(default_factory=lambda: {"a": 1000, "b": 7000})
    step: tuple | None = None
    """(seconds after START, seconds): when the clock of B is set, and by how much."""

    def send(
        self,
        at_s,
        sender,
        flags,
        seq,
        ack,
        data=b"",
        *,
        fate="both",
        ttl=None,
        mss=None,
        missed="",
        delay_ns=None,
        echo=1,
        window=500,
    ):
        """Send a packet: ``fate`` is both, lost (at the router) or made (by it); ``missed`` by which capture."""
        self.ip_id[sender] += 1
        packet = {
            "sender": sender, "flags": flags, "seq": seq % 2**32, "ack": ack % 2**32, "data": data,
            "ttl": ttl or self.ttl, "id": self.ip_id[sender] if self.ids else 0, "mss": mss, "window": window,
            "ts": (stamp(at_s, sender), echo) if self.timestamps else None,
        }  # fmt: skip
        near, far = ("A", "B") if sender == "a" else ("B", "A")
        sent_ns = START_NS + round(at_s * 1e9)
        seen = {}
        if fate != "made" and near not in missed:
            seen[near] = self._capture(near, sent_ns, packet)
        if fate != "lost" and far not in missed:
            routed = packet | {"ttl": packet["ttl"] - self.hops} if fate == "both" else packet
            seen[far] = self._capture(far, sent_ns + (delay_ns or self.delay_ns), self._changed(routed))
        word = "not_captured" if missed and fate == "both" else fate
        self.truth.append((word, sender, tuple(sorted(seen.items()))))

    def _changed(self, packet):
        """Return a packet as the router passes it on."""
        changed = dict(packet)
        if "mss" in self.change and packet["mss"]:
            changed["mss"] = self.change["mss"]
        if "window" in self.change:
            changed["window"] = self.change["window"]
        if self.change.get("strip") == 8:
            changed["ts"] = None
        if "data" in self.change and packet["data"]:
            changed["data"] = self.change["data"] * len(packet["data"])
        return changed

    def _clock_ns(self, point, ts_ns):
        if point == "A":
            return ts_ns
        late_s = self.step[1] if self.step and ts_ns - START_NS >= self.step[0] * 1e9 else 0
        return ts_ns + round((self.offset_s + late_s) * 1e9) + round((ts_ns - START_NS) * self.ppm / 1e6)

    def _capture(self, point, ts_ns, packet):
        self.frames[point].append((self._clock_ns(point, ts_ns), self._octets(point, packet)))
        return len(self.frames[point])

    def _octets(self, point, packet):
        ends = {"a": self.client, "b": self.server}
        if point == "B" and self.nat:
            ends["a"] = (self.nat, self.nat_port or self.client[1])
        source, target = ends[packet["sender"]], ends["b" if packet["sender"] == "a" else "a"]
        options = b"\x02\x04" + struct.pack("!H", packet["mss"]) if packet["mss"] else b""
        if packet["ts"]:
            options += b"\x01\x01\x08\x0a" + struct.pack("!II", *packet["ts"])
        header = struct.pack(
            "!HHIIBBHHH", source[1], target[1], packet["seq"], packet["ack"], (5 + len(options) // 4) << 4,
            packet["flags"], packet["window"], 0, 0,
        )  # fmt: skip
        body = header + options + packet["data"]
        one, other = (ipaddress.ip_address(end[0]).packed for end in (source, target))
        if self.ipv6:
            ip = struct.pack("!IHBB", 6 << 28, len(body), 6, packet["ttl"]) + one + other
        else:
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), packet["id"], 0, packet["ttl"], 6, 0) + one + other
        return bytes(12) + (b"\x86\xdd" if self.ipv6 else b"\x08\x00") + ip + body

    def write(self, folder, *, snaplen=65535, forms=("pcap", "pcap"), swap=False, parts=(None, None)):
        """Write both captures and return their paths; ``forms`` are pcap, gz or pcapng, ``parts`` slices of frames."""
        paths = []
        for point, form, part in zip("AB", forms, parts, strict=True):
            frames = self.frames[point][part or slice(None)]
            path = folder / f"{point}.{'pcapng' if form == 'pcapng' else 'pcap'}{'.gz' if form == 'gz' else ''}"
            octets = pcapng(frames, snaplen) if form == "pcapng" else pcap(frames, snaplen)
            path.write_bytes(gzip.compress(octets) if form == "gz" else octets)
            paths.append(str(path))
        return paths[::-1] if swap else paths


def stamp(at_s, sender):
    """Return the timestamp of what an end sends then."""
    return int(at_s * 1000) + 5000 + (sender == "b") * 70000


def pcap(frames, snaplen=65535):
    """Return frames, (time, octets), as a pcap file of nanoseconds."""
    made = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, 1)
    for ts_ns, octets in frames:
        kept = octets[:snaplen]
        made += struct.pack("<IIII", *divmod(ts_ns, 10**9), len(kept), len(octets)) + kept
    return made


def pcapng(frames, snaplen=65535):
    """Return frames as a pcapng file of nanoseconds."""

    def block(kind, body):
        length = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + length + body + length

    made = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    made += block(1, struct.pack("<HHI", 1, 0, snaplen) + struct.pack("<HHB3x", 9, 1, 9) + bytes(4))
    for ts_ns, octets in frames:
        kept = octets[:snaplen]
        body = struct.pack("<IIIII", 0, ts_ns >> 32, ts_ns & 0xFFFFFFFF, len(kept), len(octets)) + kept
        made += block(6, body + bytes(-len(body) % 4))
    return made


def keepalive(world, *, lost=(), answers_lost=(), isn=(1000, 2**32 - 3), probes=8, every_s=2.0, middle=False):
    """Play a connection whose client probes; ``lost`` and ``answers_lost`` are numbers of probes."""
    a, b = isn
    if not middle:
        world.send(0.0, "a", SYN, a, 0, mss=1460)
        world.send(0.01, "b", SYN | ACK, b, a + 1, mss=1460)
        world.send(0.02, "a", ACK, a + 1, b + 1)
        world.send(0.03, "a", ACK | PSH, a + 1, b + 1, b"hello, world: this is the data")
        world.send(0.04, "b", ACK, b + 1, a + 31)
    for number in range(probes):
        at_s = 2 + number * every_s
        gone = number in lost
        world.send(at_s, "a", ACK, a + 30, b + 1, fate="lost" if gone else "both")
        if not gone:
            world.send(at_s + 0.002, "b", ACK, b + 1, a + 31, fate="lost" if number in answers_lost else "both")
    return a, b


def fates(joined, *, swapped=False):
    """Return what was concluded of each packet that is not at all points, in the form of ``World.truth``."""
    names = "BA" if swapped else "AB"
    found = []
    for flow in joined.flows:
        first = flow.parts[0].judged.record
        turned = first.a.port == 443 or (swapped and first.a.port == 443)
        for crossing in (*flow.notable, *flow.others):
            sender = crossing.sender if not turned else "b" if crossing.sender == "a" else "a"
            seen = tuple(sorted((names[sight.point], sight.frame) for sight in crossing.seen))
            found.append((crossing.fate.value, sender, seen))
    return sorted(found, key=str)


def last_of(world, folder, **files):
    """Return the last packet of the first connection, with its fate."""
    flow = join(*world.write(folder, **files)).flows[0]
    return max((*flow.notable, *flow.others), key=lambda crossing: crossing.first.ts_ns)


def odd(found):
    """Return fate, certainty and reason of each packet of the first connection that is not at all points."""
    return [(c.fate, c.proven, c.why) for c in found.flows[0].notable if c.fate is not Fate.BOTH]
