"""``keepalive watch``: an interface, live; then the report."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Self

from analyzer.cli import ending, manner
from analyzer.cli import options as shared
from analyzer.cli.extras import needed
from analyzer.report.screen import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from analyzer.analysis import Analysis
    from analyzer.capture.pcap_writer import PcapWriter
    from analyzer.cli.failing import FailOn
    from analyzer.explain.news import Item, News
    from analyzer.judge.judged import JudgedFlow
    from analyzer.kept_flows import Flow
    from analyzer.report.live_screen import KernelView, LiveFlow
    from analyzer.sockets import KernelSocket
    from analyzer.track.flow import Endpoint, Side
    from analyzer.watching import Watching

EXAMPLES: Final = """\
examples:
  sudo keepalive watch -i lo tcp port 4001
  sudo keepalive watch -i eth0 --port 5432,6379 --sockets -w kept.pcapng
  sudo keepalive watch -i any --duration 60 --jsonl > events.jsonl
  sudo keepalive watch -i eth0 --port 5432 --duration 600 --fail-on half_closed
"""
LOOK_S: Final = 0.25
"""This often the table is drawn, and events are told."""
PATIENCE: Final = 20
"""Looking at the flows may take one part in so many of the time; with very many flows it is done less often."""
HALF_CLOSED_S: Final = 1.0
HOLDERS_S: Final = 3.0
"""This often it is looked up which processes have them open; it means reading /proc."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EXAMPLES
    group = parser.add_argument_group("input")
    group.add_argument("-i", dest="interface", metavar="IFACE", help="the interface (default: loopback); any is all")
    group.add_argument("bpf", metavar="BPF", nargs="*", help="a filter, as for tcpdump: tcp port 4001")
    shared.add_port(group, "TCP from or to this port, or one of this range (8000-8099); several with commas")
    group.add_argument(
        "--only-tcp",
        action="store_true",
        help="with --port, or a filter of TCP or ports: no ICMP and ARP, which may say why nothing answers",
    )
    group.add_argument("-c", dest="count", metavar="N", type=_positive, help="stop after N packets (default: Ctrl-C)")
    group.add_argument("--duration", metavar="S", type=_seconds, help="stop after S seconds (default: Ctrl-C)")
    group.add_argument(
        "-s", dest="snaplen", metavar="N", type=_positive, help="keep N bytes of each packet (default: headers)"
    )
    group.add_argument(
        "-p",
        dest="promiscuous",
        action="store_false",
        help="no promiscuous mode (default: on)",
    )
    group.add_argument(
        "-Z",
        dest="user",
        metavar="USER",
        help="as root: once the interface and FILE are open, become USER (default: who called sudo), "
        "and in any case give up all capabilities; root: keep them",
    )
    group.add_argument("-n", action="store_true", help=argparse.SUPPRESS)  # tcpdump's habit; no name is ever resolved
    group = parser.add_argument_group("output")
    group.add_argument(
        "-w",
        dest="write",
        metavar="FILE",
        help="keep the packets, whole, in FILE: a pcap file, or, if it is called FILE.pcapng, a pcapng file that also "
        "keeps what --sockets sees, which explain tells",
    )
    group.add_argument("--force", action="store_true", help="overwrite an existing FILE")
    group.add_argument(
        "--sockets",
        action="store_true",
        help="also ask this host's kernel for real states, timers and processes, and for the route to hosts that fall "
        "silent (Linux)",
    )
    forms = group.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", dest="form", action="store_const", const="json", help="at the end, the JSON of keepalive report"
    )
    forms.add_argument(
        "--jsonl", dest="form", action="store_const", const="jsonl", help="one JSON object per event, then one per flow"
    )
    group.add_argument(
        "--metrics",
        metavar="[ADDRESS:]PORT",
        default="",
        help="answer Prometheus at http://ADDRESS:PORT/metrics (default: of 127.0.0.1 alone; needs the extra metrics)",
    )
    shared.add_fail_on(group)


