"""Flows, probes and findings as tables of columns: what CSV, Parquet files and DataFrames are made from.

A column is taken as it is where facts are columns already; what words are needed for is told of the flows that have any
(``Told``), and made from what was told of others where flows are alike.

It must not know how a table is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from analyzer import explain
from analyzer.findings import ROWS, Scope, kind_of
from analyzer.judge import recording
from analyzer.label.outcome import ANSWER_ACK, ANSWER_DATA
from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS
from analyzer.report.flow_fields import PROBE, Form
from analyzer.report.telling import Telling
from analyzer.segment import NONE
from analyzer.track.flow import SIDES
from analyzer.units import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.table import Table
    from analyzer.judge.timers.many import ManySettings
    from analyzer.report.bulk import ManyFlows

TABLES: Final = {"flows": FLOW_COLUMNS, "probes": PROBE_COLUMNS, "findings": FINDING_COLUMNS}
"""The tables, with their columns and what each means."""
EXACT_NS: Final = 1 << 53
"""This many nanoseconds a float holds without rounding."""


class Cells(NamedTuple):
    """A column: numbers, places in ``words``, times in nanoseconds; NONE where there is nothing. Or texts."""

    values: NDArray[np.int64]
    words: Sequence[str | None] | None = None
    is_time: bool = False
    texts: list[str] | None = None

    def plain(self) -> list[Any]:
        """Return the values as Python has them, times in seconds."""
        if self.texts is not None:
            return self.texts
        values = self.values.tolist()
        if self.words is not None:
            return [None if value == NONE else self.words[value] for value in values]
        if self.is_time:
            return [None if value == NONE else seconds(value) for value in values]
        return [None if value == NONE else value for value in values]

    def take(self, rows: NDArray[np.int64]) -> Cells:
        """Return these rows."""
        if self.texts is not None:
            return self._replace(texts=[self.texts[row] for row in rows.tolist()])
        return self._replace(values=self.values[rows])


class Told:
    """What is told of flows beyond their facts, some flows at a time; it knows what was told of those before."""

    def __init__(self) -> None:
        """Know nothing."""
        self._telling = Telling()
        self._flows: ManyFlows | None = None
        self._texts: list[list[str]] = []

    def of(self, flows: ManyFlows) -> list[list[str]]:
        """Return the texts of each flow, as _text has them; of the last flows that were asked for they are known."""
        if self._flows is not flows:
            texts = self._telling.texts(flows, _text, brief=_brief)
            self._flows, self._texts = flows, [UNTOLD if text is None else text.split(BETWEEN) for text in texts]
        return self._texts


def table(
    name: str, flows: ManyFlows, start_ns: int, order: NDArray[np.int64] | None = None, told: Told | None = None
) -> dict[str, Cells]:
    """Return what flows add to one of TABLES, in the order of its columns; instants count from ``start_ns``.

    The flows come in the ``order`` of these places, or as they are. Who asks for many of them keeps what is ``told``.
    """
    found, start = _MAKERS[name](flows, start_ns, told or Told())
    cells = {column: found[column] for column in TABLES[name]}
    if order is None:
        return cells
    counts = np.diff(start)[order]
    rows = np.repeat(start[:-1][order] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    return {column: each.take(rows) for column, each in cells.items()}


def texts_of(texts: list[str]) -> Cells:
    """Return a column of texts."""
    return Cells(np.empty(0, dtype=np.int64), texts=texts)


def cells_of(part: Table, field: str, form: Form, start_ns: int) -> Cells:
    """Return a column of facts as one of a table."""
    values = part.columns[field]
    if form is Form.INSTANT:
        values = np.where(values == NONE, NONE, values - start_ns)
    words = part.words.get(field)
    if words is not None:
        words = [getattr(word, "value", word) for word in words]
    return Cells(values, words, is_time=form in {Form.INSTANT, Form.LENGTH})


_OF_FLOW: Final = (
    ("flow", "number", Form.PLAIN),
    ("initiator", "initiator", Form.PLAIN),
    ("starts_with", "starts_with", Form.PLAIN),
    ("first_frame", "first_frame", Form.PLAIN),
    ("last_frame", "last_frame", Form.PLAIN),
    ("first_s", "first_ns", Form.INSTANT),
    ("last_s", "last_ns", Form.INSTANT),
    ("state_a", "state_a", Form.PLAIN),
    ("state_b", "state_b", Form.PLAIN),
)
_OF_ENDING: Final = (
    ("verdict", "verdict", Form.PLAIN),
    ("by", "by", Form.PLAIN),
    ("ending_frame", "frame", Form.PLAIN),
    ("ending_s", "ts_ns", Form.INSTANT),
)


def _flows(flows: ManyFlows, start_ns: int, told: Told) -> tuple[dict[str, Cells], NDArray[np.int64]]:
    facts, count = flows.facts, len(flows)
    probes, fins = facts.probes, facts.fins
    prober = np.repeat(np.arange(count), np.diff(probes.start))

    def how_many(which: NDArray[np.bool_]) -> Cells:
        return Cells(np.bincount(prober[which], minlength=count))

    answer = probes.columns["answer"]
    cells = {
        "capture": Cells(np.full(count, flows.capture)),
        **_endpoints(flows),
        **{name: cells_of(facts.flows, field, form, start_ns) for name, field, form in _OF_FLOW},
        **{name: cells_of(flows.endings, field, form, start_ns) for name, field, form in _OF_ENDING},
        "probes_answered": how_many((answer == ANSWER_ACK) | (answer == ANSWER_DATA)),
        "probes_after_fin": how_many(probes.columns["after_fin"] > 0),
        "zero_window_probes": Cells(np.diff(facts.zero_window_probes.start)),
        "findings": texts_of(_codes(flows)),
    }
    closer = np.repeat(np.arange(count), np.diff(fins.start))
    for number, side in enumerate(SIDES):
        sent = facts.endpoints[number]
        fin = np.full(count, NONE)
        own = fins.columns["sender"] == number
        fin[closer[own]] = fins.columns["ts_ns"][own] - start_ns
        cells |= {
            f"segments_{side}": Cells(sent.columns["segments"]),
            f"payload_bytes_{side}": Cells(sent.columns["payload_bytes"]),
            f"probes_{side}": how_many(probes.columns["sender"] == number),
            f"fin_{side}_s": Cells(fin, is_time=True),
        }
    cells |= _settings(flows.settings)
    return cells | _causes(told.of(flows)), np.arange(count + 1)


def _endpoints(flows: ManyFlows) -> dict[str, Cells]:
    a, b = recording.names(flows.facts).endpoints()
    return {"a": texts_of(a), "b": texts_of(b)}


def _codes(flows: ManyFlows) -> list[str]:
    """Return the codes of what was found in each flow, separated by spaces."""
    codes: list[list[str]] = [[] for _ in range(len(flows))]
    for flow, row in zip(flows.hits.flow.tolist(), flows.hits.row.tolist(), strict=True):
        codes[flow].append(ROWS[row][0].code)
    return [" ".join(each) for each in codes]


_CAUSE: Final = ("cause", "cause_certainty", "cause_instead")
BETWEEN: Final = "\x00"
"""Between the texts of a flow."""
UNTOLD: Final = [""] * len(_CAUSE)
"""These of a flow of which there are no words."""


def _text(judged: JudgedFlow) -> str:
    """Return the causes, and of each finding its frames and its words."""
    texts = list(UNTOLD)
    if judged.cause is not None:
        texts = [judged.cause.code, judged.cause.certainty.value, " ".join(each.code for each in judged.causes[1:])]
    for finding in judged.findings:
        texts += [" ".join(map(str, finding.frames)), explain.detail(finding, judged)]
    return BETWEEN.join(texts)


def _brief(at: int, finding: Finding) -> str | None:
    """Return the same of a flow of which there is nothing to tell but this finding."""
    del at
    words = kind_of(finding.code).words
    return None if words is None else BETWEEN.join((*UNTOLD, " ".join(map(str, finding.frames)), words(finding)))


def _settings(settings: ManySettings) -> dict[str, Cells]:
    """Return what is inferred of both ends of each flow."""
    values: dict[str, NDArray[np.int64]] = {}
    for name in ("idle", "interval"):
        timer = settings.timers(name)
        values[f"{name}_{{}}_s"] = np.where(timer["there"] != 0, timer["value_ns"], NONE)
    values["count_{}"] = np.where(settings.told["gave_up_after"] != 0, settings.told["count"], NONE)
    cells = {}
    for name, value in values.items():
        every = np.full(len(settings.place), NONE)
        every[settings.slots] = value
        for number, side in enumerate(SIDES):
            cells[name.format(side)] = Cells(every[number::2], is_time=name.endswith("_s"))
    return cells


def _causes(told: list[list[str]]) -> dict[str, Cells]:
    """Return the surest cause of each flow, how sure it is, and what fits as well."""
    return {name: texts_of([each[at] for each in told]) for at, name in enumerate(_CAUSE)}


def _probes(flows: ManyFlows, start_ns: int, told: Told) -> tuple[dict[str, Cells], NDArray[np.int64]]:
    del told
    probes = flows.facts.probes
    flow = np.repeat(np.arange(len(flows)), np.diff(probes.start))
    ends = list(zip(*recording.names(flows.facts).endpoints(), strict=True))
    sides = list(zip(flow.tolist(), probes.columns["sender"].tolist(), strict=True))
    cells = {leaf.name: cells_of(probes, leaf.field, leaf.form, start_ns) for leaf in PROBE}
    cells |= {
        "capture": Cells(np.full(len(flow), flows.capture)),
        "flow": Cells(flows.facts.flows.columns["number"][flow]),
        "sender": texts_of([ends[at][side] for at, side in sides]),
        "receiver": texts_of([ends[at][1 - side] for at, side in sides]),
    }
    return cells, probes.start


def _findings(flows: ManyFlows, start_ns: int, told: Told) -> tuple[dict[str, Cells], NDArray[np.int64]]:
    del start_ns
    hits = flows.hits
    texts = [text for each in told.of(flows) for text in each[len(UNTOLD) :]]
    cells = {
        "capture": Cells(np.full(len(hits.flow), flows.capture)),
        "flow": Cells(flows.facts.flows.columns["number"][hits.flow]),
        "code": texts_of([ROWS[row][0].code for row in hits.row.tolist()]),
        "about": Cells(np.where(_IS_OF_END[hits.row], hits.side, NONE), SIDES),
        "frames": texts_of(texts[::2]),
        "detail": texts_of(texts[1::2]),
    }
    return cells, hits.start


_IS_OF_END: Final = np.array([kind.scope is Scope.ENDPOINT for kind, _ in ROWS])
"""By row of FINDINGS, whether it is about one end."""
_MAKERS: Final = {"flows": _flows, "probes": _probes, "findings": _findings}
