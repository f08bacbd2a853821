"""Texts of flows that are alike: learned from the first few, and made for the others by putting in their numbers.

A pattern is learned by comparing texts of which the numbers and addresses of the flows are known. A number in the text
may be one of them, written with or without commas, or stand in every text. What several of these explain is decided by
later flows; until then a text is made only where they agree. What no rule explains has no pattern, and is told.

It must not know what a text says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.judge.alike import Likeness

ENOUGH: Final = 4
"""Of so many flows the texts are compared before one is made."""
MOST: Final = 16384
"""Maximum number of shapes that are known: a capture with more has few flows of each."""
TRIED: Final = 4096
"""After so many flows, if not one in RARELY was made by a pattern, no more is tried."""
RARELY: Final = 8
COMMAS: Final = 1000
"""From here on a number with commas looks different."""
NUMBER: Final = re.compile(r"(\d{1,3}(?:,\d{3})+(?!\d)|\d+)")
ADDRESSES: Final = ("\x01", "\x02", "\x03")
"""What stands for addresses in a pattern (a's, b's, another flow's): no text has such characters."""
_ADDRESS: Final = re.compile(f"([{''.join(ADDRESSES)}])")

Rule = tuple[int, bool]
"""Which number it is, and whether it has commas; or what stands there in every text is written."""


class Pattern:
    """What is known of the texts of one shape."""

    __slots__ = ("_format", "_learned", "_open", "_rules", "_texts", "_values", "is_told")

    def __init__(self) -> None:
        """Know nothing."""
        self.is_told = False
        """Whether no rule explains the texts: each flow is to be told."""
        self._learned = 0
        self._texts: list[str] = []
        self._rules: list[tuple[set[Rule], str | None]] = []
        self._format = ""
        self._values: list[Rule] = []
        """What is put into the format, in order; addresses are counted before numbers."""
        self._open: list[list[Rule]] = []
        """What explains the same place: the number that stood there in every text (-1 and less), then other rules."""

    def learn(self, text: str, addresses: Sequence[str], numbers: Sequence[int]) -> None:
        """Take the text of one more flow."""
        for address, mark in sorted(zip(addresses, ADDRESSES, strict=True), key=lambda each: -len(each[0])):
            text = _standing_alone(address).sub(mark, text) if address else text
        texts = NUMBER.split(text)
        between, found = texts[::2], texts[1::2]
        ways: dict[str, set[Rule]] = {}
        for at, number in enumerate(numbers):
            ways.setdefault(str(number), set()).add((at, False))
            ways.setdefault(f"{number:,}", set()).add((at, True))
        fitting = [ways.get(token, set()) for token in found]
        if not self._learned:
            self._texts = between
            self._rules = [(set(rules), token) for rules, token in zip(fitting, found, strict=True)]
        elif between != self._texts:
            self.is_told = True
        else:
            self._rules = [
                (rules & fits, token if token == same else None)
                for (rules, same), fits, token in zip(self._rules, fitting, found, strict=True)
            ]
            self.is_told = any(not rules and same is None for rules, same in self._rules)
        self._learned += 1
        self._format = ""

    def texts(
        self, addresses: Sequence[Sequence[str]], numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], list[str]]:
        """Return for which flows a text can be made, and these texts; of each of ADDRESSES there is a list."""
        fine = np.full(len(numbers), self._learned >= ENOUGH and not self.is_told)
        if not fine.any():
            return fine, []
        if not self._format:
            self._settle()
        for (at, commas), *others in self._open:
            known = numbers[:, at] if at >= 0 else np.full(len(numbers), -1 - at)
            for other, has_commas in others:
                fine &= numbers[:, other] == known
                if commas != has_commas:
                    fine &= known < COMMAS
        places = np.flatnonzero(fine).tolist()
        values: list[Sequence[object]] = []
        for at, commas in self._values:
            if at < len(ADDRESSES):
                each = addresses[at]
                values.append(each if len(places) == len(fine) else [each[place] for place in places])
            else:
                column = numbers[fine, at - len(ADDRESSES)].tolist()
                values.append([f"{number:,}" for number in column] if commas else column)
        if not values:
            return fine, [self._format % ()] * len(places)
        return fine, list(map(self._format.__mod__, zip(*values, strict=True)))

    def _settle(self) -> None:
        """Make what texts are made from, of what is known now."""
        parts: list[str] = []
        self._values, self._open = [], []
        self._put(self._texts[0], parts)
        for (rules, same), between in zip(self._rules, self._texts[1:], strict=True):
            if same is not None:
                parts.append(same)
            else:
                at, commas = min(rules)
                parts.append("%s")
                self._values.append((len(ADDRESSES) + at, commas))
            if len(rules) + (same is not None) > 1:
                fixed = [] if same is None else [(-1 - int(same.replace(",", "")), "," in same)]
                self._open.append([*fixed, *sorted(rules)])
            self._put(between, parts)
        self._format = "".join(parts)

    def _put(self, text: str, parts: list[str]) -> None:
        """Add what stands between numbers, addresses as values."""
        for part in _ADDRESS.split(text):
            if part in ADDRESSES:
                parts.append("%s")
                self._values.append((ADDRESSES.index(part), False))
            else:
                parts.append(part.replace("%", "%%"))


