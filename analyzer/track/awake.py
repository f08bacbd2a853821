"""Where the capture was awake: which of its silences are holes, in which frames passed that it does not have.

Where drop counters say between which frames packets are missing, that is a hole too, one with frames in it.

A link may be quiet for hours, and a probe that comes exactly at its timer shows that the capture was awake. A silence
of all hosts is a hole only where something says so: segments behind it go on beyond numbers that were never captured;
senders' own timestamp clocks count less than the capture's; probes of several flows that were due meanwhile are
missing, whether they go on in their rhythms or begin anew; everything before it stops and what comes behind is
connections that were there already, never seen; or no capture is that long. What is behind such a leap is looked at
segment by segment, the first of each flow, and of each end what its clock says.

It must not know what a hole means for a flow, or any word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN
from analyzer.seqnum import unwrap
from analyzer.tolerances import GAP_LEAST_NS, JITTER_NS, LATE_BSD_NS
from analyzer.values import dataclass

if TYPE_CHECKING:
    import numpy as np

    from analyzer.untyped import Numbers, Record, Rows

WATCHED: Final = 64
"""Segments behind a leap that may testify."""
MERGED_NS: Final = 300_000_000_000
"""From here on connections that all stop, and others that all go on from nowhere, were captured at another time."""
RENEWED_NS: Final = 86_400_000_000_000
"""From here on nothing shows that the capture ran meanwhile, if nothing that was there goes on behind it either."""
NO_CAPTURE_NS: Final = 30 * 86_400_000_000_000
"""Nobody captures for so long without a frame of any host."""
MOST_LOSSES: Final = 64
"""This many stretches with drops are told apart; of more the last two become one."""
SLOWEST_CLOCK: Final = 1.25
"""A timestamp clock ticks at least once a second (RFC 7323 5.4), and is not off by this factor."""
OWN_PACE: Final = 1.05
"""Nor is one whose pace is known off by this."""
CLOCK_SLACK_S: Final = 2

# What testify counts, positions behind the first of a tracker's registers that are given to it.
JUMPED: Final = 0  # flows that go on beyond what was captured of them
WENT_ON: Final = 1  # flows that go on where they stood
MIDSTREAM: Final = 2  # flows that begin without a SYN
OPENED: Final = 3
CLOCK_WRONG: Final = 4  # flows whose own clock counted less than the capture's
CLOCK_RIGHT: Final = 5
SKIPPED: Final = 6  # flows whose probes go on in their rhythm, some of them missing
KEPT: Final = 7  # flows whose next probe came when it was due
OVERDUE: Final = 8  # flows whose next probe came long after it was due, and not in its rhythm
STOOD: Final = 9  # hosts, two at most, whose timestamp clocks counted less than before
STOOD_HOST: Final = 10  # the first of them
RAN: Final = 11  # ends whose clocks counted as before
COUNTS: Final = 12
"""Of one leap."""
FROM_NS: Final = COUNTS  # when the leap began
TO_NS: Final = COUNTS + 1  # and ended
DOUBT: Final = COUNTS + 2  # 1 if a clock stood still in an earlier leap, 2 if another host's did too
DOUBT_HOST: Final = COUNTS + 3  # whose that was
DOUBT_NS: Final = COUNTS + 4  # when that leap began
DOUBT_TO_NS: Final = COUNTS + 5  # and ended
WORDS: Final = COUNTS + 6

SKIPPED_LEAST: Final = 2
"""This many flows do not lose probes of their own rhythm in the same silence by chance."""
TICKING_NS: Final = 1_000_000_000
TICKING_LEAST: Final = 20
"""For so long, and so many ticks, a timestamp clock must have counted before to be known by its pace."""
PACED_ROWS: Final = 16
"""In this many rows of a flow its pace is looked for."""
SHARE: Final = 8
"""How far from its rhythm a probe may be: such a part of the gap (Linux's wheel)."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch of a capture of which it lacks frames although some passed, or in which its clock was set."""

    from_ns: int
    to_ns: int
    from_frame: int
    """The last frame before it."""
    to_frame: int
    """The first behind it."""
    why: str
    """``clock`` its clock was set; ``missed`` connections went on meanwhile; ``merged`` other connections altogether;
    ``paused`` probes of several flows were due meanwhile; ``days`` nothing that was there goes on, and nothing shows
    that it was captured; ``years`` no capture is as long;
    ``down`` the interface was down; ``dropped`` a drop counter grew: only then frames lie within."""
    packets: int = 0
    """How many packets are missing, if a drop counter says so."""
    to_end: bool = False
    """Whether no frame is behind it; then ``to_frame`` is one more than the capture's last."""

    @property
    def stands_until_ns(self) -> int:
        """Until when what was sent may have been answered by what is missing: with frames in it, to its end."""
        return max(self.from_ns, self.to_ns - 1) if self.packets else self.from_ns


def with_loss(losses: tuple[Hole, ...], loss: np.void) -> tuple[Hole, ...]:
    """Return stretches that lack frames, in order, with one more (a LOSS record); those with drops that touch join."""
    from_ns, to_ns, from_frame, to_frame, packets, to_end = loss.tolist()
    new = Hole(from_ns, to_ns, from_frame, to_frame, "dropped" if packets > 0 else "down", max(packets, 0), to_end == 1)
    down = [hole for hole in (*losses, new) if not hole.packets][:MOST_LOSSES]
    found: list[Hole] = []
    for hole in sorted((hole for hole in (*losses, new) if hole.packets), key=_begins):
        if found and (hole.from_frame < found[-1].to_frame or len(found) == MOST_LOSSES):
            found[-1] = _joined(found[-1], hole)
        else:
            found.append(hole)
    return tuple(sorted((*found, *down), key=_begins))


def _begins(hole: Hole) -> int:
    return hole.from_frame


def _joined(first: Hole, second: Hole) -> Hole:
    """Return the stretch from the beginning of one with drops to the end of another."""
    return Hole(
        min(first.from_ns, second.from_ns),
        max(first.to_ns, second.to_ns),
        first.from_frame,
        max(first.to_frame, second.to_frame),
        "dropped",
        first.packets + second.packets,
        first.to_end or second.to_end,
    )


@loop
def testify(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    known: int,
    flow: Record,
    end: Record,
    peer: Record,
    tail: Record,
    side: int,
    row: Record,
    to_frame: int,
    counts: Numbers,
    base: int,
) -> None:
    """Count what a segment behind a leap says of it, if it is the first of its flow since.

    ``known`` is 0 for a flow that begins with this segment; then the records are none of its own. ``tail`` is the
    flow's last SEEN row (of any use only if it has one), ``side`` which end sent the segment; ``to_frame`` is the first
    behind the leap.
    """
    flags = row["flags"]
    if flags & RST:
        return
    if known == 0:
        counts[base + (OPENED if flags & SYN else MIDSTREAM)] += 1
        return
    if flow["last_frame"] >= to_frame:
        return
    if flags & SYN:
        counts[base + OPENED] += 1
        return
    if end["snd_nxt"] < 0:
        return
    ahead = unwrap(row["seq"], end["snd_nxt"]) > end["snd_nxt"]
    # of an end that is never captured every acknowledgement is news, whether the capture was awake or not
    if flags & ACK and peer["snd_nxt"] >= 0 and peer["segments"] > 0:
        ahead |= unwrap(row["ack"], peer["snd_nxt"]) > peer["snd_nxt"] + (1 if peer["pending_seq"] >= 0 else 0)
    counts[base + (JUMPED if ahead else WENT_ON)] += 1
    probes = not flags & FIN and row["payload_len"] <= 1 and unwrap(row["seq"], end["snd_nxt"]) == end["snd_una"] - 1
    rhythm = keeps_rhythm(tail, side, row["ts_ns"]) if probes and flow["last_seen"] >= 0 else -1
    if rhythm == 2:
        counts[base + OVERDUE] += 1
    elif rhythm >= 0:
        counts[base + (KEPT if rhythm == 1 else SKIPPED)] += 1
    if row["tsval"] >= 0 and end["tsval"] >= 0:
        ticks = (row["tsval"] - end["tsval"]) & 0xFFFFFFFF
        passed_s = (row["ts_ns"] - end["last_ns"]) // 1_000_000_000
        slow = ticks < 0x80000000 and ticks * SLOWEST_CLOCK + CLOCK_SLACK_S < passed_s
        counts[base + (CLOCK_WRONG if slow else CLOCK_RIGHT)] += 1


@loop
def testify_clock(flow: Record, end: Record, side: int, row: Record, seen: Rows, counts: Numbers, base: int) -> None:
    """Count what the timestamp clock of an end says of a leap, by its first segment behind it.

    How fast it counts is known from the flow's first rows. If one host's clock stood still, that host slept; if the
    clocks of two hosts did, it was the capture's clock that leapt. The second may come only behind the next leap
    (DOUBT). What a clock did not count lies within a leap where both together are more than passed.
    """
    last_ns = end["last_ns"]
    if last_ns < 0 or last_ns >= counts[base + TO_NS] or row["tsval"] < 0 or end["tsval"] < 0:
        return
    pace = pace_of(flow, side, seen) if not row["flags"] & (SYN | RST) else 0
    ticks = (row["tsval"] - end["tsval"]) & 0xFFFFFFFF
    if pace == 0 or ticks >= 0x80000000:
        return
    passed_s = (row["ts_ns"] - last_ns) // 1_000_000_000
    counted_s = ticks // pace
    lags = counted_s * OWN_PACE + CLOCK_SLACK_S < passed_s
    host = row["src_lo"] ^ row["src_hi"]
    other = counts[base + DOUBT_HOST] != host
    if counts[base + DOUBT] == 1 and last_ns <= counts[base + DOUBT_NS] and other:
        length_s = (counts[base + DOUBT_TO_NS] - counts[base + DOUBT_NS]) // 1_000_000_000
        if not lags:
            counts[base + DOUBT] = 0
        elif length_s > counted_s + CLOCK_SLACK_S:
            counts[base + DOUBT] = 2
    length_s = (counts[base + TO_NS] - counts[base + FROM_NS]) // 1_000_000_000
    if not lags:
        counts[base + RAN] += 1
    elif length_s > counted_s + CLOCK_SLACK_S:
        if counts[base + STOOD] == 0:
            counts[base + STOOD] = 1
            counts[base + STOOD_HOST] = host
        elif counts[base + STOOD_HOST] != host:
            counts[base + STOOD] = 2


@loop
def pace_of(flow: Record, side: int, seen: Rows) -> int:
    """Return how many times a second the timestamp clock of an end counted at most, 0 if its rows do not tell."""
    pace = 0
    at = flow["first_seen"]
    looked = 0
    while at >= 0 and looked < PACED_ROWS:
        row = seen[at]
        looked += 1
        at = row["next"]
        if row["side"] != side or row["is_copy"] != 0 or row["tsval"] < 0 or row["own_tsval"] < 0:
            continue
        if row["own_last_ns"] < 0:
            continue
        passed_ns = row["ts_ns"] - row["own_last_ns"]
        ticks = (row["tsval"] - row["own_tsval"]) & 0xFFFFFFFF
        if passed_ns >= TICKING_NS and TICKING_LEAST <= ticks < 0x80000000:
            pace = max(pace, ticks * 1_000_000 // (passed_ns // 1_000))
    return pace


@loop
def keeps_rhythm(tail: Record, side: int, ts_ns: int) -> int:
    """Say whether a probe came when it was due (1), or some that were due before it are missing (0).

    Or long after it was due, at no whole number of gaps (2); -1 not known.

    ``tail`` is the flow's last SEEN row before: the probe before, or its answer. The gap between these and the ones
    before them is the rhythm, if nothing but keepalive passed since. Behind missing ones the next comes a whole number
    of gaps later: a prober that slept itself, or was not answered meanwhile, does not keep to that.
    """
    last_ns = tail["ts_ns"] if tail["side"] == side else tail["peer_last_ns"]
    gap = tail["ts_ns"] - tail["own_last_ns"]
    if tail["own_last_ns"] < 0 or last_ns < 0 or tail["flow_active_ns"] >= tail["own_last_ns"] or gap < GAP_LEAST_NS:
        return -1
    passed = ts_ns - last_ns
    if passed < 2 * gap - gap // SHARE:
        return 1 if passed <= gap + gap // SHARE + LATE_BSD_NS else -1
    whole = (passed + gap // 2) // gap
    off = abs(passed - whole * gap)
    if off <= min(gap // SHARE, whole * gap // 50 + JITTER_NS):
        return 0
    return 2 if passed > 2 * (gap + gap // SHARE) + LATE_BSD_NS else -1


def is_doubtful(counts: Numbers) -> bool:
    """Say whether of a leap only one host spoke, whose clock stood still: another may yet say the same."""
    return bool(counts[STOOD] == 1 and counts[RAN] == 0)


def why_hole(passed_ns: int, counts: Numbers) -> str | None:
    """Return why a leap of so many nanoseconds is a hole, as ``Hole.why``, or None: the capture was awake."""
    jumped, went_on, midstream, opened, wrong, right, skipped, kept, overdue, stood, _, ran = map(int, counts)
    if passed_ns < 0 or wrong > right or (stood > 1 and ran == 0):
        return "clock"
    if passed_ns >= NO_CAPTURE_NS:
        return "years"
    if (jumped > 0 and jumped >= went_on) or (skipped >= SKIPPED_LEAST and skipped > kept):
        return "missed"
    if skipped + overdue >= SKIPPED_LEAST and skipped + overdue > kept:
        return "paused"
    if passed_ns >= MERGED_NS and jumped + went_on == 0 and midstream > 1 and midstream > opened:
        return "merged"
    if passed_ns >= RENEWED_NS and jumped + went_on == 0 and midstream + opened > 0:
        return "days"
    return None
