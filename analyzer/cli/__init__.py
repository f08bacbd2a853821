"""The command ``keepalive``: options in, an exit status out.

Each verb is a module of this package with ``add_arguments(parser)`` and ``run(options) -> int``. It is imported only
when it is called for, and imports what is heavy only when it runs, so that ``--help`` is quick. To add a verb, add a
row to VERBS.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import analyzer
from analyzer.cli import ending, manner, memory
from analyzer.cli.options import MisuseError
from analyzer.cli.parser import Parser, nearest, suggestion, unknown
from analyzer.loops import notices
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

SELDOM: Final = 200_000
"""This many new objects that may be in cycles, before Python looks for cycles among them."""
TURN_S: Final = 0.0005
"""So long a thread may keep others from Python: one that tracks packets needs it for a moment, again and again."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the command, and the module that has it."""

    name: str
    help: str
    module: str


VERBS: Final = (
    Verb("report", "which flows need attention: one entry per flow, findings, totals", "analyzer.cli.report"),
    Verb("explain", "the story of a flow, with frame numbers as evidence", "analyzer.cli.explain"),
    Verb("plot", "pictures of flows: states, probes, endings, and the gaps between probes", "analyzer.cli.plot"),
    Verb("watch", "watch an interface live: probes as they arrive, then the report", "analyzer.cli.watch"),
    Verb("compare", "Wireshark's labels beside ours, and who is right where they differ", "analyzer.cli.compare"),
    Verb("annotate", "a pcapng copy with our labels as packet comments, for Wireshark", "analyzer.cli.annotate"),
    Verb(
        "join",
        "one traffic captured at several points: what was lost or made in between",
        "analyzer.cli.join",
    ),
    Verb("share", "a copy that can be given away: other addresses, no data, the same story", "analyzer.cli.share"),
    Verb("fleet", "many capture points, on a cluster or here, into tables", "analyzer.cli.fleet"),
    Verb("fleet-report", "what the tables of many points say together", "analyzer.cli.fleet_report"),
    Verb("how", "the capture command for your case: here, a pod, another host and more", "analyzer.cli.how"),
    Verb("rules", "what the words of a report mean, and the tables that decide", "analyzer.cli.rules"),
    Verb("mcp", "a server for assistants (Model Context Protocol): report, explain, rules", "analyzer.cli.mcp"),
    Verb("completion", "completion for bash, zsh, fish and tcsh", "analyzer.cli.completion"),
    Verb("man", "the manual page", "analyzer.cli.man"),
)

DESCRIPTION: Final = """\
What a packet capture says about TCP keepalive: which probes were sent, whether
they were answered, what ended each connection, and what to change.
"""

EPILOG: Final = """\
examples:
  keepalive report capture.pcap              what happened, most important first
  keepalive explain capture.pcap --flow 3    the story of flow 3
  ssh host tcpdump -w - tcp | keepalive report -
  keepalive report *.pcap --json > report.json
  keepalive report capture.pcap --fail-on silent,close-wait-held-by-keepalive
  sudo keepalive watch -i lo tcp port 4001
  keepalive how --port 5432                  the command that captures for this
  keepalive rules close-wait-held-by-keepalive

exit status:
  0    done
  1    a --fail-on condition was met
  2    usage error, or a capture that was named could not be read
  3    capture not permitted
  70   a fault of this program
  130  interrupted
"""


class Running:
    """How the command runs."""

    alone = False
    """As a program of its own, whose process it may change for good."""


def command() -> NoReturn:
    """Run as a program of its own: with the settings of a process that does one thing, and then ends.

    A tenth of the time of ten million packets went into what these leave out.
    """
    Running.alone = True
    last = ending.LastAct()
    # numpy's library of linear algebra, which nothing here uses, would start threads that look for work
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # it would ask for large pages for arrays that live for milliseconds: a virtual machine takes long to clear one
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    gc.set_threshold(SELDOM)
    memory.keep_what_is_freed()
    sys.setswitchinterval(TURN_S)
    if ending.take_streams():
        last.status = main()
    else:
        last.status = ending.UNREADABLE
        ending.say("standard output is closed, so there is nowhere to write to")
    gc.freeze()  # the system takes the memory back faster than a last collection would
    sys.exit(last.status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    notices.hear_with(manner.warn)
    try:
        with ending.in_order():
            status = _run(arguments)
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, ending.Terminated) as error:  # noqa: BLE001 - the one edge
        status, sentence = ending.reason(error)
        _let_go_of_output(error)
        ending.say(sentence)
    finally:
        manner.settle(argparse.Namespace())
    return status


