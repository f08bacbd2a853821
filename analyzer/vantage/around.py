"""What stays around a packet that is missing somewhere: what its fate rests on.

The packets before and behind it, those that share its bytes, and the acknowledgements that cover it. Of forgotten data
its range stays. It must not know other points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import loop
from analyzer.vantage.meeting import DROPPED, ODD, PLAIN, TELLS, WAITING

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

BEHIND: Final = 3
"""So many packets of either end stay behind one that is missing."""
HALF: Final = 1 << 31
SPACE: Final = 1 << 32

STAYS_HERE: Final = 0
GOES: Final = 1
PENDING: Final = 2
"""It goes, unless what follows it is missing: the last of its end, or nothing is settled yet."""
PARKED: Final = 3
"""It is pending, and nothing of its end has come for a while."""

AROUND: Final = np.dtype(
    [
        ("cover_ns", np.int64),
        ("stretch", np.int32),  # the last in which it was looked at
        ("last", np.int32),  # in it, index of its last sighting that is not odd, -1 for none
        ("from_seq", np.uint32),  # bytes that are missing somewhere
        ("to_seq", np.uint32),
        ("cover_from", np.uint32),
        ("cover_to", np.uint32),
        ("ttl", np.int16),  # of what stayed; and another
        ("other_ttl", np.int16),
        ("behind", np.int8),  # so many more stay
        ("open", np.int8),  # 1 while bytes that are missing somewhere are not yet acknowledged
        ("covers", np.int8),  # 1 while a range of forgotten data grows
        (
            "tells",
            np.int8,
        ),  # 1 if there is something to tell of one of its packets
    ],
    align=True,
)
"""What is known of an end of a flow at one point: index 2 * flow + side."""


@loop
def widen(end: Record, row: Record) -> None:
    """Note that the bytes of a segment are missing somewhere, and not yet acknowledged."""
    to_seq = (row["seq"] + row["payload_len"]) % SPACE
    if end["open"] == 0:
        end["open"] = 1
        end["from_seq"] = row["seq"]
        end["to_seq"] = to_seq
        return
    if (end["from_seq"] - row["seq"]) % SPACE < HALF:
        end["from_seq"] = row["seq"]
    if (to_seq - end["to_seq"]) % SPACE < HALF:
        end["to_seq"] = to_seq


@loop
def shares(end: Record, row: Record) -> bool:
    """Say whether a segment has bytes among those that are missing somewhere."""
    if end["open"] == 0 or row["payload_len"] == 0:
        return False
    if (end["to_seq"] - row["seq"] - 1) % SPACE >= HALF:
        return False
    reaches = (row["seq"] + row["payload_len"] - end["from_seq"] - 1) % SPACE < HALF
    return bool(reaches)


@loop
def acknowledges(peer: Record, row: Record) -> bool:
    """Say whether a segment acknowledges some of what is missing of its peer's; behind the last nothing is open."""
    if peer["open"] == 0 or row["ack"] == 0 or (row["ack"] - peer["from_seq"] - 1) % SPACE >= HALF:
        return False
    if (row["ack"] - peer["to_seq"]) % SPACE < HALF:
        peer["open"] = 0
    return True


@loop
def enter(end: Record, stretch: int) -> None:
    """Forget what was last in an older stretch."""
    if end["stretch"] != stretch:
        end["stretch"] = stretch
        end["last"] = -1


@loop
def look_around(seen: Rows, count: int, state: Numbers, stretch: int, around: Rows, goes: Numbers) -> None:
    """Say of each sighting of a point, in order of time, whether it GOES, STAYS_HERE or is PENDING.

    What is DROPPED was never there; what is behind ``count`` is PENDING.
    """
    for i in range(count):
        if goes[i] == DROPPED:
            continue
        row = seen[i]
        at = 2 * row["flow"] + row["side"]
        end = around[at]
        peer = around[at ^ 1]
        enter(end, stretch)
        enter(peer, stretch)
        goes[i] = STAYS_HERE
        if state[i] >= TELLS:
            end["tells"] = 1
        if state[i] == ODD:
            if end["last"] >= 0:
                goes[end["last"]] = STAYS_HERE
            if peer["last"] >= 0:
                goes[peer["last"]] = STAYS_HERE
            end["behind"] = BEHIND
            peer["behind"] = BEHIND
            if row["payload_len"] > 0:
                widen(end, row)
            continue
        stays = state[i] != PLAIN or shares(end, row)
        if acknowledges(peer, row):
            stays = True
        if end["behind"] > 0:
            end["behind"] -= 1
            stays = True
        if row["ttl"] != end["ttl"] and row["ttl"] != end["other_ttl"]:
            stays = True
            end["other_ttl"] = end["ttl"]
            end["ttl"] = row["ttl"]
        if not stays:
            goes[i] = GOES
        end["last"] = i
    leave_open(seen, count, around, goes)


