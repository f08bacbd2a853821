"""Measures `keepalive report`, and whatever else here reads captures: time, CPU and memory of whole processes.

    python tests/bench/run.py                         # 10 million segments, made for it, and a growth curve
    python tests/bench/run.py --capture FILE.pcap     # a capture of your own
    python tests/bench/run.py --segments 2_000_000 --rounds 5 --no-growth --json result.json

Programs take turns, round after round, so that a busy moment of the machine hits them all; each line shows the least,
median and greatest time. Slow programs read only the first packets (``--peer-limit``; libraries a ``--slice``); they
are compared by the time per packet, and marked with ~. Nothing here passes or fails by time.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import functools
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What this process has ever occupied counts as the least peak of every child (getrusage). So it stays small: rich is
# imported late, and large results are read in other processes.

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
SMALL: Final = ROOT / "captures" / "lab" / "zero_window_pending.pcap"  # 79 packets
US: Final = "keepalive report"
JOIN: Final = "keepalive join"
"""Of the capture and what another point would have captured: twice the packets."""
MIB: Final = 1 << 20
WIDTH: Final = 132
GROWTH: Final = (1_000_000, 3_000_000, 10_000_000, 30_000_000)
SEGMENTS_A_FLOW: Final = 10_000_000 / 150_000
OCTETS_A_SEGMENT: Final = 101
SUMS: Final = ("flows", "flows_with_probes", "probes", "probes_after_fin", "verdicts")

SCAPY: Final = """
import itertools, sys
from scapy.utils import PcapReader
import scapy.layers.all
from scapy.layers.inet import TCP
with PcapReader(sys.argv[1]) as packets:
    print(sum(TCP in packet for packet in itertools.islice(packets, int(sys.argv[2]))))
"""
DPKT: Final = """
import itertools, sys, dpkt
count = 0
for _, octets in itertools.islice(dpkt.pcap.Reader(open(sys.argv[1], "rb")), int(sys.argv[2])):
    ip = dpkt.ethernet.Ethernet(octets).data
    count += isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, dpkt.tcp.TCP)
print(count)
"""
SUMMARY: Final = "import json, sys; print(json.dumps(json.load(sys.stdin)['summary']))"
PYSHARK: Final = """
import itertools, sys, pyshark
with pyshark.FileCapture(sys.argv[1], keep_packets=False, custom_parameters=["-c", sys.argv[2]]) as packets:
    print(sum(hasattr(packet.tcp, "analysis_keep_alive") for packet in packets if "TCP" in packet))
"""


@dataclass(frozen=True)
class Program:
    """Something that reads a capture."""

    name: str
    command: Callable[[str, int], list[str]]
    """Its arguments, given the capture and how many packets to read; those that cannot stop read all of them."""
    limit: str = "none"
    """Which option bounds what it reads: ``none``, ``peer`` or ``slice``."""
    slice_share: float = 1.0
    """What of ``--slice`` it gets, so that each library takes a few seconds."""


@dataclass
class Run:
    """One process."""

    wall_s: float
    cpu_s: float
    peak_octets: int
    error: str | None = None


@dataclass
class Line:
    """One program's runs over one capture."""

    program: str
    packets: int
    partial: bool
    runs: list[Run] = field(default_factory=list)

    def walls(self) -> list[float]:
        """Return the times of the runs that worked."""
        return [run.wall_s for run in self.runs if run.error is None]

    @property
    def error(self) -> str | None:
        """Why it did not work, if it never did."""
        return None if self.walls() else next((run.error for run in self.runs), "not run")

    def cpu_s(self) -> float:
        """Return the median CPU time, over all cores; a busy machine changes it less than the wall clock."""
        return statistics.median(run.cpu_s for run in self.runs if run.error is None)

    def per_packet_s(self) -> float:
        """Return the median time a packet."""
        return statistics.median(self.walls()) / max(self.packets, 1)

    def peak_octets(self) -> int:
        """Return the greatest peak of memory."""
        return max(run.peak_octets for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        """Return it with its sums."""
        line = asdict(self)
        if walls := self.walls():
            least, median, most = min(walls), statistics.median(walls), max(walls)
            line |= {"wall_s": {"min": least, "median": median, "max": most}}
            line |= {"packets_a_second": self.packets / median, "peak_octets": self.peak_octets()}
        return line


# processes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def ours() -> list[str]:
    """Return how `keepalive` is called here: as installed beside this Python, or from the sources."""
    beside = Path(sys.executable).parent / "keepalive"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "analyzer"]


