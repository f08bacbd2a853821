"""The options that the offline verbs share, and what they mean."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cli import window
from analyzer.cli.ending import UNREADABLE
from analyzer.cli.manner import warn
from analyzer.cli.parser import suggestion
from analyzer.cli.values import count, flows, hosts, ports
from analyzer.errors import AnalyzerError
from analyzer.report.screen import printable
from analyzer.units import Clock

if TYPE_CHECKING:
    from analyzer.analysis import Analysis
    from analyzer.cli.failing import FailOn
    from analyzer.survey.selection import FlowOf, Selection
    from analyzer.track.held import Limits

MAX_MEMORY_MIB = 640


class UsageError(AnalyzerError):
    """The options ask for something that cannot be."""


class MisuseError(UsageError):
    """The verb was not called as it has to be, so that its usage helps."""


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add FILE, -r and --reader."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[],
        help="captures or folders of them (pcap, pcapng, or text of tcpdump or tshark; also gzip or zstd); - is stdin",
    )
    group.add_argument(
        "-r", dest="more_files", metavar="FILE", action="append", default=[], help="the same, as in tcpdump"
    )
    group.add_argument(
        "--separate", action="store_true", help="read every file on its own, even rotated files of one capture point"
    )
    add_reader(group)


def add_reader(group: argparse._ActionsContainer) -> None:
    """Add --reader, and -n, which asks for nothing."""
    group.add_argument("-n", action="store_true", help=argparse.SUPPRESS)  # tcpdump's habit; no name is ever resolved
    group.add_argument(
        "--reader",
        choices=("auto", "fast", "scapy"),
        default="auto",
        help="which decoder (default: auto, scapy only for what the fast one does not know)",
    )
    add_limits(group)


def add_limits(group: argparse._ActionsContainer) -> None:
    """Add --max-flows and --max-memory."""
    group.add_argument(
        "--max-flows",
        metavar="N",
        type=count,
        default=None,
        help="stop where more than N flows are alive at once (default: no limit but that of memory)",
    )
    group.add_argument(
        "--max-memory",
        metavar="MIB",
        type=count,
        default=None,
        help=f"stop where the flows that are alive need more memory than this (default: {MAX_MEMORY_MIB})",
    )


def limits(options: argparse.Namespace) -> Limits:
    """Return how much may be kept of flows that are alive."""
    from analyzer.track.held import Limits

    mib = options.max_memory
    return Limits(options.max_flows, (MAX_MEMORY_MIB if mib is None else max(mib, 1)) << 20)


def add_one_input(parser: argparse.ArgumentParser) -> None:
    """Add FILE, -r and --reader, for verbs that take one capture."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a capture (pcap, pcapng, also gzip or zstd); - is stdin",
    )
    group.add_argument("more", nargs="*", help=argparse.SUPPRESS)
    group.add_argument("-r", dest="other_file", metavar="FILE", help="the same, as in tcpdump")
    add_reader(group)


