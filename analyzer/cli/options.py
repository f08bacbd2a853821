"""The options that the offline verbs share, and what they mean."""

from __future__ import annotations

import argparse
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import AnalyzerError
from analyzer.report.screen import printable
from analyzer.units import Clock

if TYPE_CHECKING:
    from analyzer.analysis import Analysis
    from analyzer.cli.failing import FailOn
    from analyzer.survey.selection import Selection
    from analyzer.track.tracker import Limits

MAX_MEMORY_MIB = 640
LARGEST_PORT = 65535


class UsageError(AnalyzerError):
    """The options ask for something that cannot be."""


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
        "-r", dest="more_files", metavar="FILE", action="append", default=[], help="the same, as tcpdump has it"
    )
    group.add_argument(
        "--separate", action="store_true", help="read every file for itself, also rotated files of one capture point"
    )
    add_reader(group)


def add_reader(group: argparse._ActionsContainer) -> None:
    """Add --reader, and -n, which asks for nothing."""
    group.add_argument("-n", action="store_true", help=argparse.SUPPRESS)  # tcpdump's habit; no name is ever resolved
    group.add_argument(
        "--reader",
        choices=("auto", "fast", "scapy"),
        default="auto",
        help="which decoder (auto: scapy only for what the fast one does not know)",
    )
    add_limits(group)


def add_limits(group: argparse._ActionsContainer) -> None:
    """Add --max-flows and --max-memory."""
    group.add_argument(
        "--max-flows", metavar="N", type=count, default=None, help="stop where more than N flows are alive at once"
    )
    group.add_argument(
        "--max-memory",
        metavar="MIB",
        type=count,
        default=None,
        help=f"stop where the flows that are alive need more memory than this (default {MAX_MEMORY_MIB})",
    )


def limits(options: argparse.Namespace) -> Limits:
    """Return how much may be kept of flows that are alive."""
    from analyzer.track.tracker import Limits

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
    group.add_argument("-r", dest="other_file", metavar="FILE", help="the same, as tcpdump has it")
    add_reader(group)


def one_file(options: argparse.Namespace) -> str:
    """Return the one capture to read.

    Raises:
        UsageError: none is named, or two are, or stdin is a terminal.
    """
    named = [path for path in (options.other_file, options.file) if path is not None]
    if not named:
        raise UsageError("no capture named: give a FILE, or - for standard input")
    if len(named) > 1:
        raise UsageError(f"one capture at a time: {named[0]} or {named[1]}")
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
    group.add_argument("--limit", metavar="N", type=count, default=None, help="show at most N flows; 0 shows all")


def add_flows(group: argparse._ActionsContainer) -> None:
    """Add what every reader of captures has."""
    group.add_argument(
        "--host", metavar="ADDR", action="append", default=[], type=_network, help="one end is this address or network"
    )
    group.add_argument("--port", metavar="N", action="append", default=[], type=port, help="one end has this port")
    group.add_argument(
        "--flow",
        metavar="N",
        action="extend",
        default=[],
        type=numbers,
        help="only these flows (comma-separated numbers)",
    )


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
        help="exit with status 1 if a flow has this verdict, finding or cause",
    )


def files(options: argparse.Namespace) -> list[str]:
    """Return the captures to read.

    Raises:
        UsageError: none is named, or stdin more than once, or stdin is a terminal.
    """
    named: list[str] = [*options.more_files, *options.files]
    if not named:
        raise UsageError("no capture named: give a FILE, or - for standard input")
    if named.count("-") > 1:
        raise UsageError("standard input (-) can be read only once")
    refuse_terminal(named)
    return named


def refuse_terminal(named: list[str]) -> None:
    """Refuse to wait for somebody to type a capture.

    Raises:
        UsageError: standard input is named, and it is a terminal.
    """
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
    return Selection(tuple(options.host), tuple(options.port), tuple(options.flow), display_filter)


def _check_filter(display_filter: str, captures: list[str]) -> None:
    from analyzer.wireshark.display_filter import check_filter
    from analyzer.wireshark.tshark import TsharkFailedError

    if "-" in captures:
        raise UsageError("with -Y tshark reads the capture as well, and standard input can be read only once: save it")
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
        UsageError: with the words there are.
    """
    from analyzer import causes
    from analyzer.findings import CODES
    from analyzer.judge.verdict import Verdict

    verdicts = [verdict.value for verdict in Verdict]
    unknown = [word for word in words if word not in {*verdicts, *CODES, *causes.CODES}]
    if unknown:
        raise UsageError(
            f"--fail-on: no verdict, finding or cause is called {' or '.join(unknown)}; the verdicts are "
            f"{', '.join(verdicts)}; the findings are {', '.join(CODES)}; the causes are {', '.join(causes.CODES)}"
        )


def check_flows(options: argparse.Namespace, result: Analysis) -> None:
    """Refuse a --flow that no capture has.

    Raises:
        UsageError: with the numbers there are.
    """
    if options.flow and not result.totals.flows:
        flows = result.left_out
        numbers = ", ".join(map(str, options.flow))
        having = (
            f"the flows are 0 to {flows - 1}" if flows > 1 else "there is only flow 0" if flows else "there is none"
        )
        raise UsageError(f"no flow {numbers} here: {having}")


def refuse_overwrite(path: str, *, force: bool) -> None:
    """Refuse to write over a file without --force.

    Raises:
        UsageError: the file is there.
    """
    if not force and Path(path).exists():
        raise UsageError(f"{path} exists; --force writes over it")


def warn(sentence: str) -> None:
    """Say something on stderr."""
    sys.stderr.write(f"keepalive: {printable(sentence)}\n")


def _network(text: str) -> str:
    try:
        ip_network(text.strip("[]"), strict=False)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no address or network (names are not looked up)") from None
    return text.strip("[]")


def port(text: str) -> int:
    """Return a port number."""
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port number")
    return int(text)


def count(text: str) -> int:
    """Return a number that was written as an option.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no number")
    return int(text)


def numbers(text: str) -> list[int]:
    """Return the numbers of a list with commas."""
    return [count(part) for part in text.split(",")]
