"""Measures live capture under load: probes seen, packets lost, CPU; beside `tcpdump -w` on the same load.

    sudo python tests/bench/live.py                     # 100,000 packets/s unfiltered, 300,000 with a port filter
    sudo python tests/bench/live.py --rate 50_000 --seconds 5

In a network namespace of its own: connections that probe every second, watched, and a bounded load of TCP segments of
a thousand other flows. The kernel counts the probes it sends (TcpExtTCPKeepAlive); that is the truth.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from captures.recipes.network import Namespace  # noqa: E402
from captures.recipes.sockets import Keepalive  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PORT: Final = 4001
FLOWS: Final = 1024
BURST: Final = 64
"""Frames that are sent with one call; FLOWS is a multiple of it."""
SEQ_AT: Final = 14 + 20 + 4
"""Where SEG.SEQ lies in a frame, behind the headers of Ethernet and IPv4 and the ports."""
SOL_PACKET: Final = 263
PACKET_QDISC_BYPASS: Final = 20
PART: Final = 150_000
"""More packets a second than this are sent by several processes."""
FILTER: Final = ("tcp", "port", str(PORT))


class Load:
    """Segments of other flows, sent to loopback in bursts; addresses of nobody, so that nobody answers."""

    def __init__(self, payload: int) -> None:
        """Make the frames, and the arguments of sendmmsg for each burst of them."""
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind(("lo", 0))
        self._socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self._send = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._payload = payload
        frames = [self._frame(flow, payload) for flow in range(FLOWS)]
        length = len(frames[0])
        self._octets = ctypes.create_string_buffer(b"".join(frames), FLOWS * length)
        at = {"buffer": self._octets, "strides": (length,), "shape": (FLOWS,)}
        self._numbers = np.ndarray(dtype=">u4", offset=SEQ_AT, **at)
        vectors = [struct.pack("@PN", ctypes.addressof(self._octets) + flow * length, length) for flow in range(FLOWS)]
        self._vectors = ctypes.create_string_buffer(b"".join(vectors), FLOWS * len(vectors[0]))
        self._bursts = []
        for first in range(0, FLOWS, BURST):
            where = [ctypes.addressof(self._vectors) + flow * len(vectors[0]) for flow in range(first, first + BURST)]
            headers = b"".join(struct.pack("@PIxxxxPNPNixxxxIxxxx", 0, 0, vector, 1, 0, 0, 0, 0) for vector in where)
            self._bursts.append(ctypes.create_string_buffer(headers, len(headers)))

    def _frame(self, flow: int, payload: int) -> bytes:
        """Return the first segment of a flow, of which all go on where the one before ended."""
        tcp = struct.pack("!HHIIBBHHH", 20000 + flow, 80, 1000, 2000, 0x80, 0x10, 500, 0, 0)
        tcp += struct.pack("!BBBBII", 1, 1, 8, 10, 1, 1) + b"x" * payload
        addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2])
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), flow & 0xFFFF, 0x4000, 64, 6, 0) + addresses
        return bytes(12) + b"\x08\x00" + ip + tcp

    def run(self, rate: int, seconds: float) -> tuple[int, float]:
        """Send at a rate for a time; return how many were sent, in what time."""
        sent = turn = 0
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            if sent >= rate * passed:
                time.sleep(0.0002)
                continue
            count = self._send(self._socket.fileno(), self._bursts[turn], BURST, 0)
            sent += max(count, 0)
            first = turn * BURST
            self._numbers[first : first + BURST] += self._payload  # a segment sent again would be notable, and kept
            turn = (turn + 1) % len(self._bursts)
        return sent, time.monotonic() - began


class Probing:
    """Connections of which both ends probe every second, while they are switched on."""

    def __init__(self, host: Namespace, connections: int) -> None:
        """Connect."""
        self._host = host
        self._sockets: list[socket.socket] = []
        with host.inside(), socket.create_server(("127.0.0.1", PORT), backlog=connections) as listener:
            for _ in range(connections):
                client = socket.create_connection(("127.0.0.1", PORT))
                self._sockets += [client, listener.accept()[0]]

    @contextlib.contextmanager
    def switched_on(self) -> Iterator[list[int]]:
        """Let them probe; the list then has the kernel's count of the probes it sent meanwhile."""
        count: list[int] = []
        before = self._host.probes_sent()
        for each in self._sockets:
            Keepalive(1, 1, 9).switch_on(each)
        yield count
        for each in self._sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        count.append(self._host.probes_sent() - before)

    def close(self) -> None:
        """Close them."""
        for each in self._sockets:
            each.close()


@dataclass
class Outcome:
    """What one program did under one load."""

    program: str
    packets: int
    lost: int
    probes: int | None
    sent: int
    """Probes that the kernel sent while it was ready."""
    cpu_s: float


