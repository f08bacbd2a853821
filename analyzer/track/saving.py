"""A tracker as plain arrays, and a tracker of these that goes on exactly where that one stopped.

Nothing is looked at, finished or forgotten by saving: flows that live, their rows, the hosts beside them and whatever
waits to be looked at come back as they were, so that a capture point read in ten runs shows what it shows in one.

Arrays may come from a damaged or foreign file, and compiled loops check no bounds. So whatever is a place in a table is
looked at before a tracker has it. It must not know where arrays are kept, or do I/O.
"""

from __future__ import annotations

from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.loops.loop import Sparse, freeze, thaw
from analyzer.loops.packed import Packed
from analyzer.segment import LEAP, WITNESS
from analyzer.track import ahead, attend, beats, tally
from analyzer.track.awake import Hole
from analyzer.track.beats import BEATS, MOST_TRAINS
from analyzer.track.beside import OF_SEGMENTS, TABLES
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW, FREE, GONE, INDEX
from analyzer.track.habits import HABIT, HABITS
from analyzer.track.held import Dropped, Limits
from analyzer.track.hosts import CLOCK, CLOCKS, NOTE
from analyzer.track.seen import SEEN
from analyzer.track.tracker import Tracker
from analyzer.track.translated import BEGINNING, BEGINNINGS
from analyzer.track.untranslated import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.loops.pool import Pool
    from analyzer.track.beside import Beside
    from analyzer.untyped import Foreign, Json

    Arrays = dict[str, NDArray[np.generic]]

POOLS: Final = {"flows": FLOW, "ends": ENDPOINT, "seen": SEEN, "beats": BEATS}
NUMBERS: Final = ("slots", "registers", "digests", "hints", "peers", "beat_registers")
SCATTERED: Final = {"beginnings": (BEGINNING, BEGINNINGS), "habits": (HABIT, HABITS)}
BESIDE: Final = ("hosts", "stations", "claims", "asks", "services", "news")
"""What the tables of ``Beside`` are called, in their order."""
MOST_ROOM: Final = 1 << 28
"""No table has room for more records: who says so has not saved one."""


class DamagedStateError(ValueError):
    """Arrays that no tracker can have saved."""


def layout() -> str:
    """Return what records look like: a state is of use only to a program whose records look the same."""
    kinds = [*POOLS.values(), BEGINNING, HABIT, CLOCK, NOTE, WITNESS, *(dtype for dtype, _ in TABLES)]
    return ";".join(str(dtype.descr) for dtype in kinds)


def save(tracker: Tracker) -> tuple[Arrays, Json]:
    """Return all that a tracker keeps between two batches: arrays of records and numbers, and facts for JSON."""
    used = int(tracker._registers[tally.FLOWS_USED])
    counts = {"flows": used, "ends": 2 * used, "seen": int(tracker._registers[tally.SEEN_USED])}
    counts["beats"] = int(tracker._beat_registers[beats.USED])
    arrays: Arrays = {}
    rooms = {}
    for name in POOLS:
        pool: Pool = getattr(tracker, f"_{name}")
        arrays[name], rooms[name] = _records(pool.records[: counts[name]], pool.dtype), len(pool)
    for name in NUMBERS:
        arrays[name] = np.array(getattr(tracker, f"_{name}"), dtype=np.int64)
    for name, (dtype, _) in SCATTERED.items():
        arrays[name] = _records(getattr(tracker, f"_{name}"), dtype)
    pieces = [(index, each) for index, parts in tracker._packed.items() for each in parts]
    arrays["packed_flow"] = np.array([index for index, _ in pieces], dtype=np.int64)
    arrays["packed_count"] = np.array([len(each) for _, each in pieces], dtype=np.int64)
    arrays["packed_size"] = np.array([len(each.octets) for _, each in pieces], dtype=np.int64)
    arrays["packed"] = np.frombuffer(b"".join(each.octets for _, each in pieces), dtype=np.uint8)
    _save_beside(tracker._beside, int(tracker._registers[tally.NOTED]), arrays, rooms)
    facts = {
        "jit": tracker.jit,
        "seed": tracker._seed,
        "rooms": rooms,
        "beside_room": tracker._beside._room,
        "now_ns": tracker.now_ns,
        "hurried": tracker.hurried,
        "lost": tracker.lost,
        "filters": list(tracker.filters),
        "dropped": {str(number): asdict(part) for number, part in tracker.dropped.items()},
        "since_sweep": tracker._since_sweep,
        "more": tracker._more,
        "rows": tracker._rows,
        "pushed_out": list(tracker._pushed_out),
        "holes": [list(astuple(hole)) for hole in tracker._holes],
        "losses": [list(astuple(hole)) for hole in tracker._losses],
        "leap": None if tracker._leap is None else [*tracker._leap.tolist()],
        "doubt": None if tracker._doubt is None else [*tracker._doubt.tolist()],
    }
    return arrays, facts


