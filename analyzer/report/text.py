"""The report for a terminal: which flows need attention, what was found, what the captures add up to.

Few flows are shown one by one, many grouped by service. Nothing here is cut off: what does not fit a line gets its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from analyzer import explain
from analyzer.findings import Advice, kind_of
from analyzer.findings.kinds.translation import TRANSLATED
from analyzer.judge.verdict import SEVERITIES, Severity, Verdict
from analyzer.report.idle_limits import limits_table
from analyzer.report.screen import columns, printable
from analyzer.report.settings_table import settings_table
from analyzer.report.ticks import Mark, drawn, legend, span, tick_rows
from analyzer.survey.settings_in_use import NONE_IN_USE, SettingsInUse
from analyzer.units import NS_PER_S, format_date, format_duration
from analyzer.words.lookalikes import lookalikes_text, may_be_probes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.screen import Screen
    from analyzer.survey.found import Found
    from analyzer.survey.hosts import ProbingHost
    from analyzer.survey.limits import IdleLimit
    from analyzer.survey.overview import CaptureSummary, Service, Totals

STYLE_OF: Final = {Severity.BAD: "bad", Severity.WARNING: "warning", Severity.NONE: "dim", Severity.GOOD: "good"}
STYLES: Final = {verdict.value: STYLE_OF[severity] for verdict, severity in SEVERITIES.items()}
"""The style of each verdict's word."""
INDENT: Final = "      "
VERDICT_WIDTH: Final = max(len(verdict.value) for verdict in Verdict)
HOSTS_NAMED: Final = 5
MINUTE_NS: Final = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ShownFlow:
    """A flow that is printed."""

    capture: int
    start_ns: int
    judged: JudgedFlow


