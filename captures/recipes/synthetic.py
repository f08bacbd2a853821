"""Loopback captures of macOS, built and not recorded: nobody here has such a machine.

They follow the XNU source as field guide 3 and 7.2 report it, with the sleep of
the question: 60 s. What differs from Linux:

* a probe is a bare header of 20 octets, without the timestamp option the connection agreed on;
* so is a reset;
* any segment received restarts the idle time, so probes follow each other by the idle time, and a
  client whose idle time is longer never gets to probe;
* lo0 is captured as DLT_NULL: four octets of address family in the host's own byte order.

The same bytes come out every time: times, ports and initial sequence numbers are fixed.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

from scapy.layers.inet import IP, TCP

_PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 0)  # link type 0: DLT_NULL
_AF_INET = struct.pack("<I", 2)  # Macs are little-endian
_SCALED_WINDOW = 6379  # 408,256 octets at a scale of 6, as lo0 has it
_PERIOD_US = 5_040_000  # 5 s, and the little that XNU's coarse timers add
_SLEEP_US = 60_000_000
_REPLY_US = 40
_ISS_CLIENT, _ISS_SERVER = 2_715_390_442, 1_203_778_114


@dataclass(slots=True)
class _Wire:
    """The connection so far: next sequence numbers, the timestamp clocks, and what was sent."""

    start_us: int
    snd_nxt: dict[str, int] = field(default_factory=lambda: {"client": _ISS_CLIENT, "server": _ISS_SERVER})
    recent: dict[str, int] = field(default_factory=lambda: {"client": 0, "server": 0})
    sent: list[tuple[int, bytes]] = field(default_factory=list)

    def send(
        self,
        at_us: int,
        sender: str,
        flags: str,
        *,
        payload: bytes = b"",
        seq_offset: int = 0,
        bare: bool = False,
        window: int = _SCALED_WINDOW,
    ) -> None:
        """Send a segment at SND.NXT + `seq_offset`; a bare one carries no option."""
        peer = "server" if sender == "client" else "client"
        ports = {"client": 59285, "server": 4001}
        clock = (at_us // 1000 + (700_000_000 if sender == "client" else 900_000_000)) % 2**32
        options: list[tuple[str, object]] = []
        if "S" in flags:
            options = [("MSS", 16344), ("NOP", None), ("WScale", 6), ("NOP", None), ("NOP", None)]
            options += [("Timestamp", (clock, self.recent[sender])), ("SAckOK", b""), ("EOL", None)]
        elif not bare:
            options = [("NOP", None)] * 2 + [("Timestamp", (clock, self.recent[sender]))]
        acknowledges = "A" in flags
        segment = TCP(
            sport=ports[sender],
            dport=ports[peer],
            flags=flags,
            seq=(self.snd_nxt[sender] + seq_offset) % 2**32,
            ack=self.snd_nxt[peer] if acknowledges else 0,
            window=window,
            options=options,
        )
        packet = IP(src="127.0.0.1", dst="127.0.0.1", id=0, flags="DF", ttl=64) / segment / payload
        self.sent.append((self.start_us + at_us, _AF_INET + bytes(packet)))
        length = len(payload) + ("S" in flags) + ("F" in flags)
        self.snd_nxt[sender] = (self.snd_nxt[sender] + length) % 2**32
        if options:
            self.recent[peer] = clock

    def probe(self, at_us: int) -> None:
        """Let the server send a keepalive probe."""
        self.send(at_us, "server", "A", seq_offset=-1, bare=True)

    def answered_probes(self, from_us: int, until_us: int) -> int:
        """Let the server probe every period, and the client answer, until a time; give the next."""
        at_us = from_us + _PERIOD_US
        while at_us < until_us:
            self.probe(at_us)
            self.send(at_us + _REPLY_US, "client", "A")
            at_us += _REPLY_US + _PERIOD_US
        return at_us

    def write(self, file: Path) -> None:
        """Write the packets as a classic capture file of lo0."""
        records = [_PCAP_HEADER]
        for at_us, packet in self.sent:
            lengths = (len(packet), len(packet))  # captured, and on the wire
            records.append(struct.pack("<IIII", *divmod(at_us, 1_000_000), *lengths) + packet)
        file.write_bytes(b"".join(records))


def _until_fin_acknowledged(start_us: int) -> tuple[_Wire, int]:
    """Play the connection up to the ACK of the client's FIN; give it and the time of that ACK."""
    wire = _Wire(start_us)
    wire.send(0, "client", "S", window=65535)
    wire.send(90, "server", "SA", window=65535)
    wire.send(105, "client", "A")
    wire.send(120, "server", "A")  # macOS tells its scaled window at once
    wire.send(180, "client", "PA", payload=b"howdy")
    wire.send(200, "server", "A")
    wire.answered_probes(200, _SLEEP_US)
    fin_us = _SLEEP_US + 1_300
    wire.send(fin_us, "client", "FA")
    wire.send(fin_us + 30, "server", "A")  # no delay, unlike on Linux
    return wire, fin_us + 30


def synthetic_macos12_lo0(out: Path) -> None:
    """Build macOS 12 and later: 60 s after its FIN was acknowledged the client resets, unprompted."""
    wire, acknowledged_us = _until_fin_acknowledged(1_655_065_639_123_456)  # June 2022
    gives_up_us = acknowledged_us + 60_000_000 + 90_000
    wire.answered_probes(acknowledged_us, gives_up_us)
    wire.send(gives_up_us, "client", "RA", bare=True)
    wire.write(out / "synthetic_macos12_lo0.pcap")


def synthetic_macos1014_lo0(out: Path) -> None:
    """Build macOS 10.14: FIN-WAIT-2 ends silently (8 x 15 s), and the next probe draws a bare reset."""
    wire, acknowledged_us = _until_fin_acknowledged(1_560_371_239_123_456)  # 12 June 2019
    forgotten_us = acknowledged_us + 120_000_000 + 90_000
    probe_us = wire.answered_probes(acknowledged_us, forgotten_us)
    wire.probe(probe_us)
    wire.send(probe_us + _REPLY_US, "client", "R", bare=True, window=0)
    wire.write(out / "synthetic_macos1014_lo0.pcap")
