"""An archive of many capture points, made and not recorded, in which what is to be found is planted and known.

Each point is a host whose capture was rotated into files. On all of them connections open, talk and close, and one is
kept alive by probes that are answered. On some something is planted, and `archive.json` says on which:

* `leak`: clients close, the host's service never does, and its keepalive holds the connections in CLOSE-WAIT;
* `limit`: a box on the path forgets connections after 350 s of silence: shorter silences are survived, longer ones draw
  a RST;
* `reset`: the host aborts connections in mid-talk;
* `dead`: a peer is gone, keepalive notices after five probes and resets;
* `shared`: a connection that this point and the next both captured, the same packets;
* `dispute`: the same, but only this point saw the RST that ended it.

    python -m captures.recipes.archive ARCHIVE --points 200 --files 10

The same octets come out every time. `--bulk` adds data to each point, so that reading takes long enough to be measured.
"""

import argparse
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)  # nanoseconds, Ethernet
START_NS = 1_760_000_000_000_000_000
SECOND = 1_000_000_000
RTT_NS = 400_000
LIMIT_S = 350
PLANTED = ("leak", "limit", "reset", "dead", "shared", "dispute", "")
"""What is planted in the first point, the second, and so on, and over again."""
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
END_S = 1500
"""How long each point was captured."""


def address(number: int, net: int) -> bytes:
    """Return an address of a host in one of the archive's networks, 10.net.x.y."""
    return bytes((10, net, number >> 8 & 255, number & 255))


