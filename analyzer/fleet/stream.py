"""``PointStream``: the files of one capture point as one stream that can be saved between two files.

What ``report`` shows of the same files comes out, however many runs it takes: the tracker goes on exactly where it
stopped (``track.saving``), frames are counted through, and a file that does not go on where the one before ended begins
another capture (``capture.rotation``).

It must not know where files lie, where its state is kept, or what becomes of flows.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from analyzer.capture.ahead import read_ahead
from analyzer.capture.reader import open_capture
from analyzer.capture.rotation import Part, count_through, goes_on
from analyzer.capture.source import open_stream
from analyzer.errors import CaptureError, UnsupportedLinkTypeError
from analyzer.fleet.state import StateError
from analyzer.intake import Intake
from analyzer.loops.choice import ready
from analyzer.segment import WITNESS
from analyzer.survey.overview import CaptureSummary
from analyzer.track import beside, saving
from analyzer.track.awake import Hole
from analyzer.track.hosts import CLOCK, NOTE
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from analyzer.capture.reader import CaptureReader
    from analyzer.capture.text.reader import TextReader
    from analyzer.fleet.sharding import Shard
    from analyzer.track.batch import FlowBatch
    from analyzer.track.held import Limits
    from analyzer.track.tracker import Tracker
    from analyzer.untyped import Foreign, Json

LINES: Final = ("format", "start_ns", "end_ns", "frames", "tcp_segments", "dropped", "stopped_after")
"""Of a summary, what is a word or a number."""


@dataclass(slots=True)
class Carried:
    """What is known of one capture: all that ``Intake`` asks of its reader, from the files so far."""

    index: int
    now: Any = None
    """The file at hand, if there is one."""
    name: str = ""
    """What that is called."""
    format: str = ""
    jit: bool = False
    before: int = 0
    """Frames of the files before it."""
    last_ns: int = -1
    """Time of the last frame of the last file."""
    known_start_ns: int | None = None
    known_dropped: int = 0
    known_links: list[str] = field(default_factory=list)
    known_filters: list[str] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    """Of the files before it: what they are called, and a sentence."""
    parts: list[Part] = field(default_factory=list)
    refused: bool = False

    @property
    def start_ns(self) -> int | None:
        """Time of the first frame that has one."""
        return self.now.start_ns if self.known_start_ns is None and self.now is not None else self.known_start_ns

    @property
    def link_types(self) -> list[str]:
        """Names of the link types met so far."""
        return list(dict.fromkeys([*self.known_links, *(self.now.link_types if self.now is not None else ())]))

    @property
    def dropped(self) -> int:
        """Packets dropped while capturing, at least."""
        return max(self.known_dropped, self.now.dropped if self.now is not None else 0)

    @property
    def filters(self) -> list[str]:
        """Expressions that packets had to pass to be captured."""
        return list(dict.fromkeys([*self.known_filters, *(self.now.filters if self.now is not None else ())]))

    @property
    def warnings(self) -> list[str]:
        """Exact sentences about what is wrong; those about one of several files name it."""
        said = [*self.said, *((self.name, each) for each in (self.now.warnings if self.now is not None else ()))]
        return [f"{name.rpartition('/')[2]}: {each}" if len(self.parts) > 1 else each for name, each in said]

    def take(self, reader: CaptureReader | TextReader, name: str) -> None:
        """Go on with another file."""
        self.now, self.name, self.format = reader, name, self.format or reader.format
        self.jit = reader.jit
        self.parts.append(Part(name, self.before + 1))

    def leave(self, frames: int, last_ns: int) -> None:
        """Keep what there is to know of the file at hand, of so many frames, and let go of it."""
        self.known_start_ns, self.known_dropped = self.start_ns, self.dropped
        self.known_links, self.known_filters = self.link_types, self.filters
        self.said += [(self.name, each) for each in self.now.warnings]
        self.before += frames
        self.last_ns = last_ns
        self.now.close()
        self.now = None


class PointStream:
    """A capture point's files, one after the other."""

    def __init__(self, *, limits: Limits | None = None, shard: Shard | None = None) -> None:
        """Begin with nothing read."""
        self.captures: list[CaptureSummary] = []
        self.refused: list[tuple[str, str]] = []
        """Files of which nothing could be read, and why."""
        self._limits = limits
        self._shard = shard
        self._at: Carried | None = None
        self._intake: Intake | None = None

    @property
    def last_ns(self) -> int:
        """Time of the last frame; below 0 while there is none."""
        return -1 if self._at is None else self._at.last_ns

    def start_ns(self, capture: int) -> int:
        """Return when the capture with this index begins."""
        return self.captures[capture].start_ns or 0

    def read(
        self, name: str, stream: Foreign, size: int, *, jit: bool | None = None, ahead: bool = True
    ) -> Iterator[tuple[int, FlowBatch]]:
        """Read a file, and yield the flows that finish, with the index of their capture.

        ``stream`` has ``readinto`` and ``close``; it is closed. ``jit`` is as of ``open_capture``. ``ahead`` reads and
        decodes in a thread of its own, where loops are compiled.
        """
        try:
            source = open_stream(name, stream, size)
            reader = open_capture(name, jit=jit, source=source)
        except CaptureError as error:
            stream.close()
            self.refused.append((name, error.reason))
            yield from self.end()
            return
        with reader:
            if self._at is not None and not goes_on(self._at.last_ns, reader.start_ns):
                yield from self.end()
            yield from self._flows_of(reader, name, ahead=ahead)

    def _flows_of(
        self, reader: CaptureReader | TextReader, name: str, *, ahead: bool
    ) -> Iterator[tuple[int, FlowBatch]]:
        if self._at is None or self._intake is None:
            self._at = Carried(len(self.captures))
            self._at.take(reader, name)
            self.captures.append(CaptureSummary([name]))
            self._intake = Intake(self.captures[-1], self._at, self._limits)
        else:
            self._at.take(reader, name)
        at, intake = self._at, self._intake
        frames, last_ns = 0, -1
        try:
            for batch in read_ahead(reader) if ahead and reader.jit else reader:
                if intake.full:
                    break
                count_through(batch, at.before)
                at.jit = reader.jit or at.jit
                frames, last_ns = frames + batch.frames, max(last_ns, batch.last_ts_ns)
                found = intake.feed(batch if self._shard is None else self._shard.of(batch))
                if found is not None:
                    yield at.index, found
        except UnsupportedLinkTypeError as error:
            self.refused.append((name, error.reason))
            if len(at.parts) == 1:  # what shows only at its end that nothing of it could be decoded is no capture
                self.captures.pop()
                self._at = self._intake = None
                return
        at.leave(frames, last_ns)
        intake.enter()
        self._settle()
        if intake.full:
            yield from self.end()

    def _settle(self) -> None:
        """Have the summary name the files."""
        if self._at is not None:
            self.captures[-1].paths = [part.path for part in self._at.parts]
            self.captures[-1].parts = list(self._at.parts)

    def end(self) -> Iterator[tuple[int, FlowBatch]]:
        """End the capture: yield the flows that are still in memory; the next file begins another one."""
        at, intake = self._at, self._intake
        if at is not None and intake is not None:
            for batch in intake.close():
                yield at.index, batch
            intake.enter()
            self._settle()
        self._at = self._intake = None

    # saved ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def save(self) -> tuple[dict[str, NDArray[Any]], Json]:
        """Return all that is known between two files: arrays, and facts for JSON."""
        facts: Json = {
            "captures": [_summary_facts(each) for each in self.captures],
            "refused": [list(each) for each in self.refused],
            "at": None,
            "tracker": None,
        }
        arrays: dict[str, NDArray[Any]] = {}
        at = self._at
        if at is not None:
            facts["at"] = {
                **{name: getattr(at, name) for name in ("index", "format", "jit", "before", "last_ns", "refused")},
                **{name: getattr(at, f"known_{name}") for name in ("start_ns", "dropped", "links", "filters")},
                "said": [list(each) for each in at.said],
                "parts": [[part.path, part.first_frame] for part in at.parts],
            }
        tracker = self._intake.tracker if self._intake is not None else None
        if tracker is not None:
            arrays, facts["tracker"] = saving.save(tracker)
        return arrays, facts

    @classmethod
    def restored(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        facts: Json,
        *,
        limits: Limits | None = None,
        shard: Shard | None = None,
    ) -> PointStream:
        """Return a stream that goes on where the one stopped of which these are.

        Raises:
            StateError: no stream can have saved them.
        """
        stream = cls(limits=limits, shard=shard)
        try:
            stream.captures = [_summary_of(each) for each in facts["captures"]]
            stream.refused = [(str(name), str(why)) for name, why in facts["refused"]]
            kept = facts["at"]
            if kept is None:
                return stream
            at = Carried(int(kept["index"]), format=str(kept["format"]), jit=bool(kept["jit"]))
            at.before, at.last_ns = int(kept["before"]), int(kept["last_ns"])
            at.known_start_ns = None if kept["start_ns"] is None else int(kept["start_ns"])
            at.known_dropped = int(kept["dropped"])
            at.known_links, at.known_filters = list(map(str, kept["links"])), list(map(str, kept["filters"]))
            at.said = [(str(name), str(each)) for name, each in kept["said"]]
            at.parts = [Part(str(path), int(first)) for path, first in kept["parts"]]
            stream._resume(at, arrays, facts["tracker"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise StateError("the saved state is damaged") from error
        return stream

    def _resume(self, at: Carried, arrays: Mapping[str, NDArray[Any]], facts: Json) -> None:
        tracker: Tracker | None = None
        if facts is not None:
            jit = bool(facts["jit"]) and ready()
            tracker = saving.restore(arrays, facts, jit=jit, limits=self._limits)
        at.jit = at.jit and tracker is not None and tracker.jit
        self._at = at
        summary = self.captures[at.index]
        summary.parts = list(at.parts)
        self._intake = Intake(summary, at, self._limits, tracker=tracker)


def dtypes() -> dict[str, Foreign]:
    """Return the types of the arrays that ``save`` returns, by name; all others are int64."""
    kinds: dict[str, Foreign] = dict(saving.POOLS)
    kinds |= {name: dtype for name, (dtype, _) in saving.SCATTERED.items()}
    kinds |= dict(zip(saving.BESIDE, (dtype for dtype, _ in beside.TABLES), strict=True))
    return kinds | {"packed": "u1", "clocks": CLOCK, "notes": NOTE, "others": WITNESS}


def _summary_facts(summary: CaptureSummary) -> Json:
    return {
        **{name: getattr(summary, name) for name in LINES},
        **{name: list(getattr(summary, name)) for name in ("paths", "link_types", "warnings", "filters")},
        "skipped": dict(summary.skipped),
        "holes": [
            [hole.from_ns, hole.to_ns, hole.from_frame, hole.to_frame, hole.why, hole.packets, hole.to_end]
            for hole in summary.holes
        ],
    }


def _summary_of(facts: Json) -> CaptureSummary:
    summary = CaptureSummary([str(path) for path in facts["paths"]])
    for name in LINES:
        setattr(summary, name, facts[name])
    for name in ("link_types", "warnings", "filters"):
        setattr(summary, name, [str(each) for each in facts[name]])
    summary.skipped = {str(name): int(count) for name, count in facts["skipped"].items()}
    summary.holes = [Hole(*each) for each in facts["holes"]]
    return summary