def _save_beside(beside: Beside, noted: int, arrays: Arrays, rooms: dict[str, int]) -> None:
    for at, name in enumerate(BESIDE):
        table = beside._tables[at]
        count = int(beside._registers[at])
        arrays[name] = _records(table.front(count), TABLES[at][0])
        arrays[f"{name}_slots"] = np.array(table.slots, dtype=np.int64)
        rooms[name] = table.size
    arrays["clocks"] = _records(beside._clocks, CLOCK)
    arrays["notes"] = _records(beside._notes.records[:noted], NOTE)
    arrays["others"] = np.concatenate([np.empty(0, dtype=WITNESS), *beside._others])
    for name in ("registers", "keys", "digests"):
        arrays[f"beside_{name}"] = np.array(getattr(beside, f"_{name}"), dtype=np.int64)


def _records(table: Foreign, dtype: Foreign) -> NDArray[np.void]:
    """Return records of loops as an array of their own."""
    has_any = len(table) or isinstance(table, Sparse)
    found: Any = freeze(table, dtype) if has_any else np.empty(0, dtype=dtype)
    copied: NDArray[np.void] = found.copy()
    return copied


def restore(arrays: Mapping[str, NDArray[Any]], facts: Json, *, jit: bool, limits: Limits | None = None) -> Tracker:
    """Return a tracker that goes on where the one stopped of which these arrays and facts are.

    ``jit`` picks compiled loops, ``limits`` are the new tracker's own.

    Raises:
        DamagedStateError: no tracker can have saved them.
    """
    try:
        _check(arrays, facts)
        return _restored(arrays, facts, Tracker(jit=jit, seed=int(facts["seed"]), limits=limits))
    except DamagedStateError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise DamagedStateError(f"no tracker can have saved this ({error})") from error


def _restored(arrays: Mapping[str, NDArray[Any]], facts: Json, tracker: Tracker) -> Tracker:
    jit, rooms = tracker.jit, facts["rooms"]
    for name in POOLS:
        getattr(tracker, f"_{name}").fill(arrays[name], int(rooms[name]))
    for name in NUMBERS:
        setattr(tracker, f"_{name}", _numbers(arrays[name], jit=jit))
    for name in SCATTERED:
        setattr(tracker, f"_{name}", _thawed(arrays[name], jit=jit))
    ends = np.cumsum(arrays["packed_size"])
    octets = arrays["packed"].tobytes()
    for index, count, size, end in zip(
        *(arrays[f"packed_{name}"].tolist() for name in ("flow", "count", "size")), ends.tolist(), strict=True
    ):
        tracker._packed.setdefault(index, []).append(Packed.of(octets[end - size : end], count, SEEN))
    _restore_beside(tracker._beside, arrays, rooms, jit=jit)
    tracker._beside._room = int(facts["beside_room"])
    tracker.now_ns, tracker.hurried, tracker.lost = (int(facts[name]) for name in ("now_ns", "hurried", "lost"))
    tracker.filters = tuple(map(str, facts["filters"]))
    tracker.dropped = {int(number): Dropped(**part) for number, part in facts["dropped"].items()}
    tracker._since_sweep, tracker._rows = int(facts["since_sweep"]), int(facts["rows"])
    tracker._more = bool(facts["more"])
    tracker._pushed_out = [int(index) for index in facts["pushed_out"]]
    tracker._holes, tracker._losses = (tuple(Hole(*each) for each in facts[name]) for name in ("holes", "losses"))
    tracker._leap, tracker._doubt = (
        None if facts[name] is None else np.array([tuple(facts[name])], dtype=LEAP)[0] for name in ("leap", "doubt")
    )
    return tracker


def _restore_beside(beside: Beside, arrays: Mapping[str, NDArray[Any]], rooms: Json, *, jit: bool) -> None:
    for at, name in enumerate(BESIDE):
        table = beside._tables[at]
        table.fill(arrays[name], int(rooms[name]))
        table.slots = _numbers(arrays[f"{name}_slots"], jit=jit)
    beside._clocks = _thawed(arrays["clocks"], jit=jit)
    beside._notes.fill(arrays["notes"], len(arrays["notes"]))
    others = arrays["others"]
    beside._others, beside._waiting = ([others] if len(others) else []), len(others)
    for name in ("registers", "keys", "digests"):
        setattr(beside, f"_{name}", _numbers(arrays[f"beside_{name}"], jit=jit))