def run(options: argparse.Namespace) -> int:
    """Watch, then report; return the exit status."""
    from analyzer import sockets
    from analyzer.capture.live_reader import LiveReader
    from analyzer.capture.tap import loopback_name
    from analyzer.cli.failing import FailOn
    from analyzer.errors import CaptureNotPermittedError, LiveCaptureError
    from analyzer.watching import Watching

    fail_on = FailOn(options.fail_on)
    if options.write == "":
        raise shared.MisuseError("-w has an empty name; is a variable not set?")
    if options.write:
        shared.refuse_overwrite(options.write, force=options.force)
    if options.sockets and not sockets.available():
        raise shared.UsageError("--sockets asks the Linux kernel; this is another system")
    with _stopping_on_signals() as on_signal:
        try:
            reader = LiveReader(
                options.interface or loopback_name(),
                filter_text=" ".join(options.bpf),
                ports=options.port,
                only_tcp=options.only_tcp,
                snaplen=options.snaplen,
                write=options.write,
                limit=options.count,
                promiscuous=options.promiscuous,
            )
        except CaptureNotPermittedError:
            raise
        except LiveCaptureError as error:
            raise shared.UsageError(str(error)) from error
        sent_before = sockets.probes_sent() if options.sockets else None
        everything = bool(options.form) or fail_on.asks_for_findings
        with (
            Watching(reader, keep_all=everything, eager=True) as watching,
            _answering(options.metrics, watching) if options.metrics else contextlib.nullcontext(),
        ):
            _give_up_rights(options)
            on_signal(watching.stop)
            ask = _follow(options, watching)
            result = watching.finish()
    _report(options, result, fail_on, reader.writer, ask)
    if sent_before is not None:
        _count_probes(result, sent_before, sockets.probes_sent())
    if reader.writer is not None and reader.writer.damage:
        return ending.UNREADABLE  # packets that were to be kept are not
    return fail_on.status


