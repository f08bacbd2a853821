"""What became of each packet of a joint flow: seen everywhere, lost, made, not captured; or nothing tells.

A packet that a point lacks was lost before it, or passed and was not captured. It passed if its receiver acknowledged
it or answered it from beyond (``arrival``). A packet that a point lacks although its sender's packets must pass there
was made behind it, or not captured there; it is the sender's own if the sender goes on behind it, or if IP ID or
timestamp stand between those of its other packets (``origin``). What one point alone has may be a second capture of
another packet there (``doubled``). A capture proves something only of the time in which it
ran (``coverage``), and nothing if it lacks what passed it (``lacking``). What nothing tells is ``UNPROVEN``.

It must not know probes, or who ended a flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.segment import RST
from analyzer.values import dataclass
from analyzer.vantage import arrival, coverage, doubled, lacking, origin
from analyzer.vantage.joint import Crossing, Fate, Sight, Why

if TYPE_CHECKING:
    from analyzer.vantage.packets import Packets


@dataclass(frozen=True, slots=True)
class Judged:
    """Why a packet is missing at one point."""

    fate: Fate
    proven: bool
    why: Why
    lacks: tuple[int, int] | None = None
    """Point and frame of another packet that passed the capture in question, which lacks it."""


SEEN: Final = Judged(Fate.BOTH, proven=True, why=Why.SEEN)
BY_RHYTHM: Final = Judged(Fate.BOTH, proven=False, why=Why.RHYTHM)
BOTH_RESET: Final = Judged(Fate.MADE, proven=False, why=Why.BOTH_RESET)
OUTSIDE: Final = (Why.ENDED, Why.NOT_BEGUN)
"""Why a capture lacks what passed while it did not run, or did not pass at all."""


def crossing_of(p: Packets, row: int) -> Crossing:
    """Return a packet with its fate."""
    way = p.way_of(row) or p.own_points
    sights = tuple(
        Sight(point, int(p.frame[row, point]), int(p.at_ns[row, point])) for point in way if p.has[row, point]
    )
    fate, between, missed, judged = _fate(p, row)
    return Crossing(
        sender="a" if p.side[row] == 0 else "b",
        seen=sights,
        fate=fate,
        between=between,
        missed_at=missed,
        proven=judged.proven,
        why=judged.why,
        seq=int(p.seq[row]),
        payload_len=int(p.payload_len[row]),
        flags=int(p.flags[row]),
        lacks=judged.lacks,
        like=p.held.get(row) or doubled.like(p, row) if judged.why is Why.CAPTURED_TWICE else None,
    )


def _fate(p: Packets, row: int) -> tuple[Fate, tuple[int, int] | None, tuple[int, ...], Judged]:
    """Return fate, between which points, where it was not captured, and what that rests on."""
    way = p.way_of(row)
    if p.everywhere[row]:
        return Fate.BOTH, None, (), BY_RHYTHM if p.by_rhythm else SEEN
    if p.by_rhythm:
        return Fate.UNPROVEN, None, (), Judged(Fate.UNPROVEN, proven=False, why=Why.RHYTHM)
    if p.regrouped[row]:
        return Fate.BOTH, None, (), Judged(Fate.BOTH, proven=True, why=Why.REGROUPED)
    if p.doubtful[row] or doubled.like(p, row) is not None:
        return Fate.UNPROVEN, None, (), Judged(Fate.UNPROVEN, proven=False, why=Why.CAPTURED_TWICE)
    if not way:
        return Fate.UNPROVEN, None, (), Judged(Fate.UNPROVEN, proven=False, why=Why.ORDER)
    if any(p.has[row, one] != p.has[row, other] for one, other in p.woven.tied):
        return Fate.UNPROVEN, None, (), Judged(Fate.UNPROVEN, proven=False, why=Why.ORDER)
    if origin.side_is_guessed(p, row):
        return Fate.UNPROVEN, None, (), Judged(Fate.UNPROVEN, proven=False, why=Why.LINK)
    at = [place for place, point in enumerate(way) if p.has[row, point]]
    missed = [way[place] for place in range(at[0], at[-1]) if not p.has[row, way[place]]]
    result = Judged(Fate.BOTH if len(missed) == 0 else Fate.NOT_CAPTURED, proven=True, why=Why.SEEN)
    judged, between, more = _behind(p, row, way, at[-1])
    missed += more
    result = judged or result
    if result.fate is Fate.LOST:
        return result.fate, between, tuple(missed), result
    judged, earlier, more = _before(p, row, way, at[0])
    missed += more
    if judged is not None and (judged.fate is not Fate.NOT_CAPTURED or result.fate is not Fate.UNPROVEN):
        result, between = judged, earlier or between
    return result.fate, between, tuple(missed), result


def _behind(
    p: Packets, row: int, way: tuple[int, ...], last: int
) -> tuple[Judged | None, tuple[int, int] | None, list[int]]:
    """Say what became of a packet behind the last point that has it: where it was lost, or which captures lack it.

    What a capture cannot tell of its point, those behind it may: a loss is behind the last point that it surely passed.
    """
    missed: list[int] = []
    open_: list[int] = []  # points of which nobody saw whether it passed
    result: Judged | None = None
    between: tuple[int, int] | None = None
    passed = way[last]
    for place in range(last + 1, len(way)):
        judged = _missing_behind(p, row, way, place)
        if judged.fate is Fate.LOST and (place + 1 == len(way) or not _is_blind(p, row, way[place])):
            return judged, (passed, way[place]), missed
        if judged.fate is Fate.LOST:
            continue  # its receiver shows that it was lost, maybe behind this point
        if judged.fate is Fate.UNPROVEN:
            result, between = judged, between or (passed, way[place])
        elif judged.why in OUTSIDE:
            open_.append(way[place])
            result = result or judged
        else:
            missed += [*open_, way[place]]
            open_, passed, result, between = [], way[place], judged, None
    return result, between, missed + open_ * (between is None)


def _before(
    p: Packets, row: int, way: tuple[int, ...], first: int
) -> tuple[Judged | None, tuple[int, int] | None, list[int]]:
    """Say the same of the points before the first that has it: where it was made, or which captures lack it."""
    missed: list[int] = []
    result: Judged | None = None
    seen = way[first]
    for place in range(first - 1, -1, -1):
        judged = _missing_before(p, row, way, place)
        if judged.fate is Fate.NOT_CAPTURED:
            missed.append(way[place])
            result = judged
            continue
        if place and _may_have_passed(p, row, way[place], judged):
            continue  # if it was made before it was seen, then maybe before that point, too
        return judged, (way[place], seen if judged.fate is Fate.MADE else way[place + 1]), missed
    return result, None, missed


def _missing_behind(p: Packets, row: int, way: tuple[int, ...], place: int) -> Judged:
    """Say why a packet that passed the points before is not at this one."""
    point, beyond = way[place], way[place:]
    if (arrived := lacking.passed(p, row, point)) is not None:
        return Judged(Fate.NOT_CAPTURED, proven=arrived[1], why=arrived[0])
    sent_ns = int(p.ts_ns[row])
    where = p.points[point]
    if (later := not coverage.goes_on_there(p, row, point)) or not coverage.begun_there(p, row, point):
        return _missing_outside(p, row, point, later=later)
    if arrival.not_arrived(p, row, point, beyond):  # maybe behind a point that it passed unseen
        lacks = lacking.anywhere(p, point)
        unsure = lacks is not None or where.dropped or lacking.near(p, row, point) or not lacking.sees(p, point, row)
        return Judged(Fate.LOST, proven=not unsure, why=Why.NOT_ACKNOWLEDGED, lacks=lacks)
    if any(start <= sent_ns <= end for start, end in where.holes_ns):
        return Judged(Fate.UNPROVEN, proven=False, why=Why.HOLE)
    if where.dropped:
        return Judged(Fate.UNPROVEN, proven=False, why=Why.DROPPED)
    if lacking.near(p, row, point):
        return Judged(Fate.UNPROVEN, proven=False, why=Why.MISSES)
    if any(start <= sent_ns <= end for start, end in where.gaps_ns):
        return Judged(Fate.UNPROVEN, proven=False, why=Why.HOLE)
    if (lacks := lacking.anywhere(p, point)) is not None:
        fate = Fate.LOST if lacking.asked_in_vain(p, row, point) else Fate.UNPROVEN
        return Judged(fate, proven=False, why=Why.LACKS, lacks=lacks)
    if lacking.sees_other_way(p, point, row):
        return Judged(Fate.UNPROVEN, proven=False, why=Why.ONE_DIRECTION)
    unsure = p.one_way or arrival.overtaken(p, row, lacking.back_of(p, row)) or doubled.unsettled(p, row)
    unsure = unsure or _may_be_answered(p, row)
    return Judged(Fate.LOST, proven=not unsure, why=Why.RUNNING)


def _may_be_answered(p: Packets, row: int) -> bool:
    """Say whether an empty segment has an answer that nothing but a timestamp that it lacks tells from its sender's."""
    if p.end[row] != p.seq[row]:
        return False
    late = np.flatnonzero(lacking.back_of(p, row) & ~p.everywhere & (p.ts_ns - p.ts_ns[row] <= arrival.ANSWER_NS))
    bare = np.zeros(len(p.side), dtype=np.bool_)
    for at in late.tolist():
        seen_at = p.seen_first(at)
        bare[at] = origin.unstamped(p, at, seen_at) and not origin.unlike(p, at, seen_at)
    return arrival.answered(p, row, bare) is not None


