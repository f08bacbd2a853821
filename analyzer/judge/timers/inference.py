"""What one endpoint's probes tell of its socket options: idle, interval, period and count, joined.

Each is inferred in a module of its own; here is only the order in which they need each other, and which software sets
such values. It is done of many endpoints by one loop; of a record it is that loop, of one. It must not claim more than
the trains show: a wrong claim is worse than none. It must not know how anything is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge.signatures import ROUND_S, default_count
from analyzer.judge.timers.changes import (
    BEGIN,
    CHANGE,
    END,
    SPLIT,
    UNTIL,
    exclude,
    find_change,
    join_timers,
)
from analyzer.judge.timers.count import tell_count
from analyzer.judge.timers.gaps import (
    GAP,
    KINDS,
    PARTS,
    SPARE,
    SPARES,
    UNANSWERED,
    fit,
    grow,
    is_near,
    take_between,
    went_on,
)
from analyzer.judge.timers.idle import tell_idle
from analyzer.judge.timers.interval import tell_interval, tell_interval_of_period, tell_period
from analyzer.judge.timers.lateness import LINUX, STACKS
from analyzer.judge.timers.measuring import HOLE, PROBER, SENT, hear, leave_out, measure
from analyzer.judge.timers.probers import Probers, of_record
from analyzer.judge.timers.settings import Settings, settings_of
from analyzer.judge.timers.stack import stack_of
from analyzer.judge.timers.timer import TIMER, copy_timer
from analyzer.loops.loop import loop, records, scattered, thaw
from analyzer.segment import NONE
from analyzer.tolerances import OPTION_LEAST_NS
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side
    from analyzer.untyped import Numbers, Rows

INTERVAL: Final = 0
PERIOD: Final = 1
IDLE: Final = 2
TIMERS: Final = 3
"""The timers of an epoch, in the order in which they are inferred."""
FOREVER: Final = 1 << 62
ORDERS: Final = 4
"""So many lists of places among the gaps are kept at once."""
MOST_TIMERS: Final = 2 * TIMERS
FRAMES: Final = 40
"""So many frames, for each probe, the timers of a prober may have: 5 before the last epoch, 9 with it, three times as
many once they are joined, and those of the count."""
FEW_FRAMES: Final = 80

TOLD: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            "timers",  # the first of TIMERS that are told
            "stack",
            "backs_off",  # 1 if unanswered probes come later and later, as retransmissions do
            *("count", "count_low", "count_high", "count_is_whole", "gave_up_after"),  # 0: no count
            *("count_first", "count_stop"),  # its frames
            *("change_first", "change_stop"),
        )
    ],
    align=True,
)
"""What is told of a prober."""


@loop
def tell_timers(
    gaps: Rows,
    room: int,
    counts: Numbers,
    stack: int,
    near: bool,
    order: Numbers,
    rounds: Numbers,
    frames: Numbers,
    used: int,
    timers: Rows,
    at: int,
) -> int:
    """Tell what the gaps of one epoch show of interval, period and idle time; return where their frames end."""
    interval = at + INTERVAL
    period = at + PERIOD
    idle = at + IDLE
    used = tell_interval(gaps, room, counts, stack, near, rounds, frames, used, timers[interval])
    used = tell_period(gaps, room, counts, timers[interval], stack, near, rounds, frames, used, timers[period])
    used = tell_idle(gaps, room, counts, stack, near, order, rounds, frames, used, timers, interval, period, idle)
    if timers[period]["there"] == 0:
        return used
    # the spacing of answered probes is idle or longer everywhere
    known = timers[idle]["there"] != 0 and timers[idle]["value_ns"] != NONE and timers[period]["value_ns"] != NONE
    if known and timers[period]["value_ns"] < timers[idle]["value_ns"] <= timers[period]["high_ns"]:
        timers[period]["value_ns"] = timers[idle]["value_ns"]
    if timers[interval]["there"] == 0:
        tell_interval_of_period(gaps, room, counts, stack, timers, interval, period)
    return used


@loop
def put_changes(timers: Rows, first: int, stop: int, prober: int, changes: Rows, at: int) -> int:
    """Write where the claims of two epochs for one timer exclude each other; return where the changes end."""
    for name in range(TIMERS):
        for after in range(first + TIMERS + name, stop, TIMERS):
            if exclude(timers[after - TIMERS], timers[after]):
                change = changes[at]
                change["prober"] = prober
                change["name"] = name
                change["before"] = after - TIMERS
                change["after"] = after
                change["until_frame"] = timers[after - TIMERS]["until_frame"]
                at += 1
    return at


@loop
def infer_each(
    endpoints: Rows,
    sent: Rows,
    stirs: Numbers,
    doubts: Numbers,
    holes: Rows,
    rounds: Numbers,
    defaults: Numbers,
    room: int,
    heard: Rows,
    gaps: Rows,
    counts: Numbers,
    order: Numbers,
    split: Numbers,
    timers: Rows,
    frames: Numbers,
    changes: Rows,
    told: Rows,
) -> tuple[int, int, int]:
    """Tell what the probes of endpoints show; return how many timers, frames and changes that takes."""
    timer = 0
    used = 0
    change = 0
    for at in range(len(endpoints)):
        prober = endpoints[at]
        claim = told[at]
        count = hear(prober, sent, heard)
        measure(prober, heard, count, stirs, doubts, holes, gaps, room, counts)
        leave_out(gaps, room, counts, prober["backwards"], order)
        near = is_near(prober["ttl_low"], prober["ttl_high"])
        stack = stack_of(prober, sent, gaps, room, counts, near)
        delays = grow(gaps, UNANSWERED * room, UNANSWERED * room + counts[UNANSWERED])
        octets = False
        for theirs in range(prober["peer_first"], prober["peer_stop"]):
            octets = octets or sent[theirs]["payload_len"] != 0
        undisturbed = stack == LINUX or (near and went_on(gaps, room, counts))
        fit(gaps, room, counts, stack, undisturbed and not octets)
        first = timer
        most = used + FRAMES // 8 * (prober["stop"] - prober["first"]) + FEW_FRAMES // 8
        low = 0
        more = True
        while more:
            take_between(gaps, room, counts, low, FOREVER)
            more = used <= most and timer - first < MOST_TIMERS // 2 * (prober["stop"] - prober["first"])
            more = more and find_change(gaps, room, counts, split)
            if more:
                take_between(gaps, room, counts, low, split[END])
                low = max(low, split[BEGIN])
            used = tell_timers(gaps, room, counts, stack, near, order, rounds, frames, used, timers, timer)
            timers[timer]["until_frame"] = split[UNTIL]
            timers[timer + PERIOD]["until_frame"] = split[UNTIL]
            timers[timer + IDLE]["until_frame"] = split[UNTIL]
            timer += TIMERS
        claim["timers"] = first
        claim["change_first"] = change
        if timer - first > TIMERS:
            claim["timers"] = timer
            # elsewhere than next to the prober lost probes and answers make rhythms too
            if near:
                change = put_changes(timers, first, timer, at, changes, change)
                for epoch in range(first, timer, TIMERS):
                    # no answered probe comes sooner than idle
                    if timers[epoch + IDLE]["there"] == 0 and timers[epoch + PERIOD]["there"] != 0:
                        copy_timer(timers, epoch + IDLE, epoch + PERIOD)
                        timers[epoch + IDLE]["value_ns"] = NONE
                        timers[epoch + IDLE]["low_ns"] = min(OPTION_LEAST_NS, timers[epoch + IDLE]["low_ns"])
            for name in range(TIMERS):
                used = join_timers(timers, first + name, timer, TIMERS, frames, used, timers[timer + name])
            timer += TIMERS
        claim["change_stop"] = change
        claim["stack"] = stack
        claim["backs_off"] = 1 if delays else 0
        used = tell_count(prober, heard, count, stack, near, defaults, frames, used, claim)
    return timer, used, change


@dataclass(frozen=True, slots=True)
class Claims:
    """What is told of some probers, by their places."""

    told: Rows
    timers: Rows
    frames: Numbers
    changes: Rows

    def of(self, at: int) -> Settings:
        """Return what is told of one."""
        return settings_of(self.told[at], self.timers, self.frames, self.changes)

    def thawed(self) -> Claims:
        """Return the same as dicts and lists, of which many objects are made sooner."""
        if not isinstance(self.told, np.ndarray):
            return self
        told, timers, changes = (thaw(table, jit=False) for table in (self.told, self.timers, self.changes))
        return Claims(told, timers, self.frames.tolist(), changes)


def claims(known: Probers, *, jit: bool) -> Claims:
    """Return what the probes of endpoints show."""
    arguments = _arguments(known, jit=jit)
    sizes = infer_each.choose(jit=jit)(*arguments)
    *_, timers, frames, changes, told = arguments
    if jit:
        timers, frames, changes = (part[:size] for part, size in zip((timers, frames, changes), sizes, strict=True))
    return Claims(told, timers, frames, changes)


def is_at_hand() -> bool:
    """Say whether to do it by compiled loops takes no compiling."""
    empty = [np.empty(0, dtype=dtype) for dtype in (PROBER, SENT, np.int64, np.int64, HOLE)]
    native: Any = infer_each.compiled
    return bool(native.is_at_hand(*_arguments(Probers(*empty), jit=True)))


def _arguments(known: Probers, *, jit: bool) -> tuple[Any, ...]:
    """Return what the loop takes, in the end the tables of Claims."""
    endpoints = known.probers
    count, sent = len(endpoints), len(known.sent)
    lengths = endpoints["stop"] - endpoints["first"] if jit else [each["stop"] - each["first"] for each in endpoints]
    room = 1 + int(max(lengths, default=0))
    rounds, defaults = (_taken(numbers, jit=jit) for numbers in (ROUND_S, DEFAULT_COUNTS))
    return (
        endpoints,
        known.sent,
        known.stirs,
        known.doubts,
        known.holes,
        rounds,
        defaults,
        room,
        records(SENT, room, jit=jit),
        records(GAP, SPARE * room + SPARES, jit=jit),
        _numbers(PARTS + KINDS, jit=jit),
        _numbers(ORDERS * room, jit=jit),
        _numbers(SPLIT, jit=jit),
        scattered(TIMER, MOST_TIMERS * (sent + count), jit=jit),
        _numbers(FRAMES * sent + FEW_FRAMES * count, jit=jit),
        scattered(CHANGE, MOST_TIMERS * (sent + count), jit=jit),
        records(TOLD, count, jit=jit),
    )


DEFAULT_COUNTS: Final = tuple(default_count(stack) or 0 for stack in STACKS)
"""How many unanswered probes stacks allow where nobody sets it, by their numbers; 0 where none is known."""


def _numbers(count: int, *, jit: bool) -> Numbers:
    return np.zeros(count, dtype=np.int64) if jit else [0] * count


def _taken(numbers: tuple[int, ...], *, jit: bool) -> Numbers:
    return np.array(numbers, dtype=np.int64) if jit else numbers


def infer(record: FlowRecord, ending: Ending, side: Side) -> Settings | None:
    """Return what the probes of one endpoint show, or None if it sent none."""
    if not record.probes_from(side):
        return None
    return claims(of_record(record, ending, side), jit=False).of(0)
