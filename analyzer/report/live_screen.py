"""A capture in progress on a screen: a calm table of the flows that probe or are half-closed, or a line an event.

It must not know where packets come from, or word more than labels.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.judge.verdict import Severity
from analyzer.report.screen import printable
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S, format_duration, seconds
from analyzer.values import dataclass
from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from analyzer.explain.news import Item
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.outlook import Outlook
    from analyzer.report.objects import Object
    from analyzer.track.flow import Side
    from analyzer.untyped import Foreign

STYLE_OF: Final = {
    Severity.BAD: "bold red",
    Severity.WARNING: "yellow",
    Severity.NONE: "dim",
    Severity.GOOD: "green",
}
"""The styles of ``screen.SGR``, in rich's words."""
ANSWERS: Final = {None: "no answer", "rst": "answered by RST"}
"""What the last probe drew, where it is neither an ACK nor data."""
LINES_OF_FLOW: Final = 3
"""Lines of the table that a flow takes, at most."""
LINES_AROUND: Final = 5


@dataclass(frozen=True, slots=True)
class KernelView:
    """What the kernel says of one end of a flow, ready to be shown."""

    state: str
    timer: str | None
    timer_ns: int
    unanswered: int
    holders: str
    """``4711 (server)``, with commas between; empty if no process has it open."""


@dataclass(frozen=True, slots=True)
class LiveFlow:
    """A flow of the table."""

    judged: JudgedFlow
    outlook: Outlook | None
    kernel: dict[Side, KernelView]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a capture stands."""

    where: str
    """Interface and filter."""
    frames: int
    lost: int
    flows: int
    running_ns: int
    now_ns: int
    start_ns: int
    more: int
    """Flows that have something to say but no room in the table."""


def table(standing: Standing, flows: Sequence[LiveFlow], beside: Sequence[str] = ()) -> Table:
    """Return the table, for rich to draw, with what the kernel says ``beside`` the flows."""
    from rich import box
    from rich.table import Table

    grid = Table(
        box=box.SIMPLE_HEAD, expand=True, pad_edge=False, title=None, caption=_caption(standing), caption_justify="left"
    )
    grid.add_column("flow", justify="right", no_wrap=True)
    grid.add_column("connection", ratio=5, overflow="fold")
    grid.add_column("keepalive", ratio=4, overflow="fold")
    grid.add_column("so far", no_wrap=True)
    for flow in flows:
        verdict = flow.judged.ending.verdict
        grid.add_row(
            str(flow.judged.record.number),
            _text(connection(flow)),
            _text(keepalive(flow, standing.now_ns)),
            _text([verdict.value], STYLE_OF[verdict.severity]),
        )
    for said in beside:
        grid.add_row("", _text([said], "yellow"), "", "")
    if not flows:
        grid.add_row("", _text(["no flow probes or is half-closed yet"], "dim"), "", "")
    return grid


def _text(lines: Sequence[str], style: str = "") -> Foreign:
    from rich.text import Text

    return Text("\n".join(map(printable, lines)), style=style)


def _caption(standing: Standing) -> Foreign:
    parts = [
        f"{standing.where}: {count(standing.frames, 'packet')}, {count(standing.flows, 'flow')}",
        ago(standing.running_ns),
    ]
    if standing.lost:
        parts.append(f"{count(standing.lost, 'packet')} lost")
    if standing.more:
        parts.append(f"{count(standing.more, 'more flow')}")
    return _text(["; ".join([*parts, "Ctrl-C for the report"])])


def sides_of(judged: JudgedFlow) -> tuple[Side, Side]:
    """Return the endpoints, who opened the connection first."""
    initiator = judged.record.initiator or "a"
    return initiator, other(initiator)


def connection(flow: LiveFlow) -> list[str]:
    """Return who is connected with whom, and in what states."""
    first, second = sides_of(flow.judged)
    record = flow.judged.record
    states = {side: state.value for side, state in zip(SIDES, record.states, strict=True)}
    lines = [f"{record.endpoint(first)} - {record.endpoint(second)}"]
    for side in (first, second):
        text = f"{flow.judged.record.role(side)} {states[side]}"
        if view := flow.kernel.get(side):
            text += (", seen" if view.state == states[side] else f", the kernel says {view.state}") + (
                f", held by pid {view.holders}" if view.holders else ", held by no process"
            )
        lines.append(text)
    return lines if flow.kernel else [lines[0], " · ".join(lines[1:])]


def keepalive(flow: LiveFlow, now_ns: int) -> list[str]:
    """Return how its probes go, and what comes next."""
    record = flow.judged.record
    probes = record.probes
    if not probes:
        return ["no probe"]
    last = max(probes, key=lambda probe: probe.ts_ns)
    answered = sum(probe.answered for probe in probes)
    unseen = record.is_unseen(other(last.sender))
    came = "answer not visible here" if unseen else ANSWERS.get(last.answer, "answered")
    lines = [
        f"{count(len(probes), 'probe')}, {'answers not visible here' if unseen else f'{answered} answered'}",
        f"last {ago(now_ns - last.ts_ns)} ago by {flow.judged.record.role(last.sender)}, {came}",
    ]
    outlook = flow.outlook
    if outlook is None:
        return lines
    timer = flow.kernel.get(outlook.prober)
    if timer is not None and timer.timer == "keepalive":
        lines.append(f"next in {ago(timer.timer_ns)} (kernel)")
    elif outlook.next_ns is not None:
        left_ns = outlook.next_ns - now_ns
        lines.append(f"next in {ago(left_ns)}" if left_ns >= 0 else f"next was due {ago(-left_ns)} ago")
    if outlook.unanswered and outlook.count is not None:
        text = f"{outlook.unanswered} of {outlook.count} unanswered"
        text += " (by default)" if outlook.count_is_default else ""
        if outlook.give_up_ns is not None and outlook.give_up_ns > now_ns:
            text += f", gives up in {ago(outlook.give_up_ns - now_ns)}"
        lines[-1] += f"; {text}"
    return lines


def ago(ns: int) -> str:
    """Return a duration that changes every second without flicker: whole seconds."""
    whole = max(ns, 0) // NS_PER_S * NS_PER_S
    return "0 s" if whole == 0 else format_duration(whole).replace(".000 s", " s")


# ── a line an event ────────────────────────────────────────────────────────────────────────────────────────────────


def log_line(item: Item, judged: JudgedFlow) -> str:
    """Return an event as a line of plain text, with the time of day."""
    clock = datetime.fromtimestamp(item.ts_ns // NS_PER_S).astimezone()
    ms = item.ts_ns % NS_PER_S // 1_000_000
    frame = f" [frame {item.frame}]" if item.frame is not None and item.event != "flow" else ""
    return printable(f"{clock:%H:%M:%S}.{ms:03d}  flow {judged.record.number}: {item.text}{frame}")


def log_object(item: Item, judged: JudgedFlow, start_ns: int) -> Object:
    """Return an event as a JSON object."""
    instant = datetime.fromtimestamp(item.ts_ns // NS_PER_S, UTC)
    data = {
        key.replace("_ns", "_s"): seconds(value) if key.endswith("_ns") and value is not None else value
        for key, value in item.data.items()
    }
    return {
        "event": item.event,
        "time": f"{instant:%Y-%m-%dT%H:%M:%S}.{item.ts_ns % NS_PER_S:09d}Z",
        "time_s": seconds(item.ts_ns - start_ns),
        "flow": judged.record.number,
        "frame": item.frame,
        "from": item.sender,
        "text": item.text,
        **data,
    }
