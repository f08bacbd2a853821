"""The JSON of what is inferred of socket options, of many flows at once: the same as ``export`` writes of objects.

It must not infer, or decide what is written.
"""

from __future__ import annotations

from functools import cache
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.signatures import of_end
from analyzer.judge.timers.lateness import STACKS
from analyzer.report import export, objects
from analyzer.report.octets import NUMBER, SECONDS, TEXT, WORD, Program, pieces
from analyzer.segment import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.judge.timers.many import ManySettings

    Column = NDArray[np.int64]
    Source = Callable[["_Data"], Column]

COUNT: Final = "count"


class _Data:
    """Columns of all flows, those of endpoints that sent no probes with NONE."""

    def __init__(self, settings: ManySettings, side: int) -> None:
        self.place = settings.place[side::2]
        """The place of each flow's endpoint among the probers, or -1."""
        self.has = self.place >= 0
        at = self.place[self.has]
        told = settings.told[at]
        self.columns: dict[tuple[str, str], Column] = {("", "there"): self._of(np.ones(len(at), dtype=np.int64))}
        self.rows: dict[str, tuple[Column, Column]] = {}
        for name in ("idle", "interval", "period"):
            timer = settings.timers(name)[at]
            there = timer["there"] != 0
            self.columns[name, "there"] = self._of(np.where(there, 1, NONE))
            for field in ("value_ns", "low_ns", "high_ns", "observations"):
                self.columns[name, field] = self._of(np.where(there, timer[field], NONE))
            self._take_frames(settings, name, np.where(there, timer["first"], 0), np.where(there, timer["stop"], 0))
        gave_up = told["gave_up_after"] != 0
        self.columns[COUNT, "there"] = self._of(np.where(gave_up, 1, NONE))
        for field in ("count", "count_low", "count_high", "gave_up_after"):
            self.columns[COUNT, field] = self._of(np.where(gave_up, told[field], NONE))
        self._take_frames(
            settings, COUNT, np.where(gave_up, told["count_first"], 0), np.where(gave_up, told["count_stop"], 0)
        )
        self.columns["", "stack"] = self._of(np.where(told["stack"] == 0, NONE, told["stack"]))
        self.texts: list[bytes] = []
        self.made: dict[str, Column] = {}
        self._make("changes", _changes(settings, at))
        self._make("families", _families(settings, at))

    def _of(self, column: Column) -> Column:
        found = np.full(len(self.place), NONE)
        found[self.has] = column
        return found

    def _take_frames(self, settings: ManySettings, name: str, first: Column, stop: Column) -> None:
        """Take the frames of a timer of each flow, which lie from one place to another."""
        counts = np.zeros(len(self.place), dtype=np.int64)
        counts[self.has] = stop - first
        start = np.concatenate(([0], np.cumsum(counts)))
        places = np.repeat(first - start[:-1][self.has], stop - first) + np.arange(start[-1])
        self.rows[name] = start, settings.frames[places]

    def _make(self, name: str, each: list[str]) -> None:
        """Take texts of those that sent probes."""
        texts = iter(each)
        joined, starts = pieces([next(texts) if has else "" for has in self.has.tolist()])
        self.made[name] = starts + sum(map(len, self.texts))
        self.texts.append(joined)


def texts(settings: ManySettings, side: int, *, jit: bool) -> tuple[bytes, Column]:
    """Return the JSON of all flows for one side, one behind the other, and where each begins; one more entry."""
    data = _Data(settings, side)
    layout = _program().lay_out(data, len(data.place), b"".join(data.texts))
    text, ends = layout.render(jit=jit)
    return text.encode("ascii"), np.concatenate(([0], ends))


def _changes(settings: ManySettings, at: Column) -> list[str]:
    """Return what is told of timers that were set anew, which few have."""
    told = settings.told[at]
    texts = ["[]"] * len(at)
    places = np.flatnonzero(told["change_stop"] > told["change_first"])
    for place, each in zip(places.tolist(), settings.few(at[places].tolist()), strict=True):
        texts[place] = export.dumps(objects.changes_objects(each))
    return texts


def _families(settings: ManySettings, at: Column) -> list[str]:
    """Return the names of software that fits."""
    first, opens = settings.software[at].tolist(), settings.opens[at].tolist()
    few = list(set(first))
    names = dict(zip(few, (each.families for each in settings.few(few)), strict=True))
    pairs = list(zip(first, opens, strict=True))
    known = {
        (place, end): export.dumps(list(of_end(names[place], opens=None if end == NONE else bool(end))))
        for place, end in set(pairs)
    }
    return [known[pair] for pair in pairs]


@cache
def _program() -> Program:
    """Return what is written of an endpoint, as ``objects.settings_object`` has it."""
    program = Program("null")
    opened = program.only_if(_column("", "there"))
    for at, name in enumerate(("idle", "interval", COUNT, "period")):
        program.text(f'{", " if at else "{"}"{name if name == COUNT else f"{name}_s"}": ')
        there = program.only_if(_column(name, "there"))
        if name == COUNT:
            fields = (("value", NUMBER, "count"), ("low", NUMBER, "count_low"), ("high", NUMBER, "count_high"))
        else:
            fields = (("value", SECONDS, "value_ns"), ("low", SECONDS, "low_ns"), ("high", SECONDS, "high_ns"))
        for place, (key, kind, field) in enumerate(fields):
            program.text(f'{", " if place else "{"}"{key}": ')
            program.value(kind, _column(name, field))
        if name == COUNT:
            program.text(', "observations": 1')
        else:
            program.text(', "observations": ')
            program.value(NUMBER, _column(name, "observations"))
        program.text(', "frames": ')
        _put_frames(program, name)
        if name == COUNT:
            program.text(', "gave_up_after": ')
            program.value(NUMBER, _column(name, "gave_up_after"))
        program.text("}")
        program.close(there)
    program.text(', "changes": ')
    program.value(TEXT, _made("changes"))
    program.text(', "stack": ')
    words = ["null" if stack is None else quoted(stack.value) for stack in STACKS]
    program.value(WORD, _column("", "stack"), words)
    program.text(', "families": ')
    program.value(TEXT, _made("families"))
    program.text("}")
    program.close(opened)
    program.end()
    return program


def _put_frames(program: Program, name: str) -> None:
    program.table(lambda data: data.rows[name][0], lambda: program.value(NUMBER, lambda data: data.rows[name][1]))


@cache
def _column(name: str, field: str) -> Source:
    return lambda data: data.columns[name, field]


@cache
def _made(name: str) -> Source:
    return lambda data: data.made[name]