def _numbers(values: NDArray[np.int64], *, jit: bool) -> Foreign:
    return values.copy() if jit else values.tolist()


def _thawed(rows: NDArray[np.void], *, jit: bool) -> Foreign:
    return rows.copy() if jit else thaw(rows, jit=False)


# what is a place in a table ──────────────────────────────────────────────────────────────────────────────────────────


def _check(arrays: Mapping[str, NDArray[Any]], facts: Json) -> None:
    """Refuse arrays of other types or sizes, and places that are none.

    Raises:
        DamagedStateError: with what is wrong.
    """
    _check_types(arrays)
    registers, counts = arrays["registers"], {name: len(arrays[name]) for name in POOLS}
    flows, rows = counts["flows"], counts["seen"]
    _expect(counts["ends"] == 2 * flows, "two ends a flow")
    _expect(int(registers[tally.FLOWS_USED]) == flows, "as many flows as are counted")
    _expect(int(registers[tally.SEEN_USED]) == rows, "as many rows as are counted")
    _expect(int(registers[tally.NOTED]) == len(arrays["notes"]), "as many notes as are counted")
    _expect(int(registers[tally.LEAVING]) == 0, "no flow on its way out")
    _within("flows that are free", registers[tally.FLOW_FREE : tally.FLOW_FREE + 1], -1, flows)
    _within("rows that are free", registers[tally.SEEN_FREE : tally.SEEN_FREE + 1], -1, rows)
    flow = arrays["flows"]
    pushed = np.array(facts["pushed_out"], dtype=np.int64)
    _within("flows pushed out", pushed, 0, flows)
    held = flow["alive"] != 0
    _expect(len(np.unique(pushed)) == len(pushed) and not held[pushed].any(), "flows pushed out once")
    held[pushed] = True
    _within("next free flows", flow["number"][~held], -1, flows)
    for name in ("former", "first_seen", "last_seen"):
        _within(name, flow[name], -1, flows if name == "former" else rows)
    for name in ("twin_at", "stray_at"):
        _within(name, flow[name], 0, max(flows, 1))
    _within("sides", np.concatenate([flow[f"{what}_side"] for what in ("twin", "stray", "trial", "odd")]), -1, 2)
    seen = arrays["seen"]
    _within("next rows", seen["next"], -1, rows)
    _within("flows of rows", seen["flow"], 0, max(flows, 1))
    _within("beginnings", arrays["beginnings"]["index"], 0, max(flows, 1))
    _within("peers", arrays["peers"][::2], 0, max(flows, 1))
    _within("flows with packed rows", arrays["packed_flow"], 0, flows)
    _check_slots("slots", arrays["slots"], flows)
    _expect(int(arrays["packed_size"].sum()) == len(arrays["packed"]), "as many packed octets as are counted")
    _within("packed rows", arrays["packed_count"], 0, 1 << 20)
    _check_chains(flow, held, seen["next"], arrays)
    _check_trains(flow[held], arrays["beats"], arrays["beat_registers"])
    own = arrays["beside_registers"]
    _expect(len(own) == attend.REGISTERS and len(registers) == tally.REGISTERS, "as many registers as there are")
    for at, name in enumerate(BESIDE):
        _expect(int(own[at]) == len(arrays[name]), f"as many {name} as are counted")
        _check_slots(name, arrays[f"{name}_slots"], len(arrays[name]))
    wanted = {**counts, **{name: len(arrays[name]) for name in BESIDE}}
    for name, count in wanted.items():
        _expect(count <= int(facts["rooms"][name]) <= MOST_ROOM, f"room for {name}")
    rooms = {name: min(int(facts["rooms"][name]), len(arrays[f"{name}_slots"]) // 2) for name in BESIDE}
    most = min(rooms[BESIDE[which]] - len(arrays[BESIDE[which]]) for which in OF_SEGMENTS)
    _expect(0 <= int(facts["beside_room"]) <= max(most, 0), "room for hosts")


def _check_types(arrays: Mapping[str, NDArray[Any]]) -> None:
    kinds: dict[str, tuple[Foreign, int | None]] = {name: (dtype, None) for name, dtype in POOLS.items()}
    kinds |= {name: (np.dtype(np.int64), None) for name in NUMBERS}
    kinds |= {name: (dtype, count) for name, (dtype, count) in SCATTERED.items()}
    kinds |= {name: (np.dtype(np.int64), None) for name in ("packed_flow", "packed_count", "packed_size")}
    kinds |= {name: (TABLES[at][0], None) for at, name in enumerate(BESIDE)}
    kinds |= {f"{name}_slots": (np.dtype(np.int64), None) for name in BESIDE}
    kinds |= {
        "packed": (np.dtype(np.uint8), None),
        "clocks": (CLOCK, CLOCKS),
        "notes": (NOTE, None),
        "others": (WITNESS, None),
        "digests": (np.dtype(np.int64), ahead.RING),
        "hints": (np.dtype(np.int64), ahead.RING),
        "peers": (np.dtype(np.int64), MEMORY),
        "beat_registers": (np.dtype(np.int64), beats.REGISTERS),
        "beside_registers": (np.dtype(np.int64), attend.REGISTERS),
        "beside_keys": (np.dtype(np.int64), 5),
        "beside_digests": (np.dtype(np.int64), attend.RING),
    }
    for name, (dtype, count) in kinds.items():
        found = arrays[name]
        _expect(found.dtype == dtype and found.ndim == 1, f"{name} of their type")
        _expect(count is None or len(found) == count, f"{name} of their number")


def _check_slots(name: str, slots: NDArray[np.int64], count: int) -> None:
    """Refuse slots that are not a power of two, have no room left, or name a record that is none."""
    _expect(len(slots) > 0 and len(slots) & (len(slots) - 1) == 0, f"{name}: a power of two of slots")
    taken = slots[(slots != FREE) & (slots != GONE)]
    _expect(len(taken) < len(slots) and bool((slots == FREE).any()), f"{name}: a free slot")
    _within(f"slots of {name}", (taken & INDEX) - 1, 0, count)


def _check_chains(
    flow: NDArray[np.void], held: NDArray[np.bool_], following: NDArray[np.int64], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Refuse chains of rows that are longer or shorter than their flows say, and so any that meet or go round."""
    packed = np.bincount(arrays["packed_flow"], arrays["packed_count"], minlength=len(flow)).astype(np.int64)
    here = np.flatnonzero(held)
    left = flow["seen_count"][here].astype(np.int64) - packed[here]
    at = flow["first_seen"][here].astype(np.int64)
    _expect(bool((left >= 0).all()), "no fewer rows than are packed")
    while len(at):
        _expect(bool(((at >= 0) == (left > 0)).all()), "as many rows of a flow as it counts")
        going = at >= 0
        at, left = following[at[going]], left[going] - 1
    _check_free("rows", following, int(arrays["registers"][tally.SEEN_FREE]))
    _check_free("flows", flow["number"], int(arrays["registers"][tally.FLOW_FREE]))


def _check_trains(flow: NDArray[np.void], trains: NDArray[np.void], registers: NDArray[np.int64]) -> None:
    """Refuse chains of trains of heartbeats that meet, go round or are too long, and an open exchange without any."""
    count = len(trains)
    _expect(int(registers[beats.USED]) == count, "as many trains as are counted")
    _within("trains", flow["beats"], -1, count)
    _within("next trains", trains["next"], -1, count)
    _within("ends that beat", trains["side"], 0, 2)
    _within("open exchanges", flow["exchange"], 0, 3)
    _within("ends that are watched", flow["watched"], 0, 4)
    busy = (flow["exchange"] > 0) | (flow["watched"] > 0)
    _expect(bool((flow["beats"][busy] >= 0).all()), "a train with each open exchange")
    at, found = flow["beats"][flow["beats"] >= 0].astype(np.int64), []
    for _ in range(MOST_TRAINS):
        found.append(at)
        at = trains["next"][at].astype(np.int64)
        at = at[at >= 0]
    _expect(len(at) == 0, "no more trains of a flow than may be")
    each = np.concatenate(found)
    _expect(len(np.unique(each)) == len(each) == int(registers[beats.LIVE]), "each train of one flow")
    _within("trains that are free", registers[beats.FREE : beats.FREE + 1], -1, count)
    _check_free("trains", trains["next"], int(registers[beats.FREE]))


def _check_free(name: str, following: NDArray[np.int64], head: int) -> None:
    """Refuse a chain of free records that goes round."""
    nexts: Sequence[int] = following.tolist()
    for _ in range(len(nexts) + 1):
        if head < 0:
            return
        head = nexts[head] if head < len(nexts) else -2
    raise DamagedStateError(f"no tracker can have saved this: free {name} go round")


def _within(name: str, values: NDArray[Any], low: int, end: int) -> None:
    """Refuse values below ``low``, or not below ``end``."""
    if len(values):
        _expect(low <= int(values.min()) and int(values.max()) < end, f"{name} that are there")


def _expect(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise DamagedStateError(f"no tracker can have saved this: {what} expected")