@contextlib.contextmanager
def _answering(where: str, watching: Watching) -> Iterator[None]:
    """Answer Prometheus meanwhile, in a thread of its own."""
    client = needed("prometheus_client", "metrics")
    from analyzer.report.metrics import Metrics

    address, port = _address(where)
    metrics = Metrics(watching.summary, watching.living)
    watching.see = metrics.over.add
    registry = client.CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    try:
        server, thread = client.start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        raise shared.UsageError(f"--metrics {where}: {error.strerror or error}") from error
    host = f"[{address}]" if ":" in address else address
    manner.warn(f"metrics: http://{host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _address(where: str) -> tuple[str, int]:
    """Return the address and port of --metrics."""
    host, _, port = where.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise shared.MisuseError(f"--metrics {where}: expected a port, or an address and a port: 127.0.0.1:9105")
    return host.strip("[]") or "127.0.0.1", int(port)


def _give_up_rights(options: argparse.Namespace) -> None:
    """Be an ordinary process from here on, but for seeing who holds which socket, if that was asked for.

    Interface and file are open, and compiled loops that are kept are loaded.
    """
    from analyzer.capture.privileges import Capability, give_up
    from analyzer.cli import Running, becoming
    from analyzer.loops import machine

    if not Running.alone or options.user == becoming.STAY:
        return  # a test or a notebook that calls this goes on afterwards
    try:
        user = becoming.whom(options.user)
    except KeyError:
        raise shared.UsageError(f"-Z {options.user}: there is no such user") from None
    except OSError as error:
        raise shared.UsageError(f"-Z {options.user}: {error.strerror}") from error
    keep = {Capability.DAC_READ_SEARCH, Capability.SYS_PTRACE} if options.sockets else set()
    if user is None and not becoming.can_go_on(None):  # root, in another user's folders
        keep.add(Capability.DAC_READ_SEARCH)
    give_up(keep=keep, become=user)
    if user is not None:
        os.environ["HOME"] = user.pw_dir
        machine.store.cache_clear()  # the folder of root's compiled loops is not this user's


def _follow(options: argparse.Namespace, watching: Watching) -> Kernel | None:
    """Show what happens, until the end; return what the kernel said, if it was asked."""
    from analyzer.host_view import HostNotes

    where = watching.reader.path + (f" ({wanted})" if (wanted := _filter(options)) else "")
    if options.form == "json":
        display: Any = Quiet(watching) if options.sockets else contextlib.nullcontext()
    elif options.form == "jsonl" or not sys.stdout.isatty():
        display = Log(watching, jsonl=options.form == "jsonl")
    else:
        display = Screen(watching, where)
    if not (sys.stdout.isatty() and options.form is None):
        manner.warn(f"watching {where}; stop with Ctrl-C")
    ask = Kernel(frozenset(options.port)) if options.sockets else None
    notes = HostNotes() if ask is not None and options.write else None
    if ask is not None and ask.link.why_not:
        manner.warn(ask.link.why_not)
    deadline_s = None if options.duration is None else time.monotonic() + options.duration
    every_s = LOOK_S if options.duration is None else min(LOOK_S, options.duration)
    look_again_s = 0.0
    with display as shown:
        for _ in watching.run(every_s):
            now_s = time.monotonic()
            if deadline_s is not None and now_s >= deadline_s:
                watching.stop()
            if ask is not None and notes is not None:
                _keep_note(watching, notes.of(ask.sockets()))
            if shown is not None and now_s >= look_again_s:
                shown.look(ask)
                look_again_s = now_s + PATIENCE * (time.monotonic() - now_s)
        if shown is not None:
            shown.look(ask, last=True)
        if ask is not None and notes is not None:
            _keep_note(watching, notes.of(ask.sockets(), last=True))
    return ask


def _keep_note(watching: Watching, note: str | None) -> None:
    """Keep what the host says of itself among the packets, if it says something new."""
    if note is not None:
        watching.reader.note(note)


def _filter(options: argparse.Namespace) -> str:
    from analyzer.capture.tap import expression

    return expression(" ".join(options.bpf), options.port, only_tcp=options.only_tcp)


class Attention:
    """Which flows are worth a look: those that probe, and those that stay half-closed or silent."""

    def __init__(self) -> None:
        """Begin with none."""
        self._since_s: dict[int, float] = {}
        self._shown: set[int] = set()

    def of(self, view: Analysis, *, last: bool = False) -> NDArray[np.void]:
        """Return their lines, most important first, with those that were worth it before.

        Every connection is half-closed for a moment when it ends; so that counts only after HALF_CLOSED_S, or if this
        is the ``last`` look.
        """
        import numpy as np

        from analyzer.judge.verdict import Verdict
        from analyzer.survey import overview

        lines = view.lines()
        probes = (lines["probes"] > 0) | (lines["zero_window"] > 0)
        lasting = overview.has_verdict(lines["winner"], Verdict.HALF_CLOSED, Verdict.SILENT) & ~probes
        now_s = time.monotonic()
        numbers = lines["number"][lasting].tolist()
        self._since_s = {number: self._since_s.get(number, now_s) for number in numbers}
        self._shown |= set(lines["number"][probes].tolist())
        self._shown |= {n for n, since_s in self._since_s.items() if last or now_s - since_s >= HALF_CLOSED_S}
        return overview.ranked(lines[np.isin(lines["number"], list(self._shown))])


class Changes:
    """Which flows changed since the last look; only these are judged."""

    def __init__(self) -> None:
        """Begin with none known."""
        self._attention = Attention()
        self._known: dict[int, Any] = {}

    def of(self, view: Analysis, *, last: bool = False) -> Iterator[Flow]:
        """Yield the flows worth a look that changed, in order."""
        from analyzer.survey import overview

        worth = self._attention.of(view, last=last)
        for line in overview.in_order(worth):
            number = int(line["number"])
            mark = line.copy()
            mark["batch"] = mark["row"] = 0
            if self._known.get(number) != mark.item():
                self._known[number] = mark.item()
                yield view.flow(line)


class Quiet:
    """Shows nothing, but lets the kernel be asked for the way to hosts of flows."""

    def __init__(self, watching: Watching) -> None:
        """Begin."""
        self._watching = watching
        self._changes = Changes()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def look(self, ask: Kernel | None, *, last: bool = False) -> None:
        """Ask."""
        now_ns = time.time_ns()
        changed = list(self._changes.of(self._watching.view(now_ns), last=last))
        if ask is not None:
            for _ in ask.link.news((flow.judged for flow in changed), now_ns):
                pass  # kept for the report


class Log:
    """Events, one a line, on stdout."""

    def __init__(self, watching: Watching, *, jsonl: bool) -> None:
        """Begin."""
        self._watching = watching
        self._jsonl = jsonl
        self._changes = Changes()
        self._news: dict[int, News] = {}
        self._waiting: dict[int, Flow] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def look(self, ask: Kernel | None, *, last: bool = False) -> None:
        """Tell what is new."""
        from analyzer.explain.news import News

        now_ns = time.time_ns()
        view = self._watching.view(now_ns)
        changed = {flow.number: flow for flow in self._changes.of(view, last=last)}
        told: list[tuple[Item, JudgedFlow]] = []
        unsure = {}
        for number, flow in {**self._waiting, **changed}.items():
            news = self._news.setdefault(number, News())
            told += [(item, flow.judged) for item in news.of(flow.judged, view.start_ns(), now_ns)]
            if any(probe.answer is None for probe in flow.judged.record.probes[-2:]):
                unsure[number] = flow
        self._waiting = unsure
        for item, judged in sorted(told, key=lambda entry: entry[0].ts_ns):
            self._write(item, judged, view.start_ns(), ask)
        if ask is not None:
            for event in ask.link.news((flow.judged for flow in changed.values()), now_ns):
                sys.stdout.write((json.dumps(event.object) if self._jsonl else event.line) + "\n")
        sys.stdout.flush()

    def _write(self, item: Item, judged: JudgedFlow, start_ns: int, ask: Kernel | None) -> None:
        from analyzer.report.live_screen import log_line, log_object

        kernel = ask.views(judged) if ask is not None and item.event in ("fin", "verdict", "probe") else {}
        if self._jsonl:
            entry = log_object(item, judged, start_ns)
            if kernel:
                entry["kernel"] = {side: _kernel_object(view) for side, view in kernel.items()}
            sys.stdout.write(json.dumps(entry) + "\n")
            return
        sys.stdout.write(log_line(item, judged) + "".join(_kernel_text(judged, kernel)) + "\n")


class Screen:
    """A table on the terminal that is drawn again and again."""

    def __init__(self, watching: Watching, where: str) -> None:
        """Begin; nothing is drawn yet."""
        from rich.console import Console
        from rich.live import Live

        self._watching = watching
        self._where = where
        self._since_ns = time.monotonic_ns()
        self._console = Console()
        self._drawn = ""
        self._attention = Attention()
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stderr=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def look(self, ask: Kernel | None, *, last: bool = False) -> None:
        """Draw what there is now."""
        from analyzer.report.live_screen import LINES_AROUND, LINES_OF_FLOW, Standing, table

        now_ns = time.time_ns()
        view = self._watching.view(now_ns)
        lines = self._attention.of(view, last=last)
        room = max((self._console.height - LINES_AROUND) // (LINES_OF_FLOW + (ask is not None)), 1)
        reader = self._watching.reader
        standing = Standing(
            where=self._where,
            frames=reader.taken,
            lost=reader.lost,
            flows=view.totals.flows,
            running_ns=time.monotonic_ns() - self._since_ns,
            now_ns=now_ns,
            start_ns=view.start_ns(),
            more=max(len(lines) - room, 0),
        )
        flows = [_live_flow(view.flow(line).judged, ask) for line in lines[:room]]
        if ask is not None:
            for _ in ask.link.news((flow.judged for flow in flows), now_ns):
                pass  # what stands is in the table
        drawn = table(standing, flows, ask.link.standing() if ask is not None else ())
        with self._console.capture() as capture:
            self._console.print(drawn)
        if capture.get() != self._drawn:  # drawn no more often than something on it changes
            self._drawn = capture.get()
            self._live.update(drawn, refresh=True)


def _live_flow(judged: JudgedFlow, ask: Kernel | None) -> LiveFlow:
    from analyzer.judge.outlook import outlook
    from analyzer.report.live_screen import LiveFlow

    return LiveFlow(judged, outlook(judged), ask.views(judged) if ask else {})


class Kernel:
    """The kernel's own view of the sockets on this host, asked now and then."""

    def __init__(self, ports: frozenset[int]) -> None:
        """Begin; ``ports`` narrows what is asked for."""
        self._ports = ports
        self._sockets: dict[tuple[Endpoint, Endpoint], KernelSocket] = {}
        self._ask_again_s = self._held_s = -1e9
        from analyzer.cli.link import Link

        self.link = Link()
        """The way to hosts that fall silent."""

    def views(self, judged: JudgedFlow) -> dict[Side, KernelView]:
        """Return what the kernel says of the ends of a flow that are on this host."""
        from analyzer.judge.record import other
        from analyzer.report.live_screen import KernelView
        from analyzer.track.flow import SIDES

        self._ask()
        views: dict[Side, KernelView] = {}
        for side in SIDES:
            record = judged.record
            seen = self._sockets.get((record.endpoint(side), record.endpoint(other(side))))
            if seen is not None:
                holders = ", ".join(f"{holder.pid} ({printable(holder.name)})" for holder in seen.holders)
                views[side] = KernelView(seen.state, seen.timer, seen.timer_ns, seen.unanswered, holders)
        return views

    def sockets(self) -> dict[tuple[Endpoint, Endpoint], KernelSocket]:
        """Return the sockets, by local and remote endpoint."""
        self._ask()
        return self._sockets

    def _ask(self) -> None:
        """Ask again if the last answer is old."""
        from dataclasses import replace

        from analyzer import sockets

        now_s = time.monotonic()
        if now_s < self._ask_again_s:
            return
        known = {key: each.holders for key, each in self._sockets.items()}
        with contextlib.suppress(OSError):
            self._sockets = sockets.kernel_sockets(self._ports)
        new = self._sockets.keys() - known.keys()
        if new or now_s - self._held_s > HOLDERS_S:
            self._held_s = now_s
            self._sockets = sockets.with_holders(self._sockets)
        else:
            self._sockets = {key: replace(each, holders=known[key]) for key, each in self._sockets.items()}
        took_s = time.monotonic() - now_s
        self._ask_again_s = now_s + max(LOOK_S / 2, PATIENCE * took_s)


def _kernel_object(view: KernelView) -> dict[str, Any]:
    from analyzer.units import seconds

    return {
        "state": view.state,
        "timer": view.timer,
        "timer_s": seconds(view.timer_ns) if view.timer else None,
        "unanswered": view.unanswered,
        "holders": view.holders or None,
    }


def _kernel_text(judged: JudgedFlow, kernel: dict[Side, KernelView]) -> Iterator[str]:
    from analyzer.report.live_screen import role

    for side, view in kernel.items():
        holder = f"pid {view.holders}" if view.holders else "no process"
        yield f"; kernel: {role(judged, side)} {view.state}, {holder}"


def _with_ways(flows: Iterable[Flow], ask: Kernel | None) -> Iterator[Flow]:
    """Yield flows, with what the kernel said of the way to their hosts among the witnesses."""
    from dataclasses import replace

    for flow in flows:
        if ask is not None and (ways := ask.link.witnesses(flow.judged)):
            witnesses = sorted((*flow.judged.witnesses, *ways), key=lambda witness: witness.ts_ns)
            flow.judged = replace(flow.judged, witnesses=tuple(witnesses))
        yield flow


def _report(
    options: argparse.Namespace, result: Analysis, fail_on: FailOn, writer: PcapWriter | None, ask: Kernel | None
) -> None:
    """Write what the capture showed."""
    from analyzer.cli.reading import say_warnings
    from analyzer.cli.report import write_text
    from analyzer.report import export

    if options.form == "json":
        flows = _with_ways(fail_on.all_of(result), ask)
        write, limits = sys.stdout.write, result.idle_limits
        export.write_json(
            result.captures, flows, result.totals, write, several=False, limits=limits, settings=result.settings_in_use
        )
    elif options.form == "jsonl":
        for flow in _with_ways(fail_on.all_of(result), ask):
            entry = export.numbered(flow, result.captures, several=False)
            sys.stdout.write(json.dumps({"event": "report", **entry}) + "\n")
    else:
        told = argparse.Namespace(**vars(options), flow=[], only_findings=False, limit=None)
        write_text(told, result, fail_on)
    if options.form or not (sys.stdout.isatty() and sys.stderr.isatty()):
        say_warnings(result)
    if writer is not None and result.captures[0].frames:
        manner.warn(f"{writer.frames:,} packets are in {options.write}")


def _count_probes(result: Analysis, before: int, after: int | None) -> None:
    """Compare the kernel's count of probes with ours."""
    if after is not None:
        manner.warn(
            f"the kernel of this host sent {after - before:,} keepalive probes meanwhile (TcpExtTCPKeepAlive); "
            f"{result.totals.probes:,} were captured, sent by either end"
        )


@contextlib.contextmanager
def _stopping_on_signals() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the watch, and a second one the program."""
    wanted: list[Callable[[], None]] = []

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - as signal has it
        if not wanted:
            raise KeyboardInterrupt
        wanted.pop()()

    numbers = [signal.SIGINT, signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield wanted.append
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return value
