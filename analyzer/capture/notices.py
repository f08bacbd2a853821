"""``Notices``: what a reader has to say about a capture, as exact sentences, few however damaged it is.

Something that happens once (a cut end) is a sentence. What may happen a million times is counted by kind, and the
sentence names the first frame.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from analyzer.units import format_duration
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.untyped import Record

MOST_KINDS: Final = 16
"""This many kinds are counted by themselves."""
OUT_OF_ORDER_NS: Final = 1_000_000
"""Frames of several queues or processors come in another order by less than this; nothing follows from it."""
SINGULAR: Final = {
    "are": "is", "have": "has", "belong": "belongs", "were": "was", "they were": "it was", "their": "its",
    "by up to": "by",
}  # fmt: skip
PLURAL: Final = re.compile(r"^(?:are|have|belong|were)\b|(?<=; )they were\b|(?<= and )were\b|\btheir\b|\bby up to\b")
"""Where the words of SINGULAR stand in what is said of frames."""


@dataclass(slots=True)
class Notices:
    """Sentences about a capture."""

    once: list[str] = field(default_factory=list)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How often, and the number of the first frame, by what follows "N frames "."""

    def say(self, sentence: str) -> None:
        """Note something that happens once."""
        if sentence not in self.once:
            self.once.append(sentence)

    def count(self, what: str, frame: int, *, times: int = 1, rest: str = "") -> None:
        """Note that a frame did something; ``what`` follows "N frames ".

        Where ``what`` has parts that a file can choose, ``rest`` is said instead once there are MOST_KINDS.
        """
        if rest and what not in self.counted and len(self.counted) >= MOST_KINDS:
            what = rest
        seen, first = self.counted.get(what, (0, frame))
        self.counted[what] = (seen + times, first)

    def sentences(self, notes: Record) -> list[str]:
        """Return all sentences; ``notes`` is what framing counted."""
        timed = [
            (notes[kind], notes[f"{kind}_frame"], what)
            for kind, what in (
                ("homeless", "belong to an interface that the section does not describe, and were not decoded"),
                ("untimed", "have no timestamp (simple packet blocks); they were given that of the frame before"),
                ("odd", "have an impossible timestamp"),
                ("early", "have a time before 1970; they were given its beginning"),
                ("back", f"are older than their predecessor (by up to {format_duration(int(notes['back_ns']))})"),
                ("leap", f"are later than the frame before (by up to {format_duration(int(notes['leap_ns']))})"),
                ("long", "are longer than the snap length of the capture"),
            )
            if notes[kind] and not (kind == "back" and notes["back_ns"] < OUT_OF_ORDER_NS)
        ]
        counted = [(times, first, what) for what, (times, first) in list(self.counted.items())]
        moved = [_moved(int(notes["moved_ns"]))] if notes["moved_ns"] else []
        undated = int(notes["dropped"]) - int(notes["dated"])
        dropped = [_dropped(undated)] if undated > 0 else []
        return [*(_sentence(*entry) for entry in counted + timed), *moved, *dropped, *self.once]


def _sentence(times: int, first: int, what: str) -> str:
    """Compose the sentence about frames, of which ``what`` speaks in the plural."""
    if times > 1:
        return f"{times:,} frames {what}; the first is frame {first}"
    return f"frame {first} {PLURAL.sub(lambda found: SINGULAR[found[0]], what)}"


def _dropped(packets: int) -> str:
    """Compose the sentence about what the capture's own statistics say was dropped, but not when."""
    what = f"packets dropped while capturing, at no known time: {packets:,}"
    return f"{what}; what seems unanswered or lost may be among them"


def _moved(by_ns: int) -> str:
    """Compose the sentence about times from before 1970."""
    return f"times begin before 1970; all were moved by {format_duration(by_ns)}, so that the first is 1970-01-01"
