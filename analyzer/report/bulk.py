"""The JSON of many flows at once: text from columns, the same byte by byte as ``export`` writes of objects.

What is written of a flow stands in ``flow_fields``. Of most flows nothing but columns is looked at; only what has words
in it is made from a record: findings and causes, of the flows that have any.

It must not decide what is written, or which flows are asked for.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from functools import cache, partial
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from analyzer.findings import kind_of
from analyzer.judge import recording, table, verdict
from analyzer.loops.choice import jit_wanted
from analyzer.report import export, filter_commands, objects, settings_json
from analyzer.report.flow_fields import FLOW, Form, Group, Made, Of, Rows
from analyzer.report.octets import NUMBER, SECONDS, TEXT, WORD, Program, pieces
from analyzer.report.telling import Telling
from analyzer.segment import NONE
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.findings import Hits
    from analyzer.judge.alike import Likenesses
    from analyzer.judge.facts import Facts
    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.table import Table
    from analyzer.judge.timers.many import ManySettings
    from analyzer.report.flow_fields import Item, Leaf
    from analyzer.report.octets import Later, Layout
    from analyzer.survey.overview import CaptureSummary, Part
    from analyzer.untyped import Json


LARGE: Final = 512
"""This many flows are worth the compiled loop."""


class OneFlow(Protocol):
    """A flow of them."""

    @property
    def capture(self) -> int:
        """Index of its capture."""
        ...

    @property
    def judged(self) -> JudgedFlow:
        """The flow with everything that was concluded about it."""
        ...


class ManyFlows(Protocol):
    """Flows of one capture, as they come from an analysis."""

    @property
    def capture(self) -> int:
        """Index of their capture."""
        ...

    @property
    def facts(self) -> Facts:
        """Their facts as columns."""
        ...

    @property
    def endings(self) -> Table:
        """How they ended, as columns."""
        ...

    @property
    def worth_words(self) -> NDArray[np.int64]:
        """The places of those of which there are words, in order: what was found, and why they ended so."""
        ...

    @property
    def settings(self) -> ManySettings:
        """What is inferred of their socket options."""
        ...

    @property
    def brief(self) -> Sequence[tuple[int, Finding]]:
        """Those of which nothing is to be told but one finding, which is known without a record, by their places."""
        ...

    def likenesses(self, wanted: NDArray[np.int64]) -> Likenesses:
        """Return which of those at these places are alike."""
        ...

    def judged(self, places: NDArray[np.int64], record: type[FlowRecord] = ...) -> Iterator[JudgedFlow]:
        """Yield the flows at these places, in order, judged; none is held on to."""
        ...

    def telling(self) -> Iterator[tuple[int, JudgedFlow]]:
        """Yield those that are worth telling one after the other; none is held on to."""
        ...

    @property
    def told(self) -> dict[int, JudgedFlow]:
        """Those in which something was found, or of which settings can be inferred, by their places, in order."""
        ...

    @property
    def hits(self) -> Hits:
        """What was found in them."""
        ...

    def __len__(self) -> int:
        """Return the number of flows."""
        ...

    def __iter__(self) -> Iterator[OneFlow]:
        """Yield all of them, judged."""
        ...


class JsonWriter:
    """The JSON of flows: from columns where they are many, by the compiled loop; else flow by flow."""

    def __init__(self, captures: list[CaptureSummary], *, several: bool) -> None:
        """Begin; ``several`` says whether flows name their capture."""
        self._captures = captures
        self._several = several
        self._written = 0
        self._telling = Telling()
        self.found: Counter[str] = Counter()
        """In how many of the flows that were written each finding is."""

    def lines(self, flows: ManyFlows) -> Later:
        """Return what makes the JSON of flows, each on a line of its own."""
        return self._later(flows, after="\n")

    def page(self, flows: ManyFlows, order: NDArray[np.int64]) -> Later:
        """Return what makes the JSON of flows in this order, ``export.BETWEEN`` between them."""
        page = self._later(flows, before=export.BETWEEN, order=order)
        return lambda: page()[len(export.BETWEEN) :]

    def _later(
        self, flows: ManyFlows, *, before: str = "", after: str = "", order: NDArray[np.int64] | None = None
    ) -> Later:
        """Return what makes the JSON of flows, that of each between these texts."""
        self._written += len(flows)
        self.found.update({code: len(having) for code, having in flows.hits.by_code().items()})
        several = self._several
        if jit_wanted(large=self._written >= LARGE):
            with contextlib.suppress(OverflowError):
                layout = lay_out(flows, self._captures, self._telling, several=several, before=before, after=after)
                return lambda: _in_order(*layout.render(jit=True), order)
        numbered = (export.numbered(flow, self._captures, several=several) for flow in flows)
        each = [before + export.dumps(flow) + after for flow in numbered]
        return "".join(each if order is None else [each[at] for at in order.tolist()]).__str__


def _in_order(text: str, ends: NDArray[np.int64], order: NDArray[np.int64] | None) -> str:
    """Return texts that end where ``ends`` says in another order."""
    if order is None or np.array_equal(order, np.arange(len(ends))):
        return text
    stops = ends.tolist()
    starts = [0, *stops]
    return "".join([text[starts[at] : stops[at]] for at in order.tolist()])


class _Data:
    """What the sources of a program take their columns from."""

    def __init__(self, flows: ManyFlows, known: Facts, capture: CaptureSummary) -> None:
        self.start_ns = capture.start_ns or 0
        self.facts = known
        self.parts: dict[str, Table] = {
            "flow": known.flows,
            "a": known.endpoints[0],
            "b": known.endpoints[1],
            "ending": flows.endings,
        }
        self.capture = np.full(len(known), flows.capture)
        self.first_frames = np.array([part.first_frame for part in capture.parts])
        self.made: dict[str, NDArray[np.int64]] = {}

    def table(self, name: str) -> Table:
        """Return a part of flows, or one of their tables."""
        found: Table = self.parts[name] if name in self.parts else getattr(self.facts, name)
        return found


def lay_out(
    flows: ManyFlows,
    captures: list[CaptureSummary],
    telling: Telling | None = None,
    *,
    several: bool,
    before: str = "",
    after: str = "",
    jit: bool = True,
) -> Layout:
    """Return the JSON of flows as columns, all told of which words are made; each has these texts around it.

    ``jit`` says whether loops are to run compiled.

    Raises:
        OverflowError: some time is so long that a float does not tell nanoseconds apart.
    """
    known = flows.facts
    capture = captures[flows.capture]
    data = _Data(flows, known, capture)
    # first, because whoever is told has settings, too
    made = {f"settings_{name}": settings_json.texts(flows.settings, side, jit=jit) for side, name in enumerate(SIDES)}
    made |= {name: pieces(each) for name, each in _made(flows, known, capture, telling or Telling()).items()}
    joined = []
    done = 0
    for name, (text, starts) in made.items():
        joined.append(text)
        data.made[name] = starts + done
        done += len(text)
    program = _program(several=several, joined=len(capture.parts) > 1, before=before, after=after)
    return program.lay_out(data, len(known), b"".join(joined))


def _made(flows: ManyFlows, known: Facts, capture: CaptureSummary, telling: Telling) -> dict[str, list[str]]:
    """Return what is made flow by flow, as JSON."""
    who = recording.names(known)
    named = dict(zip(("a", "b"), who.endpoints(), strict=True))
    named |= dict(zip(("wireshark", "tcpdump"), filter_commands.each(who), strict=True))
    made: dict[str, list[str]] = dict(named)
    there = recording.translations(known)
    made["translated"] = ["null" if each is None else export.dumps(objects.translation_object(each)) for each in there]
    made["witnesses"] = ["[]"] * len(known)

    def see(at: int, judged: JudgedFlow) -> None:
        if judged.witnesses:
            start_ns = capture.start_ns or 0
            beside = [objects.witness_object(witness, judged, start_ns) for witness in judged.witnesses]
            made["witnesses"][at] = export.dumps(beside)

    flagged = filter_commands.with_flags(known)

    def brief(at: int, finding: Finding) -> str | None:
        words, display = kind_of(finding.code).words, filter_commands.frames_wireshark(finding.frames)
        if words is None or not display[1] or not flagged.isdisjoint(finding.frames):
            return None
        entry = objects.finding_entry(finding, words(finding), display[0], named["tcpdump"][at])
        return _joined([entry], "null", capture.parts)

    # what several files share has frames of each of them
    text = partial(_text, parts=capture.parts)
    texts = telling.texts(flows, text, who, alike=len(capture.parts) <= 1, see=see, brief=brief)
    told = [UNTOLD if text is None else text.split(BETWEEN) for text in texts]
    return made | dict(zip(TOLD, map(list, zip(*told, strict=True)), strict=True))


TOLD: Final = ("cause", "findings")
UNTOLD: Final = ["null", "[]"]
"""These of a flow that is not worth telling."""
BETWEEN: Final = "\x00"
"""Between these texts of a flow where they are one."""


def _text(judged: JudgedFlow, parts: Sequence[Part]) -> str:
    """Return the texts of a flow in which there are words."""
    found = [objects.finding_object(finding, judged) for finding in judged.findings]
    return _joined(found, "null" if judged.cause is None else export.dumps(objects.cause_object(judged)), parts)


def _joined(found: Json, cause: str, parts: Sequence[Part]) -> str:
    if len(parts) > 1:
        found = export.with_file_frames(found, parts)
    return BETWEEN.join((cause, export.dumps(found) if found else "[]"))


@cache
def _program(*, several: bool, joined: bool, before: str, after: str) -> Program:
    """Return what is written of a flow: with the index of its capture, and with the files of a stream of files."""
    writer = _Writer(Program("null"), joined=joined)
    program = writer.program
    program.text(before + "{")
    if several:
        program.text('"capture": ')
        program.value(NUMBER, lambda data: data.capture)
        program.text(", ")
    writer.items(FLOW)
    program.text("}" + after)
    program.end()
    return program


_WORDS: Final = {**table.WORDS, "a": table.WORDS["endpoint"], "b": table.WORDS["endpoint"], "ending": verdict.WORDS}
_KINDS: Final = {Form.LENGTH: SECONDS, Form.INSTANT: SECONDS}


class _Writer:
    """Adds the steps of fields to a program."""

    def __init__(self, program: Program, *, joined: bool) -> None:
        self.program = program
        self._joined = joined

    def items(self, items: Sequence[Item]) -> None:
        """Write the fields of an object."""
        for at, item in enumerate(items):
            if at:
                self.program.text(", ")
            self._item(item)

    def _item(self, item: Item) -> None:
        if item.name is not None:
            self.program.text(f'"{item.name}": ')
        if isinstance(item, Made):
            quote = '"' if item.what in objects.NAMED else ""  # nothing in these is to be escaped
            self.program.text(quote)
            self.program.value(TEXT, _of_made(item.what))
            self.program.text(quote)
        elif isinstance(item, Group):
            self.program.text("{")
            self.items(item.items)
            for part in item.items:
                if isinstance(part, Of) and part.name is None:
                    self._files(part.part, part.items)
            self.program.text("}")
        elif isinstance(item, Rows):
            self.program.table(_starts(item.table), lambda: self._object(item.table, item.items))
        elif item.name is None:
            self._leaves(item.part, item.items)
        elif item.if_ is None:
            self._object(item.part, item.items)
        else:
            opened = self.program.only_if(_column(item.part, item.if_))
            self._object(item.part, item.items)
            self.program.close(opened)

    def _object(self, part: str, items: Sequence[Leaf]) -> None:
        self.program.text("{")
        self._leaves(part, items)
        self._files(part, items)
        self.program.text("}")

    def _files(self, part: str, items: Sequence[Leaf]) -> None:
        """Write in which file a frame is, if these leaves have one."""
        if self._joined and any(leaf.name == "frame" for leaf in items):
            opened = self.program.only_if(_column(part, "frame"), "")
            for name, source in (("file", _file(part)), ("file_frame", _file_frame(part))):
                self.program.text(f', "{name}": ')
                self.program.value(NUMBER, source)
            self.program.close(opened)

    def _leaves(self, part: str, leaves: Sequence[Leaf]) -> None:
        for at, leaf in enumerate(leaves):
            self.program.text(f', "{leaf.name}": ' if at else f'"{leaf.name}": ')
            if leaf.form is Form.PAIR:
                opened = self.program.only_if(_column(part, f"{leaf.field}_low"))
                self.program.text("[")
                self.program.value(NUMBER, _column(part, f"{leaf.field}_low"))
                self.program.text(", ")
                self.program.value(NUMBER, _column(part, f"{leaf.field}_high"))
                self.program.text("]")
                self.program.close(opened)
            elif words := _words(part, leaf):
                self.program.value(WORD, _column(part, leaf.field, leaf.form), words)
            else:
                self.program.value(_KINDS.get(leaf.form, NUMBER), _column(part, leaf.field, leaf.form))


def _words(part: str, leaf: Leaf) -> list[str]:
    """Return the words of a column as JSON, none where it holds numbers."""
    if leaf.form is Form.SIDE:
        return [quoted(side) for side in SIDES]
    words = _WORDS[part].get(leaf.field, ())
    return [export.dumps(objects.plain_value(word, 0)) for word in words]


@cache
def _column(part: str, field: str, form: Form = Form.PLAIN) -> Callable[[_Data], NDArray[np.int64]]:
    """Return what takes a column of a part of flows; the same each time, so that a column is taken once."""

    def source(data: _Data) -> NDArray[np.int64]:
        column = data.table(part).columns[field]
        if form is Form.INSTANT:
            return np.where(column == NONE, NONE, column - data.start_ns)
        return np.where(column == 0, NONE, column) if form is Form.NOT_ZERO else column

    return source


@cache
def _starts(table: str) -> Callable[[_Data], NDArray[np.int64]]:
    return lambda data: data.table(table).start


@cache
def _of_made(what: str) -> Callable[[_Data], NDArray[np.int64]]:
    return lambda data: data.made[what]


@cache
def _file(part: str) -> Callable[[_Data], NDArray[np.int64]]:
    return lambda data: np.searchsorted(data.first_frames, data.table(part).columns["frame"], side="right") - 1


@cache
def _file_frame(part: str) -> Callable[[_Data], NDArray[np.int64]]:
    def source(data: _Data) -> NDArray[np.int64]:
        frame = data.table(part).columns["frame"]
        found: NDArray[np.int64] = frame - data.first_frames[np.maximum(_file(part)(data), 0)] + 1
        return found

    return source
