"""Soaks live capture: minutes under load, with memory and descriptors looked at, and counted against the kernel.

    sudo python tests/bench/soak.py                         # ten minutes at 20,000 packets/s
    sudo python tests/bench/soak.py --seconds 20 --rate 5000

The kernel counts what it sent on the interface and the probes it sent; every packet must be captured or told as lost,
every probe must be seen unless packets were lost. Memory at the end may be little more than after the first quarter,
descriptors no more. ``tests/live/test_soak.py`` runs the short form.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from captures.recipes.network import Namespace  # noqa: E402
from tests.bench import live  # noqa: E402

EVERY_S = 1.0
MORE_MEMORY = 1.1
"""Memory may grow by a tenth and SLACK_MIB: connections that probe have one more notable segment each second."""
SLACK_MIB = 8


@dataclass
class Soaked:
    """What was seen of a watch under load."""

    memory_mib: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    captured: int = 0
    lost: int = 0
    sent: int = 0
    """Packets that the interface counted as sent while the watch was there."""
    probes: int = 0
    probes_sent: int = 0
    """Probes that the kernel counted."""
    capabilities: int = -1
    status: int = -1

    def faults(self) -> list[str]:
        """Say what is not as it should be."""
        found = []
        quarter = len(self.memory_mib) // 4
        steady = max(self.memory_mib[: quarter + 1])
        if max(self.memory_mib) > steady * MORE_MEMORY + SLACK_MIB:
            found.append(f"memory grew from {steady:.0f} to {max(self.memory_mib):.0f} MiB")
        if max(self.descriptors) > max(self.descriptors[: quarter + 1]):
            found.append(f"descriptors grew from {self.descriptors[quarter]} to {max(self.descriptors)}")
        if self.captured + self.lost < self.sent:
            found.append(f"{self.sent} packets passed, {self.captured} were captured and {self.lost} told as lost")
        if self.probes != self.probes_sent and not self.lost:
            found.append(f"the kernel sent {self.probes_sent} probes, {self.probes} were seen")
        if self.status:
            found.append(f"the watch ended with status {self.status}")
        return found


def sent_on_loopback(host: Namespace) -> int:
    """Return the interface's own count of packets that were sent."""
    with host.inside():
        lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    return int(next(line.partition(":")[2].split()[9] for line in lines if line.strip().startswith("lo:")))


def look(pid: int, soaked: Soaked) -> None:
    """Take memory, descriptors and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    soaked.memory_mib.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
    soaked.threads.append(int(status.partition("Threads:")[2].split()[0]))
    soaked.capabilities = int(status.partition("CapEff:")[2].split()[0], 16)
    soaked.descriptors.append(len(list(Path(f"/proc/{pid}/fd").iterdir())))


def soak(seconds: float, rate: int, connections: int = 10) -> Soaked:
    """Watch a loopback of our own under load for so long."""
    soaked = Soaked()
    with Namespace("soak") as host:
        probing = live.Probing(host, connections)
        command = [sys.executable, "-m", "analyzer", "watch", "-i", "lo", "--json"]
        with live.start(host, command, "stop with Ctrl-C", {"PYTHONPATH": str(ROOT)}) as watch:
            before = sent_on_loopback(host)
            with probing.switched_on() as probes:
                load = ["ip", "netns", "exec", host.name, sys.executable, live.__file__, "--send", f"{rate},{seconds}"]
                sender = subprocess.Popen(load, stdout=subprocess.DEVNULL)
                while sender.poll() is None:
                    look(watch.pid, soaked)
                    time.sleep(EVERY_S)
            soaked.sent = sent_on_loopback(host) - before
            out, _, _ = live.stop(watch)
        probing.close()
    report = json.loads(out)
    (capture,) = report["captures"]
    missing = [re.search(r"missing: ([\d,]+)", warning) for warning in capture["warnings"]]
    soaked.lost = sum(int(found[1].replace(",", "")) for found in missing if found)
    soaked.captured, soaked.status = capture["frames"], 0
    soaked.probes, soaked.probes_sent = sum(len(flow["probes"]) for flow in report["flows"]), probes[0]
    return soaked


def main() -> int:
    """Soak as the options say; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(description="Live capture under load for long.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=int, default=20_000, help="packets a second")
    options = parser.parse_args()
    from analyzer.watching import compile_all

    compile_all()
    soaked = soak(options.seconds, options.rate)
    memory, descriptors = soaked.memory_mib, soaked.descriptors
    print(
        f"{options.seconds:g} s at {options.rate:,} packets/s: {soaked.sent:,} packets sent by the interface's count, "
        f"{soaked.captured:,} captured, {soaked.lost:,} lost; {soaked.probes:,} of {soaked.probes_sent:,} probes seen; "
        f"memory {memory[len(memory) // 4]:.0f} MiB after a quarter, {memory[-1]:.0f} at the end, "
        f"{max(memory):.0f} at most; descriptors {min(descriptors)} to {max(descriptors)}, "
        f"threads {min(soaked.threads)} to {max(soaked.threads)}; capabilities {soaked.capabilities:#x}"
    )
    for fault in soaked.faults():
        print(f"FAULT: {fault}")
    return int(bool(soaked.faults()))


if __name__ == "__main__":
    sys.exit(main())
