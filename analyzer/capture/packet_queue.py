"""``PacketQueue``: packets one by one from a socket or device, where there is no ring.

Gives the same as ``ring.Ring``, a few hundred times more slowly, and is as good for a test run.

This module must not know what is in a frame, or where frames go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.capture.frame import CAPACITY, MAX_CAPTURED, MAX_ORIGINAL, OCTETS, note_frame, octets_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.untyped import Octets, Record, Rows


class PacketQueue:
    """Packets as they are received. What was indexed stays until ``release``."""

    def __init__(self, receive: Callable[[], tuple[bytes, int, int] | None], link_type: int) -> None:
        """Begin; ``receive`` returns octets, time and length on the wire of the next packet, or None."""
        self.link_type = link_type
        self._receive = receive
        self._buffer: Any = np.empty(1, dtype=OCTETS)
        self.view: memoryview = self._buffer.view(np.uint8).data
        self._octets: dict[bool, Octets] = {}
        self._end = 0

    def octets(self, *, jit: bool) -> Octets:
        """Return the memory as loops take it."""
        if jit not in self._octets:
            self._octets[jit] = octets_of(self._buffer, jit=jit)
        return self._octets[jit]

    def index(self, frames: Rows, room: int, notes: Record, *, jit: bool) -> int:
        """Index up to ``room`` packets that have come, and return how many."""
        note = note_frame.choose(jit=jit)
        count = 0
        while count < room and self._end + MAX_CAPTURED <= CAPACITY:
            packet = self._receive()
            if packet is None:
                break
            octets, ts_ns, original = packet
            captured = min(len(octets), MAX_CAPTURED)
            self.view[self._end : self._end + captured] = octets[:captured]
            frame = frames[count]
            frame["at"] = self._end
            frame["captured"] = captured
            frame["original"] = min(max(original, captured), MAX_ORIGINAL)
            frame["ts_ns"] = ts_ns
            frame["interface"] = 0
            frame["link_type"] = self.link_type
            note(notes, ts_ns, captured, 0)
            self._end += captured
            count += 1
        return count

    def release(self) -> None:
        """Forget what was indexed."""
        self._end = 0

    def close(self) -> None:
        """Nothing to let go of: the socket is its owner's."""
