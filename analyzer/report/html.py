"""The report as one HTML file that needs nothing else: no network, no server, no viewer but a browser.

What comes from packets and file names reaches the page only through jinja2's autoescape or as JSON without ``<``. The
page itself may run one script, named by its digest, and load nothing (Content-Security-Policy).

It must not decide which flows matter; it is handed them in order.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from dataclasses import field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from analyzer import explain
from analyzer.findings import Advice, kind_of
from analyzer.judge.verdict import VERDICTS
from analyzer.report import filter_commands
from analyzer.report.flow_lines import STYLES, pair_text
from analyzer.report.headings import together
from analyzer.report.look import look_of
from analyzer.report.screen import Screen, printable
from analyzer.report.segment_table import evidence
from analyzer.report.settings_table import HEADS, cells, notes
from analyzer.report.settings_table import MOST_ROWS as MOST_SETTINGS
from analyzer.report.story_text import when_text
from analyzer.report.sums import MOST_LISTED, flow_sum, lookalike_sum, probe_sum, set_aside, title_of
from analyzer.report.text import rows_add_up
from analyzer.segment import address_text
from analyzer.units import NS_PER_MS, format_instant, seconds
from analyzer.values import dataclass
from analyzer.words.idle_limits import limit_sentence
from analyzer.words.teller import frames_label, frames_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    import numpy as np
    from jinja2 import Environment
    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.report.shown import Report, ShownFlow
    from analyzer.survey.found import Found
    from analyzer.untyped import Foreign

SLICE: Final = 200
"""This many rows of the table are in the page at first, and are added at a time."""
MOST_ROWS: Final = 20_000
"""This many rows the table has; a browser sorts and filters them at once."""
OPEN_FINDINGS: Final = 3
"""More findings than this are folded, a line each."""
MOST_ALIKE: Final = 4
"""Of so many stories whose pictures look the same, each has one; the others name the first."""
LINKS: Final = 12
"""This many flows are named beside a finding."""
MOST_POINTED: Final = 1000
"""This many frames of a flow are named under the pointer."""
SCREEN: Final = Screen()
METADATA: Final = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)

Key = tuple[int, int]
"""The capture and number of a flow."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the table says of a flow that was judged."""

    headline: str
    codes: tuple[str, ...]
    ended_ns: int = 0
    """When its last segment came, since the first frame of all captures."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page shows."""

    report: Report
    """Its flows are those told with story and picture."""
    lines: NDArray[np.void]
    """The flows of the table, most important first."""
    known: Mapping[Key, Known] = field(default_factory=dict)
    pictures: bool = True


@dataclass(frozen=True, slots=True)
class _Finding:
    code: str
    text: explain.LongText
    found: Found


