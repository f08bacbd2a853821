"""The rhythm of a train of beats: its period, and whether a distance is in step with it.

A program whose timer any data restarts beats when it paused for as long as before, one that beats by the clock a whole
number of periods later. A timer may have jitter of a quarter, as BGP's has (RFC 4271 10).

It must not know who answers a beat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.loops.loop import loop
from analyzer.tolerances import (
    BEAT_JITTER_PARTS,
    BEAT_MOST_JITTER_PARTS,
    BEAT_SHORT_OCTETS,
    BEAT_SLACK_NS,
    BEATS_LEAST,
)

if TYPE_CHECKING:
    from analyzer.untyped import Record


@loop
def slack_ns(period_ns: int) -> int:
    """Return by how much a distance may differ from a period: who looks at the clock once a second beats so late."""
    return max(period_ns // 10, min(period_ns // 4, BEAT_SLACK_NS))


@loop
def period_of(train: Record) -> int:
    """Return the mean distance of a train's beats, 0 of one that has none."""
    if train["gaps"] == 0:
        return 0
    mean: int = train["sum_ns"] // train["gaps"]
    return mean


@loop
def distance_in(train: Record, opened: Record) -> int:
    """Return which distance the open exchange has from a train's last beat.

    Returns:
        -1 if none that fits, 0 if some other whole number of periods, else the distance in nanoseconds: from the last
        beat, or from the last data of either end or its own, if that is even.
    """
    gap_ns = opened["open_ns"] - train["last_ns"]
    if train["gaps"] == 0:
        return gap_ns
    period_ns = period_of(train)
    slack = slack_ns(period_ns)
    if abs(gap_ns - period_ns) <= slack:
        return gap_ns
    if gap_ns > period_ns:
        idle: int = opened["open_idle_ns"]
        if abs(idle - period_ns) <= slack and not is_by_own(train, opened, gap_ns):
            return idle
        if abs(opened["open_own_ns"] - period_ns) <= slack:
            own: int = opened["open_own_ns"]
            return own
    return steps_in(train, gap_ns)


@loop
def is_by_own(train: Record, opened: Record, gap_ns: int) -> bool:
    """Say whether a distance is within a timer's jitter, and only what the other end said came amid, out of step.

    What that says by a timer of its own comes at any time before a beat: it restarts no timer here.
    """
    idle_ns = opened["open_idle_ns"]
    edge_ns = period_of(train) // 10
    in_step = train["low_ns"] - edge_ns <= idle_ns <= train["high_ns"] + edge_ns
    by_own: bool = not in_step and opened["open_own_ns"] == gap_ns and is_step(train, gap_ns)
    return by_own


@loop
def distance_amid(train: Record, said: Record) -> int:
    """Return which distance a message amid other data has from a train's last beat, as ``distance_in``.

    It must be nearer to the instant at which the next is due than one after a pause: much else may be as long.
    """
    gap_ns = said["open_ns"] - train["last_ns"]
    if train["gaps"] <= 0:
        return -1
    period_ns = period_of(train)
    spread_ns = train["high_ns"] - train["low_ns"]
    slack = min(slack_ns(period_ns), period_ns // 16 + spread_ns)
    if abs(gap_ns - period_ns) <= slack or is_within_jitter(train, gap_ns):
        return gap_ns
    if gap_ns < period_ns:
        return -1
    if abs(said["open_idle_ns"] - period_ns) <= slack:
        idle: int = said["open_idle_ns"]
        return idle
    if abs(said["open_own_ns"] - period_ns) <= slack:
        own: int = said["open_own_ns"]
        return own
    periods = (gap_ns + period_ns // 2) // period_ns
    if train["count"] < BEATS_LEAST or abs(gap_ns - periods * period_ns) > min(slack, period_ns // 10):
        return -1
    return 0


@loop
def is_within_jitter(train: Record, gap_ns: int) -> bool:
    """Say whether a distance is hardly longer, or shorter, than those that a train with jitter had."""
    edge_ns = period_of(train) // 32
    within: bool = has_jitter(train) and train["low_ns"] - edge_ns <= gap_ns <= train["high_ns"] + edge_ns
    return within


@loop
def is_in_place(train: Record, side: int, opened: Record) -> bool:
    """Say whether the open exchange, of another length, stands where a beat of a train of its sender was due.

    It does if it comes one period after that train's last beat, or after what its sender sent before it.
    """
    if train["count"] == 0 or train["side"] != side or train["gaps"] <= 0:
        return False
    period_ns = period_of(train)
    slack = slack_ns(period_ns)
    from_last_ns = opened["open_ns"] - train["last_ns"]
    in_place: bool = abs(from_last_ns - period_ns) <= slack or abs(opened["open_own_ns"] - period_ns) <= slack
    return in_place


@loop
def is_unexplained(train: Record, opened: Record) -> bool:
    """Say whether nothing passed since a train's last beat, and the answer to it, for longer than its period."""
    passed_ns = opened["open_ns"] - max(train["last_ns"], train["answer_ns"])
    unexplained: bool = opened["open_idle_ns"] >= passed_ns
    return unexplained


@loop
def steps_in(train: Record, gap_ns: int) -> int:
    """Return the distance itself if it is one period of a train, 0 if it is some other whole number of them, or -1."""
    if is_step(train, gap_ns):
        return gap_ns
    period_ns = period_of(train)
    periods = (gap_ns + period_ns // 2) // period_ns
    if train["count"] < BEATS_LEAST or periods < 2:
        return -1
    if abs(gap_ns - periods * period_ns) <= period_ns // 10:
        return 0
    if has_jitter(train) and periods * train["low_ns"] <= gap_ns <= periods * train["high_ns"]:
        return 0
    return -1


@loop
def is_step(train: Record, gap_ns: int) -> bool:
    """Say whether a distance is one period of a train: about as long as the mean, or within the jitter of them all."""
    period_ns = period_of(train)
    if abs(gap_ns - period_ns) <= slack_ns(period_ns):
        return True
    if train["length"] > BEAT_SHORT_OCTETS and train["loose"] == 0:
        return False
    parts = BEAT_JITTER_PARTS if train["loose"] == 0 else BEAT_MOST_JITTER_PARTS
    return is_within(train, gap_ns, parts)


@loop
def is_within(train: Record, gap_ns: int, parts: int) -> bool:
    """Say whether a train's distances, and this one, differ by no more than so many of 32 parts of the longest."""
    high_ns = max(train["high_ns"], gap_ns)
    within: bool = 32 * (high_ns - min(train["low_ns"], gap_ns)) <= parts * high_ns
    return within


@loop
def has_jitter(train: Record) -> bool:
    """Say whether a train's distances differ by more than a tenth."""
    differ: bool = 10 * (train["high_ns"] - train["low_ns"]) > train["high_ns"]
    return differ


@loop
def hidden_in(train: Record, opened: Record) -> int:
    """Return which distance a beat between a train's last and the open exchange has, that other data hid.

    It is what their sender had sent before, if that is as long and one period earlier.

    Returns:
        -1 if there is none, else as ``steps_in``.
    """
    hidden_ns = opened["open_ns"] - opened["open_own_ns"]
    if opened["open_before"] == 0 or hidden_ns <= train["last_ns"]:
        return -1
    own_ns = opened["open_own_ns"]
    if train["gaps"] > 0:
        return steps_in(train, hidden_ns - train["last_ns"]) if is_step(train, own_ns) else -1
    period_ns = hidden_ns - train["last_ns"]
    return period_ns if abs(own_ns - period_ns) <= slack_ns(period_ns) else -1