def _missing_outside(p: Packets, row: int, point: int, *, later: bool) -> Judged:
    """Say what is known of a packet that a capture lacks which had maybe ended by then, or not begun.

    It was lost if something refused it before that point; most likely also if it asked for an answer in vain, and the
    capture ends just where the answers do, or begins with what was sent again: that would be chance. Else it may have
    passed.
    """
    if arrival.drew_reset(p, row, origin.made_before(p, point)):
        return Judged(Fate.LOST, proven=False, why=Why.REFUSED)
    passed_ns = coverage.passed_outside(p, row, point, later=later)
    if passed_ns is None:
        ceased, begins = coverage.asked_in_vain, coverage.began_with_an_answer
        lost = (ceased if later else begins)(p, row, point)
        why = Why.NOTHING_LATER if later else Why.NOTHING_EARLIER
        return Judged(Fate.LOST if lost else Fate.UNPROVEN, proven=False, why=why)
    over = passed_ns <= int(p.ts_ns[row]) or not later  # else it may have ended behind it, too
    why = Why.ENDED if later else Why.NOT_BEGUN
    return Judged(Fate.NOT_CAPTURED if over else Fate.UNPROVEN, proven=False, why=why)


def _is_blind(p: Packets, row: int, point: int) -> bool:
    """Say whether a capture may lack a packet that passed: it did not run, has a hole, dropped or lacks others."""
    where, sent_ns = p.points[point], int(p.ts_ns[row])
    if where.dropped or any(start <= sent_ns <= end for start, end in (*where.holes_ns, *where.gaps_ns)):
        return True
    return (
        not coverage.ran_there(p, row, point) or lacking.anywhere(p, point) is not None or lacking.near(p, row, point)
    )