class Patterns:
    """The patterns of a capture, by shape."""

    def __init__(self) -> None:
        """Know no shape."""
        self._known: dict[bytes, Pattern | None] = {}
        self._asking: set[bytes] = set()
        """Shapes of which what is told depends on when the capture ended."""
        self._tried = 0
        self._made = 0

    @property
    def pay(self) -> bool:
        """Whether it is worth while to look for flows that are alike."""
        return self._tried < TRIED or self._made * RARELY > self._tried

    def depends_on_end(self, shape: bytes) -> bool:
        """Say whether what is told of this shape depends on when the capture ended."""
        return shape in self._asking

    def texts(
        self, key: bytes, addresses: Sequence[Sequence[str]], numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], list[str]]:
        """Return for which flows a text can be made, and these texts; a row of ``numbers`` is a flow's.

        Of each of ADDRESSES there is a list. The key is a shape, with how long the capture went on where what is told
        ``depends_on_end``.
        """
        pattern = self._known.get(key)
        if pattern is None:
            return np.zeros(len(numbers), dtype=np.bool_), []
        fine, made = pattern.texts(addresses, numbers)
        self._made += len(made)
        return fine, made

    def is_told(self, key: bytes) -> bool:
        """Say whether each flow of this key has to be told."""
        pattern = self._known.get(key)
        return pattern is not None and pattern.is_told

    def learn(
        self, like: Likeness, text: str, addresses: Sequence[str], numbers: Sequence[int], *, asked: bool
    ) -> None:
        """Take the text of a flow that was told; ``asked`` says that it depends on when the capture ended."""
        if self.meets(like.shape, like.until, asked=asked):
            self.take(like, text, addresses, numbers)

    def meets(self, shape: bytes, until: bytes, *, asked: bool) -> bool:
        """Note that a flow of this shape was told; return whether its text should be taken: not of one that comes once.

        ``asked`` says that the text depends on when the capture ended.
        """
        self._tried += 1
        if asked and shape not in self._asking:
            self._asking.add(shape)
            self._known.pop(shape, None)
        key = self._key(shape, until)
        met = key in self._known
        if not met and len(self._known) < MOST:
            self._known[key] = None
        return met

    def take(self, like: Likeness, text: str, addresses: Sequence[str], numbers: Sequence[int]) -> None:
        """Learn from the text of a flow whose shape was met before."""
        key = self._key(like.shape, like.until)
        pattern = self._known[key] = self._known[key] or Pattern()
        pattern.learn(text, addresses, numbers)

    def knows(self, key: bytes) -> bool:
        """Say whether anything was learned of this key."""
        return self._known.get(key) is not None

    def _key(self, shape: bytes, until: bytes) -> bytes:
        """Return what is known of a flow is kept by."""
        return shape + until if shape in self._asking else shape


def _standing_alone(address: str) -> re.Pattern[str]:
    """Return what finds an address that is no part of a longer one."""
    return re.compile(rf"(?<![0-9A-Za-z.:]){re.escape(address)}(?![0-9A-Za-z]|\.\d|::)")
