"""``Notices``: what a reader has to say about a capture, as exact sentences, few however damaged it is.

Something that happens once (a cut end) is a sentence. What may happen a million times is counted by kind, and the
sentence names the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from analyzer.units import format_duration


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

    def count(self, what: str, frame: int, times: int = 1) -> None:
        """Note that a frame did something; ``what`` follows "N frames "."""
        seen, first = self.counted.get(what, (0, frame))
        self.counted[what] = (seen + times, first)

    def sentences(self, notes: Any) -> list[str]:  # noqa: ANN401 - a NOTES record
        """Return all sentences; ``notes`` is what framing counted."""
        timed = [
            (notes[kind], notes[f"{kind}_frame"], what)
            for kind, what in (
                ("homeless", "belong to an interface that the section does not describe, and were not decoded"),
                ("untimed", "have no timestamp (simple packet blocks); they were given that of the frame before"),
                ("odd", "have an impossible timestamp"),
                ("back", f"are older than the frame before, by up to {format_duration(int(notes['back_ns']))}"),
                ("leap", f"are later than the frame before by up to {format_duration(int(notes['leap_ns']))}"),
                ("long", "are longer than the snap length of the capture"),
            )
            if notes[kind]
        ]
        counted = [(times, first, what) for what, (times, first) in list(self.counted.items())]
        return [*(_sentence(*entry) for entry in counted + timed), *self.once]


def _sentence(times: int, first: int, what: str) -> str:
    """Compose the sentence about frames."""
    return f"frames that {what}: {times}, the first is frame {first}"
