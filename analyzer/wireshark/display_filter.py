"""Which flows contain a frame that matches a display filter: whatever one of Wireshark's dissectors knows may select.

tshark prints the numbers of matching frames only. A filter that it does not understand is explained in its own words.
"""

from __future__ import annotations

import tempfile
from array import array
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from analyzer.survey.membership import Membership
from analyzer.wireshark.tshark import Run, TsharkFailedError, columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch
    from analyzer.track.batch import FlowBatch

EMPTY_PCAP: Final = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000")


class Part(Protocol):
    """One file of a capture point."""

    @property
    def path(self) -> str:
        """Where it is."""
        ...

    @property
    def first_frame(self) -> int:
        """The number of its first frame among those of all files."""
        ...


class Matching:
    """The flows of a row of files that contain a match."""

    def __init__(self, display_filter: str, parts: Sequence[Part]) -> None:
        """Ask tshark about each file when its first batch comes; ``parts`` grows as files are opened."""
        self._filter = display_filter
        self._parts = parts
        self._asked = 0
        self._membership = Membership(np.zeros(0, dtype=np.int64), columns=())

    def see(self, batch: SegmentBatch) -> None:
        """Take a batch of segments, before it is tracked.

        Raises:
            WiresharkError: tshark is missing, does not understand the filter, or cannot read the file.
        """
        for part in self._parts[self._asked :]:
            self._membership.also(matching_frames(part.path, self._filter) + (part.first_frame - 1))
            self._asked += 1
        self._membership.see(batch)

    def of(self, batch: FlowBatch) -> FlowBatch:
        """Return only the finished flows that contain a match."""
        _, owner = self._membership.claim(batch)
        return batch.take(np.unique(owner))


def matching_frames(path: str, display_filter: str) -> NDArray[np.int64]:
    """Return the numbers of the frames that match, ascending, as far as the file can be read.

    Raises:
        TsharkMissingError: there is no tshark.
        TsharkFailedError: the filter is wrong, or the file cannot be read.
    """
    frames = array("q")
    try:
        for some in Run(("-r", path, "-Y", display_filter, *columns("%m"))):
            frames.extend(map(int, some))
    except TsharkFailedError as failed:
        if not failed.is_damage:
            raise
    return np.array(frames, dtype=np.int64)


def check_filter(display_filter: str) -> None:
    """Let tshark look at a filter before any capture is read.

    Raises:
        TsharkMissingError: there is no tshark.
        TsharkFailedError: it does not understand the filter, and says why.
    """
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(EMPTY_PCAP)
        file.flush()
        matching_frames(file.name, display_filter)
