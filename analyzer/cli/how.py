"""``keepalive how``: the capture command for your case: here, a pod, another host and more."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Final

from analyzer.cli import manner
from analyzer.cli import options as shared
from analyzer.cli.parser import suggestion
from analyzer.howto import CASES, Wanted, checked_host, checked_interface, checked_name

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES: Final = """\
examples:
  keepalive how --port 5432                     all connections to PostgreSQL
  keepalive how both --host db.example.com --port 5432
  keepalive how days --port 6379-6380
  keepalive how pod --name shop/web-0 --port 8080
  keepalive how here --host 127.0.0.1 --port 4001 --json

It prints commands and runs none.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    width = max(len(case.name) for case in CASES)
    cases = "".join(f"  {case.name:<{width}}  {case.title}\n" for case in CASES)
    parser.epilog = f"cases:\n{cases}\n{EXAMPLES}"
    parser.add_argument(
        "case",
        metavar="CASE",
        nargs="?",
        default=CASES[0].name,
        help="where and how to capture: see below (default: here)",
    )
    group = parser.add_argument_group("what to capture")
    group.add_argument(
        "--host",
        metavar="HOST",
        action="extend",
        default=[],
        type=_hosts,
        help="one end is this address, network or name; several with commas, or given again",
    )
    shared.add_port(
        group, "one end has this port, or one of this range (8000-8099); several with commas, or given again"
    )
    group.add_argument(
        "-i", "--interface", metavar="IFACE", type=_taken(checked_interface), help="where (default: fits the case)"
    )
    group.add_argument(
        "--name",
        metavar="NAME",
        help="of the container, of the pod ([NAMESPACE/]POD), or of the host to log in to ([USER@]HOST)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print the recipe; return the exit status."""
    from analyzer.report import recipe as layout

    case = next((case for case in CASES if case.name == options.case), None)
    if case is None:
        names = [case.name for case in CASES]
        raise shared.UsageError(
            f"no case is called {options.case}{suggestion(options.case, names)}; there are {', '.join(names)}"
        )
    if options.name is not None and not case.names:
        raise shared.UsageError(f"--name has no use with the case {case.name}")
    namespace, name = _named(options.name, pod=case.has_namespace, host=case.names == "HOST")
    wanted = Wanted(tuple(options.host), tuple(options.port), options.interface, namespace, name)
    try:
        recipe = case.make(wanted)
    except ValueError as error:
        raise shared.UsageError(str(error)) from None
    if options.json:
        sys.stdout.write(json.dumps(layout.as_json(case, recipe, wanted.filter), indent=2) + "\n")
        return 0
    others = [other for other in CASES if other is not case]
    for line in layout.text(case, recipe, others, manner.screen()):
        sys.stdout.write(line + "\n")
    return 0


def _named(text: str | None, *, pod: bool, host: bool) -> tuple[str | None, str | None]:
    """Return namespace and name of what is captured from.

    Raises:
        UsageError: they can be none.
    """
    if text is None:
        return None, None
    try:
        if host:
            user, at, machine = text.rpartition("@")
            return None, (checked_name(user) + at if at else "") + checked_host(machine)
        namespace, slash, name = text.rpartition("/") if pod else ("", "", text)
        return (checked_name(namespace) if slash else None), checked_name(name)
    except ValueError as error:
        raise shared.UsageError(f"--name: {error}") from None


def _hosts(text: str) -> list[str]:
    return [_taken(checked_host)(part.strip()) for part in text.split(",")]


def _taken(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return a check as argparse takes it: with its own sentence."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked
