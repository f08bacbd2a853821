"""Texts of many flows at once, from columns: a program of steps, and the loop that runs it for flow after flow.

A step writes some fixed text, then a value: a number, seconds, a word, a piece of text that was made before; or it goes
through the rows of a table, or passes over what is not there. What is written, a ``Program`` says; numbers come as
columns of int64 with NONE where there is nothing. A compiled loop writes some hundred million bytes a second, and
nothing is made of a number but its digits.

It must not know what any field means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import loop, thaw
from analyzer.segment import NONE
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from analyzer.untyped import Foreign, Numbers, Octets, Rows

Source = Callable[[Any], Any]
"""What returns a column: an entry a flow, or a row of the table it is in; of texts and tables, one more."""

Later = Callable[[], str]
"""What makes a text, in whichever thread."""

STEP: Final = np.dtype(
    [
        ("kind", np.int64),
        ("text", np.int64),  # the fixed text before the value, in the bytes of the program
        ("text_stop", np.int64),
        ("value", np.int64),  # where its column begins among the values
        ("word", np.int64),  # the first of its words; of a table, its first step
        ("skip", np.int64),  # how many steps to pass over where there is nothing
        ("nothing", np.int64),  # the word for nothing
    ],
    align=True,
)

FIXED: Final = 0
"""Only the text."""
NUMBER: Final = 1
SECONDS: Final = 2
"""Nanoseconds as seconds, as Python writes a float."""
DECIMALS: Final = 3
"""Nanoseconds as seconds with nine decimals."""
WORD: Final = 4
TEXT: Final = 5
"""A piece of the texts: from the value of this row to that of the next."""
IF: Final = 6
"""Nothing, or the word for nothing and the next steps passed over."""
TABLE: Final = 7
"""Rows of a table, in brackets: from the value of this row to that of the next."""
END: Final = 8
"""The end of a row of a table, or of the flow."""

NS_PER_S: Final = 1_000_000_000
EXPONENT_NS: Final = 100_000
"""Python writes less than so much with an exponent."""
MOST_NS: Final = 4_000_000_000_000_000
"""So far a float tells nanoseconds apart, and its shortest form is that of the digits: 46 days."""
LONGEST: Final = 24
"""Bytes that a number or seconds may take."""


@loop
def put_number(out: Octets, at: int, number: int) -> int:
    """Write a number of at least 0; return where it ends."""
    size = 1
    rest = number // 10
    while rest > 0:
        size += 1
        rest = rest // 10
    rest = number
    for place in range(size):
        out[at + size - 1 - place] = 48 + rest % 10
        rest = rest // 10
    return at + size


@loop
def put_seconds(out: Octets, at: int, ns: int, decimals: int) -> int:
    """Write at least 0 nanoseconds as seconds: with nine decimals, or (0) as short as a float has it."""
    if 0 < ns < EXPONENT_NS and decimals == 0:
        # one digit, the others behind a point, and the power of ten
        power = 9
        first = ns
        while first >= 10:
            first = first // 10
            power -= 1
        while ns % 10 == 0:
            ns = ns // 10
        at = put_number(out, at, first)
        if ns != first:
            digits = put_number(out, at, ns)
            out[at] = 46
            at = digits
        out[at] = 101
        out[at + 1] = 45
        out[at + 2] = 48
        out[at + 3] = 48 + power
        return at + 4
    at = put_number(out, at, ns // NS_PER_S)
    out[at] = 46
    at += 1
    rest = ns % NS_PER_S
    unit = NS_PER_S // 10
    while decimals > 0 or rest > 0 or unit == NS_PER_S // 10:
        out[at] = 48 + rest // unit
        at += 1
        rest = rest % unit
        unit = unit // 10
        if unit == 0:
            break
    return at


@loop
def render(  # noqa: C901, PLR0912, PLR0915 - one loop: calls between loops cost
    steps: Rows, values: Numbers, octets: Octets, words: Numbers, texts: Octets, flows: int, out: Octets, ends: Numbers
) -> int:
    """Write the texts of flows; ``ends`` gets where each ends in ``out``. Return where the last ends.

    ``words`` has where each word begins and ends among the ``octets``, in turn.
    """
    at = 0
    for flow in range(flows):
        number = 0
        row = flow
        stop = 0
        back = -1
        while number >= 0:
            step = steps[number]
            kind = step["kind"]
            for place in range(step["text"], step["text_stop"]):
                out[at] = octets[place]
                at += 1
            number += 1
            if kind == FIXED:
                continue
            if kind == END:
                row += 1
                if back >= 0 and row < stop:
                    out[at] = 44
                    out[at + 1] = 32
                    at += 2
                    number = step["word"]
                elif back >= 0:
                    out[at] = 93
                    at += 1
                    number = back
                    back = -1
                    row = flow
                else:
                    number = -1
                continue
            value = values[step["value"] + row]
            if kind == TABLE:
                out[at] = 91
                at += 1
                stop = values[step["value"] + row + 1]
                if value < stop:
                    back = number
                    row = value
                    number = step["word"]
                else:
                    out[at] = 93
                    at += 1
                continue
            word = step["word"] + value
            if value == NONE:
                word = step["nothing"]
                number += step["skip"]
            elif kind == IF:
                continue
            if kind == WORD or value == NONE:
                for place in range(words[2 * word], words[2 * word + 1]):
                    out[at] = octets[place]
                    at += 1
                continue
            if kind == TEXT:
                for place in range(value, values[step["value"] + row + 1]):
                    out[at] = texts[place]
                    at += 1
                continue
            if value < 0:
                out[at] = 45
                at += 1
                value = -value
            at = put_number(out, at, value) if kind == NUMBER else put_seconds(out, at, value, kind - SECONDS)
        ends[flow] = at
    return at


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns laid out for the loop: all that is left to do takes no Python, so another thread can do it meanwhile."""

    steps: NDArray[np.void]
    numbers: tuple[NDArray[Any], ...]
    flows: int
    room: int
    """Bytes that the texts take at most."""

    def render(self, *, jit: bool) -> tuple[str, NDArray[np.int64]]:
        """Return the texts of the flows, one behind the other, and where each ends."""
        if jit:
            out, ends = np.empty(self.room, dtype=np.uint8), np.empty(self.flows, dtype=np.int64)
            size = render.compiled(self.steps, *self.numbers, self.flows, out, ends)  # type: ignore[call-arg,arg-type]
            return str(out[:size].data, "ascii"), ends
        octets, stops = [0] * self.room, [0] * self.flows
        lists: list[Any] = [part.tolist() for part in self.numbers]
        size = render.bare(thaw(self.steps, jit=False), *lists, self.flows, octets, stops)  # type: ignore[call-arg]
        return str(bytes(octets[:size]), "ascii"), np.array(stops, dtype=np.int64)


class Program:
    """What is written of each flow."""

    def __init__(self, nothing: str) -> None:
        """Begin; ``nothing`` is how what is not there is written."""
        self._steps: list[dict[str, int]] = []
        self._sources: list[Source | None] = []
        self._words: list[int] = []
        self._octets = bytearray()
        self._pending = ""
        self._tables: list[tuple[int, Callable[[], None]]] = []
        self._table = -1
        self._nothing = self._word(nothing)

    def text(self, text: str) -> None:
        """Write this text next."""
        self._pending += text

    def value(self, kind: int, source: Source, words: Iterable[str] = ()) -> None:
        """Write a value; the column that ``source`` returns holds places in ``words``, if there are any."""
        numbers = [self._word(word) for word in words]
        longest = max((self._length(number) for number in numbers), default=LONGEST)
        self._add(kind, source, word=numbers[0] if numbers else 0, longest=longest)

    def only_if(self, source: Source, nothing: str | None = None) -> int:
        """Write what is added up to ``close`` only where the column is not NONE, and else ``nothing``.

        Returns what ``close`` takes.
        """
        number = self._nothing if nothing is None else self._word(nothing)
        self._add(IF, source, nothing=number, longest=self._length(number))
        return len(self._steps) - 1

    def close(self, opened: int) -> None:
        """Say that what ``only_if`` opened ends here."""
        self._add(FIXED)
        self._steps[opened]["skip"] = len(self._steps) - 1 - opened

    def table(self, start: Source, row: Callable[[], None]) -> None:
        """Write rows of a table in brackets; ``start`` is where a flow's begin, ``row`` adds the steps of one."""
        self._add(TABLE, start)
        self._tables.append((len(self._steps) - 1, row))

    def end(self) -> None:
        """Say that nothing more is written of a flow."""
        self._add(END)
        for table, row in self._tables:
            first = len(self._steps)
            self._table, self._steps[table]["word"] = table, first
            row()
            self._add(END, word=first)

    def lay_out(self, data: Foreign, flows: int, texts: bytes) -> Layout:
        """Take the columns of so many flows; ``data`` is what the sources take them from.

        Raises:
            OverflowError: some nanoseconds are more than a float tells apart.
        """
        columns: dict[Source, NDArray[np.int64]] = {}
        for source in self._sources:
            if source is not None and source not in columns:
                columns[source] = np.ascontiguousarray(source(data), dtype=np.int64)
        firsts = dict(zip(columns, np.cumsum([0, *map(len, columns.values())]).tolist(), strict=False))
        steps = np.zeros(len(self._steps), dtype=STEP)
        room = 0
        for at, (step, source) in enumerate(zip(self._steps, self._sources, strict=True)):
            column = columns[source] if source is not None else None
            if step["kind"] in {SECONDS, DECIMALS} and column is not None and _is_beyond(column):
                raise OverflowError("more nanoseconds than a float tells apart")
            for name in STEP.names or ():
                steps[name][at] = step[name]
            steps["value"][at] = 0 if source is None else firsts[source]
            table = self._sources[step["table"]] if step["table"] >= 0 else None
            times = flows if table is None else int(columns[table][-1])
            room += times * (step["text_stop"] - step["text"] + step["longest"])
            if step["kind"] == TEXT and column is not None:
                room += int(column[-1] - column[0])
        numbers = (
            np.concatenate(list(columns.values())),
            np.frombuffer(bytes(self._octets), np.uint8),
            np.array(self._words, dtype=np.int64),
            np.frombuffer(texts or b" ", np.uint8),
        )
        return Layout(steps, numbers, flows, room)

    def _add(
        self, kind: int, source: Source | None = None, *, word: int = 0, nothing: int = -1, longest: int = 2
    ) -> None:
        """Add a step; ``longest`` is what its value takes at most."""
        text = len(self._octets)
        self._octets += self._pending.encode("ascii")
        self._pending = ""
        self._steps.append(
            {
                "kind": kind,
                "text": text,
                "text_stop": len(self._octets),
                "value": 0,
                "word": word,
                "skip": 0,
                "nothing": self._nothing if nothing < 0 else nothing,
                "longest": max(longest, self._length(self._nothing)),
                "table": self._table,
            }
        )
        self._sources.append(source)

    def _word(self, word: str) -> int:
        """Keep a word; return its number."""
        first = len(self._octets)
        self._octets += word.encode("ascii")
        self._words += [first, len(self._octets)]
        return len(self._words) // 2 - 1

    def _length(self, word: int) -> int:
        return self._words[2 * word + 1] - self._words[2 * word]


def _is_beyond(column: NDArray[np.int64]) -> bool:
    """Say whether some nanoseconds are not written as their own digits."""
    there = column[column != NONE]
    return bool(len(there)) and bool(np.abs(there).max() > MOST_NS)


def pieces(each: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """Return texts in ASCII joined, and where each begins; one more entry at the end."""
    joined = "".join(each).encode("ascii")
    return joined, np.concatenate(([0], np.cumsum(np.fromiter(map(len, each), np.int64, len(each)))))