def environment(**more: str) -> dict[str, str]:
    """Return ours, in which the sources are importable, and kept as bytecode as in any installation."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **more}


def measure(command: list[str], timeout_s: float, **more: str) -> Run:
    """Run a program to its end, and return what the kernel says it and its children took."""
    with tempfile.TemporaryFile() as complaints:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environment(**more),
            start_new_session=True,
        )
        timer = threading.Timer(timeout_s, functools.partial(stop, process.pid))
        timer.start()
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)  # it is waited for; Popen need not
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
    error = None
    if process.returncode:
        error = f"status {process.returncode}: {said[-1] if said else 'no message'}"
    scale = 1 if sys.platform == "darwin" else 1024
    return Run(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * scale, error)


def stop(group: int) -> None:
    """End a process that we started, and its children, because it takes too long."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def programs() -> list[Program]:
    """Return ourselves and every peer that is installed."""

    def python(code: str) -> Callable[[str, int], list[str]]:
        return lambda capture, packets: [sys.executable, "-c", code, capture, str(packets)]

    found = [Program(US, lambda capture, _: [*ours(), "report", capture])]
    found.append(Program(JOIN, lambda capture, _: [*ours(), "join", capture, str(beyond(Path(capture)))]))
    if shutil.which("tcpdump"):
        user = ["-Z", "root"] if os.geteuid() == 0 else []
        found.append(
            Program("tcpdump -w /dev/null", lambda c, _: ["tcpdump", *user, "-r", c, "-w", "/dev/null", "tcp"])
        )
    if shutil.which("tcptrace"):
        found.append(Program("tcptrace -n -l", lambda capture, _: ["tcptrace", "-n", "-l", capture]))
    if shutil.which("tshark"):
        asked = ["-Y", "tcp.analysis.keep_alive"]
        found.append(Program("tshark -Y keep_alive", lambda c, n: ["tshark", "-r", c, "-c", str(n), *asked], "peer"))
    if importlib.util.find_spec("dpkt"):
        found.append(Program("dpkt", python(DPKT), "slice"))
    if importlib.util.find_spec("scapy"):
        found.append(Program("scapy PcapReader", python(SCAPY), "slice", 0.1))
    if importlib.util.find_spec("pyshark") and shutil.which("tshark"):
        found.append(Program("pyshark", python(PYSHARK), "slice", 0.01))
    return found


def compare(capture: Path, packets: int, chosen: list[Program], options: argparse.Namespace) -> list[Line]:
    """Let the programs take turns over a capture."""
    limits = {"none": packets, "peer": options.peer_limit or packets, "slice": options.slice}
    lines = []
    for program in chosen:
        bound = max(int(limits[program.limit] * program.slice_share), 1)
        lines.append(Line(program.name, min(bound, packets), partial=bound < packets))
    warm(capture)
    for turn in range(options.rounds):
        for program, line in zip(chosen, lines, strict=True):
            say(f"round {turn + 1} of {options.rounds}: {program.name}")
            if not line.runs or line.walls():  # what failed once is not tried again
                line.runs.append(measure(program.command(str(capture), line.packets), options.timeout))
    return lines


def beyond(capture: Path) -> Path:
    """Return where the capture of another point is."""
    return capture.with_suffix(".beyond.pcap")


def warm(capture: Path) -> None:
    """Read the capture once, so that everyone finds it in the page cache, as far as that reaches."""
    with capture.open("rb", buffering=0) as file:
        while file.read(MIB):
            pass


def say(what: str) -> None:
    """Tell on a terminal what is going on."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what} ...", end="", file=sys.stderr, flush=True)


# captures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def made(segments: int, options: argparse.Namespace, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Generate a capture, or take the one that an earlier run left, and return it with its truth."""
    flows = round(segments * (options.flows / options.segments if options.flows else 1 / SEGMENTS_A_FLOW))
    stem = f"{segments}-{flows}-{options.probing}-{options.live}-{options.seed}"
    capture, truth = folder / f"{stem}.pcap", folder / f"{stem}.json"
    if not (capture.exists() and truth.exists()):
        say(f"making {segments:,} segments")
        arguments = {"segments": segments, "flows": flows, "out": capture}
        arguments |= {name: getattr(options, name) for name in ("probing", "live", "seed")}
        command = [sys.executable, str(HERE / "generate.py")]
        for name, value in arguments.items():
            command += [f"--{name}", str(value)]
        truth.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return capture, json.loads(truth.read_text(encoding="utf-8"))