@loop
def leave_open(seen: Rows, count: int, around: Rows, goes: Numbers) -> None:
    """Let the last packet of each end be PENDING, and what is behind ``count``."""
    for i in range(count):
        if goes[i] == GOES and around[2 * seen[i]["flow"] + seen[i]["side"]]["last"] == i:
            goes[i] = PENDING
    for i in range(count, len(goes)):
        if goes[i] != DROPPED:
            goes[i] = PENDING


@loop
def states_here(here: Rows, count: int, mate_here: Numbers, state: Numbers, until_ns: int, own: Numbers) -> int:
    """Say of each sighting of another point what its packet is: the ``state`` of that at the first point.

    What is not there is ODD, or WAITING behind ``until_ns``. Return the index of the first that is WAITING.
    """
    first = count
    for j in range(count):
        i = mate_here[j]
        if i >= 0:
            own[j] = state[i]
        else:
            own[j] = ODD if here[j]["ts_ns"] <= until_ns else WAITING
        if own[j] == WAITING and first == count:
            first = j
    return first


@loop
def first_waiting(state: Numbers, count: int) -> int:
    """Return the index of the first that is WAITING; ``count`` if none is."""
    for i in range(count):
        if state[i] == WAITING:
            return i
    return count


@loop
def agree(first: Numbers, count: int, theirs: Numbers, mate: Numbers) -> None:
    """Let two points say the same of each packet of both: it stays if one says so, and is pending if one does."""
    for i in range(count):
        j = mate[i]
        if j >= 0:
            both = max(first[i], theirs[j])
            if both != DROPPED and (first[i] == STAYS_HERE or theirs[j] == STAYS_HERE):
                both = STAYS_HERE
            first[i] = both
            theirs[j] = both


@loop
def park(there: Rows, count: int, goes: Numbers, met: Numbers, before_ns: int, parked: Numbers) -> int:
    """List the packets at all points that are pending and passed before that; return how many. They are PARKED."""
    made = 0
    for i in range(count):
        if goes[i] == PENDING and met[i] >= 0 and there[i]["ts_ns"] <= before_ns:
            goes[i] = PARKED
            parked[made] = i
            made += 1
    return made


@loop
def sort_out(goes: Numbers, count: int, stays: Numbers, waits: Numbers) -> tuple[int, int]:
    """List what stays and what is pending; return how many of each."""
    staying = 0
    waiting = 0
    for i in range(count):
        if goes[i] == STAYS_HERE:
            stays[staying] = i
            staying += 1
        elif goes[i] == PENDING:
            waits[waiting] = i
            waiting += 1
    return staying, waiting


@loop
def cover(seen: Rows, count: int, goes: Numbers, around: Rows, covers: Rows) -> int:
    """Write the ranges of data that end with what goes now; return how many."""
    made = 0
    for i in range(count):
        if goes[i] != GOES or seen[i]["payload_len"] == 0:
            continue
        row = seen[i]
        size = row["payload_len"]
        at = 2 * row["flow"] + row["side"]
        end = around[at]
        if end["covers"] == 1 and end["cover_to"] != row["seq"]:
            put = covers[made]
            made += 1
            put["sender"] = at
            put["from_seq"] = end["cover_from"]
            put["to_seq"] = end["cover_to"]
            put["from_ns"] = end["cover_ns"]
            end["covers"] = 0
        if end["covers"] == 0:
            end["covers"] = 1
            end["cover_from"] = row["seq"]
            end["cover_ns"] = row["ts_ns"]
        end["cover_to"] = (row["seq"] + size) % SPACE
    return made