def start(host: Namespace, command: Sequence[str], ready: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program in the namespace and wait until it says that it captures."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", host.name, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    assert process.stderr is not None
    while ready not in (line := process.stderr.readline()):
        if not line:
            raise SystemExit(f"{command[0]} did not start")
    return process


def stop(process: subprocess.Popen[str]) -> tuple[str, str, float]:
    """End a program as Ctrl-C does; return what it printed and the CPU time that it used in all."""
    parts = ["", ""]
    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        threading.Thread(target=lambda at, stream: parts.__setitem__(at, stream.read()), args=(at, stream))
        for at, stream in enumerate((process.stdout, process.stderr))
    ]
    for reader in readers:
        reader.start()
    process.send_signal(signal.SIGINT)
    for reader in readers:
        reader.join()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return parts[0], parts[1], usage.ru_utime + usage.ru_stime


def watch(host: Namespace, probing: Probing, file: Path | None, filtered: bool, load: str) -> Outcome:
    """Run `keepalive watch` under a load."""
    command = [sys.executable, "-m", "analyzer", "watch", "-i", "lo", "--json"]
    command += ["-w", str(file), "--force"] if file else []
    process = start(host, [*command, *(FILTER if filtered else ())], "stop with Ctrl-C", {"PYTHONPATH": str(ROOT)})
    with probing.switched_on() as sent:
        under_load(host, load)
    time.sleep(0.2)
    out, _, cpu_s = stop(process)
    report = json.loads(out)
    (capture,) = report["captures"]
    lost = [
        int(found[1].replace(",", ""))
        for text in capture["warnings"]
        if (found := re.search(r"missing: ([\d,]+)", text))
    ]
    probes = sum(len(flow["probes"]) for flow in report["flows"])
    return Outcome("keepalive watch" + (" -w" if file else ""), capture["frames"], sum(lost), probes, sent[0], cpu_s)


def tcpdump(host: Namespace, probing: Probing, file: Path, filtered: bool, load: str) -> Outcome:
    """Run `tcpdump -w` under a load."""
    command = ["tcpdump", "-Z", "root", "-n", "-i", "lo", "-w", str(file)]
    process = start(host, [*command, *(FILTER if filtered else ())], "listening on", {})
    with probing.switched_on() as sent:
        under_load(host, load)
    time.sleep(0.2)
    _, err, cpu_s = stop(process)
    counts = {words: int(number) for number, words in re.findall(r"(\d+) packets? (captured|dropped by kernel)", err)}
    return Outcome("tcpdump -w", counts["captured"], counts["dropped by kernel"], None, sent[0], cpu_s)


def under_load(host: Namespace, load: str) -> None:
    """Run the load generator, in as many processes as the rate needs, and say what it sent."""
    rate, seconds = load.split(",")
    parts = -(-int(rate) // PART)
    command = ["ip", "netns", "exec", host.name, sys.executable, __file__, "--send", f"{int(rate) // parts},{seconds}"]
    senders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(parts)]
    for sender in senders:
        print(f"   {sender.communicate()[0].strip()}")


def measure(rate: int, seconds: float, connections: int, *, filtered: bool) -> None:
    """Measure every program under one load, and print a line for each."""
    what = f"{rate:,} packets/s for {seconds:g} s, " + (" ".join(FILTER) if filtered else "no filter")
    print(f"\n{what}; {connections} connections that probe every second from both ends")
    with Namespace("bench") as host, tempfile.TemporaryDirectory() as folder:
        probing = Probing(host, connections)
        file = Path(folder) / "out.pcap"
        load = f"{rate},{seconds}"
        for run in (
            lambda: watch(host, probing, None, filtered, load),
            lambda: watch(host, probing, file, filtered, load),
            lambda: tcpdump(host, probing, file, filtered, load),
        ):
            outcome = run()
            seen = "" if outcome.probes is None else f"{outcome.probes} of {outcome.sent} probes seen; "
            print(
                f"  {outcome.program:<20} {seen}{outcome.packets:,} packets, {outcome.lost:,} lost, "
                f"{outcome.cpu_s:.2f} s CPU ({outcome.cpu_s / seconds:.0%})"
            )
        probing.close()


def main() -> None:
    """Measure what the options ask for."""
    parser = argparse.ArgumentParser(description="Live capture under load.")
    parser.add_argument("--rate", type=int, help="packets a second; default: 100,000 and, filtered, 300,000")
    parser.add_argument("--filter", action="store_true", help="with --rate: filter by port")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--payload", type=int, default=100)
    parser.add_argument("--send", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        rate, seconds = options.send.split(",")
        sent, took = Load(options.payload).run(int(rate), float(seconds))
        print(f"sent {sent:,} in {took:.2f} s: {sent / took:,.0f} packets/s, {time.process_time():.2f} s CPU")
        return
    from analyzer.watching import compile_all

    compile_all()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, Linux {os.uname().release}")
    if options.rate:
        measure(options.rate, options.seconds, options.connections, filtered=options.filter)
        return
    measure(100_000, options.seconds, options.connections, filtered=False)
    measure(300_000, options.seconds, options.connections, filtered=True)


if __name__ == "__main__":
    main()