@dataclass(frozen=True, slots=True)
class ShownService:
    """A service that is printed, with its most important flow if that can still be looked at."""

    service: Service
    worst: ShownFlow | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report shows, ready to lay out."""

    captures: Sequence[CaptureSummary]
    totals: Totals
    notable: int
    """How many flows have something to say."""
    flows: Sequence[ShownFlow] = ()
    """The most important of them."""
    services: Sequence[ShownService] = ()
    """Filled when there are too many flows to show each."""
    all_services: int = 0
    findings: dict[str, Found] = field(default_factory=dict)
    """By code, in how many flows it is."""
    hosts: Sequence[ProbingHost] = ()
    other_hosts: tuple[int, int] = (0, 0)
    """How many more sent probes, and how many probes."""
    idle_limits: Sequence[IdleLimit] = ()
    """What trials say of limits of idle time, of services: hard ones first, then where they show none."""
    settings: SettingsInUse = NONE_IN_USE
    left_out: int = 0
    """Flows that --host, --port or --flow left out."""


def report(data: Report, screen: Screen) -> Iterator[str]:
    """Yield the lines of a report."""
    if not data.notable:
        yield from _uneventful(data, screen)
        return
    several = len(data.captures) > 1
    for index, capture in enumerate(data.captures):
        title = f"{index}: {_short_title(capture)}" if several else title_of(capture)
        yield from screen.wrap(title, indent="   " if several else "  ", first="", style="heading")
    yield from _totals(data, screen)
    yield ""
    if data.services:
        yield from _services(data, screen)
    yield from _flows(data, screen)
    yield from _findings(data, screen)
    yield from settings_table(data.settings, screen)
    yield from limits_table(data.idle_limits, screen)
    yield from _beside(data, screen)


# ── flows ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
        lead = max([len(INDENT), *(len(_number(shown, data)) + 2 for shown in data.flows)])
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


IDLE_ADVICE: Final = frozenset({Advice.MINOR, Advice.NONE})
"""Findings with such advice come last, and without it: nobody has to act on them."""
LENGTH_WIDTH: Final = len("123.456 s") + 1 + 2


def _flows(data: Report, screen: Screen) -> Iterator[str]:
    table = _Table.of(data, screen)
    head = [(_pair_head(screen), table.pair)]
    if table.wide:
        head += [("VERDICT", VERDICT_WIDTH), ("TIME", table.cells)]
    yield screen.paint(f"{'FLOW':<{table.lead}}" + columns((*head, *COUNTS)), "heading")
    used: set[Mark] = set()
    for index, shown in enumerate(data.flows):
        if index:
            yield ""
        yield from _flow(shown, _number(shown, data), table, used)
    hidden = data.notable - len(data.flows)
    if hidden > 0:
        yield from screen.wrap(
            f"{hidden:,} more {_plural(hidden, 'flow')}: --limit 0 lists all, --host and --port select some, "
            "--flow N shows one.",
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


def tag_text(tag: int) -> str:
    """Return the VLAN (or tunnel) that tells a flow from others with the same endpoints, or nothing."""
    if not tag:
        return ""
    outer, inner = divmod(tag, 4096)
    if tag < 4096:
        return f" vlan {inner}"
    return f" vlan {outer}.{inner}" if outer < 4096 else f" tag {tag:#x}"


# ── services ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _services(data: Report, screen: Screen) -> Iterator[str]:
    numbers = (("FLOWS", -9), ("PROBES", -10), ("ANSWERED", -10), ("AFTER FIN", -10))
    room = screen.width - sum(2 - width for _, width in numbers)
    yield screen.paint(columns((("SERVICE", room), *numbers)), "heading")
    for shown in data.services:
        service = shown.service
        sums = (service.flows, service.probes, service.answered, service.after_fin)
        counts = [(f"{count:,}", width) for count, (_, width) in zip(sums, numbers, strict=True)]
        name = str(service.endpoint or f"port {service.port}, {service.addresses:,} addresses")
        if len(name) > room:
            yield name
            name = ""
        yield columns(((name, room), *counts))
        verdicts = ", ".join(f"{count:,} {word}" for word, count in service.verdicts.items())
        worst = ""
        if shown.worst is not None:
            worst = ": ".join([f"; worst flow {_number(shown.worst, data)}", *_codes(shown.worst.judged)[:1]])
        yield from screen.wrap(f"{verdicts}{worst}", indent="  ")
    for text in rows_add_up(data):
        yield from screen.wrap(text, style="dim")
    yield ""


def rows_add_up(data: Report) -> Iterator[str]:
    """Yield what the rows of services count, so that a reader can add them up to the totals."""
    hidden = data.all_services - len(data.services)
    listed = sum(shown.service.flows for shown in data.services)
    if hidden > 0:
        probes = data.totals.probes - sum(shown.service.probes for shown in data.services)
        flows = data.notable - listed
        yield (
            f"{hidden:,} more {_plural(hidden, 'service')}: {flows:,} {_plural(flows, 'flow')}, {probes:,}"
            f" {_plural(probes, 'probe')}."
        )
    quiet = data.totals.flows - data.notable
    if quiet > 0:
        rest = Counter(data.totals.verdicts)
        for shown in data.services:
            rest.subtract(shown.service.verdicts)
        endings = ", ".join(f"{count:,} {word}" for word, count in _by_count(rest) if count)
        others = "the other one was uneventful, sent no probe, and is"
        if quiet > 1:
            others = f"the other {quiet:,} were uneventful, sent no probe, and are"
        yield (
            f"A row counts the flows that have something to say, {data.notable:,} in all; {others} in the totals only"
            f"{f' ({endings})' if hidden <= 0 else ''}."
        )


def _codes(judged: JudgedFlow) -> list[str]:
    return [finding.code for finding in judged.findings]


def _number(shown: ShownFlow, data: Report) -> str:
    """Return a flow's number, with that of its capture if there are several."""
    return _numbered(shown.capture, shown.judged.record.number, data)


def _numbered(capture: int, number: int, data: Report) -> str:
    return f"{capture}:{number}" if len(data.captures) > 1 else str(number)


# ── findings ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _findings(data: Report, screen: Screen) -> Iterator[str]:
    if not data.findings:
        return
    yield screen.paint(columns((("FLOWS", -6), ("FINDING", 0))), "heading")
    for code, found in sorted(data.findings.items(), key=lambda item: kind_of(item[0]).advice in IDLE_ADVICE):
        lead = columns(((f"{found.flows:,}", -6), (code, 0)))
        yield lead + screen.paint(_named(found, data, screen.width - len(lead)), "dim")
        yield from screen.wrap(advice(code), indent=" " * 8)
    yield ""


def _named(found: Found, data: Report, room: int) -> str:
    """Return the numbers of flows, as many as there is room for, or nothing."""
    text = f"  {_plural(found.flows, 'flow')}"
    for index, flow in enumerate(found.first):
        more = f" {_numbered(*flow, data)}"
        rest = 0 if index == found.flows - 1 else len(" ...")
        if len(text) + len(more) + rest > room:
            return f"{text} ..." if index else ""
        text += more
    return text if len(found.first) == found.flows else f"{text} ..."