def fits(segments: int, folder: Path) -> bool:
    """Whether there is room for a capture, and some more."""
    return shutil.disk_usage(folder).free > 1.5 * OCTETS_A_SEGMENT * segments


def count_packets(capture: Path) -> int:
    """Count the packets of a capture that somebody brought."""
    if shutil.which("capinfos"):
        done = subprocess.run(["capinfos", "-Mc", "-rT", str(capture)], capture_output=True, text=True, check=False)
        fields = done.stdout.split("\t")
        if done.returncode == 0 and fields[-1].strip().isdigit():
            return int(fields[-1])
    raise SystemExit("counting the packets of a capture of your own takes capinfos (from Wireshark)")


def disagreements(capture: Path, truth: dict[str, Any]) -> list[str]:
    """Compare the report's totals with what was generated; what is fast and wrong is not fast."""
    with subprocess.Popen([*ours(), "report", str(capture), "--json"], stdout=subprocess.PIPE, env=environment()) as us:
        # parsed in a process of its own: see the note at the top of this file
        done = subprocess.run([sys.executable, "-c", SUMMARY], stdin=us.stdout, capture_output=True, check=False)
    if done.returncode:
        return [f"no summary from keepalive report --json (status {us.returncode})"]
    summary = json.loads(done.stdout)
    return [
        f"{name}: {summary.get(name)} reported, {truth[name]} generated"
        for name in SUMS
        if summary.get(name) != truth[name]
    ]


# results ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def machine() -> dict[str, Any]:
    """Say in words what this was measured on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = {}
    for package in ("keepalive-analyzer", "numpy", "numba", "scapy", "dpkt", "pyshark"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            packages[package] = importlib.metadata.version(package)
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "processor": model,
        "cores": os.cpu_count(),
        "memory_octets": memory,
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": packages,
        "programs": dict(versions()),
    }


def versions() -> Iterator[tuple[str, str]]:
    """Yield the first line of what each peer says of its version."""
    for program, flag in (("tshark", "--version"), ("tcpdump", "--version"), ("tcptrace", "-v")):
        if shutil.which(program):
            done = subprocess.run(
                [program, flag], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            said = [line for line in done.stdout.splitlines() if "ersion" in line or "TShark" in line]
            yield program, said[0].strip() if said else "unknown"


def peak(octets: int, floor: int) -> str:
    """Write a peak of memory; below our own, the kernel cannot tell."""
    return f"{octets / MIB:,.0f}" if octets > floor else f"≤ {floor / MIB:,.0f}"


def print_comparison(lines: list[Line], floor: int) -> None:
    """Print one line a program."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Whole processes, in turn; ~ read only the first packets, compared by the time per packet")
    table.add_column("program", no_wrap=True)
    for head in ("packets", "s: min", "median", "max", "CPU s", "packets/s", "peak MiB", "time / ours", "CPU / ours"):
        table.add_column(head, justify="right", no_wrap=True)
    us = next((line for line in lines if line.program == US), None)
    for line in lines:
        if line.error:
            table.add_row(line.program, f"{line.packets:,}", "failed")
            continue
        mark, walls = "~" if line.partial else "", line.walls()
        ratios = ["", ""]
        if us and not us.error:
            cpu = (line.cpu_s() / line.packets) / (us.cpu_s() / us.packets)
            ratios = [f"{mark}{ratio:,.2f}" for ratio in (line.per_packet_s() / us.per_packet_s(), cpu)]
        table.add_row(
            line.program,
            f"{mark}{line.packets:,}",
            *(f"{value:.2f}" for value in (min(walls), statistics.median(walls), max(walls))),
            f"{line.cpu_s():.2f}",
            f"{1 / line.per_packet_s():,.0f}",
            peak(line.peak_octets(), floor),
            *ratios,
        )
    Console(width=WIDTH).print(table)
    if said := joining_ratio(lines):
        print(said)
    for line in lines:
        if line.error:
            print(f"{line.program} failed: {line.error}")


