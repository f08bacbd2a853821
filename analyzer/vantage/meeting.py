"""Which sightings in a stretch of two captures are surely one packet, while both are being read.

Sure is what is there once at both points, in flows that share other packets, at the time at which it has to pass.
What is not sure is left to ``matching``, which sees all of it together. It must not know what may be forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import fetch, lines_of, loop, prefetch
from analyzer.segment import ABSENT, FIN, RST, SYN
from analyzer.vantage.meanwhile import apart_at, last_before

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

PLAIN: Final = 0
"""Surely one packet, with nothing to tell of it."""
STAYS: Final = 1
"""Surely one packet, that stays although there is nothing to tell of it: where a flow begins and ends."""
TELLS: Final = 2
"""Surely one packet, that something may be told of."""
ODD: Final = 3
"""Not there, or not sure: what stands around it may show why."""
WAITING: Final = 4
"""Not there yet."""

ALONE: Final = -1
"""Instead of an index: no packet of the other point has the key."""
MANY: Final = -2
"""Several have it."""

DROPPED: Final = 4
"""What is said of a packet of a connection that will not be told (see ``around``): nobody looks at it again."""

FIRST: Final = 2
"""The first packets of each end stay: of short flows, and for what clocks show."""
BUSY: Final = 64
"""Of an end that sends so many in a stretch, the quickest and the slowest stay."""
STRANGE_NS: Final = 25_000_000
"""What nothing but its key tells is believed if it takes so much less or more than others."""
LATE_NS: Final = 1_000_000_000
"""The same of what IP ID or timestamp tell."""
WHOLE_HEADER: Final = 20
HEAD: Final = 16

SENDER: Final = np.dtype(
    [
        ("quickest_ns", np.int64),  # of sure packets, how far apart, but for what clocks differ by; and when
        ("quickest_there_ns", np.int64),
        ("quickest_here_ns", np.int64),
        ("slowest_ns", np.int64),
        ("slowest_there_ns", np.int64),
        ("slowest_here_ns", np.int64),
        ("least_ns", np.int64),  # the least and farthest apart in the last stretch it was met in, and which these are
        ("most_ns", np.int64),
        ("least_at", np.int32),
        ("most_at", np.int32),
        ("stretch", np.int32),  # that stretch, and how many of it
        ("count", np.int32),
        ("here", np.int32),  # which sender it is at the other point, -1 while that is not known
        ("ids", np.int32),  # packets with an IP ID at both points
        ("same_ids", np.int32),
        ("stayed", np.int32),  # sure packets that stayed, and that were forgotten
        ("gone", np.int32),
        ("gone_ttl", np.int32),  # of these, with another TTL behind, and with another IP ID
        ("gone_id", np.int32),
        ("timed", np.int32),  # 1 once times of a sure packet are known
        (
            "changed",
            np.int16,
        ),  # 1 if a packet that was dropped is another behind, and how many hops the last had passed
        ("hops", np.int16),
    ],
    align=True,
)
"""One end of a flow at the first point as it is at another: index 2 * flow + side."""

SENDER_LINES: Final = lines_of(SENDER) + 1
"""It may lie across the ends of so many."""
FETCHED: Final = 8
"""Records and slots are asked for so many sightings before they are needed."""


@loop
def meet(
    there: Numbers, there_count: int, here: Numbers, here_count: int, slots: Numbers, mate: Numbers, mate_here: Numbers
) -> None:
    """Find keys that are there once at both points: ``mate`` and ``mate_here`` get the index at the other, or below 0.

    ``slots`` is a hash table, all -1, of a power of two entries, more than ``here_count``.
    """
    mask = len(slots) - 1
    for j in range(here_count):
        if j + FETCHED < here_count:
            prefetch(slots, here[j + FETCHED] & mask, 0)
        mate_here[j] = ALONE
        at = here[j] & mask
        while slots[at] >= 0 and here[slots[at]] != here[j]:
            at = (at + 1) & mask
        if slots[at] >= 0:
            mate_here[slots[at]] = MANY
            mate_here[j] = MANY
        else:
            slots[at] = j
    for i in range(there_count):
        if i + FETCHED < there_count:
            prefetch(slots, there[i + FETCHED] & mask, 0)
        mate[i] = ALONE
        at = there[i] & mask
        while slots[at] >= 0 and here[slots[at]] != there[i]:
            at = (at + 1) & mask
        j = slots[at]
        if j < 0:
            continue
        if mate_here[j] == ALONE:
            mate_here[j] = i
            mate[i] = j
        else:
            if mate_here[j] >= 0:
                mate[mate_here[j]] = MANY
                mate_here[j] = MANY
            mate[i] = MANY


@loop
def judge_pairs(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    there: Rows,
    count: int,
    here: Rows,
    mate: Numbers,
    when_ns: Numbers,
    clocks_ns: Numbers,
    until_ns: int,
    stretch: int,
    senders: Rows,
    owners: Numbers,
    state: Numbers,
    room: Numbers,
    late_there: Numbers,
    late_here: Numbers,
    goes: Numbers,
    goes_here: Numbers,
) -> None:
    """Say of each sighting of the first point what it is: PLAIN, STAYS, TELLS, ODD, WAITING; never less than it was.

    ``clocks_ns`` is how far apart two sightings should be, at the times ``when_ns``, and ``until_ns`` the time
    before which nobody waits any more. ``senders`` and ``owners`` lead from ends of flows there to those here, and
    back. ``room`` is for as many numbers. ``late_there`` and ``late_here`` are 1 of flows that will not be told, or
    empty: of a connection that is late at both points all that is surely one packet is DROPPED in ``goes`` and
    ``goes_here``.
    """
    busy = unknown = near = 0
    for i in range(count):
        look_ahead(there, i + FETCHED, count, mate, senders)
        one = there[i]
        j = mate[i]
        if j < 0:
            state[i] = max(state[i], WAITING if j == ALONE and one["ts_ns"] > until_ns else ODD)
            continue
        other = here[j]
        at = 2 * one["flow"] + one["side"]
        sender = senders[at]
        near = last_before(one["ts_ns"], when_ns, near)
        apart_ns = other["ts_ns"] - one["ts_ns"] - apart_at(one["ts_ns"], when_ns, clocks_ns, near)
        timely = abs(apart_ns) <= (LATE_NS if is_told(one, other) else STRANGE_NS)
        target = 2 * other["flow"] + other["side"]
        if one["seq"] != 0 and one["ack"] != 0 and timely:
            enter(senders, owners, at, target)
        tells = one["kept"] + other["kept"] + one["copy"] + other["copy"] > 0 or not is_same(one, other)
        control = (one["flags"] | other["flags"]) & (SYN | FIN | RST)
        if control:
            state[i] = max(state[i], TELLS if tells or control & RST else STAYS)
        else:
            if sender["here"] != target or not timely or is_strange(sender, one, other):
                state[i] = ODD
                continue
            count_ids(sender, one, other)
            measure(sender, i, apart_ns, stretch)
            if sender["count"] == BUSY:
                room[busy] = at
                busy += 1
            time(sender, one, other, apart_ns)
            if tells or sender["stayed"] < FIRST:
                sender["stayed"] += 1
                state[i] = max(state[i], TELLS if tells else STAYS)
        if state[i] < ODD and is_late(one, other, late_there, late_here):
            if sender["here"] != target:
                unknown += 1
                room[count - unknown] = i
            elif drop(sender, one, other, state[i]):
                goes[i] = DROPPED
                goes_here[j] = DROPPED
    for k in range(busy):
        keep_extremes(senders[room[k]], state)
    for k in range(1, unknown + 1):  # what begins a connection, before it was known
        i = room[count - k]
        one = there[i]
        other = here[mate[i]]
        sender = senders[2 * one["flow"] + one["side"]]
        if sender["here"] == 2 * other["flow"] + other["side"] and drop(sender, one, other, state[i]):
            goes[i] = DROPPED
            goes_here[mate[i]] = DROPPED


@loop
def look_ahead(there: Rows, i: int, count: int, mate: Numbers, senders: Rows) -> None:
    """Ask for what is known of the end that sent a packet, if that packet is at both points."""
    if i < count and mate[i] >= 0:
        fetch(senders, 2 * there[i]["flow"] + there[i]["side"], SENDER_LINES)


@loop
def is_told(one: Record, other: Record) -> bool:
    """Say whether IP ID or timestamp tell that two sightings are of one packet."""
    same_id = one["ip_id"] > 0 and one["ip_id"] == other["ip_id"]
    return bool(same_id or (one["tsval"] != ABSENT and one["tsval"] == other["tsval"]))


@loop
def enter(senders: Rows, owners: Numbers, at: int, target: int) -> None:
    """Note which end there is which here, and of their peers the same, if neither is known yet."""
    if senders[at]["here"] < 0 and owners[target] < 0:
        senders[at]["here"] = target
        owners[target] = at
        senders[at ^ 1]["here"] = target ^ 1
        owners[target ^ 1] = at ^ 1


@loop
def is_strange(sender: Record, one: Record, other: Record) -> bool:
    """Say whether two sightings bear other IP IDs, where these pass unchanged."""
    ids = one["ip_id"] > 0 and other["ip_id"] > 0
    same = ids and one["ip_id"] == other["ip_id"]
    return bool(ids and not same and 4 * sender["same_ids"] > sender["ids"])


@loop
def count_ids(sender: Record, one: Record, other: Record) -> None:
    """Count the packets that have an IP ID at both points, and of these the ones that have the same."""
    if one["ip_id"] > 0 and other["ip_id"] > 0:
        sender["ids"] += 1
        sender["same_ids"] += 1 if one["ip_id"] == other["ip_id"] else 0


@loop
def keep_extremes(sender: Record, state: Numbers) -> None:
    """Let the quickest and the slowest packet of an end in a stretch stay."""
    if state[sender["least_at"]] == PLAIN:
        state[sender["least_at"]] = STAYS
    if state[sender["most_at"]] == PLAIN:
        state[sender["most_at"]] = STAYS


@loop
def is_late(one: Record, other: Record, late_there: Numbers, late_here: Numbers) -> bool:
    """Say whether a packet is of a connection that is late at both points."""
    return bool(len(late_there) > 0 and late_there[one["flow"]] == 1 and late_here[other["flow"]] == 1)


@loop
def drop(sender: Record, one: Record, other: Record, state: int) -> bool:
    """Note of a packet that will not be told how many hops it passed, and whether it changed; second captures stay."""
    if one["copy"] + other["copy"] > 0:
        return False
    if one["ttl"] > 0 and other["ttl"] > 0:
        sender["hops"] = one["ttl"] - other["ttl"]
    if state == TELLS and not is_same(one, other):
        sender["changed"] = 1
    return True


@loop
def measure(sender: Record, i: int, apart_ns: int, stretch: int) -> None:
    """Note the least and the farthest that packets of a sender are apart in a stretch."""
    if sender["stretch"] != stretch:
        sender["stretch"] = stretch
        sender["count"] = 0
    if sender["count"] == 0 or apart_ns < sender["least_ns"]:
        sender["least_ns"] = apart_ns
        sender["least_at"] = i
    if sender["count"] == 0 or apart_ns > sender["most_ns"]:
        sender["most_ns"] = apart_ns
        sender["most_at"] = i
    sender["count"] += 1


@loop
def time(sender: Record, one: Record, other: Record, apart_ns: int) -> None:
    """Note the quickest and the slowest of all sure packets of a sender."""
    if sender["timed"] == 0 or apart_ns < sender["quickest_ns"]:
        sender["quickest_ns"] = apart_ns
        sender["quickest_there_ns"] = one["ts_ns"]
        sender["quickest_here_ns"] = other["ts_ns"]
    if sender["timed"] == 0 or apart_ns > sender["slowest_ns"]:
        sender["slowest_ns"] = apart_ns
        sender["slowest_there_ns"] = one["ts_ns"]
        sender["slowest_here_ns"] = other["ts_ns"]
    sender["timed"] = 1


@loop
def is_same(one: Record, other: Record) -> bool:
    """Say whether a packet is the same at both points, but for addresses, TTL and IP ID (as ``changes.differs``)."""
    if one["window"] != other["window"]:
        return False
    if one["options_cut"] == 0 and other["options_cut"] == 0:
        for_both = one["mss"] != ABSENT and other["mss"] != ABSENT
        if for_both and one["mss"] != other["mss"]:
            return False
        for_both = one["tsval"] != ABSENT and other["tsval"] != ABSENT
        if for_both and one["tsval"] != other["tsval"]:
            return False
        for_both = one["window_scale"] != ABSENT and other["window_scale"] != ABSENT
        if for_both and one["window_scale"] != other["window_scale"]:
            return False
        known = one["options"] != 0 or one["header_len"] == WHOLE_HEADER
        known = known and (other["options"] != 0 or other["header_len"] == WHOLE_HEADER)
        if known and one["options"] != other["options"]:
            return False
    if one["captured"] == other["captured"]:
        altered = one["captured"] > 0 and one["digest"] != other["digest"]
    else:
        altered = min(one["captured"], other["captured"]) >= HEAD and one["head"] != other["head"]
    return not altered


@loop
def forget(there: Rows, count: int, here: Rows, mate: Numbers, goes: Numbers, senders: Rows) -> None:
    """Count the pairs that ``goes`` says are forgotten."""
    for i in range(count):
        if goes[i] != 1:
            continue
        one = there[i]
        other = here[mate[i]]
        sender = senders[2 * one["flow"] + one["side"]]
        sender["gone"] += 1
        if one["ttl"] > 0 and other["ttl"] > 0 and one["ttl"] != other["ttl"]:
            sender["gone_ttl"] += 1
        if one["ip_id"] >= 0 and other["ip_id"] >= 0 and one["ip_id"] != other["ip_id"]:
            sender["gone_id"] += 1