def advice(code: str) -> str:
    """Return what a finding is and what to do about it, a sentence each; the latter only if there is any."""
    text = explain.long_text(code)
    first, stop, _ = text.change.partition(". ")
    return f"{text.title}." if kind_of(code).advice in IDLE_ADVICE else f"{text.title}. {first}{stop.strip()}"


# ── sums ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def title_of(capture: CaptureSummary) -> str:
    """Return a capture's name and what was read of it."""
    kind = " ".join((capture.format, *capture.link_types)).strip()
    segments = f"{capture.tcp_segments:,} TCP {_plural(capture.tcp_segments, 'segment')}"
    frames = f"{capture.frames:,} {_plural(capture.frames, 'frame')}"
    length = format_duration(capture.duration_ns)
    return (
        f"{printable(capture.name)}: {segments} in {frames}, {length}{_start(capture)}"
        + (f", {kind}" if kind else "")
        + _filters(capture)
    )


def _filters(capture: CaptureSummary) -> str:
    """Return what a file says of the filter it was captured with; who watches knows it."""
    if capture.format != "pcapng" or not capture.filters:
        return ""
    return f", filtered to {' | '.join(map(printable, capture.filters))}"


def _short_title(capture: CaptureSummary) -> str:
    segments = f"{capture.tcp_segments:,} {_plural(capture.tcp_segments, 'segment')}"
    return f"{printable(capture.name)}: {segments}, {format_duration(capture.duration_ns)}{_start(capture)}"


def _start(capture: CaptureSummary) -> str:
    date = None if capture.start_ns is None else format_date(capture.start_ns)
    return "" if date is None else f" from {date}"


def _totals(data: Report, screen: Screen) -> Iterator[str]:
    """Yield what the captures add up to, which stands first."""
    totals = data.totals
    twice = totals.probes and TRANSLATED.code in data.findings
    once = " Probes that were captured before and after a translation of addresses are counted once." if twice else ""
    yield from screen.wrap(f"{flow_sum(data)}; {probe_sum(totals)}.{once}", indent="")
    if totals.close_wait:
        count = totals.close_wait
        yield from screen.wrap(
            f"{count:,} {_plural(count, 'flow')} still half-closed at the end of the capture: "
            "one end sent FIN, the other is in CLOSE-WAIT.",
            style="warning",
        )


def _beside(data: Report, screen: Screen) -> Iterator[str]:
    """Yield who probes most, what only looks like a probe, and what was not read."""
    for host in _talkative(data):
        yield from screen.wrap(host, indent="  ", first="")
    if data.totals.not_probes:
        yield from screen.wrap(f"{lookalike_sum(data.totals)}.")
    yield from _shortcomings(data, screen)


def flow_sum(data: Report, *, brackets: bool = False) -> str:
    """Return how many flows there are, by verdict: behind a colon, or in brackets."""
    totals = data.totals
    verdicts = ", ".join(f"{count:,} {word}" for word, count in _by_count(totals.verdicts))
    left = f" ({data.left_out:,} filtered out)" if data.left_out else ""
    told = f" ({verdicts})" if brackets else f": {verdicts}"
    return f"{totals.flows:,} {_plural(totals.flows, 'flow')}{left}" + (told if verdicts else "")


def probe_sum(totals: Totals) -> str:
    """Return how many probes there are, and what became of them."""
    if not totals.probes:
        probes = "no keepalive probes"
    else:
        probes = (
            f"{totals.probes:,} keepalive {_plural(totals.probes, 'probe')} on {totals.flows_with_probes:,} "
            f"{_plural(totals.flows_with_probes, 'flow')}, {totals.probes_answered:,} answered, "
            f"{totals.probes_after_fin:,} after a FIN"
        )
    window = totals.zero_window_probes
    return probes + (f"; {window:,} zero-window {_plural(window, 'probe')} (not keepalive)" if window else "")


