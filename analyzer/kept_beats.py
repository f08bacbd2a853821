"""Flows with heartbeats among those that are held: which they are, and what is found once more is known of them.

It must not know what a heartbeat is, or who learns more of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.findings.notable import is_notable, may_have_said_why
from analyzer.looking import Looking
from analyzer.track.flow import endpoints_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.kept_flows import Kept


class KeptBeats(Looking):
    """Flows that are held, some with trains of heartbeats."""

    def beating(self) -> Iterator[tuple[Kept, NDArray[np.int64]]]:
        """Yield where flows with trains of heartbeats are kept, and their indices there."""
        self.settle()
        for kept in self._batches:
            if len(kept.batch.trains):
                rows = np.flatnonzero(np.isin(kept.batch.flow["number"], kept.batch.trains["number"]))
                if len(rows):
                    yield kept, rows

    def parting(self) -> Iterator[tuple[Kept, NDArray[np.int64]]]:
        """Yield where flows without heartbeats are kept whose ends may have said why they end them, and which."""
        self.settle()
        for kept in self._batches:
            rows = np.flatnonzero(may_have_said_why(kept.batch))
            if len(rows):
                yield kept, rows

    def with_heartbeats(self, lines: NDArray[np.void]) -> NDArray[np.bool_]:
        """Say of which of these lines the flow is kept and has trains of heartbeats."""
        found = np.zeros(len(lines), dtype=np.bool_)
        for at, kept in enumerate(self._batches):
            if len(kept.batch.trains):
                mine = np.flatnonzero(lines["batch"] == at)
                numbers = kept.batch.flow["number"][lines["row"][mine]]
                trains = kept.batch.trains
                found[mine] = np.isin(numbers, trains["number"][trains["count"] > 0])
        return found

    def compare_heartbeats(self) -> None:
        """Enter in trains of heartbeats the limit of idle time that connections to their service show, if it is hard.

        That takes all flows, so it comes when everything was read.
        """
        if next(self.beating(), None) is None:
            return
        hard = {
            (limit.capture, limit.service): limit
            for limit in self.idle_limits(all_services=False)
            if limit.service is not None and not limit.half_closed
        }
        for kept, rows in self.beating() if hard else ():
            for row in rows.tolist():
                flow = kept.batch.flow[row]
                limit = next(
                    (hard[kept.capture, end] for end in endpoints_of(flow) if (kept.capture, end) in hard), None
                )
                if limit is not None:
                    at = kept.batch.trains["number"] == flow["number"]
                    kept.batch.trains["safe_ns"][at] = -1 if limit.low_ns is None else limit.low_ns
                    kept.batch.trains["fatal_ns"][at] = limit.high_ns
                    self.search_again(kept, row)

    def search_again(self, kept: Kept, row: int) -> None:
        """Look anew for what is found in a flow of which more is known now than when it finished."""
        one, none = np.array([row]), np.zeros(0, dtype=np.int64)
        line = self._line_of(kept, row)
        was_notable = line is None or line["notable"] == 1
        counted = kept.hits.take(one if was_notable or self.only_findings else none)
        kept.search_again()
        is_now = bool(is_notable(kept.batch, kept.winners)[row])
        if line is not None:
            line["notable"] |= is_now
        if self._found is not None and (was_notable or is_now or self.only_findings):
            number = int(kept.batch.flow["number"][row])
            self._found.change(kept.capture, number, counted, kept.hits.take(one))

    def _line_of(self, kept: Kept, row: int) -> np.void | None:
        """Return the line of a kept flow, to be written to; None if there is none."""
        at = self._batches.index(kept)
        for lines in self._lines:
            mine = np.flatnonzero((lines["batch"] == at) & (lines["row"] == row))
            if len(mine):
                line: np.void = lines[mine[0]]
                return line
        return None
