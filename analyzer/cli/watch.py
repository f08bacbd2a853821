"""``keepalive watch``: an interface, live; then the report."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from analyzer.cli import ending, manner
from analyzer.cli import options as shared
from analyzer.cli.displays import Log, Quiet, Screen
from analyzer.cli.extras import needed
from analyzer.cli.kernel import LOOK_S, Kernel, with_ways
from analyzer.cli.seldom import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.analysis import Analysis
    from analyzer.capture.pcap_writer import PcapWriter
    from analyzer.cli.failing import FailOn
    from analyzer.watching import Watching

EXAMPLES: Final = """\
examples:
  sudo keepalive watch -i lo tcp port 4001
  sudo keepalive watch -i eth0 --port 5432,6379 --sockets -w kept.pcapng
  sudo keepalive watch -i any --duration 60 --jsonl > events.jsonl
  sudo keepalive watch -i eth0 --port 5432 --duration 600 --fail-on half_closed
"""


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
    fail_on.say(result.captures)
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
    looking = Seldom()
    with display as shown:
        for _ in watching.run(every_s):
            if deadline_s is not None and time.monotonic() >= deadline_s:
                watching.stop()
            if ask is not None and notes is not None:
                _keep_note(watching, notes.of(ask.sockets()))
            if shown is not None and looking.is_due:
                with looking.doing():
                    shown.look(ask)
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


def _report(
    options: argparse.Namespace, result: Analysis, fail_on: FailOn, writer: PcapWriter | None, ask: Kernel | None
) -> None:
    """Write what the capture showed."""
    from analyzer.cli.reading import say_warnings
    from analyzer.cli.report import write_text
    from analyzer.report import export

    if options.form == "json":
        flows = with_ways(fail_on.all_of(result), ask)
        write, limits = sys.stdout.write, result.idle_limits
        export.write_json(
            result.captures, flows, result.totals, write, several=False, limits=limits, settings=result.settings_in_use
        )
    elif options.form == "jsonl":
        for flow in with_ways(fail_on.all_of(result), ask):
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