def _let_go_of_output(error: BaseException) -> None:
    """Write what was printed before an error; what cannot be written is not tried again when Python exits."""
    if isinstance(error, KeyboardInterrupt):
        return
    with contextlib.suppress(OSError, ValueError):
        if not isinstance(error, ending.Terminated):  # which may be because nobody takes it
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                return
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    words = _verb_first(arguments)
    called = next((verb for verb in VERBS if verb.name == next(iter(words), None)), None)
    parser, by_name = build(called)
    if not words:
        parser.print_help(sys.stderr)
        return ending.UNREADABLE
    if called is None:
        if not words[0].startswith("-"):
            parser.error(_no_verb(words[0]))
        if words[0] not in parser.options():
            parser.error(_no_verb_first(words, parser))
        options, beside = parser.parse_known_args(words)  # --help and --version end here
        raise AssertionError(options, beside)
    options, beside = parser.parse_known_args(words)
    own = by_name[called.name]
    if beside:
        own.error(unknown(beside, own.options()) + _elsewhere(beside, called))
    manner.settle(options)
    try:
        return int(importlib.import_module(called.module).run(options))
    except MisuseError as error:
        own.print_error(str(error))
        return ending.UNREADABLE


def build(called: Verb | None = None, *, whole: bool = False) -> tuple[Parser, dict[str, Parser]]:
    """Return the parser of the command, and those of its verbs by name; only the one that is called has its options.

    The ``whole`` has all of them, for help that covers everything.
    """
    parser = Parser(
        prog="keepalive",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        usage="%(prog)s VERB [options] ...",
    )
    parser.add_argument("--version", action="version", version=f"keepalive {analyzer.__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True, prog="keepalive")
    by_name = {}
    for verb in VERBS:
        own: Parser = verbs.add_parser(
            verb.name,
            help=verb.help,
            description=f"{verb.help[:1].upper()}{verb.help[1:]}.",
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        by_name[verb.name] = own
        if whole or verb is called:
            importlib.import_module(verb.module).add_arguments(own)
            manner.add_manner(own)
            own.settle_usage()
    return parser, by_name


def _verb_first(arguments: list[str]) -> list[str]:
    """Return the arguments with the verb in front of options that were written before it; ``help VERB`` is its help."""
    names = {verb.name for verb in VERBS}
    if arguments[:1] == ["help"]:
        return [*arguments[1:2], "--help"]
    at = next((at for at, word in enumerate(arguments) if word in names), 0)
    if at and arguments[0] in BEFORE_VERB:
        return [arguments[at], *arguments[:at], *arguments[at + 1 :]]
    return arguments


BEFORE_VERB: Final = ("-q", "--quiet", "-v", "--verbose", "--color")


def _no_verb(word: str) -> str:
    """Return the sentence for a word that is no verb."""
    names = [verb.name for verb in VERBS]
    if not nearest(word, names) and Path(word).exists():
        return f"{word} is not a verb; to read it: keepalive report {word}"
    return f"no verb is called {word}{suggestion(word, names)}"


def _no_verb_first(words: list[str], parser: Parser) -> str:
    """Return the sentence for an option where a verb is expected: what to write, as far as that can be told."""
    option = words[0].partition("=")[0]
    every = build(whole=True)[1]
    at = next((at for at, word in enumerate(words) if word in every), None)
    takers = [name for name, own in every.items() if option in own.options()]
    if not takers:
        known = [*parser.options(), *(each for own in every.values() for each in own.options())]
        return f"there is no option {option}{suggestion(option, known)}"
    if at is not None:
        right = [words[at], *words[:at], *words[at + 1 :]]
        return f"options come after the verb; write: keepalive {shlex.join(right)}"
    return f"no verb is named; write, for example: keepalive {shlex.join([takers[0], *words])}"


def _elsewhere(arguments: list[str], called: Verb) -> str:
    """Return which verbs have an option that this one has not."""
    option = next((each.partition("=")[0] for each in arguments if each.startswith("--")), "")
    others = [name for name, own in build(whole=True)[1].items() if name != called.name and option in own.options()]
    return f" ({option} is an option of {', '.join(others)})" if others else ""
