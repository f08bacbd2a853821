"""The segments in a timeline, by what they mean: probes and their answers, data, closed windows, FINs, RSTs, errors.

What was not answered stops half way and is crossed out; a RST that an endpoint did not send itself starts half way.

It must not judge: what is drawn are facts of the record.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.record import other
from analyzer.report.plot import symbols
from analyzer.report.plot.colours import GREEN
from analyzer.report.plot.facts import is_foreign, the
from analyzer.report.plot.lanes import AT, EDGE, MIDDLE, Stroke
from analyzer.report.plot.symbols import mark, probe_mark, said_instead, window_probe_mark
from analyzer.report.plot.thinning import COLUMNS
from analyzer.report.plot.times import brief
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from analyzer.report.plot.lanes import Drawing
    from analyzer.track.flow import Side

_SENDER: Final = attrgetter("sender")


class _Shut(NamedTuple):
    """A window that was closed."""

    ts_ns: int
    end_ns: int


def collect_segments(drawing: Drawing) -> None:
    """Add all segments that the record knows."""
    _probes(drawing)
    _window_probes(drawing)
    _heartbeats(drawing)
    _traffic(drawing)
    _fins_and_errors(drawing)


def _probes(drawing: Drawing) -> None:
    theme, scale = drawing.theme, drawing.scale
    foreign = {reset.answers_probe for reset in drawing.record.resets if is_foreign(reset)}
    probes = drawing.few(
        drawing.record.probes,
        lambda probe: (probe.sender, probe.certainty, probe.after_fin, probe.answer, probe.frame in foreign),
    )
    for probe in probes:
        color, width = (theme.after_fin, 2.6) if probe.after_fin else (theme.probe, 1.3)
        dash = ":" if probe.certainty == "suspected" else "-"
        stroke = Stroke(color, width * scale, dash)
        if drawing.record.is_cut_off(probe):
            drawing.rung(probe.ts_ns, probe.sender, stroke, "first")
        elif probe.answer is None:
            drawing.unanswered(probe.ts_ns, probe.sender, stroke)
        else:
            drawing.rung(probe.ts_ns, probe.sender, stroke, "first" if probe.frame in foreign else "all")
        look = probe_mark(probe, theme, scale, instead=said_instead(drawing.record, probe))
        drawing.marks[look].append((drawing.x(probe.ts_ns), AT[probe.sender]))
        if probe.answer_ns is not None and probe.answer != "rst":
            drawing.mark(symbols.ANSWER, probe.ts_ns + probe.answer_ns, AT[other(probe.sender)])


def _window_probes(drawing: Drawing) -> None:
    record, theme, scale = drawing.record, drawing.theme, drawing.scale
    for probe in drawing.few(record.zero_window_probes, lambda probe: (probe.sender, probe.answer_frame is None)):
        stroke = Stroke(theme.window_probe, 1.3 * scale)
        draw = drawing.unanswered if probe.answer_frame is None else drawing.rung
        draw(probe.ts_ns, probe.sender, stroke)
        place = (drawing.x(probe.ts_ns), AT[probe.sender])
        drawing.marks[window_probe_mark(probe, theme, scale)].append(place)
    undecided = [segment for segment in record.not_probes if segment.is_ == "keepalive_or_zero_window_probe"]
    for segment in drawing.few(undecided, _SENDER):
        drawing.mark(symbols.UNDECIDED, segment.ts_ns, AT[segment.sender])


def _heartbeats(drawing: Drawing) -> None:
    """Bar the lane of an end while its program beats: single heartbeats are no rows of a record."""
    for train in drawing.record.heartbeats:
        y = AT[train.sender]
        silent_ns = train.last_ns if train.silent_ns is None else train.silent_ns
        for low_ns, high_ns, dash, meaning in (
            (train.first_ns, silent_ns, "-", symbols.BEATS),
            (silent_ns, train.last_ns, ":", symbols.UNANSWERED_BEATS),
        ):
            if high_ns > low_ns:
                bar = [(drawing.x(low_ns), y), (drawing.x(high_ns), y)]
                drawing.lines[Stroke(GREEN, 3.0, dash, meaning=meaning)].append(bar)
        what = f"heartbeats of {train.protocol}" if train.protocol else "heartbeats"
        often = f"{train.sent} {what}, one every {brief(train.period_ns)}"
        drawing.say((train.first_ns + train.last_ns) // 2, train.sender, (often, "heartbeats"), 3)


def _traffic(drawing: Drawing) -> None:
    """Add SYNs, data, what was sent again, and closed windows."""
    record = drawing.record
    if record.starts_with == "midstream":
        drawing.say(record.first_ns, "a", ("capture starts in mid-flow", "mid-flow"), 3)
    for side in SIDES:
        facts = record.facts(side)
        if facts.syn_ns is not None:
            drawing.mark(symbols.SYN, facts.syn_ns, AT[side])
            if facts.syn_count > 1:
                drawing.say(facts.syn_ns, side, (f"SYN, sent {facts.syn_count} times", "SYNs"), 4)
        if facts.first_data_ns is not None and facts.last_data_ns is not None:
            for ts_ns in sorted({facts.first_data_ns, facts.last_data_ns}):
                drawing.mark(symbols.DATA, ts_ns, AT[side])
            octets = f"{facts.payload_bytes} byte{'' if facts.payload_bytes == 1 else 's'}"
            drawing.say(facts.first_data_ns, side, (f"data, {octets}", "data"), 4)
        if facts.missed:
            drawing.say(record.first_ns, side, (f"not all of {the(record, side)}'s segments captured", "incomplete"), 5)
        _closed_window(drawing, side)
    for again in drawing.few(record.resent, _SENDER):
        drawing.mark(symbols.RESENT, again.ts_ns, AT[again.sender])


def _closed_window(drawing: Drawing, side: Side) -> None:
    """Bar the lane of an endpoint while it lets nothing in."""
    record = drawing.record
    turns = [(change.ts_ns, change.shut) for change in record.windows if change.sender == side]
    cut_off_ns = record.end_ns - drawing.stop_ns if drawing.stop_ns > record.last_ns else 0
    stays: list[_Shut] = []
    shut_ns: int | None = None
    for ts_ns, shut in [*turns, (drawing.stop_ns, False)]:
        if shut:
            shut_ns = ts_ns if shut_ns is None else shut_ns
        elif shut_ns is not None:
            stays.append(_Shut(shut_ns, ts_ns))
            shut_ns = None
    column_ns = max(drawing.stop_ns - record.first_ns, 1) // COLUMNS + 1
    drawn = drawing.few(stays, lambda stay: ((stay.end_ns - stay.ts_ns) // column_ns).bit_length())
    least_ns = column_ns if len(drawn) < len(stays) else 0
    for begin_ns, end_ns in drawn:
        bar = [(drawing.x(begin_ns), EDGE[side]), (drawing.x(max(end_ns, begin_ns + least_ns)), EDGE[side])]
        drawing.lines[Stroke(drawing.theme.ink, 4.0, meaning=symbols.SHUT)].append(bar)
        took_ns = end_ns - begin_ns + (cut_off_ns if end_ns == drawing.stop_ns else 0)
        drawing.say((begin_ns + end_ns) // 2, side, (f"{symbols.SHUT} for {brief(took_ns)}", symbols.SHUT), 3)


def _fins_and_errors(drawing: Drawing) -> None:
    record, theme = drawing.record, drawing.theme
    for fin in drawing.few(record.fins, _SENDER):
        drawing.rung(fin.ts_ns, fin.sender, Stroke(theme.ink, 2.0))
        drawing.endings[mark(symbols.FIN, theme)].append((drawing.x(fin.ts_ns), AT[fin.sender]))
        drawing.say(fin.ts_ns, fin.sender, ("FIN",), 1, theme.ink)
    ending = record.ending_reset
    resets = drawing.few(record.resets, lambda reset: (reset.sender, is_foreign(reset), reset is ending))
    for reset in resets:
        between = is_foreign(reset)
        look = mark(symbols.RESET, theme)
        drawing.rung(reset.ts_ns, reset.sender, Stroke(theme.reset, 2.6), "second" if between else "all")
        place = (drawing.x(reset.ts_ns), MIDDLE if between else AT[reset.sender])
        drawing.endings[look].append(place)
        drawing.say(reset.ts_ns, other(reset.sender) if between else reset.sender, ("RST",), 0, theme.reset)
    for error in drawing.few(record.icmp_errors, lambda _: None):
        drawing.mark(symbols.ICMP, error.ts_ns, MIDDLE)
