"""All flows that probe in one picture, a row each: when each lived, when it was probed, and how it ended.

Rows are gathered by service and then by ending, so that what happened to many at once is seen as a block.

It must not judge or choose: every flow that probes is drawn, up to a number that the picture says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from matplotlib.collections import LineCollection, PolyCollection

from analyzer.report.plot import colours
from analyzer.report.plot.canvas import add_legend, axes_or_new, dress, put_marks
from analyzer.report.plot.colours import ENDINGS, SMALL_PT, house_style, themed
from analyzer.report.plot.lettering import Label, Labels
from analyzer.report.plot.symbols import Mark
from analyzer.report.plot.times import mark_time
from analyzer.units import seconds
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.plot.colours import Theme
    from analyzer.track.flow import Endpoint

WIDTH_IN: Final = 9.6
HEADER_PT: Final = 15.0
"""Height of the line that names a service."""
ROOM_PT: Final = 640.0
"""Height that the rows share, as long as they do not get too low or needlessly high."""
ROW_PT: Final = (2.0, 11.0)
NAMED_FROM_PT: Final = 9.0
"""Rows at least as high are named one by one."""
MOST_FLOWS: Final = 2000
MOST_SERVICES: Final = 40
COLUMNS: Final = 1500
"""Probes of a row that fall into the same of so many columns are drawn as one."""
RASTER_FROM: Final = 20_000
"""More lines than this are drawn as pixels, or no viewer would open the SVG."""

ALIVE: Final = "before a FIN"
HALF_CLOSED: Final = "after a FIN"
PROBED: Final = "probe, answered"
LOST: Final = "probe, no answer captured"
CUT_OFF: Final = "probe, with which the capture ends"
ORDER: Final = (ALIVE, HALF_CLOSED, PROBED, CUT_OFF, LOST)


@dataclass(frozen=True, slots=True)
class Service:
    """The flows of one service."""

    name: str
    flows: tuple[JudgedFlow, ...]

    @property
    def wordings(self) -> tuple[str, ...]:
        """Its name with what became of its flows, longest first."""
        count = Counter(judged.ending.verdict for judged in self.flows)
        said = ", ".join(f"{count[verdict]} {verdict.value}" for verdict in ENDINGS if count[verdict])
        flows = f"{len(self.flows)} flow{'' if len(self.flows) == 1 else 's'}"
        return f"{self.name}   {said}", f"{self.name}   {flows}", self.name


def flows_overview(
    judged_flows: Iterable[JudgedFlow],
    start_ns: int,
    ax: Axes | None = None,
    *,
    theme: str = "light",
    legend: bool = True,
) -> Axes:
    """Draw the life of every flow that probes, a row each, by service and ending, and return the Axes.

    Args:
        judged_flows: flows of one capture; those without keepalive or zero-window probes are left out.
        start_ns: the instant that the time axis counts from; the capture's first frame.
        ax: where to draw; None makes a figure of its own, as high as it must be.
        theme: ``light``, ``dark``, or ``transparent`` for a page that may be either.
        legend: whether to explain the marks below.
    """
    look = themed(theme)
    services, left_out = services_of(judged_flows)
    row_pt, total_pt = heights(services)
    with house_style():
        axes = axes_or_new(ax, (WIDTH_IN, total_pt / 72 + 1.3), look)
        dress(axes, look)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(total_pt, 0)
        _time(axes, services, start_ns)
        labels: list[Label] = []
        placed: list[tuple[float, JudgedFlow]] = []
        y = 0.0
        for service in services:
            x = axes.get_xlim()[0]
            middle = y + HEADER_PT * 0.6
            label = Label(x, middle, service.wordings, height=HEADER_PT, aligns=("left",), color=look.ink)
            label.size_pt, label.weight = SMALL_PT, "bold"
            labels.append(label)
            y += HEADER_PT
            for judged in service.flows:
                placed.append((y + row_pt / 2, judged))
                y += row_pt
        _rows(axes, placed, row_pt, look, start_ns)
        endings = _ends(axes, placed, row_pt, look, start_ns)
        _names(axes, placed, row_pt)
        if left_out:
            axes.set_ylabel(f"{len(placed)} of {len(placed) + left_out} flows that probe")
        if not placed:
            middle = sum(axes.get_xlim()) / 2
            labels.append(Label(middle, total_pt / 2, ("no flow with probes",), color=look.ink))
        Labels(axes, labels)
        if legend:
            add_legend(axes, [axes], (*ORDER, *endings), look)
    return axes


def probing(judged_flows: Iterable[JudgedFlow]) -> list[JudgedFlow]:
    """Return the flows with keepalive or zero-window probes."""
    return [judged for judged in judged_flows if judged.record.probes or judged.record.zero_window_probes]


def services_of(judged_flows: Iterable[JudgedFlow]) -> tuple[list[Service], int]:
    """Return the services of the flows that probe, sorted, and how many flows are too many to draw."""
    flows = probing(judged_flows)
    severity = list(ENDINGS)
    flows.sort(key=lambda judged: severity.index(judged.ending.verdict))
    drawn = flows[:MOST_FLOWS]
    groups: defaultdict[Endpoint, list[JudgedFlow]] = defaultdict(list)
    for judged in drawn:
        groups[service_of(judged)].append(judged)
    # the largest have their own heading
    ranked = sorted(groups, key=lambda endpoint: (-len(groups[endpoint]), endpoint))
    named = sorted(ranked[:MOST_SERVICES])
    services = [Service(str(endpoint), _by_ending(groups[endpoint])) for endpoint in named]
    rest = [judged for endpoint in ranked[MOST_SERVICES:] for judged in groups[endpoint]]
    if rest:
        services.append(Service(f"{len(ranked) - MOST_SERVICES} other services", _by_ending(rest)))
    return services, len(flows) - len(drawn)


def _by_ending(flows: Sequence[JudgedFlow]) -> tuple[JudgedFlow, ...]:
    severity = list(ENDINGS)
    return tuple(sorted(flows, key=lambda judged: (severity.index(judged.ending.verdict), judged.record.first_ns)))


def service_of(judged: JudgedFlow) -> Endpoint:
    """Return the endpoint that a flow was opened to; where no handshake was seen, that with the smaller port."""
    record = judged.record
    if record.responder is not None:
        return record.endpoint(record.responder)
    return min(record.a, record.b, key=lambda endpoint: (endpoint.port, endpoint))


def heights(services: Sequence[Service]) -> tuple[float, float]:
    """Return the height of a row and of everything, in points."""
    rows = sum(len(service.flows) for service in services)
    least, most = ROW_PT
    row_pt = max(least, min(most, ROOM_PT / max(1, rows)))
    return row_pt, max(40.0, rows * row_pt + len(services) * HEADER_PT + row_pt)


def _time(axes: Axes, services: Sequence[Service], start_ns: int) -> None:
    flows = [judged.record for service in services for judged in service.flows]
    low = min((seconds(record.first_ns - start_ns) for record in flows), default=0.0)
    high = max((seconds(record.end_ns - start_ns) for record in flows), default=1.0)
    high = max(high, low + 1e-3)
    axes.set_xlim(low - (high - low) * 0.01, high + (high - low) * 0.02)
    mark_time(axes, start_ns)


def _rows(axes: Axes, placed: Sequence[tuple[float, JudgedFlow]], row_pt: float, theme: Theme, start_ns: int) -> None:
    """Draw lives as bars, half-closed ones stronger from the FIN on, and probes as ticks over them."""
    bars: defaultdict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    ticks: defaultdict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    low, high = axes.get_xlim()
    half = row_pt * (0.36 if row_pt >= NAMED_FROM_PT else 0.5)
    for y, judged in placed:
        record = judged.record
        begin, end = seconds(record.first_ns - start_ns), seconds(record.last_ns - start_ns)
        turn = seconds(record.fins[0].ts_ns - start_ns) if record.fins else end
        for meaning, left, right in ((ALIVE, begin, turn), (HALF_CLOSED, turn, end)):
            if right > left:
                bars[meaning].append([(left, y - half), (right, y - half), (right, y + half), (left, y + half)])
        seen = set()
        for probe in record.probes:
            x = seconds(probe.ts_ns - start_ns)
            meaning = PROBED if probe.answer else CUT_OFF if record.is_cut_off(probe) else LOST
            column = (meaning, int((x - low) / (high - low) * COLUMNS))
            if column not in seen:
                seen.add(column)
                ticks[meaning].append([(x, y - row_pt * 0.45), (x, y + row_pt * 0.45)])
    looks = {ALIVE: (colours.GREEN, theme.life), HALF_CLOSED: (colours.ORANGE, 2 * theme.life)}
    for meaning, boxes in bars.items():
        color, alpha = looks[meaning]
        axes.add_collection(
            PolyCollection(boxes, facecolors=color, alpha=alpha, edgecolors="none", label=meaning, zorder=1),
            autolim=False,
        )
    strokes = {PROBED: (theme.probe, 0.9), CUT_OFF: (theme.ink, 0.9), LOST: (theme.ink, 1.8)}
    for meaning, lines in ticks.items():
        color, width = strokes[meaning]
        collection = LineCollection(lines, colors=color, linewidths=width, label=meaning, zorder=2, capstyle="butt")
        collection.set_rasterized(len(lines) > RASTER_FROM)
        axes.add_collection(collection, autolim=False)


def _ends(
    axes: Axes, placed: Sequence[tuple[float, JudgedFlow]], row_pt: float, theme: Theme, start_ns: int
) -> list[str]:
    """Mark each end with its verdict; return what the legend says of them, in order."""
    size = max(4.0, min(8.0, row_pt))
    places: dict[Mark, list[tuple[float, float]]] = {}
    for verdict, (color, shape) in ENDINGS.items():
        found = [
            (seconds(judged.record.last_ns - start_ns), y) for y, judged in placed if judged.ending.verdict is verdict
        ]
        if found:
            places[Mark(f"{verdict.value} ({len(found)})", shape, size, color, theme.ink)] = found
    put_marks(axes, places, theme, zorder=3)
    return [mark.meaning for mark in places]


def _names(axes: Axes, placed: Sequence[tuple[float, JudgedFlow]], row_pt: float) -> None:
    """Name each row if there is room for it."""
    if row_pt < NAMED_FROM_PT:
        axes.set_yticks([])
        return
    axes.set_yticks([y for y, _ in placed], [_name(judged) for _, judged in placed])
    axes.tick_params(axis="y", length=0, labelsize=SMALL_PT - 1)


def _name(judged: JudgedFlow) -> str:
    record = judged.record
    client = record.a if service_of(judged) == record.b else record.b
    words = str(client)
    if len(words) > 24:
        words = f"{words[:10]}\N{HORIZONTAL ELLIPSIS}{words[-12:]}"
    return f"{record.number}: {words}"