def joining_ratio(lines: list[Line]) -> str:
    """Say what joining two points takes against reading one of them; nothing where either was not measured."""
    worked = {line.program: line for line in lines if not line.error}
    if not {US, JOIN} <= worked.keys():
        return ""
    one, both = worked[US], worked[JOIN]
    wall = statistics.median(both.walls()) / statistics.median(one.walls())
    cpu, memory = both.cpu_s() / one.cpu_s(), both.peak_octets() / one.peak_octets()
    return (
        f"{JOIN} of two such captures takes {wall:.1f} times {US} of one "
        f"({cpu:.1f} times its CPU time, {memory:.1f} its memory)."
    )


def print_growth(curve: list[dict[str, Any]], floor: int) -> None:
    """Print how time and memory follow the size."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Growth of {US}: the same number of live flows, ever longer")
    for head in ("segments", "flows", "s: min", "median", "max", "s a million", "against first", "peak MiB"):
        table.add_column(head, justify="right", no_wrap=True)
    first = next((point["line"].per_packet_s() for point in curve if not point["line"].error), None)
    for point in curve:
        line: Line = point["line"]
        if line.error or first is None:
            table.add_row(f"{line.packets:,}", f"{point['flows']:,}", "failed")
            continue
        walls, each = line.walls(), line.per_packet_s()
        table.add_row(
            f"{line.packets:,}",
            f"{point['flows']:,}",
            *(f"{value:.2f}" for value in (min(walls), statistics.median(walls), max(walls))),
            f"{each * 1e6:.3f}",
            f"{each / first:.2f}",
            peak(line.peak_octets(), floor),
        )
    Console(width=WIDTH).print(table)


def grow(options: argparse.Namespace, folder: Path, us: Program) -> list[dict[str, Any]]:
    """Measure ourselves on ever longer captures."""
    curve = []
    for segments in options.sizes:
        if not fits(segments, folder):
            print(f"no room in {folder} for {segments:,} segments: left out", file=sys.stderr)
            continue
        before = set(folder.iterdir())
        capture, truth = made(segments, options, folder)
        (line,) = compare(capture, truth["segments"], [us], options)
        curve.append({"flows": truth["flows"], "probes": truth["probes"], "line": line})
        if options.work is None:
            for file in set(folder.iterdir()) - before:
                file.unlink()
    return curve


def start(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Measure what an impatient person waits for: help, a small capture, and the very first run."""
    larger = str(made(20_000, options, folder)[0])
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "keepalive --help": [*ours(), "--help"],
        "keepalive explain, 79 packets": [*ours(), "explain", str(SMALL)],
    }
    if shutil.which("tshark"):
        commands["tshark -r, the same"] = ["tshark", "-r", str(SMALL)]
    commands["keepalive report, 20,000 packets"] = [*ours(), "report", larger]
    lines = {name: Line(name, 1, partial=False) for name in commands}
    say("compiling for the first time")
    with tempfile.TemporaryDirectory(prefix="keepalive-bench-cache-") as cache:
        command = commands["keepalive report, 20,000 packets"]
        fresh = measure(command, options.timeout, KEEPALIVE_CACHE_DIR=cache, KEEPALIVE_JIT="1", NUMBA_OPT="3")
    first = Line("the same, first run ever: compiling", 1, partial=False, runs=[fresh])
    measure(command, options.timeout, KEEPALIVE_JIT="1")  # so that nothing compiles while it is timed
    for turn in range(max(5, options.rounds) + 1):
        say(f"start, round {turn}")
        for name, command in commands.items():
            run = measure(command, options.timeout)
            if turn:  # the first only warms up
                lines[name].runs.append(run)
    return [line.as_json() | {"error": line.error} for line in (*lines.values(), first)]


