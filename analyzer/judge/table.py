"""Tables of facts: columns of int64 by name, and the words that their numbers stand for.

A column holds numbers, instants in nanoseconds, or places in a list of words; NONE where a record has None.

It must not know where columns come from.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeVar

from analyzer.judge import farewells
from analyzer.judge.connection import STATES
from analyzer.judge.probe import AFTER_FIN_WORDS, NOT_PROBE_WORDS
from analyzer.judge.protocols import PROTOCOLS
from analyzer.label.outcome import Answer, Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.reset_acceptance import Receiver, Reception
from analyzer.label.rules import Kind
from analyzer.label.unlike_sender import Stranger
from analyzer.segment import NONE
from analyzer.track.challenged import BY_SYN, BY_UNSENT_ACK
from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.int64]

T = TypeVar("T")

AT_ONCE: Final = 4096
"""This many rows of a table are Python values at a time: these take some ten times as much memory."""


def _lower(each: type[Any]) -> tuple[str, ...]:
    return tuple(member.name.lower() for member in each)


def _or_none(words: tuple[str, ...]) -> tuple[str | None, ...]:
    """Return words of which the first stands for nothing."""
    return (None, *words[1:])


CERTAINTIES: Final = _lower(Certainty)
DOUBTS: Final = _or_none(_lower(Doubt))
ANSWERS: Final = _or_none(_lower(Answer))
RESET_KINDS: Final = _lower(ResetKind)
RECEPTIONS: Final = _lower(Reception)
RECEIVERS: Final = tuple(member.name.replace("_", "-") for member in Receiver)
STRANGE: Final = tuple(tuple(bit.name.lower() for bit in Stranger if bits & bit) for bits in range(1 << len(Stranger)))
LOOKALIKES: Final = tuple(NOT_PROBE_WORDS.get(kind) for kind in Kind)
BOOLEANS: Final = (False, True)
LATE: Final = ("syn", "fin", "data", "ack")
PROVOCATIONS: Final = tuple({BY_SYN: "syn", BY_UNSENT_ACK: "ack"}.get(value) for value in range(BY_UNSENT_ACK + 1))
QUOTES: Final = ("probe", "data", "reset", "segment")
PROTOCOL_NAMES: Final = (None, *(protocol.name for protocol in PROTOCOLS))
NAMED_BY: Final = ("form", "dissector")
REFUSED_FOR: Final = (None, "pings", "other")
STARTS: Final = ("midstream", "handshake")


WORDS: Final[dict[str, dict[str, Sequence[Any]]]] = {
    "flow": {"initiator": SIDES, "starts_with": STARTS, "state_a": STATES, "state_b": STATES},
    "endpoint": {"timestamps": BOOLEANS},
    "probes": {
        "sender": SIDES,
        "certainty": CERTAINTIES,
        "doubt": DOUBTS,
        "unheard": BOOLEANS,
        "first_of_train": BOOLEANS,
        "after_fin": AFTER_FIN_WORDS,
        "answer": ANSWERS,
        "echoes": BOOLEANS,
        "is_last_word": BOOLEANS,
    },
    "zero_window_probes": {"sender": SIDES},
    "heartbeats": {
        "sender": SIDES,
        "protocol": PROTOCOL_NAMES,
        "named_by": NAMED_BY,
        "refused_for": REFUSED_FOR,
    },
    "farewells": {"sender": SIDES, "said": farewells.NAMES},
    "not_probes": {"sender": SIDES, "is_": LOOKALIKES, "below_snd_nxt": BOOLEANS},
    "fins": {"sender": SIDES},
    "repeated_fins": {"sender": SIDES},
    "resets": {
        "sender": SIDES,
        "kind": RESET_KINDS,
        "strange": STRANGE,
        "has_ack": BOOLEANS,
        "has_options": BOOLEANS,
        "accepted_end": BOOLEANS,
        "reception": RECEPTIONS,
        "receiver_state": RECEIVERS,
    },
    "challenges": {"sender": SIDES, "drawn_by": PROVOCATIONS},
    "late": {"sender": SIDES, "is_": LATE},
    "icmp_errors": {"quotes": SIDES, "fits": QUOTES},
    "resent": {"sender": SIDES},
    "standstills": {"sender": SIDES},
    "turns": {"sender": SIDES, "other_mac": BOOLEANS},
    "windows": {"sender": SIDES, "shut": BOOLEANS},
    "changes": {"state": STATES},
}
"""By table and column, what numbers stand for."""


class Table:
    """Some rows of each flow, as columns by name."""

    def __init__(self, start: NDArray[np.int64], words: dict[str, Sequence[Any]], columns: dict[str, Column]) -> None:
        """Take where the rows of each flow begin (one more entry at the end), and the columns.

        ``words`` names what the numbers of some columns are places in.
        """
        self.start = start
        self.words = words
        self.columns = columns

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.start[-1])

    def values(self, name: str, rows: slice = slice(None)) -> list[Any]:
        """Return a column, or some of it, as a record has it: words, numbers and None."""
        column = self.columns[name][rows]
        words = self.words.get(name)
        values = column.tolist()
        if len(column) and column.min() == NONE:
            return [None if value == NONE else words[value] if words else value for value in values]
        return [words[value] for value in values] if words else values

    def made(self, make: Callable[..., T], names: Sequence[str]) -> list[tuple[T, ...]]:
        """Return the rows of each flow as objects, made from the values of these columns in order."""
        if not len(self):
            return [()] * (len(self.start) - 1)
        every: list[T] = []
        for first in range(0, len(self), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            every.extend(map(make, *(self.values(name, part) for name in names)))
        return self.sorted_in(every)

    def sorted_in(self, every: list[T]) -> list[tuple[T, ...]]:
        """Return what was made of all rows by flows."""
        return [tuple(every[first:stop]) for first, stop in pairwise(self.start.tolist())]
