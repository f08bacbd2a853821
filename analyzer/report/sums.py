"""What captures add up to, as sentences: titles, flows by verdict, probes, who probes most, what was not read.

It must not know of single flows.
"""

from __future__ import annotations

from collections import Counter
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.findings.kinds.translation import TRANSLATED
from analyzer.report.screen import printable
from analyzer.report.shown import Report, by_count, plural
from analyzer.units import NS_PER_S, format_date, format_duration
from analyzer.words.lookalikes import lookalikes_text, may_be_probes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.report.screen import Screen
    from analyzer.survey.overview import CaptureSummary, Totals

HOSTS_NAMED: Final = 5
MOST_LISTED: Final = 8
"""Of more captures only those are listed whose flows are told, unless all are."""
MINUTE_NS: Final = 60 * NS_PER_S


def title_of(capture: CaptureSummary) -> str:
    """Return a capture's name and what was read of it."""
    kind = " ".join((capture.format, *capture.link_types)).strip()
    segments = f"{capture.tcp_segments:,} TCP {plural(capture.tcp_segments, 'segment')}"
    frames = f"{capture.frames:,} {plural(capture.frames, 'frame')}"
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


def short_title(capture: CaptureSummary) -> str:
    """Return a capture's name and how much it is, for one of several."""
    segments = f"{capture.tcp_segments:,} {plural(capture.tcp_segments, 'segment')}"
    return f"{printable(capture.name)}: {segments}, {format_duration(capture.duration_ns)}{_start(capture)}"


def names_of(captures: Sequence[CaptureSummary]) -> str:
    """Return what captures are called; of many, how many there are, and the folder that they all lie in."""
    if len(captures) <= MOST_LISTED:
        return ", ".join(printable(capture.name) for capture in captures)
    folders = [str(Path(path).parent) for capture in captures for path in capture.paths]
    # what is not all absolute, or all relative, has no folder in common; standard input lies in none
    alike = len({folder.startswith("/") for folder in folders}) == 1
    folder = commonpath(folders) if alike else ""
    return f"{len(captures):,} captures" + (f" in {printable(folder)}" if folder.strip("./") else "")


def _start(capture: CaptureSummary) -> str:
    date = None if capture.start_ns is None else format_date(capture.start_ns)
    return "" if date is None else f" from {date}"


def total_lines(data: Report, screen: Screen) -> Iterator[str]:
    """Yield what the captures add up to, which stands first."""
    totals = data.totals
    twice = totals.probes and TRANSLATED.code in data.findings
    once = " Probes that were captured on both sides of a translation or router are counted once." if twice else ""
    yield from screen.wrap(f"{flow_sum(data)}; {probe_sum(totals)}.{once}", indent="")
    if totals.close_wait:
        count = totals.close_wait
        yield from screen.wrap(
            f"{count:,} {plural(count, 'flow')} still half-closed at the end of the capture: "
            "one end sent FIN, the other is in CLOSE-WAIT.",
            style="warning",
        )


def beside_lines(data: Report, screen: Screen) -> Iterator[str]:
    """Yield who probes most, what only looks like a probe, and what was not read."""
    for host in talkative(data):
        yield from screen.wrap(host, indent="  ", first="")
    if data.totals.not_probes:
        yield from screen.wrap(f"{lookalike_sum(data.totals)}.")
    yield from shortcomings(data, screen)


def flow_sum(data: Report, *, brackets: bool = False) -> str:
    """Return how many flows there are, by verdict: behind a colon, or in brackets."""
    totals = data.totals
    verdicts = ", ".join(f"{count:,} {word}" for word, count in by_count(totals.verdicts))
    left = f" ({data.left_out:,} filtered out)" if data.left_out else ""
    told = f" ({verdicts})" if brackets else f": {verdicts}"
    return f"{totals.flows:,} {plural(totals.flows, 'flow')}{left}" + (told if verdicts else "")


