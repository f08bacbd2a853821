"""``FRAME``: where a frame lies in a buffer, one row a frame; what framing hands to decoding.

Also the two readers of big-endian words that both sides use. Kernels (see ``analyzer.kernel``): plain Python over
a ``memoryview``, machine code over an array of octets. Neither may read outside its buffer, because the
compiled twin does not notice; every caller compares with ``end`` first.

This module must not know any file format or protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME: Final = np.dtype(
    [
        ("at", np.int64),  # first octet of the frame, as an index of the buffer
        ("captured", np.int64),  # octets kept in the capture
        ("original", np.int64),  # octets on the wire, at most MAX_ORIGINAL
        ("ts_ns", np.int64),  # since the Unix epoch
        ("interface", np.int32),  # pcapng interface of the section, else 0
        ("link_type", np.int32),  # LINKTYPE_ number of the file, UNKNOWN_LINK if its interface is not described
    ],
    align=True,
)

UNKNOWN_LINK: Final = -1

MAX_CAPTURED: Final = 262_144
"""No capture program keeps more of a frame (libpcap's MAXIMUM_SNAPLEN); a longer one is damage."""

MAX_ORIGINAL: Final = 0x7FFFFFFF
"""Longer claims are cut to this, so that a payload length fits its int32 column."""

MAX_TS_NS: Final = 1 << 62
"""Year 2116. Later timestamps are cut to this (and warned of), so that no sum overflows int64."""

# What stopped a framing kernel.
FULL: Final = 0  # the index has no free row
MORE: Final = 1  # the next record is not complete in the buffer
DAMAGED: Final = 2  # the next record cannot be true; see its offset
SECTION: Final = 3  # pcapng: a section header comes next
INTERFACE: Final = 4  # pcapng: an interface description comes next

Octets = Any
"""A buffer of octets: ``memoryview`` for plain kernels, ``NDArray[np.uint8]`` for compiled ones."""


def empty_frames(count: int) -> NDArray[np.void]:
    """Return an uninitialised index of ``count`` FRAME rows."""
    return np.empty(count, dtype=FRAME)


# Multiplication, not shifts: numba computes octet * literal in int64, but shifts of octets in uint64, and uint64
# with int64 becomes a float. The bound of 2**48 tells LLVM that an index plus a little is not negative, so
# that it drops numba's negative-index handling and joins the octets into one load.


@kernel
def octet(data: Octets, at: int) -> int:
    """Return the octet at ``at``."""
    if at < 0 or at > 281474976710656:
        return 0
    return data[at] * 1  # type: ignore[no-any-return]


@kernel
def word16(data: Octets, at: int) -> int:
    """Return two octets in network order."""
    if at < 0 or at > 281474976710656:
        return 0
    return data[at] * 256 + data[at + 1]  # type: ignore[no-any-return]


@kernel
def word32(data: Octets, at: int) -> int:
    """Return four octets in network order, 0 to 2**32-1."""
    if at < 0 or at > 281474976710656:
        return 0
    return data[at] * 16777216 + data[at + 1] * 65536 + data[at + 2] * 256 + data[at + 3]  # type: ignore[no-any-return]


@kernel
def signed64(data: Octets, at: int) -> int:
    """Return eight octets in network order as a signed number: an address half."""
    high = word32(data, at)
    if high >= 2147483648:
        high -= 4294967296
    return high * 4294967296 + word32(data, at + 4)


@kernel
def file32(data: Octets, at: int, big: bool) -> int:  # noqa: FBT001 - kernels take positional arguments
    """Return four octets in the byte order of the file, 0 to 2**32-1."""
    if at < 0 or at > 281474976710656:
        return 0
    if big:
        return data[at] * 16777216 + data[at + 1] * 65536 + data[at + 2] * 256 + data[at + 3]  # type: ignore[no-any-return]
    return data[at + 3] * 16777216 + data[at + 2] * 65536 + data[at + 1] * 256 + data[at]  # type: ignore[no-any-return]
