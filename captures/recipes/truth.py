"""Counts keepalive probes the patient way, one packet after the other, to fill in captures.toml.

Good for clean captures that begin with the handshake, which ours are, and for nothing else. It
shares no code with the analyzer: what it finds is what the analyzer is held to.
"""

from dataclasses import dataclass, field
from pathlib import Path

from scapy.layers.inet import IP, TCP
from scapy.utils import PcapReader

_SEQUENCE_SPACE = 1 << 32


@dataclass(slots=True)
class Probe:
    """A segment one below what the peer has acknowledged, and what came back."""

    frame: int
    time_s: float
    sender: str
    after_fin: bool
    answer: str | None = None


@dataclass(slots=True)
class Truth:
    """What the wire shows of the one connection in a capture, frame numbers counted from 1."""

    a: str = ""
    b: str = ""
    probes: list[Probe] = field(default_factory=list)
    fins: list[tuple[int, float, str]] = field(default_factory=list)
    resets: list[tuple[int, float, str]] = field(default_factory=list)


def read(file: Path) -> Truth:
    """Walk through a capture of one connection."""
    truth = Truth()
    acknowledged: dict[str, int] = {}  # by the peer: SND.UNA of each sender
    waiting: dict[str, Probe] = {}
    start: float | None = None
    with PcapReader(str(file)) as packets:
        for frame, packet in enumerate(packets, start=1):
            ip, tcp = packet[IP], packet[TCP]
            start = float(packet.time) if start is None else start
            at = round(float(packet.time) - start, 6)
            sender, peer = f"{ip.src}:{tcp.sport}", f"{ip.dst}:{tcp.dport}"
            if not truth.a:
                truth.a, truth.b = sender, peer
            payload_len = ip.len - 4 * ip.ihl - 4 * tcp.dataofs

            below = (acknowledged.get(sender, tcp.seq) - 1) % _SEQUENCE_SPACE
            if str(tcp.flags) == "A" and payload_len == 0 and tcp.seq == below:
                probe = Probe(frame, at, sender, after_fin=bool(truth.fins))
                truth.probes.append(probe)
                waiting[sender] = probe
            elif peer in waiting:
                waiting.pop(peer).answer = "rst" if "R" in tcp.flags else "ack"
            if "F" in tcp.flags:
                truth.fins.append((frame, at, sender))
            if "R" in tcp.flags:
                truth.resets.append((frame, at, sender))
            if "A" in tcp.flags:
                acknowledged[peer] = tcp.ack
    return truth


def report(file: Path) -> str:
    """Put a capture's truth into a few lines."""
    truth = read(file)
    lines = [f"{file.name}: a={truth.a} b={truth.b}"]
    for probe in truth.probes:
        after = " after FIN" if probe.after_fin else ""
        lines.append(f"  probe {probe.frame:3} {probe.time_s:11.6f} from {probe.sender} answer {probe.answer}{after}")
    for what, marks in (("FIN", truth.fins), ("RST", truth.resets)):
        lines += [f"  {what:5} {frame:3} {at:11.6f} from {who}" for frame, at, who in marks]
    return "\n".join(lines)
