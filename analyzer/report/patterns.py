"""Texts of flows that are alike: learned from the first few, and made for the others by putting in their numbers.

A pattern is learned by comparing texts of which the numbers and addresses of the flows are known. A number in the text
may be one of them, written with or without commas, or stand in every text. What several of these explain is decided by
later flows; until then a text is made only where they agree. What no rule explains has no pattern, and is told.

It must not know what a text says.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.alike import Likeness

ENOUGH: Final = 4
"""Of so many flows the texts are compared before one is made."""
MOST: Final = 16384
"""So many shapes are known: a capture with more has few flows of each."""
TRIED: Final = 8192
"""After so many flows, if not one in RARELY was made by a pattern, no more is tried."""
RARELY: Final = 8
NUMBER: Final = re.compile(r"(\d{1,3}(?:,\d{3})+(?!\d)|\d+)")
ADDRESSES: Final = ("\x01", "\x02")
"""What stands for addresses in a pattern; JSON in ASCII has no such characters."""

Rule = tuple[int, bool]
"""Which number it is, and whether it has commas; or what stands there in every text is written."""


class Pattern:
    """What is known of the texts of one shape."""

    __slots__ = ("_fixed", "_format", "_learned", "_open", "_rules", "_texts", "is_told")

    def __init__(self) -> None:
        """Know nothing."""
        self.is_told = False
        """Whether no rule explains the texts: each flow is to be told."""
        self._learned = 0
        self._texts: list[str] = []
        self._rules: list[tuple[set[Rule], str | None]] = []
        self._format = ""
        self._fixed: list[Rule] = []
        self._open: list[tuple[set[Rule], str | None]] = []

    def learn(self, text: str, addresses: Sequence[str], numbers: Sequence[int]) -> None:
        """Take the text of one more flow."""
        for address, mark in sorted(zip(addresses, ADDRESSES, strict=True), key=lambda each: -len(each[0])):
            text = _standing_alone(address).sub(mark, text)
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

    def text(self, addresses: Sequence[str], numbers: Sequence[int]) -> str | None:
        """Return the text of a flow, or None if too little is known to make it."""
        if self._learned < ENOUGH or self.is_told:
            return None
        if not self._format:
            self._settle()
        for rules, same in self._open:
            if len({*(_written(numbers, rule) for rule in rules), *([same] if same is not None else [])}) > 1:
                return None
        return self._format.format(
            *addresses, *(f"{numbers[at]:,}" if commas else numbers[at] for at, commas in self._fixed)
        )

    def _settle(self) -> None:
        """Make what texts are made from, of what is known now."""
        parts = [_escaped(self._texts[0])]
        self._fixed, self._open = [], []
        for (rules, same), between in zip(self._rules, self._texts[1:], strict=True):
            if len(rules) + (same is not None) > 1:
                self._open.append((rules, same))
            if same is not None:
                parts.append(same)
            else:
                parts.append(f"{{{len(ADDRESSES) + len(self._fixed)}}}")
                self._fixed.append(min(rules))
            parts.append(_escaped(between))
        self._format = "".join(parts)


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

    def shape(self, like: Likeness) -> bytes:
        """Return what patterns are kept by."""
        digest = blake2b(like.shape, digest_size=16).digest()
        return digest + like.until if digest in self._asking else digest

    def text(self, shape: bytes, addresses: Sequence[str], numbers: Sequence[int]) -> str | None:
        """Return the text of a flow of this shape, if enough is known."""
        pattern = self._known.get(shape)
        made = None if pattern is None else pattern.text(addresses, numbers)
        self._made += made is not None
        return made

    def is_told(self, shape: bytes) -> bool:
        """Say whether each flow of this shape has to be told."""
        pattern = self._known.get(shape)
        return pattern is not None and pattern.is_told

    def learn(
        self, like: Likeness, text: str, addresses: Sequence[str], numbers: Sequence[int], *, asked: bool
    ) -> None:
        """Take the text of a flow that was told; ``asked`` says that it depends on when the capture ended."""
        self._tried += 1
        shape = self.shape(like)
        if asked and len(shape) == blake2b(digest_size=16).digest_size:
            self._asking.add(shape)
            self._known.pop(shape, None)
            shape += like.until
        if shape in self._known:  # of a shape that comes once nothing is learned
            pattern = self._known[shape] = self._known[shape] or Pattern()
            pattern.learn(text, addresses, numbers)
        elif len(self._known) < MOST:
            self._known[shape] = None


def _escaped(text: str) -> str:
    """Return text for a format, addresses as its first values."""
    text = text.replace("{", "{{").replace("}", "}}")
    for at, mark in enumerate(ADDRESSES):
        text = text.replace(mark, f"{{{at}}}")
    return text


def _written(numbers: Sequence[int], rule: Rule) -> str:
    at, commas = rule
    return f"{numbers[at]:,}" if commas else str(numbers[at])


def _standing_alone(address: str) -> re.Pattern[str]:
    """Return what finds an address that is no part of a longer one."""
    return re.compile(rf"(?<![0-9A-Za-z.:]){re.escape(address)}(?![0-9A-Za-z]|\.\d|::)")