def one_file(options: argparse.Namespace) -> str:
    """Return the one capture to read.

    Raises:
        UsageError: none is named, or two are, or stdin is a terminal.
    """
    named = [path for path in (options.other_file, options.file, *options.more) if path is not None]
    if not named:
        raise MisuseError("no capture named: give a FILE, or - for standard input")
    if len(named) > 1:
        raise UsageError(
            f"one capture at a time: {named[0]} or {named[1]}; captures of one traffic from two points are laid side by"
            " side by keepalive join, those of two runs by keepalive report"
        )
    refuse_terminal(named)
    return str(named[0])


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add --host, --port and --flow."""
    group = parser.add_argument_group("which flows")
    add_flows(group)
    group.add_argument(
        "-Y",
        dest="display_filter",
        metavar="FILTER",
        default="",
        help="flows with a frame that matches this display filter of Wireshark (needs tshark)",
    )
    group.add_argument("--only-findings", action="store_true", help="only flows in which something was found")
    group.add_argument(
        "--limit",
        metavar="N",
        type=count,
        default=None,
        help="show at most N flows; 0 shows all (default: as many as fit the form)",
    )


def add_dissection(parser: argparse.ArgumentParser) -> None:
    """Add --keylog and --no-dissect."""
    group = parser.add_argument_group("heartbeats of programs")
    group.add_argument(
        "--keylog",
        metavar="FILE",
        default=None,
        help="TLS secrets (SSLKEYLOGFILE) by which tshark can read what heartbeats in TLS are",
    )
    group.add_argument(
        "--no-dissect",
        dest="dissect",
        action="store_false",
        help="do not ask tshark which protocols heartbeats are of: they are known by their form alone",
    )


def keylog(options: argparse.Namespace) -> str | None:
    """Return the file of TLS secrets.

    Raises:
        UsageError: it cannot be read.
    """
    if options.keylog is None:
        return None
    path = Path(options.keylog)
    try:
        with path.open("rb"):
            return str(path.resolve())
    except OSError as error:
        raise UsageError(f"--keylog: {options.keylog}: {error.strerror}") from None


def add_flows(group: argparse._ActionsContainer) -> None:
    """Add what every reader of captures has."""
    group.add_argument(
        "--host",
        metavar="ADDR",
        action="extend",
        default=[],
        type=hosts,
        help="one end is this address, network or range (10.0.0.1-10.0.0.9); several with commas, or given again",
    )
    add_port(group, "one end has this port, or one of this range (8000-8099); several with commas, or given again")
    group.add_argument(
        "--flow",
        metavar="N",
        action="extend",
        default=[],
        type=flows,
        help="only these flows: numbers, or with several captures 8:0, flow 0 of capture 8; several with commas, or "
        "given again",
    )
    window.add_window(group)


def add_port(group: argparse._ActionsContainer, meaning: str) -> None:
    """Add --port, whose values are numbers in the end, however they were given."""
    group.add_argument("--port", metavar="N", action="extend", default=[], type=ports, help=meaning)


def add_time(group: argparse._ActionsContainer) -> None:
    """Add --time."""
    group.add_argument(
        "--time",
        choices=[clock.value for clock in Clock],
        default=Clock.RELATIVE.value,
        help="say times as seconds from the capture's first frame (default), or as the time of day in UTC or here",
    )


def add_fail_on(parser: argparse._ActionsContainer) -> None:
    """Add --fail-on."""
    parser.add_argument(
        "--fail-on",
        metavar="WORD[,WORD]",
        type=lambda text: text.split(","),
        default=[],
        action="extend",
        help="exit with status 1, and say which flow it was, if one has this verdict, finding or cause",
    )


def files(options: argparse.Namespace) -> list[str]:
    """Return the captures to read.

    Raises:
        UsageError: none is named, or stdin more than once, or stdin is a terminal.
    """
    named: list[str] = [*options.more_files, *options.files]
    if not named:
        raise MisuseError("no capture named: give a FILE, or - for standard input")
    if named.count("-") > 1:
        raise UsageError("standard input (-) can be read only once")
    refuse_terminal(named)
    return named


def refuse_terminal(named: list[str]) -> None:
    """Refuse to wait for somebody to type a capture, and a name that is none: it would be the current folder's.

    Raises:
        UsageError: standard input is named, and it is a terminal; or a name is empty.
    """
    if "" in named:
        raise MisuseError("a FILE has an empty name; is a variable not set?")
    if "-" in named and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("standard input is a terminal; pipe a capture into it, or name a file")


def selection(options: argparse.Namespace) -> Selection:
    """Return which flows are asked for.

    Raises:
        UsageError: tshark does not understand the display filter, or would have to read standard input too.
    """
    from analyzer.survey.selection import Selection

    display_filter = getattr(options, "display_filter", "")
    if display_filter:
        _check_filter(display_filter, files(options))
    return Selection(
        tuple(options.host),
        tuple(options.port),
        tuple(flow for flow in options.flow if isinstance(flow, int)),
        display_filter,
        window.asked(options),
        tuple(flow for flow in options.flow if not isinstance(flow, int)),
    )


def _check_filter(display_filter: str, captures: list[str]) -> None:
    from analyzer.capture.source import display_name, is_stream
    from analyzer.wireshark.display_filter import check_filter
    from analyzer.wireshark.tshark import TsharkFailedError

    once = next(filter(is_stream, captures), None)
    if once is not None:
        name = display_name(once)
        raise UsageError(f"with -Y tshark reads the capture as well, and {name} can be read only once: save it")
    try:
        check_filter(display_filter)
    except TsharkFailedError as failed:
        sys.stderr.write("keepalive: -Y: tshark does not understand the filter:\n")
        for line in failed.said:
            sys.stderr.write(f"{printable(line)}\n")
        raise UsageError("") from None


def wants_all(options: argparse.Namespace, fail_on: FailOn) -> bool:
    """Say whether flows that have nothing to say are wanted too."""
    return bool(options.flow) or fail_on.asks_for_findings


def check_words(words: list[str]) -> None:
    """Refuse words of --fail-on that are neither verdict, finding nor cause.

    Raises:
        UsageError: with the words that may be meant, and where all are.
    """
    if not words:
        return  # and nothing is imported before the capture is read
    from analyzer import causes
    from analyzer.findings import CODES
    from analyzer.judge.verdict import Verdict

    verdicts = [verdict.value for verdict in Verdict]
    known = [*verdicts, *CODES, *causes.CODES]
    unknown = [word for word in words if word not in known]
    if unknown:
        meant = suggestion(unknown[0], known) if len(unknown) == 1 else ""
        named = " or ".join(word or "nothing" for word in unknown)
        raise UsageError(
            f"--fail-on: no verdict, finding or cause is called {named}{meant}; the verdicts are "
            f"{', '.join(verdicts)}; keepalive rules lists findings and causes too"
        )


def check_flows(options: argparse.Namespace, result: Analysis) -> None:
    """Refuse a --flow that no capture has, and say which of several are not there.

    Raises:
        UsageError: there is none of them, with the numbers there are.
    """
    if not options.flow:
        return
    there = result.highest + 1
    having = f"the flows are 0 to {there - 1}" if there > 1 else "there is only flow 0" if there else "there is none"
    if len(result.captures) > 1:
        having = f"the captures are 0 to {len(result.captures) - 1}, their flows 0 to {there - 1} at most"
    absent = sorted({flow for flow in options.flow if not _may_be_there(flow, result)}, key=str)
    if absent and len(absent) < len(set(options.flow)):
        warn(f"note: there is no flow {' or '.join(map(str, absent))} here: {having}")
    elif absent:
        raise UsageError(f"no flow {', '.join(map(str, options.flow))} here: {having}")
    elif not result.totals.flows:
        raise UsageError(f"flow {', '.join(map(str, options.flow))} is here, but not with what else was asked for")


def _may_be_there(flow: int | FlowOf, result: Analysis) -> bool:
    """Say whether some capture may have a flow: what is known is the highest number in any."""
    if isinstance(flow, int):
        return flow <= result.highest
    return flow.capture < len(result.captures) and flow.number <= result.highest


def ignored(option: str, because: str) -> None:
    """Say that an option has no effect."""
    warn(f"note: {option} is ignored: {because}")


def status(options: argparse.Namespace, result: Analysis, fail_on: FailOn | None = None) -> int:
    """Say which --fail-on condition was met; return the exit status.

    A capture that was named and could not be read counts more than what came of the others.
    """
    if fail_on is not None:
        fail_on.say(result.captures)
    if getattr(options, "unread", None):
        return UNREADABLE
    return 0 if fail_on is None else fail_on.status


def refuse_overwrite(path: str, *, force: bool) -> None:
    """Refuse to write over a file without --force.

    Raises:
        UsageError: the file is there.
    """
    if not force and Path(path).exists():
        raise UsageError(f"{path} exists; --force overwrites it")