def page(data: Page) -> Iterator[str]:
    """Yield the page in pieces."""
    report = data.report
    script = source("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shown = data.lines[:MOST_ROWS]
    told = {(flow.capture, flow.judged.record.number) for flow in report.flows}
    table = rows(shown, data.known, told)
    found = [_Finding(code, explain.long_text(code), found) for code, found in report.findings.items()]
    several = len(report.captures) > 1
    yield from (
        environment()
        .get_template("report.html")
        .generate(
            title="TCP keepalive: " + ", ".join(_name(capture.name) for capture in report.captures[:3]),
            script=script,
            digest=digest,
            style=source("style.css"),
            report=report,
            captures=[title_of(capture) for capture in report.captures],
            together=together(report.captures) if len(report.captures) > MOST_LISTED else "",
            warnings=[
                printable(f"{capture.name}: {warning}") for capture in report.captures for warning in capture.warnings
            ],
            flow_sum=flow_sum(report),
            probe_sum=probe_sum(report.totals),
            lookalike_sum=lookalike_sum(report.totals) if report.totals.not_probes else None,
            set_aside=set_aside(report.captures),
            add_up=list(rows_add_up(report)),
            settings=[cells(row) for row in report.settings.rows[:MOST_SETTINGS]] if report.settings.flows > 1 else [],
            settings_heads=[head.capitalize() for head, _ in HEADS],
            settings_notes=list(notes(report.settings)),
            limits=[limit_sentence(limit) for limit in report.idle_limits],
            rotated=any(len(capture.paths) > 1 for capture in report.captures),
            top=_top(data),
            lead=explain.headline(report.flows[0].judged, report.flows[0].start_ns) if report.flows else None,
            findings=found,
            acting=_acting(report),
            changes=sorted(
                (finding for finding in found if kind_of(finding.code).advice is not Advice.NONE),
                key=lambda finding: (kind_of(finding.code).advice is Advice.MINOR, -finding.found.flows),
            ),
            links=LINKS,
            open_findings=OPEN_FINDINGS,
            rows=table[:SLICE],
            all_rows=len(table),
            unlisted=len(data.lines) - len(table),
            json=embedded({"rows": table, "slice": SLICE, "several": several, "styles": STYLES}),
            told=told,
            stories=_stories(report, pictures=data.pictures and len(report.flows) > 1),
            several=several,
            styles=STYLES,
        )
    )


def rows(lines: NDArray[np.void], known: Mapping[Key, Known], told: set[Key]) -> list[list[Any]]:
    """Return the rows of the table.

    capture, flow, client, server, 1 if which is which is a guess, verdict, probes, answered, after FIN, zero-window
    probes, findings, headline, 1 if its story is in the page, first frame.
    """
    words = [rule.verdict.value for rule in VERDICTS]
    found = []
    for line in lines.tolist():
        row = dict(zip(lines.dtype.names or (), line, strict=True))
        key = (row["capture"], row["number"])
        more = known.get(key)
        found.append(
            [
                *key,
                _endpoint(row["other_hi"], row["other_lo"], row["other_port"]),
                _endpoint(row["service_hi"], row["service_lo"], row["service_port"]),
                row["guessed"],
                words[row["winner"]],
                row["probes"],
                row["answered"],
                row["after_fin"],
                row["zero_window"],
                " ".join(more.codes) if more else "",
                more.headline if more else "",
                int(key in told),
                row["first_frame"],
            ]
        )
    return found


def _acting(report: Report) -> list[tuple[str, list[Key]]]:
    """Return who must act for the flows that are told, where their causes say so, each once with its flows."""
    said: dict[str, list[Key]] = {}
    for flow in report.flows:
        if who := explain.who_must_act(flow.judged, flow.start_ns):
            said.setdefault(who, []).append((flow.capture, flow.judged.record.number))
    return list(said.items())


def embedded(value: object) -> str:
    r"""Return JSON to stand inside a script element: ASCII, and ``<``, ``>`` and ``&`` as ``\u003c`` and so on."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def excerpt(data: Report) -> str:
    """Return what a notebook shows of an analysis: sums and its most important flows."""
    return (
        environment()
        .get_template("excerpt.html")
        .render(
            captures=[title_of(capture) for capture in data.captures],
            flow_sum=flow_sum(data),
            probe_sum=probe_sum(data.totals),
            flows=[
                (flow, pair_text(flow.judged, SCREEN), explain.headline(flow.judged, flow.start_ns))
                for flow in data.flows
            ],
            more=data.notable - len(data.flows),
        )
    )


def picture(judged: JudgedFlow, start_ns: int, prefix: str) -> str:
    """Return a flow's picture as an ``<svg>`` element, for a light page or a dark one."""
    return drawn(judged, start_ns, prefix)[0]


def drawn(judged: JudgedFlow, start_ns: int, prefix: str) -> tuple[str, str]:
    """Return a flow's picture, and as JSON what the page's script needs to zoom into it.

    That is where its time axes are, the wall clock that they count from (milliseconds), and the flow's notable frames
    by time.
    """
    from analyzer.report.plot import flow_figure, inline_svg, time_axes

    figure = flow_figure(judged, start_ns, theme="transparent")
    markup = METADATA.sub("", inline_svg(figure, prefix))
    first, _, last = evidence(judged, start_ns, MOST_POINTED)
    frames = [
        [seconds(row.ts_ns - start_ns), row.frame, f"{row.sender}: {row.what.split(',')[0]}"] for row in (*first, *last)
    ]
    where = {"axes": time_axes(figure), "start": start_ns / NS_PER_MS, "frames": frames, "prefix": prefix}
    return markup, json.dumps(where, ensure_ascii=True, separators=(",", ":"))


def story_html(judged: JudgedFlow, start_ns: int, prefix: str, *, pictures: bool = True) -> str:
    """Return a flow's headline and picture, as a notebook shows a flow."""
    told = explain.story(judged, start_ns)
    drawn = _safe(picture(judged, start_ns, prefix)) if pictures else None
    return environment().get_template("flow.html").render(story=told, picture=drawn, frames_label=frames_label)


def _top(data: Page) -> dict[str, Any] | None:
    """Return the picture that the page opens with: the flow's, or of many how they ended, by service over time."""
    flows = data.report.flows
    if not data.pictures or not flows:
        return None
    if len(flows) == 1:
        markup, where = drawn(flows[0].judged, flows[0].start_ns, "top-")
        return {"svg": _safe(markup), "zoom": where}
    from analyzer.report.plot import Ended, endings_figure, inline_svg

    words = [rule.verdict for rule in VERDICTS]
    ended = []
    keys = zip(data.lines["capture"].tolist(), data.lines["number"].tolist(), strict=True)
    for at, known in enumerate(map(data.known.get, keys)):
        if known is not None:
            line = data.lines[at]
            service = _endpoint(*(int(line[f"service_{part}"]) for part in ("hi", "lo", "port")))
            ended.append(Ended(service, known.ended_ns, words[line["winner"]]))
    if not ended:
        return None
    zero_ns = flows[0].start_ns if len(data.report.captures) == 1 else 0
    figure = endings_figure(ended, zero_ns, theme="transparent")
    return {"svg": _safe(METADATA.sub("", inline_svg(figure, "top-"))), "zoom": None}


def _stories(report: Report, *, pictures: bool) -> Iterator[dict[str, Any]]:
    """Yield what is told of each flow; of those that look the same, a few have a picture."""
    alike: defaultdict[Hashable, list[dict[str, Any]]] = defaultdict(list)
    for flow in report.flows:
        look = look_of(flow.judged) if pictures else None
        same = [] if look is None else alike[look]
        story = _story(flow, report, pictures=pictures and len(same) < MOST_ALIKE)
        same.append(story)
        yield story | {"like": same[0] if len(same) > MOST_ALIKE else None}


def _story(flow: ShownFlow, report: Report, *, pictures: bool) -> dict[str, Any]:
    judged, start_ns = flow.judged, flow.start_ns
    number = judged.record.number
    capture = report.captures[flow.capture]
    first, left_out, last = evidence(judged, start_ns)
    several = len(report.captures) > 1
    svg, zoom = drawn(judged, start_ns, f"p{flow.capture}-{number}-") if pictures else (None, None)
    return {
        "id": f"flow-{flow.capture}-{number}",
        "number": f"{flow.capture}:{number}" if several else str(number),
        "capture": printable(capture.name) if several else None,
        "verdict": judged.ending.verdict.value,
        "pair": pair_text(judged, SCREEN),
        "told": explain.story(judged, start_ns),
        "when": when_text(start_ns),
        "frames_text": frames_text,
        "frames_label": frames_label,
        "at": lambda ns: format_instant(start_ns + ns, start_ns),
        "picture": None if svg is None else {"svg": _safe(svg), "zoom": zoom},
        "evidence": first,
        "left_out": left_out,
        "evidence_last": last,
        "filters": filter_commands.to_copy(judged),
        "codes": tuple(dict.fromkeys(finding.code for finding in judged.findings)),
    }


def _endpoint(high: int, low: int, port: int) -> str:
    address = address_text(high, low)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _name(path: str) -> str:
    return printable(path.rpartition("/")[2])


def _safe(markup: str) -> Foreign:
    """Return markup of our own, which autoescape lets through: matplotlib has escaped the words in it."""
    from markupsafe import Markup

    return Markup(markup)  # noqa: S704


@cache
def environment() -> Environment:
    """Return what fills templates: everything is escaped, and a name that is missing is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("analyzer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["count"] = lambda number: f"{number:,}"
    made.filters["plural"] = lambda number, one: one if number == 1 else f"{one}s"
    return made


def source(name: str) -> Foreign:
    """Return a template's text as it stands, for what is no template: style and script."""
    made = environment()
    assert made.loader is not None
    return _safe(made.loader.get_source(made, name)[0])