def _may_have_passed(p: Packets, row: int, point: int, judged: Judged) -> bool:
    """Say whether a packet that was seen behind a point may have passed it, for it does not show that none did."""
    return judged.why is Why.LACKS or (judged.fate is Fate.MADE and not coverage.ran_there(p, row, point))


def _missing_before(p: Packets, row: int, way: tuple[int, ...], place: int) -> Judged:
    """Say why a packet that was seen behind is not at this point, which its sender's packets must pass."""
    point = way[place]
    seen_at = next(each for each in way if p.has[row, each])
    where, seen_ns = p.points[point], int(p.ts_ns[row])
    is_reset = bool(p.flags[row] & RST)
    here = any(p.points[each].capture == where.capture for each in way if p.has[row, each])
    ended = not here and not coverage.goes_on_there(p, row, point)  # one capture has what came before in order
    outside = ended or not coverage.begun_there(p, row, point)
    unlike = origin.unlike(p, row, seen_at)
    unstamped = origin.unstamped(p, row, seen_at)
    fits = not unlike and not unstamped and origin.fits(p, row, seen_at)
    if not is_reset and not unlike and origin.goes_on(p, row, point):
        return Judged(Fate.NOT_CAPTURED, proven=True, why=Why.SENDER_GOES_ON)
    if outside:
        return _before_outside(p, row, point, ended=ended, unlike=unlike, fits=fits)
    if any(start <= seen_ns <= end for start, end in where.holes_ns):
        return Judged(Fate.NOT_CAPTURED if fits else Fate.UNPROVEN, proven=False, why=Why.HOLE)
    if unlike:
        return Judged(Fate.MADE, proven=True, why=Why.UNLIKE_SENDER)
    if unstamped:
        return Judged(Fate.MADE, proven=False, why=Why.UNSTAMPED)
    if fits:
        if origin.resets_both(p, row) and not where.dropped and not lacking.near(p, row, point):
            return BOTH_RESET
        return Judged(Fate.NOT_CAPTURED, proven=False, why=Why.FITS_SENDER)
    if where.dropped or (is_reset and lacking.near(p, row, point)):
        return Judged(Fate.UNPROVEN, proven=False, why=Why.DROPPED if where.dropped else Why.MISSES)
    return _made(p, row, point) if is_reset else Judged(Fate.UNPROVEN, proven=False, why=Why.RUNNING)


def _made(p: Packets, row: int, point: int) -> Judged:
    """Say whether a RST that a point lacks while its capture runs, and that nothing tells of, was made behind it."""
    if (lacks := lacking.anywhere(p, point)) is not None:
        fate = Fate.MADE if origin.outlived(p, row) else Fate.UNPROVEN
        return Judged(fate, proven=False, why=Why.LACKS, lacks=lacks)
    if lacking.sees_other_way(p, point, row):
        return Judged(Fate.UNPROVEN, proven=False, why=Why.ONE_DIRECTION)
    return Judged(Fate.MADE, proven=True, why=Why.RUNNING)


def _before_outside(p: Packets, row: int, point: int, *, ended: bool, unlike: bool, fits: bool) -> Judged:
    """Say the same where the capture of the point may have ended by then (``ended``), or not begun."""
    is_reset = bool(p.flags[row] & RST)
    seen_at = p.seen_first(row)
    why = Why.ENDED if ended else Why.NOT_BEGUN
    if unlike:
        return Judged(Fate.MADE, proven=origin.too_near(p, row, seen_at, point), why=Why.UNLIKE_SENDER)
    if ended and origin.resets_both(p, row):
        return BOTH_RESET
    if not is_reset or fits:
        return Judged(Fate.NOT_CAPTURED, proven=fits and not is_reset, why=why)
    return Judged(Fate.UNPROVEN, proven=False, why=why)
