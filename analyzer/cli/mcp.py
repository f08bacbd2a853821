"""``keepalive mcp``: a server of the Model Context Protocol, so that an assistant can ask what a capture shows.

It answers on standard input and output, with the official SDK. Only files below the folders that it was started with
are read; nothing is written, nothing is captured. Each answer is made by a process of its own, with a limit of time
and of memory, and is cut where it grows too long for who reads it.

It must not know what any verb says.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import analyzer
from analyzer.cli import extras, values
from analyzer.cli import options as shared
from analyzer.errors import AnalyzerError
from analyzer.report.screen import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from analyzer.untyped import Foreign

LONGEST: Final = 24_000
"""An answer has no more characters than this, unless --longest says otherwise."""
PATIENCE_S: Final = 120.0
"""How long a capture may take."""
MEMORY_MIB: Final = 512
EXAMPLES: Final = """\
examples:
  keepalive mcp                       captures in the current folder and below
  keepalive mcp --root /var/captures --root ~/tickets
  claude mcp add keepalive -- keepalive mcp --root "$PWD"
"""
INSTRUCTIONS: Final = (
    "Reads packet captures (pcap, pcapng, text of tcpdump) and says of each TCP flow whether keepalive was on, whether "
    "it worked, what ended the connection and why, with frame numbers as evidence. Begin with report, go on with "
    "explain for a flow, and ask rules what a word means. Quote frame numbers."
)


class RefusedError(AnalyzerError):
    """A path that may not be read here, or a capture that could not be."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--root",
        metavar="DIR",
        dest="roots",
        action="append",
        default=[],
        help="only files in DIR and below are read; may be given again (default: the current folder)",
    )
    parser.add_argument(
        "--longest",
        metavar="N",
        type=values.count,
        default=LONGEST,
        help=f"cut answers behind N characters (default: {LONGEST})",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until standard input ends; return the exit status.

    Raises:
        UsageError: it is closed, or standard output is.
    """
    if sys.stdin is None or sys.stdout is None:
        raise shared.UsageError("a server speaks on standard input and output, and one of them is closed")
    server(Answers(options.roots or ["."], longest=options.longest)).run("stdio")
    return 0


class Answers:
    """What is answered: only of files in some folders, and only so much."""

    def __init__(self, roots: Sequence[str], *, longest: int = LONGEST, patience_s: float = PATIENCE_S) -> None:
        """Resolve the folders once.

        Raises:
            UsageError: one is no folder.
        """
        self._longest = longest
        self._patience_s = patience_s
        self._roots = []
        for root in roots:
            try:
                found = Path(root).expanduser().resolve(strict=True)
            except OSError as error:
                raise shared.UsageError(f"--root {root}: {error.strerror}") from error
            if not found.is_dir():
                raise shared.UsageError(f"--root {root} is not a folder")
            self._roots.append(found)

    def allowed(self, path: str) -> str:
        """Return the real path of a capture that may be read.

        Raises:
            RefusedError: it is none, is no regular file, or lies outside of the folders, links followed.
        """
        where = [Path(path)] if Path(path).is_absolute() else [root / path for root in self._roots]
        for each in where:
            try:
                real = each.resolve(strict=True)
            except (OSError, ValueError):
                continue
            if not any(real.is_relative_to(root) for root in self._roots):
                continue  # whether it is there is nobody's business
            if not real.is_file():
                raise RefusedError(f"{printable(path)} is not a regular file")
            return str(real)
        raise RefusedError(f"{printable(path)}: there is no such file in {', '.join(map(str, self._roots))}")

    async def of(self, verb: str, path: str | None, options: Sequence[str]) -> str:
        """Return what a verb prints, cut where it grows too long.

        Raises:
            RefusedError: the path may not be read, it took too long, or the verb says why it cannot.
        """
        named = [] if path is None else ["--max-memory", str(MEMORY_MIB), "--", self.allowed(path)]
        return await asyncio.to_thread(self._asked, [verb, "--color", "never", *options, *named])

    def _asked(self, arguments: list[str]) -> str:
        command = [sys.executable, "-P", "-m", "analyzer", *arguments]
        environment = {**os.environ, "COLUMNS": "110", "PYTHONIOENCODING": "utf-8"}
        try:
            done = subprocess.run(  # noqa: S603 - this program, with checked arguments and no shell
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._patience_s,
                check=False,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            raise RefusedError(f"this took longer than {self._patience_s:g} s; ask for fewer flows") from None
        said = done.stderr.decode(errors="backslashreplace").strip()
        if done.returncode != 0:
            raise RefusedError(said or f"keepalive ended with status {done.returncode}")
        text = done.stdout.decode(errors="backslashreplace").rstrip()
        return self._cut(f"{text}\n\n{said}" if said else text)

    def _cut(self, text: str) -> str:
        if len(text) <= self._longest:
            return text
        more = len(text) - self._longest
        return f"{text[: self._longest]}\n\n[{more:,} more characters: ask for one flow, a host or a port]"


def chosen(**given: object) -> list[str]:
    """Return options of the command for what was asked for; a value never passes as an option of its own."""
    return [f"--{name}={value}" for name, value in given.items() if value is not None]


def server(answers: Answers) -> Foreign:
    """Return the server with its tools.

    Raises:
        MissingExtraError: the SDK is not installed.
    """
    kit = extras.needed("mcp.server.mcpserver", "mcp")
    types = extras.needed("mcp.types", "mcp")
    made = kit.MCPServer("keepalive", version=analyzer.__version__, instructions=INSTRUCTIONS)
    tool_error = extras.needed("mcp.server.mcpserver.exceptions", "mcp").ToolError

    async def told(verb: str, path: str | None, options: Sequence[str]) -> str:
        """Return an answer; a refusal is told in its own words."""
        try:
            return await answers.of(verb, path, options)
        except RefusedError as error:
            raise tool_error(str(error)) from error

    only_reads = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)

    @made.tool(annotations=only_reads, structured_output=False)  # type: ignore[untyped-decorator]
    async def report(
        path: str, host: str | None = None, port: str | None = None, since: str | None = None, until: str | None = None
    ) -> str:
        """Say which TCP flows of a capture need attention: a line each, findings, totals.

        path: a capture, below the server's folders. host: an address or network that one end has. port: a port or
        several (5432,8000-8099). since, until: a time (2026-11-28T14:05:00Z, or +90 for seconds from its start).
        """
        return await told("report", path, chosen(host=host, port=port, **{"from": since, "to": until}))

    @made.tool(annotations=only_reads, structured_output=False)  # type: ignore[untyped-decorator]
    async def explain(path: str, flow: int | None = None, host: str | None = None, port: str | None = None) -> str:
        """Tell the story of a flow: what happened with frame numbers, what ended it and why, what to change.

        path: a capture, below the server's folders. flow: its number, as report has it; without one the flows that
        need attention are told. host, port: as for report.
        """
        return await told("explain", path, chosen(flow=flow, host=host, port=port))

    @made.tool(annotations=only_reads, structured_output=False)  # type: ignore[untyped-decorator]
    async def rules(word: str | None = None) -> str:
        """Say what a word of a report means, and when it is set; without one, a line for each that there is."""
        return await told("rules", None, ["--", word] if word else [])

    return made