@dataclass(slots=True)
class Wire:
    """What passes a point."""

    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def put(
        self, at_ns: int, src: bytes, dst: bytes, ports: tuple[int, int], segment: tuple[int, int, int, int]
    ) -> None:
        """Let a segment pass: sequence number, acknowledgement, flags and octets of data."""
        seq, ack, flags, length = segment
        tcp = struct.pack(">HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, 0x50, flags, 8192, 0, 0) + bytes(length)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), at_ns // 1000 & 0xFFFF, 0x4000, 64, 6, 0, src, dst)
        mac = b"\x02\x00" + dst + b"\x02\x00" + src + b"\x08\x00"
        self.frames.append((at_ns, mac + ip + tcp))


@dataclass(slots=True)
class Connection:
    """A client and a server, and how far both have come."""

    wires: tuple[Wire, ...]
    client: bytes
    server: bytes
    ports: tuple[int, int]
    now_ns: int
    nxt: list[int]

    def send(self, who: int, flags: int, length: int = 0, *, at_ns: int | None = None, back: int = 0) -> None:
        """Send a segment of the client (0) or the server (1), ``back`` octets behind its next number."""
        self.now_ns = self.now_ns + RTT_NS if at_ns is None else at_ns
        ends = (self.client, self.server) if who == 0 else (self.server, self.client)
        ports = self.ports if who == 0 else self.ports[::-1]
        ack = self.nxt[1 - who] if flags & ACK else 0
        for wire in self.wires:
            wire.put(self.now_ns, *ends, ports, (self.nxt[who] - back, ack, flags, length))
        if not back:
            self.nxt[who] += length + bool(flags & SYN) + bool(flags & FIN)

    def open(self) -> None:
        """Shake hands."""
        self.send(0, SYN)
        self.send(1, SYN | ACK)
        self.send(0, ACK)

    def talk(self, length: int = 100) -> None:
        """Ask and answer."""
        self.send(0, PSH | ACK, length)
        self.send(1, PSH | ACK, length)
        self.send(0, ACK)

    def close(self) -> None:
        """Close both ways, the client first."""
        self.send(0, FIN | ACK)
        self.send(1, FIN | ACK)
        self.send(0, ACK)

    def probe(self, who: int, at_ns: int, *, answered: bool = True) -> None:
        """Send a keepalive probe."""
        self.send(who, ACK, at_ns=at_ns, back=1)
        if answered:
            self.send(1 - who, ACK)


class Host:
    """A capture point in the making."""

    def __init__(self, number: int) -> None:
        """Begin with an idle host."""
        self.number = number
        self.wire = Wire()
        self.here = address(number, 1)
        self._port = 20_000

    def meet(self, peer: bytes, port: int, at_s: float, *others: Wire) -> Connection:
        """Open a connection from a peer to a service of the host."""
        self._port += 1
        isn = (self.number * 7919 + self._port * 104_729) % 2**32
        at_ns = START_NS + int(at_s * SECOND)
        made = Connection((self.wire, *others), peer, self.here, (self._port, port), at_ns, [isn, isn * 3 % 2**32])
        made.open()
        return made

    def everyday(self, connections: int, bulk: int) -> None:
        """Do what every host does."""
        for index in range(connections):
            made = self.meet(address(index % 50, 2), 443, 3 + index * (END_S - 60) / max(connections, 1))
            made.talk()
            made.close()
        alive = self.meet(address(60, 2), 5432, 1)
        alive.talk()
        for at_s in range(11, END_S, 10):
            alive.probe(1, START_NS + at_s * SECOND)
        if bulk:
            busy = self.meet(address(61, 2), 9000, 2)
            step_ns = (END_S - 4) * SECOND // bulk
            for _ in range(bulk):
                at_ns = busy.now_ns + step_ns - RTT_NS
                busy.send(0, PSH | ACK, 1200, at_ns=at_ns)
                busy.send(1, ACK)

    def leak(self) -> None:
        """Hold connections in CLOSE-WAIT: the peers close, the service does not, its keepalive goes on."""
        for index in range(3):
            made = self.meet(address(index, 3), 8080, 20 + index)
            made.talk()
            made.send(0, FIN | ACK)
            made.send(1, ACK)
            for at_s in range(60, 900, 60):
                made.probe(1, made.now_ns + 60 * SECOND if at_s > 60 else START_NS + (100 + index) * SECOND)

    def limit(self) -> None:
        """Let a box forget connections of one peer after 350 s: the next data draws a RST."""
        peer = address(self.number, 4)
        for index, silence_s in enumerate((120, 200, 280, 340, 361, 372, 383, 394)):
            made = self.meet(peer, 6379, 30 + 7 * index)
            made.talk()
            at_ns = made.now_ns + silence_s * SECOND
            made.send(0, PSH | ACK, 10, at_ns=at_ns)
            if silence_s > LIMIT_S:
                made.send(1, RST)
            else:
                made.send(1, PSH | ACK, 10)
                made.send(0, ACK)
                made.close()

    def reset(self) -> None:
        """Abort connections in mid-talk."""
        for index in range(4):
            made = self.meet(address(index, 5), 7000, 40 + 9 * index)
            made.talk()
            made.send(1, RST | ACK)

    def dead(self) -> None:
        """Notice by keepalive that a peer is gone."""
        made = self.meet(address(self.number, 6), 9999, 50)
        made.talk()
        last_ns = made.now_ns
        for index in range(5):
            made.probe(1, last_ns + (60 + 10 * index) * SECOND, answered=False)
        made.send(1, RST | ACK, at_ns=last_ns + 110 * SECOND)

    def shared(self, other: "Host", *, dispute: bool) -> None:
        """Talk with a peer whose packets the other point captures, too; in a dispute all but the RST."""
        for index in range(2):
            made = self.meet(other.here, 7777, 70 + index, other.wire)
            made.talk()
            if dispute:
                made.wires = (self.wire,)
                made.send(1, RST | ACK)
            else:
                made.close()


def points(count: int, connections: int = 40, bulk: int = 0) -> Iterator[tuple[str, list[tuple[int, bytes]], str]]:
    """Yield each point's name, its frames in order, and what is planted there."""
    waiting: Host | None = None
    for number in range(count):
        planted = PLANTED[number % len(PLANTED)]
        if planted in {"shared", "dispute"} and number + 1 == count:
            planted = ""
        host, waiting = waiting or Host(number), None
        host.everyday(connections, bulk)
        if planted in {"shared", "dispute"}:
            waiting = Host(number + 1)
            host.shared(waiting, dispute=planted == "dispute")
        elif planted:
            getattr(host, planted)()
        host.wire.frames.sort(key=lambda frame: frame[0])
        yield f"host-{number:04d}", host.wire.frames, planted


def rotated(frames: list[tuple[int, bytes]], files: int) -> Iterator[bytes]:
    """Yield the files of a point, each of the same length in time."""
    length_ns = END_S * SECOND // files + 1
    for index in range(files):
        low, high = START_NS + index * length_ns, START_NS + (index + 1) * length_ns
        some = [frame for frame in frames if low <= frame[0] < high]
        yield HEADER + b"".join(
            struct.pack("<IIII", at_ns // SECOND, at_ns % SECOND, len(octets), len(octets)) + octets
            for at_ns, octets in some
        )


def make(folder: Path, count: int, files: int, *, connections: int = 40, bulk: int = 0) -> dict[str, list[str]]:
    """Make an archive in a folder; return, and write to `archive.json`, what is planted where."""
    truth: dict[str, list[str]] = {what: [] for what in PLANTED if what}
    for name, frames, planted in points(count, connections, bulk):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index, octets in enumerate(rotated(frames, files)):
            (folder / name / f"trace-{index:03d}.pcap").write_bytes(octets)
        if planted:
            truth[planted].append(name)
    (folder / "archive.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return truth


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--connections", type=int, default=40, help="everyday ones of each point")
    parser.add_argument("--bulk", type=int, default=0, help="segments of data of each point")
    options = parser.parse_args()
    made = make(options.folder, options.points, options.files, connections=options.connections, bulk=options.bulk)
    print(json.dumps(made))


if __name__ == "__main__":
    main()