def lookalike_sum(totals: Totals) -> str:
    """Return how many segments only look like probes, and what they are; there must be some."""
    many = sum(totals.not_probes.values())
    probes = _plural(many, "a probe", "probes")
    taken = f"not taken for {probes}" if may_be_probes(totals.not_probes) else f"not {probes}"
    return (
        f"{many:,} {_plural(many, 'segment has', 'segments have')} the form of a probe but"
        f" {_plural(many, 'is', 'are')} {taken} (Wireshark may say Keep-Alive): {lookalikes_text(totals.not_probes)}"
    )


def _talkative(data: Report) -> Iterator[str]:
    """Yield a line for each of the hosts that probe most, and one for the others."""
    for host in data.hosts[:HOSTS_NAMED]:
        where = f" in capture {host.capture}" if len(data.captures) > 1 else ""
        # of a shorter capture a rate would be an extrapolation
        long = data.captures[host.capture].duration_ns >= MINUTE_NS
        rate = f" ({_rate(host.per_minute)} a minute)" if long else ""
        yield (
            f"{host.address}{where} sent {host.probes:,} {_plural(host.probes, 'probe')} on {host.flows:,} "
            f"{_plural(host.flows, 'flow')}{rate}"
        )
    rest = data.hosts[HOSTS_NAMED:]
    hosts, probes = len(rest) + data.other_hosts[0], sum(host.probes for host in rest) + data.other_hosts[1]
    if hosts:
        yield f"{hosts:,} more {_plural(hosts, 'host')} sent {probes:,} probes"


def _rate(per_minute: float) -> str:
    if 0 < per_minute < 0.01:
        return "under 0.01"
    return f"{per_minute:,.0f}" if per_minute >= 100 else f"{per_minute:.3g}"


def _uneventful(data: Report, screen: Screen) -> Iterator[str]:
    for capture in data.captures:
        if not capture.tcp_segments:
            frames = f"{capture.frames:,} {_plural(capture.frames, 'frame')}"
            yield from screen.wrap(f"{printable(capture.name)}: no TCP in {frames}.")
    names = ", ".join(printable(capture.name) for capture in data.captures if capture.tcp_segments)
    segments = sum(capture.tcp_segments for capture in data.captures)
    if segments:
        length = format_duration(max(capture.duration_ns for capture in data.captures))
        if data.left_out and not data.totals.flows:
            flows = f"{data.left_out:,} {_plural(data.left_out, 'flow')}"
            read = f"{segments:,} {_plural(segments, 'segment')} of {flows} in {length} were read"
            yield from screen.wrap(f"{names}: no flow matches the filter. {read}.")
            yield from _shortcomings(data, screen, leave_out=("not_tcp",))
            return
        yield from screen.wrap(
            f"{names}: nothing to report. {flow_sum(data, brackets=True)}; {probe_sum(data.totals)}; "
            f"{segments:,} {_plural(segments, 'segment')} in {length}."
        )
        if data.totals.not_probes:
            yield from screen.wrap(f"{lookalike_sum(data.totals)}.")
    yield from _shortcomings(data, screen, leave_out=("not_tcp",))


SKIPPED_WORDS: Final = {
    "not_tcp": ("not TCP", "not TCP"),
    "fragment": ("IP fragment", "IP fragments"),
    "cut_before_tcp_header": ("cut before the TCP header", "cut before the TCP header"),
    "duplicate_copy": ("duplicate of a packet", "duplicates of packets"),
}
"""What is set aside, one and several."""


def set_aside(captures: Sequence[CaptureSummary], leave_out: Sequence[str] = ()) -> str:
    """Return what was not read and how much of it, or nothing."""
    skipped: Counter[str] = Counter()
    for capture in captures:
        skipped.update(capture.skipped)
    return ", ".join(
        f"{count:,} {_plural(count, *SKIPPED_WORDS.get(name, (name, name)))}"
        for name, count in skipped.items()
        if count and name not in leave_out
    )


def _shortcomings(data: Report, screen: Screen, leave_out: Sequence[str] = ()) -> Iterator[str]:
    """Yield what was not read, and what is wrong with the files."""
    said = set_aside(data.captures, leave_out)
    if said:
        yield from screen.wrap(f"Set aside: {said}.", style="dim")
    for capture in data.captures:
        for warning in capture.warnings:
            where = f"{printable(capture.name)}: " if len(data.captures) > 1 else ""
            yield from screen.wrap(f"Warning: {where}{printable(warning)}", style="warning")


def _by_count(counts: dict[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _plural(count: int, one: str, many: str | None = None) -> str:
    return one if count == 1 else many or f"{one}s"
