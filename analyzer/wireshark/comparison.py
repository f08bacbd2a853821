"""Holds Wireshark's labels against our words, flow by flow as these finish, and names every difference.

Batches are seen before they are tracked, so that frames which only Wireshark remarks on find their flow; finished flows
are compared at once, and nothing of them is kept but the differences.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.judge import recording
from analyzer.judge.probe import Probe
from analyzer.judge.record import other
from analyzer.label.rules import Kind
from analyzer.loops.loop import thaw
from analyzer.segment import RST, address_halves, address_text
from analyzer.survey.membership import Membership, endpoints
from analyzer.survey.selection import Selection
from analyzer.track.flow import SIDES, Endpoint
from analyzer.values import dataclass
from analyzer.wireshark.classes import Right, classify, evidence
from analyzer.wireshark.compared_frame import NUMBERS, ComparedFrame, Seen, Word, agree
from analyzer.wireshark.frame_labels import FAMILY, Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.judge.probe import ZeroWindowProbe
    from analyzer.judge.record import FlowRecord, Row
    from analyzer.segment import SegmentBatch
    from analyzer.track.batch import FlowBatch
    from analyzer.track.flow import Side
    from analyzer.untyped import Record
    from analyzer.wireshark.classes import Class
    from analyzer.wireshark.compared_frame import Fact
    from analyzer.wireshark.frame_labels import Labels

NAMED: Final = tuple(
    map(
        int,
        (
            Kind.DUPLICATE_COPY,
            Kind.STALE_ACK,
            Kind.ZERO_WINDOW_PROBE,
            Kind.AT_ZERO_WINDOW,
            Kind.NOT_IDLE,
            Kind.KEEPALIVE_PROBE,
            Kind.KEEPALIVE_OCTET,
            Kind.OCTET_RETRANSMISSION,
            Kind.RETRANSMISSION,
        ),
    )
)
"""Kinds of rows for which there is a word; an answer has one through its probe."""


EVEN_SHARE: Final = 0.9
EVEN_WITHIN: Final = 0.2
EVEN_MOST: Final = 3
EVEN_LEAST: Final = 50
"""A clock is none if of so many segments this share comes at the median spacing, give or take that part of it, and
none later than so many times that.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A frame of which Wireshark and we say different things."""

    frame: int
    flow: int | None
    ours: str | None
    wireshark: str | None
    row: Class | None
    why: str

    @property
    def right(self) -> Right:
        """Who is right."""
        return self.row.right if self.row else Right.UNDECIDED


class Comparison:
    """One capture, by Wireshark and by us."""

    def __init__(self, labels: Labels, select: Selection | None = None) -> None:
        """Begin with Wireshark's labels, about the flows that are asked for."""
        self.labels = labels
        self._select = select or Selection()
        self.differences: list[Difference] = []
        """By frame, once ``finish`` was called."""
        self.beside: Counter[tuple[str | None, str | None]] = Counter()
        """How many frames had which of our words and which of Wireshark's labels, where either is about keepalive."""
        self._membership = Membership(np.zeros(0, dtype=np.int64))
        self._frame = 0
        self._even: bool | None = None
        self._open: list[ComparedFrame] = []
        self._claimed: list[NDArray[np.int64]] = []
        self._endpoints: list[NDArray[np.uint64]] = []
        self._tags: list[NDArray[np.int64]] = []

    def see(self, batch: SegmentBatch) -> None:
        """Take a batch of segments, before it is tracked; wait for Wireshark, if it is behind.

        Raises:
            WiresharkError: tshark is too old, or could not read the file.
        """
        before, self._frame = self._frame, self._frame + batch.frames
        self.labels.wait(self._frame)
        self._membership.also(self.labels.among(FAMILY, before, self._frame))
        self._membership.see(batch)
        if self._even is None and len(batch.rows):
            self._even = is_even(batch.rows["ts_ns"])

    def add(self, batch: FlowBatch | None, start_ns: int = 0) -> None:
        """Compare flows that finished, of a capture that starts then."""
        if batch is None or not len(batch):
            return
        segments, owner = self._membership.claim(batch)
        self._claimed.append(segments["frame"].copy())
        self._endpoints.append(endpoints(batch.flow, "a", "b"))
        self._tags.append(batch.flow["tag"].copy())
        named = np.flatnonzero(np.isin(batch.seen["kind"], NAMED))
        holders = np.searchsorted(batch.start, named, side="right") - 1
        wanted = self._select.mask(batch, start_ns)
        for index in np.union1d(holders, owner).tolist():
            if wanted[index]:
                self._compare(batch, index, segments[owner == index])

    def finish(self) -> list[Difference]:
        """Return the differences by frame, once all flows were added.

        Raises:
            WiresharkError: tshark could not read the file.
        """
        self.labels.wait()
        everywhere, tags = _joined(self._endpoints), _joined(self._tags)
        for case in self._open:
            self._note(replace(case, twin=len(set(tags[everywhere == _endpoints_of(case)].tolist())) > 1))
        self._open.clear()
        unknown = np.setdiff1d(self.labels.among(FAMILY), _joined(self._claimed))
        for frame in () if self._select else unknown.tolist():
            this = Seen(frame, "a", None, self.labels.of(frame))
            self.beside[None, this.labels.text] += 1
            self._note(ComparedFrame(this, None))
        self.differences.sort(key=lambda difference: difference.frame)
        return self.differences

    def classes(self) -> list[tuple[Class, list[Difference]]]:
        """Return the classes that occur, each with its differences, the largest first."""
        found: dict[Class, list[Difference]] = {}
        for each in self.differences:
            if each.row:
                found.setdefault(each.row, []).append(each)
        return sorted(found.items(), key=lambda item: -len(item[1]))

    @property
    def unclassified(self) -> int:
        """How many differences are of no class."""
        return sum(each.row is None for each in self.differences)

    def _compare(self, batch: FlowBatch, index: int, segments: NDArray[np.void]) -> None:
        """Compare one flow; ``segments`` are its frames that Wireshark says are about keepalive."""
        this = recording.build(batch, index)
        rows = {row["frame"]: row for row in thaw(batch.rows(index), jit=False)}
        frames = Frames(this, rows, segments, self.labels)
        for seen in frames:
            self.beside[seen.word, seen.labels.text] += 1
            if agree(seen.word, seen.labels):
                continue
            iss = int((batch.a if seen.sender == "a" else batch.b)[index]["iss"])
            case = ComparedFrame(
                seen,
                this,
                probe=frames.answered(seen),
                marked=frames.marked.get(other(seen.sender)),
                answer=frames.answer.get(seen.sender),
                iss=iss & NUMBERS if iss >= 0 else None,
                even_clock=bool(self._even),
            )
            if classify(case) is not classify(replace(case, twin=True)):
                self._open.append(case)  # until all flows are known
            else:
                self._note(case)

    def _note(self, case: ComparedFrame) -> None:
        row, this = classify(case), case.this
        flow = None if case.record is None else case.record.number
        why = evidence(row, case) if row else "nobody has thought of this yet"
        self.differences.append(Difference(this.frame, flow, this.word, this.labels.text, row, why))


