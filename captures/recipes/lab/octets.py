"""Segments of one octet: keystrokes sent again, heartbeats, probes as Windows sends them. Every function a scenario."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

from captures.recipes.lab.flow import Options, probing
from captures.recipes.lab.parts import close_both, sleep
from captures.recipes.lab.stage import AT_CLIENT, AT_SERVER, PEER_SERVER, Stage, View, queue_numbers

if TYPE_CHECKING:
    from captures.recipes.lab.flow import Flow


def _telnet(stage: Stage, port: int, options: Options | None, *, keys: int, every: int, idle_s: float) -> None:
    """Type, with every so many segments of one octet lost; each key is echoed."""
    stage.router()
    stage.look(AT_CLIENT, PEER_SERVER)
    near = options or Options(no_delay=True)
    flow = stage.connect(port, "client" if options else None, client=near, server=Options(no_delay=True))
    flow.echoes = True
    flow.read("client", "server")
    one_octet = ("-p", "tcp", "-m", "length", "--length", "53")
    stage.cut(*one_octet, "-m", "statistic", "--mode", "nth", "--every", str(every), "--packet", "3")
    for _ in range(keys):
        flow.send("client", b"k", quiet=True)
        sleep(0.35)
    flow.act(f"sent {keys} single bytes, each echoed; one in {every} 1-byte segments lost", "client")
    sleep(idle_s)
    close_both(flow, "client", 0.4, 0.6)


def telnet_lost_byte(stage: Stage) -> None:
    """Type, with some keys lost and sent again; no keepalive at all."""
    _telnet(stage, 5201, None, keys=36, every=7, idle_s=0)


def telnet_lost_byte_keepalive(stage: Stage) -> None:
    """Type with losses, keepalive 2/1/3 on the client, real probes at the end."""
    _telnet(stage, 5202, probing(2, 1, 3, no_delay=True), keys=20, every=5, idle_s=7)


def telnet_delay_lost_byte(stage: Stage) -> None:
    """Type every 0.4 s over a path of 60 ms, every sixth key lost and sent again alone; no keepalive."""
    typed = 0

    def drop(source: int, frame: bytes) -> bool:
        nonlocal typed
        if source == 0 and frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_TCP:
            total = int(struct.unpack("!H", frame[16:18])[0])
            if total - 20 - (frame[46] >> 4) * 4 == 1:
                typed += 1
                return typed % 6 == 4
        return False

    stage.relayed(delay_s=0.03, drop=drop)
    stage.look(AT_CLIENT)
    flow = stage.connect(5203, None, client=Options(no_delay=True))
    flow.read("client", "server")
    for _ in range(30):
        flow.send("client", b"k", quiet=True)
        sleep(0.4)
    flow.expect("open_at_capture_end")


def app_heartbeat_one_byte(stage: Stage) -> None:
    """Send a new octet each second from the application; no keepalive."""
    stage.cable()
    stage.look(View("server", "eth0", "peer"))
    flow = stage.connect(6703, None)
    flow.read("client", "server")
    for _ in range(9):
        flow.send("client", b".", quiet=True)
        sleep(1)
    close_both(flow, "client", 0.1, 0.4)


class _Windows:
    """Probes injected through a raw socket at the server: one octet 0x00 at SND.NXT-1, as Windows sends them."""

    def __init__(self, stage: Stage, port: int, idle_s: int, interval_s: int) -> None:
        """Connect, and say howdy."""
        self.stage, self.port = stage, port
        stage.router()
        stage.sysctl("server", "net.ipv4.tcp_timestamps", 0)
        stage.look(AT_SERVER)
        self.flow: Flow = stage.connect(port)
        self.flow.synthetic = (
            "probes (and the prober's last RST) are injected through a raw socket at the prober: "
            "one octet 0x00 at SND.NXT-1, as Windows sends them; the answers are the peer's own"
        )
        emulated = {"keepalive": True, "idle": idle_s, "intvl": interval_s, "emulated": "Windows, 1 garbage byte"}
        self.flow.options["server"] = emulated
        self.flow.send("client", b"howdy")
        self.flow.read("client", "server")
        sleep(0.3)
        with stage.hosts["server"].inside():
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)

    def inject(self, flags: int, data: bytes, below: int) -> None:
        """Send a segment from the server's port, so much below SND.NXT."""
        sent, received = queue_numbers(self.flow.sockets["server"])
        ports = (self.port, self.flow.addresses["client"][1])
        numbers = ((sent - below) & 0xFFFFFFFF, received)
        segment = struct.pack("!HHIIBBHHH", *ports, *numbers, 5 << 4, flags, 1024, 0, 0) + data
        ends = (self.stage.address["server"], self.stage.address["client"])
        pseudo = b"".join(map(socket.inet_aton, ends)) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment))
        checked = segment[:16] + struct.pack("!H", _checksum(pseudo + segment)) + segment[18:]
        self.raw.sendto(checked, (ends[1], 0))

    def probe(self, every_s: float, until: float | None = None, times: int = 0) -> None:
        """Probe evenly, until a time or so many times."""
        count = 0
        while count < times if until is None else time.monotonic() < until:
            self.inject(0x10, b"\0", 1)
            count += 1
            sleep(every_s)
        self.flow.act(f"{count} probes injected every {every_s} s")


def _checksum(octets: bytes) -> int:
    """Return the internet checksum (RFC 1071)."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def windows_like_answered(stage: Stage) -> None:
    """Inject probes as Windows sends them, each answered by a real Linux peer; then both close."""
    windows = _Windows(stage, 6501, 2, 1)
    with windows.raw:
        end = time.monotonic() + 11
        sleep(2)
        windows.probe(2, until=end)
        sleep(0.5)
    close_both(windows.flow, "client", 0.1, 0.4)


def windows_like_dead(stage: Stage) -> None:
    """Inject such probes, answered for a while, then ten unanswered at 1 s, then RST."""
    windows = _Windows(stage, 6502, 2, 1)
    with windows.raw:
        end = time.monotonic() + 6
        sleep(2)
        windows.probe(2, until=end)
        stage.cut()
        windows.probe(1, times=10)
        windows.inject(0x14, b"", 0)
        sleep(0.5)
    windows.flow.expect("rst_by_prober_after_unanswered", None, "server")
