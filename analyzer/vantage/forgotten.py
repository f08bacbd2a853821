"""What was counted of packets that were forgotten while captures were read: how many of each end, and what they showed.

It must not know which packets may be forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from analyzer.vantage.settled import Settled
    from analyzer.vantage.sighting import Columns

COVER: Final = np.dtype(
    [("sender", np.int64), ("from_seq", np.int64), ("to_seq", np.int64), ("from_ns", np.int64)], align=True
)
"""Data in a row that was forgotten: it was at all points. Times by the first point's clock."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """What is left of the sightings of several captures, and what was counted of the others."""

    seen: tuple[Columns, ...]
    senders: tuple[NDArray[np.void], ...]
    """``meeting.SENDER`` records of the first capture's flows, as each of the others has them."""
    covers: NDArray[np.void]
    """COVER records, by sender."""
    settled: Settled | None = None
    """Connections of two captures that are in neither's ``seen``, because they were over with nothing to tell."""
    places: Callable[[NDArray[np.int64]], NDArray[np.int64]] | None = None
    """Returns what stands for flows of the first capture, by number, in ``senders`` and ``covers``; None for these."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What was forgotten of one end of a connection: packets that were at all points, and the same at all."""

    count: int
    changed: dict[str, int]
    """How many had another ``ttl`` or ``ip_id`` behind."""
    apart_ns: tuple[tuple[int, int], ...]
    """When the quickest and the slowest passed both points, by the clock of each, the first capture first."""
    covers: NDArray[np.void]
    """COVER records of their data."""


class Forgotten:
    """Finds by connection what was counted of its forgotten packets."""

    def __init__(self, thinned: Thinned, captures: Sequence[int]) -> None:
        """Take what is left, and in which capture each point is."""
        self._thinned, self._captures = thinned, captures

    def of(self, parts: Sequence[tuple[int, int, bool]]) -> tuple[Gone, Gone] | None:
        """Return what was forgotten of ``a`` and of ``b``; None for nothing.

        ``parts`` are point, number of the flow there, and whether ``a`` there is ``b`` here.
        """
        senders, covers = self._thinned.senders, self._thinned.covers
        first = next(((flow, flipped) for point, flow, flipped in parts if self._captures[point] == 0), None)
        if first is None or not senders:
            return None
        place = first[0] if self._thinned.places is None else int(self._thinned.places(np.array([first[0]]))[0])
        if place < 0 or 2 * place + 1 >= len(senders[0]):
            return None
        found = []
        for side in (0, 1):
            at = 2 * place + (side ^ first[1])
            own = [each[at] for each in senders]
            count = int(own[0]["gone"])
            apart: tuple[tuple[int, int], ...] = ()
            if count and len(own) == 1 and own[0]["timed"]:
                apart = tuple(
                    (int(own[0][f"{which}_there_ns"]), int(own[0][f"{which}_here_ns"]))
                    for which in ("quickest", "slowest")
                )
            low, high = np.searchsorted(covers["sender"], (at, at + 1)).tolist()
            changed = {"ttl": int(own[0]["gone_ttl"]), "ip_id": int(own[0]["gone_id"])}
            found.append(Gone(count, changed, apart, covers[low:high]))
        return (found[0], found[1]) if found[0].count + found[1].count else None
