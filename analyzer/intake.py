"""``Intake``: the batches of one capture point in, its finished flows out.

Every line behind the decoder is here and below, the same for a file, a pipe and an interface. It has no clock: a
capture ends with its last frame, live too, unless somebody who watched it says that he waited longer.

It must not read, or know where batches come from.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from analyzer.segment import SKIPPED
from analyzer.track.held import Limits
from analyzer.track.tracker import Tracker
from analyzer.words.holes import hole_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analyzer.segment import SegmentBatch
    from analyzer.survey.overview import CaptureSummary
    from analyzer.track.batch import FlowBatch


MOST_NAMED: Final = 8
"""This many flows are named in warnings."""


class CapturePoint(Protocol):
    """What an intake asks of the reader whose batches it takes."""

    @property
    def jit(self) -> bool:
        """Whether compiled loops are in use; may become true."""
        ...

    @property
    def start_ns(self) -> int | None:
        """Time of the first frame."""
        ...

    @property
    def format(self) -> str:
        """``pcap`` or ``pcapng``."""
        ...

    @property
    def link_types(self) -> Sequence[str]:
        """Names of the link types so far."""
        ...

    @property
    def dropped(self) -> int:
        """Packets dropped while capturing, as far as is known so far."""
        ...

    @property
    def filters(self) -> Sequence[str]:
        """Expressions that packets had to pass to be captured, as far as is known so far."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """Exact sentences about the capture so far."""
        ...


class Intake:
    """One capture point on its way into an analysis; keeps its summary up to date."""

    def __init__(
        self,
        summary: CaptureSummary,
        source: CapturePoint,
        limits: Limits | None = None,
        *,
        telling: bool = False,
        tracker: Tracker | None = None,
    ) -> None:
        """Begin; ``summary`` is filled in from now on. ``telling`` has the tracker tell whose each row is.

        With a ``tracker`` it goes on where that one stopped, and with the sums that the summary has.
        """
        self._telling = telling
        self._limits = limits or Limits()
        self.summary = summary
        self._source = source
        self._skipped = np.zeros(len(SKIPPED), dtype=np.int64)
        self._tracker = tracker
        self._copies = 0
        if tracker is not None:
            self._skipped += np.array([summary.skipped.get(reason, 0) for reason in SKIPPED], dtype=np.int64)
            if source.jit:
                tracker.compile()

    def feed(self, batch: SegmentBatch) -> FlowBatch | None:
        """Take a batch; return the flows it finished, or None."""
        if self._tracker is None:
            self._tracker = Tracker(
                jit=self._source.jit, seed=int.from_bytes(os.urandom(8), "big"), limits=self._limits
            )
            if self._telling:
                self._tracker.tell()
        elif self._source.jit:
            self._tracker.compile()
        self.summary.frames += batch.frames
        self._skipped += batch.skipped
        self._tracker.lost, self._tracker.filters = self._source.dropped, tuple(self._source.filters)
        finished = self._tracker.feed(batch)
        self.summary.end_ns = self._tracker.now_ns
        self.summary.tcp_segments = self._tracker.segments
        if self.summary.start_ns is None:
            self.enter()
        if self._tracker.full:
            self.summary.stopped_after = self.summary.frames
        return finished

    @property
    def tracker(self) -> Tracker | None:
        """What has the live flows; None before the first batch."""
        return self._tracker

    def take_told(self) -> NDArray[np.int64]:
        """Return of the rows of the last batch what ``Tracker.take_told`` does."""
        assert self._tracker is not None, "feed() first"
        return self._tracker.take_told()

    @property
    def begun(self) -> int:
        """How many flows have begun."""
        return self._tracker.begun if self._tracker is not None else 0

    @property
    def full(self) -> bool:
        """Whether more flows live than may be kept: nothing more should be fed."""
        return self.summary.stopped_after is not None

    def sweep(self) -> FlowBatch | None:
        """Return the flows that were over long before the last frame, or None; an idle capture asks for it."""
        return self._tracker.advance(self._tracker.now_ns) if self._tracker is not None else None

    def snapshot(self) -> FlowBatch | None:
        """Return the flows in memory as they stand, and keep them; None before the first batch."""
        self.enter()
        return self._tracker.snapshot() if self._tracker is not None else None

    def close(self, until_ns: int = -1) -> Iterator[FlowBatch]:
        """Finish: yield all flows still in memory, in batches of a bounded size.

        ``until_ns`` is how long somebody watched, if that is longer than to the last frame.
        """
        if self._tracker is not None:
            self._tracker.now_ns = max(self._tracker.now_ns, until_ns)
        self.enter()
        if self._tracker is not None:
            yield from self._tracker.close()

    def enter(self) -> None:
        """Bring the summary up to date; costs too much for every batch."""
        if self._tracker is not None:
            self._copies = self._tracker.copies or self._copies
            self._tracker.lost, self._tracker.filters = self._source.dropped, tuple(self._source.filters)
        counts = dict(zip(SKIPPED, self._skipped.tolist(), strict=True))
        self.summary.format, self.summary.link_types = self._source.format, list(self._source.link_types)
        holes = self._tracker.holes if self._tracker is not None else ()
        self.summary.start_ns = self._source.start_ns
        self.summary.dropped = self._source.dropped
        self.summary.filters = list(self._source.filters)
        self.summary.holes = list(holes) or self.summary.holes
        self.summary.warnings = [*self._source.warnings, *hole_sentences(self.summary.holes), *self._shortened()]
        self.summary.skipped = {**counts, "duplicate_copy": self._copies}

    def _shortened(self) -> Iterator[str]:
        """Yield exact sentences about what was not kept or not read, because memory is bounded."""
        tracker = self._tracker
        if tracker is None:
            return
        if tracker.hurried:
            yield (
                f"very many flows at once: {tracker.hurried} that were over were let go before two minutes had passed; "
                "what came later of them counts as flows of its own"
            )
        for number, part in list(tracker.dropped.items())[:MOST_NAMED]:
            yield (
                f"flow {number} has very many notable segments: {part.rows} in its middle, from frame "
                f"{part.first_frame} to {part.last_frame}, were not judged, and probes among them are not counted"
            )
        if len(tracker.dropped) > MOST_NAMED:
            yield f"{len(tracker.dropped) - MOST_NAMED} more flows have very many notable segments, and were cut alike"
        if self.full:
            yield (
                f"stopped after frame {self.summary.stopped_after}: more flows were alive at once than may be kept "
                "(--max-flows, --max-memory); nothing behind it was read"
            )
