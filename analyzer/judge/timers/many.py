"""What is told of all probers of some flows, in columns: what exports write, and records are judged with.

It must not infer anything.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.signatures import DEFAULTS, SOFTWARE
from analyzer.judge.timers import inference, probers
from analyzer.judge.timers.settings import Inferred
from analyzer.judge.timers.timer import TIMER
from analyzer.loops.choice import jit_allowed, jit_wanted
from analyzer.loops.loop import freeze, thaw
from analyzer.segment import NONE
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from analyzer.judge.facts import Facts
    from analyzer.judge.table import Table
    from analyzer.judge.timers.inference import Claims
    from analyzer.judge.timers.settings import Settings

    Column = NDArray[np.int64]

LARGE: Final = 512
"""So many probes are worth compiled loops where these lie ready."""
HUGE: Final = 1 << 16
"""Where they do not, so many, in all, are worth some seconds of compiling: it is done once."""
TIMERS: Final = {"interval": inference.INTERVAL, "period": inference.PERIOD, "idle": inference.IDLE}
KNOWN_NS: Final = np.array(
    sorted(
        NS_PER_S * seconds
        for seconds in {
            each for row in (*DEFAULTS, *SOFTWARE) for each in (row.idle_s, row.interval_s) if isinstance(each, int)
        }
    ),
    dtype=np.int64,
)
"""All durations that known software and systems set."""
_LATEST: Final = 1 << 62

_DONE: list[int] = [0]
"""How many probes were looked at in this process."""


class ManySettings:
    """The settings of all endpoints of some flows."""

    def __init__(self, facts: Facts, endings: Table) -> None:
        """Infer them; ``endings`` are those of the flows."""
        known, self.slots = probers.of_facts(facts, endings)
        jit = _is_worth(len(known.sent))
        if not jit:
            columns = (known.stirs.tolist(), known.doubts.tolist(), thaw(known.holes, jit=False))
            known = probers.Probers(thaw(known.probers, jit=False), thaw(known.sent, jit=False), *columns)
        self.claims: Claims = inference.claims(known, jit=jit)
        """What is told of each prober; ``slots`` says of each twice the place of its flow, and its side."""
        self.place = np.full(2 * len(facts), -1)
        """The place of each slot among the probers; -1 of an endpoint that sent no probes."""
        self.place[self.slots] = np.arange(len(self.slots))
        initiator = facts.flows.columns["initiator"][self.slots // 2]
        self.opens: Column = np.where(initiator == NONE, NONE, (initiator == self.slots % 2).astype(np.int64))
        """Of each prober 1 if it opened the connection, 0 if it was called, NONE where that is unknown."""

    def of(self, at: int, side: int) -> Settings | None:
        """Return what is inferred of one endpoint of a flow, or None if it sent no probes."""
        place = int(self.place[2 * at + side])
        return None if place < 0 else self.objects.of(place)

    def both(self, at: int) -> Inferred:
        """Return what is inferred of both endpoints of a flow, once somebody asks."""
        return Inferred(partial(self.of, at))

    @cached_property
    def objects(self) -> Claims:
        """The same as ``claims``, to make objects of."""
        return self.claims.thawed()

    def few(self, places: Iterable[int]) -> Iterator[Settings]:
        """Yield what is told of a few probers."""
        known = self.objects if "objects" in vars(self) else self.claims
        return map(known.of, places)

    @cached_property
    def told(self) -> NDArray[np.void]:
        """What is told of each prober."""
        told: NDArray[np.void] = freeze(self.claims.told, inference.TOLD)
        return told

    @cached_property
    def _timers(self) -> NDArray[np.void]:
        timers = self.claims.timers
        return timers if isinstance(timers, np.ndarray) else np.array(_rows(timers.made()), dtype=TIMER)

    @cached_property
    def frames(self) -> Column:
        """The frames of all timers and counts, by place."""
        return np.asarray(self.claims.frames, dtype=np.int64)

    def timers(self, name: str) -> NDArray[np.void]:
        """Return one of TIMERS of each prober."""
        timers: NDArray[np.void] = self._timers[self.told["timers"] + TIMERS[name]]
        return timers

    @cached_property
    def software(self) -> Column:
        """Which probers are alike in all that tells which software they may be: the place of the first of them."""
        timers = {name: self.timers(name) for name in TIMERS}
        told = self.told
        keys = [
            told["stack"] * 2 + told["backs_off"],
            np.where(told["count_is_whole"] != 0, told["gave_up_after"], told["count"]),
        ]
        keys[1] = np.where(told["gave_up_after"] != 0, keys[1], NONE)
        for each in timers.values():
            there, value = each["there"] != 0, np.where(each["there"] != 0, each["value_ns"], NONE)
            low, high = (np.where(value != NONE, value, each[name]) for name in ("low_ns", "high_ns"))
            low, high = np.where(there, low, 0), np.where(there, high, _LATEST)
            keys += [there, value, np.searchsorted(KNOWN_NS, low), np.searchsorted(KNOWN_NS, high, side="right")]
        # what a caller chose may be the spacing of answered probes, too
        idle, period = timers["idle"], timers["period"]
        keys.append((period["low_ns"] <= idle["value_ns"]) & (idle["value_ns"] <= period["high_ns"]))
        rows = np.column_stack([np.zeros(len(told), dtype=np.int64), *(key.astype(np.int64) for key in keys)])
        order = np.lexsort(rows.T)
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (rows[order][1:] != rows[order][:-1]).any(axis=1)
        first = np.empty(len(order), dtype=np.int64)
        first[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
        return first


def _rows(timers: list[dict[str, int]]) -> list[tuple[int, ...]]:
    names = TIMER.names or ()
    return [tuple(timer[name] for name in names) for timer in timers]


def _is_worth(probes: int) -> bool:
    """Say whether to look at so many probes with compiled loops."""
    _DONE[0] += probes
    return jit_wanted(large=probes >= LARGE and jit_allowed() and (_DONE[0] >= HUGE or inference.is_at_hand()))
