"""Flows in the report for a terminal: endpoints, verdict, ticks over time, counts, headline, legend.

It decides how a flow is laid out on a wide and on a narrow screen; it must not know which flows are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import explain
from analyzer.judge.verdict import SEVERITIES, Severity, Verdict
from analyzer.report.filter_commands import KIND, TUNNEL
from analyzer.report.screen import columns
from analyzer.report.shown import Report, ShownFlow, number_of, plural
from analyzer.report.ticks import Mark, drawn, legend, span, tick_rows
from analyzer.units import format_duration
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.screen import Screen

STYLE_OF: Final = {Severity.BAD: "bad", Severity.WARNING: "warning", Severity.NONE: "dim", Severity.GOOD: "good"}
STYLES: Final = {verdict.value: STYLE_OF[severity] for verdict, severity in SEVERITIES.items()}
"""The style of each verdict's word."""
INDENT: Final = "      "
VERDICT_WIDTH: Final = max(len(verdict.value) for verdict in Verdict)
COUNTS: Final = (("PROBES", -6), ("ANSWERED", -8), ("AFTER FIN", -9))
COUNTS_WIDTH: Final = sum(2 - width for _, width in COUNTS)
LEAST_CELLS: Final = 36
"""With fewer cells for the ticks on the line of a flow, they get lines of their own."""


@dataclass(frozen=True, slots=True)
class _Table:
    """How flows are laid out: on a wide screen in one row, on a narrow one with the ticks below."""

    screen: Screen
    pair: int
    """Width of the column of endpoints."""
    wide: bool
    lead: int
    """Width of the column of flow numbers, with the space behind."""

    @classmethod
    def of(cls, data: Report, screen: Screen) -> _Table:
        lead = max([len(INDENT), *(len(number_of(shown, data)) + 2 for shown in data.flows)])
        longest = max((len(pair_text(shown.judged, screen)) for shown in data.flows), default=0)
        longest = max(longest, len(_pair_head(screen)))
        cells = screen.width - lead - longest - 2 - VERDICT_WIDTH - 2 - LENGTH_WIDTH - COUNTS_WIDTH
        if cells >= LEAST_CELLS:
            return cls(screen, longest, wide=True, lead=lead)
        return cls(screen, screen.width - lead - COUNTS_WIDTH, wide=False, lead=lead)

    @property
    def indent(self) -> str:
        """Return what stands before all but a flow's first line."""
        return " " * self.lead

    @property
    def cells(self) -> int:
        """Return how many cells ticks and their length have together."""
        used = self.lead + VERDICT_WIDTH + 2
        return self.screen.width - used - (self.pair + 2 + COUNTS_WIDTH if self.wide else 0)


LENGTH_WIDTH: Final = len("123.456 s") + 1 + 2


def flow_rows(data: Report, screen: Screen) -> Iterator[str]:
    """Yield the most important flows, how many more there are, and what their marks mean."""
    table = _Table.of(data, screen)
    head = [(_pair_head(screen), table.pair)]
    if table.wide:
        head += [("VERDICT", VERDICT_WIDTH), ("TIME", table.cells)]
    yield screen.paint(f"{'FLOW':<{table.lead}}" + columns((*head, *COUNTS)), "heading")
    used: set[Mark] = set()
    for index, shown in enumerate(data.flows):
        if index:
            yield ""
        yield from _flow(shown, number_of(shown, data), table, used)
    hidden = data.notable - len(data.flows)
    if hidden > 0:
        number = "CAPTURE:FLOW, as in the first column," if len(data.captures) > 1 else "N"
        yield from screen.wrap(
            f"{hidden:,} more {plural(hidden, 'flow')}: --limit 0 lists all, --host and --port select some, "
            f"--flow {number} shows one.",
            indent=table.indent,
            style="dim",
        )
    if used:
        yield ""
        yield from legend(used, screen, table.indent)
    yield ""


def _flow(shown: ShownFlow, number: str, table: _Table, used: set[Mark]) -> Iterator[str]:
    judged, screen = shown.judged, table.screen
    record, verdict = judged.record, judged.ending.verdict.value
    answered = sum(probe.answered for probe in record.probes)
    counts = ((str(len(record.probes)), -6), (str(answered), -8), (str(len(record.probes_after_fin)), -9))
    pair = pair_text(judged, screen)
    lead = f"{number:>{table.lead - 2}}  "
    bold = screen.paint(pair, "bold")
    space = " " * (table.pair - len(pair))
    rows = _ticks(judged, table, used)
    first, *more = rows or [""]
    word = screen.paint(verdict, STYLES[verdict]) + " " * (VERDICT_WIDTH - len(verdict))
    if table.wide:
        ticks = first + " " * (table.cells if not first else 0)
        yield f"{lead}{bold}{space}  {word}  {ticks}  {columns(counts)}"
        more = [" " * (table.pair + 2) + row for row in more]
    else:
        if len(pair) > table.pair:
            yield lead + bold
            lead, bold, space = table.indent, "", " " * table.pair
        yield f"{lead}{bold}{space}  {columns(counts)}"
        yield f"{table.indent}{word}  {first}" if first else table.indent + word.rstrip()
    for row in more:
        yield table.indent + " " * (VERDICT_WIDTH + 2) + row
    yield from screen.wrap(explain.headline(judged, shown.start_ns), indent=table.indent)
    if who := explain.who_must_act(judged, shown.start_ns):
        first, stop, _ = who.partition(". ")
        yield from screen.wrap(f"Who must act: {first}{stop.strip()}", indent=table.indent)


def _ticks(judged: JudgedFlow, table: _Table, used: set[Mark]) -> list[str]:
    """Return the tick rows of a flow, all of the same width; the first with the flow's length behind."""
    start_ns, stop_ns = span(judged)
    length = format_duration(stop_ns - start_ns)
    drawn_rows = []
    for index, (side, row) in enumerate(tick_rows(judged, max(table.cells - 3 - len(length), 8))):
        used.update(row)
        drawn_rows.append(f"{side} {drawn(row, table.screen)}" + (f" {length}" if index == 0 else ""))
    return drawn_rows


def _pair_head(screen: Screen) -> str:
    return f"INITIATOR {screen.arrow(one_way=True)} RESPONDER"


def pair_text(judged: JudgedFlow, screen: Screen) -> str:
    """Return a flow's endpoints, the initiator first where it is known."""
    record = judged.record
    ends = (record.b, record.a) if record.initiator == "b" else (record.a, record.b)
    return f"{ends[0]} {screen.arrow(one_way=record.initiator is not None)} {ends[1]}{tag_text(record.tag)}"


TUNNEL_NAMES: Final = {
    1: "IP in IP",
    2: "GRE",
    3: "VXLAN",
    4: "Geneve",
    5: "GTP-U",
    6: "MPLS",
    7: "EtherIP",
    8: "a provider's backbone",
}
"""What kinds of tunnels are called (``capture.tunnel``)."""


def tag_text(tag: int) -> str:
    """Return the VLAN or tunnel that tells a flow from others with the same endpoints, or nothing."""
    if not tag:
        return ""
    if tag & TUNNEL:
        kind, identifier = (tag ^ TUNNEL) >> KIND, tag >> 24 & 0xFFFFFFFF
        return f" in {TUNNEL_NAMES[kind]}{f' {identifier}' if identifier else ''}{tag_text(tag & 0xFFFFFF)}"
    outer, inner = divmod(tag, 4096)
    if tag < 4096:
        return f" vlan {inner}"
    return f" vlan {outer}.{inner}" if outer < 4096 else f" tag {tag:#x}"