def print_start(lines: list[dict[str, Any]]) -> None:
    """Print how long it takes to get going."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Start: small work, warm")
    table.add_column("command", no_wrap=True)
    for head in ("s: min", "median", "max", "CPU s"):
        table.add_column(head, justify="right", no_wrap=True)
    for line in lines:
        if line["error"]:
            table.add_row(line["program"], "failed")
            continue
        cpu_s = statistics.median(run["cpu_s"] for run in line["runs"])
        table.add_row(line["program"], *(f"{value:.3f}" for value in (*line["wall_s"].values(), cpu_s)))
    Console(width=WIDTH).print(table)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capture", type=Path, help="measure on this file instead of a generated one")
    parser.add_argument("--segments", type=int, default=10_000_000)
    parser.add_argument("--flows", type=int, help="flows in the generated capture; else in proportion")
    parser.add_argument("--probing", type=float, default=0.1, help="share of the flows with keepalive")
    parser.add_argument("--live", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="programs whose names contain one of these words, with commas")
    parser.add_argument("--peer-limit", type=int, default=1_000_000, help="packets for tshark; 0 for all")
    parser.add_argument("--slice", type=int, default=200_000, help="packets for libraries: scapy a tenth of it")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds after which a program is ended")
    parser.add_argument("--growth", action=argparse.BooleanOptionalAction, help="the curve; left out with --capture")
    parser.add_argument("--start", action=argparse.BooleanOptionalAction, default=True, help="small work, too")
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=GROWTH)
    parser.add_argument("--verify", action=argparse.BooleanOptionalAction, default=True, help="totals against truth")
    parser.add_argument("--work", type=Path, help="folder in which generated captures stay for the next time")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Measure, and print."""
    options = arguments(given)
    words = [word for word in options.only.split(",") if word]
    chosen = [each for each in programs() if not words or any(word in each.name for word in words)]
    if options.capture:  # of which nobody knows what another point would have captured
        chosen = [each for each in chosen if each.name != JOIN]
    result: dict[str, Any] = {"machine": machine()}
    with contextlib.ExitStack() as stack:
        folder = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keepalive-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        if options.capture:
            capture, truth = options.capture, None
            packets = count_packets(capture)
        else:
            capture, truth = made(options.segments, options, folder)
            packets = truth["segments"]
        if any(each.name == JOIN for each in chosen) and not beyond(capture).exists():
            say("making what another point would have captured")
            command = [sys.executable, str(HERE / "other_point.py"), str(capture), str(beyond(capture))]
            subprocess.run(command, check=True)
        result["start"] = start(options, folder) if options.start else []
        lines = compare(capture, packets, chosen, options)
        if any(line.program == US and not line.error for line in lines) and truth and options.verify:
            say("comparing the totals with the truth")
            result["disagreements"] = disagreements(capture, truth)
        curve = []
        if options.growth if options.growth is not None else not options.capture:
            curve = grow(options, folder, programs()[0])
    say("")
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    on = result["machine"]
    print(
        f"{on['date']}, {on['processor']}, {on['cores']} cores, {on['memory_octets'] / 2**30:.0f} GiB, {on['system']}"
    )
    if max(on["load_before"], os.getloadavg()[0] - 1.5) > 0.5:
        print(f"The machine had other work (load {on['load_before']:.1f} at the start): trust CPU more than the clock.")
    print(f"Python {on['python']}; {'; '.join(on['programs'].values())}")
    print(f"{capture}: {packets:,} packets, {capture_size(options, truth)}")
    print_comparison(lines, floor)
    for difference in result.get("disagreements", []):
        print(f"NOT AS GENERATED: {difference}")
    if result.get("disagreements") == []:
        print("The report's totals are those that were generated: " + ", ".join(SUMS) + ".")
    if curve:
        print_growth(curve, floor)
    if result["start"]:
        print_start(result["start"])
    result |= {
        "capture": {"path": str(capture), "packets": packets, "truth": truth},
        "floor_octets": floor,
        "comparison": [line.as_json() for line in lines],
        "joining": joining_ratio(lines),
        "growth": [{**point, "line": point["line"].as_json()} for point in curve],
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def capture_size(options: argparse.Namespace, truth: dict[str, Any] | None) -> str:
    """Describe the capture."""
    if truth is None:
        return f"{options.capture.stat().st_size / 1e6:,.0f} MB"
    return f"{truth['octets'] / 1e6:,.0f} MB, {truth['flows']:,} flows, {truth['flows_with_probes']:,} with probes"


if __name__ == "__main__":
    sys.exit(main())