class Frames:
    """The frames of one flow about which either of us says something, in order; an iterable (once)."""

    def __init__(self, flow: FlowRecord, rows: dict[int, Row], segments: NDArray[np.void], labels: Labels) -> None:
        """Take our record and rows of the flow, and the rows of the frames that Wireshark remarks on."""
        self.marked: dict[Side, Seen] = {}
        """The last frame of each end before the current one that Wireshark calls a keep-alive or window probe."""
        self.answer: dict[Side, Seen] = {}
        """The last frame of each end before the current one that we call an answer."""
        self._flow = flow
        self._rows = rows
        self._segments = {int(row["frame"]): row for row in segments}
        self._labels = labels
        self._words = words_of(flow, rows)
        self._probes: dict[int, Seen] = {}

    def __iter__(self) -> Iterator[Seen]:
        """Yield each frame; afterwards it counts as one before the next."""
        for frame in sorted({*self._words, *self._segments}):
            word, fact = self._words.get(frame, (None, None))
            labels, row, segment = self._labels.of(frame), self._rows.get(frame), self._segments.get(frame)
            seen = Seen(frame, self._sender(row, segment), word, labels, row, segment, fact)
            yield seen
            if word in {Word.PROBE, Word.WINDOW_PROBE}:
                self._probes[frame] = seen
            if word in {Word.ANSWER, Word.WINDOW_ANSWER}:
                self.answer[seen.sender] = seen
            if labels & (Label.KEEP_ALIVE | Label.ZERO_WINDOW_PROBE):
                self.marked[seen.sender] = seen

    def answered(self, seen: Seen) -> Seen | None:
        """Return the probe that a frame answers by our account."""
        answers = seen.word in {Word.ANSWER, Word.WINDOW_ANSWER}
        return self._probes.get(seen.fact.frame) if answers and seen.fact else None

    def _sender(self, row: Row | None, segment: Record) -> Side:
        if row is not None:
            return SIDES[row["side"]]
        source = Endpoint(address_text(int(segment["src_hi"]), int(segment["src_lo"])), int(segment["src_port"]))
        return "b" if source == self._flow.b else "a"


def words_of(flow: FlowRecord, rows: dict[int, Row]) -> dict[int, tuple[Word, Fact]]:
    """Return our word for each frame of a flow that has one, and what the record has under it."""
    words: dict[int, tuple[Word, Fact]] = {probe.frame: (Word.PROBE, probe) for probe in flow.probes}
    words |= {probe.frame: (Word.WINDOW_PROBE, probe) for probe in flow.zero_window_probes}
    words |= {other.frame: (Word(other.is_), other) for other in flow.not_probes}
    for sent in flow.resent:
        words.setdefault(sent.frame, (Word.SENT_AGAIN, sent))
    probes: tuple[Probe | ZeroWindowProbe, ...] = (*flow.probes, *flow.zero_window_probes)
    for probe in probes:
        answer = probe.answer_frame
        if answer is not None and rows[answer]["payload_len"] == 0 and not rows[answer]["flags"] & RST:
            word = Word.ANSWER if isinstance(probe, Probe) else Word.WINDOW_ANSWER
            words.setdefault(answer, (word, probe))
    return words


def is_even(times_ns: NDArray[np.int64]) -> bool:
    """Say whether segments come as evenly as no network sends them."""
    gaps = np.diff(times_ns)
    if len(gaps) < EVEN_LEAST:
        return False
    middle = float(np.median(gaps))
    share = float(np.mean(np.abs(gaps - middle) <= middle * EVEN_WITHIN))
    return middle > 0 and share >= EVEN_SHARE and float(gaps.max()) <= middle * EVEN_MOST


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _endpoints_of(case: ComparedFrame) -> np.uint64:
    """Return the number of the flow's endpoints, as the column has it."""
    if case.record is None:
        raise AssertionError(case)
    row = np.zeros(1, dtype=[(f"{side}_{part}", np.int64) for side in SIDES for part in ("hi", "lo", "port")])
    for side in SIDES:
        end = case.record.endpoint(side)
        row[f"{side}_hi"], row[f"{side}_lo"] = address_halves(end.address)
        row[f"{side}_port"] = end.port
    return np.uint64(endpoints(row, "a", "b")[0])
