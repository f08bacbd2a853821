"""``FRAME``: where a frame lies in a buffer, one row a frame; what framing hands to decoding.

Also the readers of words that both sides use. They are loops (see ``loops.loop``), so none may read outside its
buffer: the compiled twin does not notice. Every caller compares with ``end`` first.

The buffer goes to loops as a *record* with one field ``octet``: to compiled ones a record of OCTETS, to plain ones
a dict that holds a ``memoryview``. Not as an array, because numba counts references to an array in every
function it is passed to, with atomic instructions: 88 ns a frame instead of 28.

This module must not know any file format or protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.loops.loop import intrinsic, loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Octets, Record, Rows

CAPACITY: Final = 24 << 20
"""Octets of a buffer: the largest pcapng block that is believed, and a few MiB. Untouched pages cost nothing."""

OCTETS: Final = np.dtype([("octet", np.uint8, (CAPACITY,))])
"""The buffer of compiled loops. One size only, because numba compiles anew for each."""

FRAME: Final = np.dtype(
    [
        ("at", np.int64),  # first octet of the frame, as an index of the buffer
        ("captured", np.int64),  # octets kept in the capture
        ("original", np.int64),  # octets on the wire, at most MAX_ORIGINAL
        ("ts_ns", np.int64),  # since the Unix epoch
        ("interface", np.int32),  # pcapng interface of the section, else 0
        ("link_type", np.int32),  # LINKTYPE_ number of the file, UNKNOWN_LINK if no interface says
    ],
    align=True,
)

NOTES: Final = np.dtype(
    [
        ("frames", np.int64),  # indexed so far
        ("timed", np.int64),  # of these, frames that have a timestamp
        ("start_ns", np.int64),  # of the first of these
        ("last_ts_ns", np.int64),
        ("back", np.int64),  # frames older than the one before them
        ("back_frame", np.int64),  # the first of these
        ("back_ns", np.int64),  # by how much at most
        ("leap", np.int64),  # frames more than LEAP_NS later than the one before them
        ("leap_frame", np.int64),
        ("leap_ns", np.int64),
        ("odd", np.int64),  # frames whose time is no time: a fraction of a second or more, or past MAX_TS_NS
        ("odd_frame", np.int64),
        ("moved_ns", np.int64),  # what all times were moved by, because the first is before 1970
        ("early", np.int64),  # frames that are from before 1970 still, which were given its beginning
        ("early_frame", np.int64),
        ("long", np.int64),  # frames longer than the snap length
        ("long_frame", np.int64),
        ("untimed", np.int64),  # frames in blocks without a timestamp
        ("untimed_frame", np.int64),
        ("homeless", np.int64),  # frames of an interface that the section does not describe
        ("homeless_frame", np.int64),
        ("dropped", np.int64),  # packets that the capture's own statistics say were dropped
        ("dated", np.int64),  # of these, packets of which two looks at the counter say when
        ("grown", np.int64),  # by how much the counter grew at the latest look that says when
        ("grown_from", np.int64),  # how many frames there were at the look before
        ("grown_from_ns", np.int64),  # the time then
    ],
    align=True,
)
"""What framing noticed that somebody should be told; one record for a whole capture."""

UNKNOWN_LINK: Final = -1

MAX_CAPTURED: Final = 262_144
"""No capture program keeps more of a frame (libpcap's MAXIMUM_SNAPLEN); a longer one is damage."""

MAX_ORIGINAL: Final = 0x7FFFFFFF
"""Longer claims are cut to this, so that a payload length fits its int32 column."""

MAX_TS_NS: Final = 1 << 62
"""Year 2116. Later timestamps are cut to this (and noted), so that no sum overflows int64."""

LEAP_NS: Final = 366 * 86_400_000_000_000

# What became of a frame. Loops of link and network layer return the
# negative of one of these instead of what they found.
ROW: Final = 0
NOT_TCP: Final = 1
FRAGMENT: Final = 2
CUT: Final = 3
DEFER: Final = 4
CUT_ROW: Final = 5  # CUT, with a row of NOTE_CUT

# What stopped a framing loop.
FULL: Final = 0  # the index has no free row
MORE: Final = 1  # the next record is not complete in the buffer
DAMAGED: Final = 2  # the next record cannot be true
SECTION: Final = 3  # pcapng: a section header comes next
INTERFACE: Final = 4  # pcapng: an interface description comes next
GROWN: Final = 5  # pcapng: a drop counter grew since the last look at it


def empty_frames(count: int, *, jit: bool) -> Rows:
    """Return an index with room for ``count`` FRAME rows, uninitialised."""
    if jit:
        return np.empty(count, dtype=FRAME)
    return [{} for _ in range(count)]


def times_of(frames: Rows, count: int, *, jit: bool) -> NDArray[np.int64]:
    """Return the times of the first ``count`` rows of an index, nanoseconds."""
    found: NDArray[np.int64] = frames["ts_ns"][:count] if jit else np.array([f["ts_ns"] for f in frames[:count]])
    return found


def octets_of(buffer: NDArray[np.void], *, jit: bool) -> Octets:
    """Return an array of one OCTETS record in the form that loops of the chosen mode take."""
    return buffer[0] if jit else {"octet": buffer.view(np.uint8).data}


# Compiled, a word is one load, and nobody looks where from. Plain, reading outside the buffer raises IndexError, an
# address below 0 too, so that fuzzing finds what would go wrong.


@intrinsic("make_word", octets=1)
def octet(data: Octets, at: int) -> int:
    """Return the octet at ``at``."""
    if at < 0:
        raise IndexError(at)
    return data["octet"][at]


@intrinsic("make_word", octets=2)
def word16(data: Octets, at: int) -> int:
    """Return two octets in network order."""
    octets = data["octet"]
    if at < 0:
        raise IndexError(at)
    return octets[at] * 256 + octets[at + 1]


@intrinsic("make_word", octets=4)
def word32(data: Octets, at: int) -> int:
    """Return four octets in network order, 0 to 2**32-1."""
    octets = data["octet"]
    if at < 0:
        raise IndexError(at)
    return octets[at] * 16777216 + octets[at + 1] * 65536 + octets[at + 2] * 256 + octets[at + 3]


@intrinsic("make_word", octets=8)
def signed64(data: Octets, at: int) -> int:
    """Return eight octets in network order as a signed number: an address half."""
    word = word32(data, at) * 4294967296 + word32(data, at + 4)
    return word - (1 << 64) if word >> 63 else word


@intrinsic("make_word", octets=2, big=False)
def little16(data: Octets, at: int) -> int:
    """Return two octets, the lower one first."""
    octets = data["octet"]
    if at < 0:
        raise IndexError(at)
    return octets[at] + octets[at + 1] * 256


@intrinsic("make_word", octets=4, big=False)
def little32(data: Octets, at: int) -> int:
    """Return four octets, the lowest one first, 0 to 2**32-1."""
    octets = data["octet"]
    if at < 0:
        raise IndexError(at)
    return octets[at] + octets[at + 1] * 256 + octets[at + 2] * 65536 + octets[at + 3] * 16777216


@intrinsic("make_touch")
def touch(data: Octets, at: int) -> None:
    """Ask the processor for octets that will be wanted soon, wherever that is; plain Python needs nothing."""


@loop
def file16(data: Octets, at: int, big: bool) -> int:  # noqa: FBT001 - loops take positional arguments
    """Return two octets in the byte order of the file."""
    return word16(data, at) if big else little16(data, at)


@loop
def file32(data: Octets, at: int, big: bool) -> int:  # noqa: FBT001 - as file16
    """Return four octets in the byte order of the file, 0 to 2**32-1."""
    return word32(data, at) if big else little32(data, at)


@loop
def note_length(notes: Record, captured: int, snaplen: int) -> None:
    """Count a frame, and whether it is longer than the snap length (0 for none)."""
    notes["frames"] += 1
    if captured > snaplen > 0:
        if notes["long"] == 0:
            notes["long_frame"] = notes["frames"]
        notes["long"] += 1


@loop
def note_time(notes: Record, ts_ns: int) -> None:
    """Take the time of the frame noted last, and count what is odd about it."""
    notes["timed"] += 1
    if notes["timed"] == 1:
        notes["start_ns"] = ts_ns
    else:
        passed = ts_ns - notes["last_ts_ns"]
        if passed < 0:
            if notes["back"] == 0:
                notes["back_frame"] = notes["frames"]
            notes["back"] += 1
            notes["back_ns"] = max(notes["back_ns"], -passed)
        elif passed > LEAP_NS:
            if notes["leap"] == 0:
                notes["leap_frame"] = notes["frames"]
            notes["leap"] += 1
            notes["leap_ns"] = max(notes["leap_ns"], passed)
    notes["last_ts_ns"] = ts_ns


@loop
def note_odd_time(notes: Record) -> None:
    """Count the frame noted last as one whose time is no time."""
    if notes["odd"] == 0:
        notes["odd_frame"] = notes["frames"]
    notes["odd"] += 1


@loop
def note_early(notes: Record) -> None:
    """Count the frame noted last as one from before 1970: times below 0 stand for no time everywhere else."""
    if notes["early"] == 0:
        notes["early_frame"] = notes["frames"]
    notes["early"] += 1


@loop
def note_frame(notes: Record, ts_ns: int, captured: int, snaplen: int) -> None:
    """Count a frame that has a timestamp, as ``note_length`` and ``note_time`` do."""
    note_length(notes, captured, snaplen)
    note_time(notes, ts_ns)