def probe_sum(totals: Totals) -> str:
    """Return how many probes there are, and what became of them."""
    if not totals.probes:
        probes = "no keepalive probes"
    else:
        probes = (
            f"{totals.probes:,} keepalive {plural(totals.probes, 'probe')} on {totals.flows_with_probes:,} "
            f"{plural(totals.flows_with_probes, 'flow')}, {totals.probes_answered:,} answered, "
            f"{totals.probes_after_fin:,} after a FIN"
        )
    window = totals.zero_window_probes
    return probes + (f"; {window:,} zero-window {plural(window, 'probe')} (not keepalive)" if window else "")


def lookalike_sum(totals: Totals) -> str:
    """Return how many segments only look like probes, and what they are; there must be some."""
    many = sum(totals.not_probes.values())
    probes = plural(many, "a probe", "probes")
    taken = f"not taken for {probes}" if may_be_probes(totals.not_probes) else f"not {probes}"
    return (
        f"{many:,} {plural(many, 'segment has', 'segments have')} the form of a probe but"
        f" {plural(many, 'is', 'are')} {taken} (Wireshark may say Keep-Alive): {lookalikes_text(totals.not_probes)}"
    )


def talkative(data: Report) -> Iterator[str]:
    """Yield a line for each of the hosts that probe most, and one for the others."""
    for host in data.hosts[:HOSTS_NAMED]:
        where = f" in capture {host.capture}" if len(data.captures) > 1 else ""
        # of a shorter capture a rate would be an extrapolation
        long = data.captures[host.capture].duration_ns >= MINUTE_NS
        rate = f" ({_rate(host.per_minute)} a minute)" if long else ""
        yield (
            f"{host.address}{where} sent {host.probes:,} {plural(host.probes, 'probe')} on {host.flows:,} "
            f"{plural(host.flows, 'flow')}{rate}"
        )
    rest = data.hosts[HOSTS_NAMED:]
    hosts, probes = len(rest) + data.other_hosts[0], sum(host.probes for host in rest) + data.other_hosts[1]
    if hosts:
        yield f"{hosts:,} more {plural(hosts, 'host')} sent {probes:,} probes"


def _rate(per_minute: float) -> str:
    if 0 < per_minute < 0.01:
        return "under 0.01"
    return f"{per_minute:,.0f}" if per_minute >= 100 else f"{per_minute:.3g}"


def uneventful(data: Report, screen: Screen) -> Iterator[str]:
    """Yield what there is to say where no flow has anything to say."""
    for capture in data.captures:
        if not capture.tcp_segments:
            frames = f"{capture.frames:,} {plural(capture.frames, 'frame')}"
            yield from screen.wrap(f"{printable(capture.name)}: no TCP in {frames}.")
    names = names_of([capture for capture in data.captures if capture.tcp_segments])
    segments = sum(capture.tcp_segments for capture in data.captures)
    if segments:
        length = format_duration(max(capture.duration_ns for capture in data.captures))
        if data.left_out and not data.totals.flows:
            flows = f"{data.left_out:,} {plural(data.left_out, 'flow')}"
            read = f"{segments:,} {plural(segments, 'segment')} of {flows} in {length} were read"
            yield from screen.wrap(f"{names}: no flow matches the filter. {read}.")
            yield from shortcomings(data, screen, leave_out=("not_tcp",))
            return
        yield from screen.wrap(
            f"{names}: nothing to report. {flow_sum(data, brackets=True)}; {probe_sum(data.totals)}; "
            f"{segments:,} {plural(segments, 'segment')} in {length}."
        )
        if data.totals.not_probes:
            yield from screen.wrap(f"{lookalike_sum(data.totals)}.")
    yield from shortcomings(data, screen, leave_out=("not_tcp",))


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
        f"{count:,} {plural(count, *SKIPPED_WORDS.get(name, (name, name)))}"
        for name, count in skipped.items()
        if count and name not in leave_out
    )


def shortcomings(data: Report, screen: Screen, leave_out: Sequence[str] = ()) -> Iterator[str]:
    """Yield what was not read, and what is wrong with the files."""
    said = set_aside(data.captures, leave_out)
    if said:
        yield from screen.wrap(f"Set aside: {said}.", style="dim")
    for capture in data.captures:
        for warning in capture.warnings:
            where = f"{printable(capture.name)}: " if len(data.captures) > 1 else ""
            yield from screen.wrap(f"Warning: {where}{printable(warning)}", style="warning")
