"""Many flows at once, by columns: what a capture adds up to, and which flows come first.

A capture of a million flows is ranked here without a single flow being judged; only those that somebody
will look at are.

It must not hold a word for the user, or look at a SEEN row.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from analyzer.findings.notable import has_verdict, is_notable, probe_sum
from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.loops.loop import pick
from analyzer.survey.lookalikes import lookalikes
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.track.awake import Hole
    from analyzer.track.batch import FlowBatch

FEW: Final = 3
"""This many files of a stream are named one by one."""

LINE: Final = np.dtype(
    [
        ("capture", np.int32),
        ("batch", np.int32),  # where the flow lies in its Analysis
        ("row", np.int32),
        ("winner", np.int8),  # row of VERDICTS
        ("rank", np.int8),  # index in RANKS
        ("notable", np.int8),  # 1 if it has something to say
        ("flows", np.int32),  # how many it stands for: more than 1 where lines were folded
        ("number", np.int64),
        ("first_frame", np.int64),
        ("service_hi", np.int64),
        ("service_lo", np.int64),
        ("service_port", np.int32),
        ("other_port", np.int32),
        ("other_hi", np.int64),
        ("other_lo", np.int64),
        ("guessed", np.int8),  # 1 if no SYN says which end is the service
        ("probes", np.int32),
        ("answered", np.int32),
        ("after_fin", np.int32),
        ("zero_window", np.int32),
    ],
    align=True,
)
"""A flow in a list of flows, or several of one service that are alike."""


RANKS: Final = (
    "held_in_close_wait",
    "silent",
    "timed_out",
    "reset_on_probe",
    "half_closed",
    "undetermined",
    "open_unanswered",
    "aborted_after_probes",
    "probed_after_fin",
    "open_probing",
    "window_probed",
    "closed_after_probes",
    "aborted",
    "unestablished",
    "open",
    "closed",
)
"""What a reader should see first: an end kept in CLOSE-WAIT by keepalive, then the other flows that did not end well,
then those that may still go wrong, last the uneventful."""


class Part(Protocol):
    """One file of a stream."""

    @property
    def path(self) -> str:
        """Its name."""
        ...

    @property
    def first_frame(self) -> int:
        """Its first frame, as the stream counts."""
        ...


@dataclass(slots=True)
class CaptureSummary:
    """What was read of one capture point: one file, or several rotated ones as one stream."""

    paths: list[str]
    format: str = ""
    link_types: list[str] = field(default_factory=list)
    start_ns: int | None = None
    end_ns: int | None = None
    frames: int = 0
    tcp_segments: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    """Where the capture was not awake, in order; each is a warning too."""
    dropped: int = 0
    """Packets that were dropped while capturing, as far as is known; a warning says so too."""
    filters: list[str] = field(default_factory=list)
    """Expressions that packets had to pass to be captured, as far as is known."""
    stopped_after: int | None = None
    """The last frame that was read, if reading stopped because more flows lived than may be kept."""
    parts: Sequence[Part] = ()
    """The files, and which frame of the stream is the first of each."""
    refused: bool = False
    """Whether there were frames and none could be decoded."""

    @property
    def name(self) -> str:
        """What to call it: the path, or the first and last of several."""
        if len(self.paths) > FEW:
            return f"{self.paths[0]} to {self.paths[-1]} ({len(self.paths)} files as one stream)"
        return " ".join("standard input" if path == "-" else path for path in self.paths)

    @property
    def duration_ns(self) -> int:
        """From the first frame to the last."""
        return 0 if self.start_ns is None or self.end_ns is None else max(self.end_ns - self.start_ns, 0)


@dataclass(slots=True)
class Totals:
    """Sums over all flows, whether kept or not."""

    flows: int = 0
    flows_with_probes: int = 0
    probes: int = 0
    probes_answered: int = 0
    """By an ACK or data; a RST is no answer here."""
    probes_after_fin: int = 0
    zero_window_probes: int = 0
    close_wait: int = 0
    """Flows in which one end sent FIN and the other never did, when the capture ended (its end is in CLOSE-WAIT)."""
    verdicts: dict[str, int] = field(default_factory=dict)
    not_probes: dict[str, int] = field(default_factory=dict)
    """Segments in the form of a probe that are judged otherwise: how many are what."""

    def copy(self) -> Totals:
        """Return the same sums, to be added to apart from these."""
        return replace(self, verdicts=dict(self.verdicts), not_probes=dict(self.not_probes))

    def merge(self, other: Totals) -> None:
        """Add the sums of another capture."""
        for name in ("flows", "flows_with_probes", "probes", "probes_answered", "probes_after_fin"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.zero_window_probes += other.zero_window_probes
        self.close_wait += other.close_wait
        for sums, more in ((self.verdicts, other.verdicts), (self.not_probes, other.not_probes)):
            for word, count in more.items():
                sums[word] = sums.get(word, 0) + count

    def add(self, batch: FlowBatch, winners: NDArray[np.int8]) -> None:
        """Add finished flows, by columns."""
        probes = probe_sum(batch, "probes")
        self.flows += len(batch)
        self.flows_with_probes += int((probes > 0).sum())
        self.probes += int(probes.sum())
        self.probes_answered += int(probe_sum(batch, "answered").sum())
        self.probes_after_fin += int(probe_sum(batch, "after_fin").sum())
        self.zero_window_probes += int(probe_sum(batch, "zero_window").sum())
        for index, count in enumerate(np.bincount(winners, minlength=len(VERDICTS))):
            if count:
                word = VERDICTS[index].verdict.value
                self.verdicts[word] = self.verdicts.get(word, 0) + int(count)
        self.close_wait += int(has_verdict(winners, Verdict.HALF_CLOSED).sum())
        for word, count in lookalikes(batch).items():
            self.not_probes[word] = self.not_probes.get(word, 0) + count


def lines_of(
    capture: int, at: int, batch: FlowBatch, winners: NDArray[np.int8], notable: NDArray[np.bool_] | None = None
) -> NDArray[np.void]:
    """Return a LINE for each flow of the batch that is number ``at`` of its analysis.

    ``notable`` says which have something to say, if that is known.
    """
    lines = np.zeros(len(batch), dtype=LINE)
    lines["capture"], lines["batch"] = capture, at
    lines["row"], lines["flows"] = np.arange(len(batch)), 1
    lines["winner"], lines["number"] = winners, batch.flow["number"]
    lines["first_frame"] = batch.flow["first_frame"]
    for name in ("probes", "answered", "after_fin", "zero_window"):
        lines[name] = probe_sum(batch, name)
    lines["rank"] = _rank(batch, winners)
    lines["notable"] = is_notable(batch, winners) if notable is None else notable
    is_b = responder_is_b(batch)
    for part in ("hi", "lo", "port"):
        lines[f"service_{part}"] = np.where(is_b, batch.flow[f"b_{part}"], batch.flow[f"a_{part}"])
        lines[f"other_{part}"] = np.where(is_b, batch.flow[f"a_{part}"], batch.flow[f"b_{part}"])
    lines["guessed"] = (batch.a["syn_frame"] == 0) & (batch.b["syn_frame"] == 0)
    return lines


def responder_is_b(batch: FlowBatch) -> NDArray[np.bool_]:
    """Say in which flows b was connected to: it answered a's SYN, or (no SYN seen) has the lower port."""
    opened_a = (batch.a["syn_frame"] > 0) & (batch.a["syn_had_ack"] == 0)
    opened_b = (batch.b["syn_frame"] > 0) & (batch.b["syn_had_ack"] == 0)
    accepted_a = (batch.a["syn_frame"] > 0) & (batch.a["syn_had_ack"] == 1)
    accepted_b = (batch.b["syn_frame"] > 0) & (batch.b["syn_had_ack"] == 1)
    b_first = opened_b & (~opened_a | (batch.b["syn_frame"] < batch.a["syn_frame"]))
    lower = batch.flow["b_port"] <= batch.flow["a_port"]
    decided = [opened_a & ~b_first, b_first, accepted_b, accepted_a]
    return np.asarray(np.select(decided, [True, False, True, False], default=lower))


def ranked(lines: NDArray[np.void]) -> NDArray[np.void]:
    """Return the lines with the most important first; among equals in the order of the captures.

    Those of which only the line is left come behind their equals.
    """
    in_rank: NDArray[np.void] = pick(
        lines, np.lexsort((lines["number"], lines["capture"], lines["batch"] < 0, lines["rank"]))
    )
    return in_rank


def first_of_each(lines: NDArray[np.void], room: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of the first lines of each rank, at most ``room[rank]`` of it, in order."""
    order = np.argsort(lines["rank"], kind="stable")
    ranks = lines["rank"][order]
    within = np.arange(len(lines)) - np.searchsorted(ranks, ranks)
    return np.sort(order[within < room[ranks]])


def in_order(lines: NDArray[np.void]) -> NDArray[np.void]:
    """Return the lines in the order of each flow's first segment, capture by capture."""
    return lines[np.lexsort((lines["number"], lines["capture"]))]


def one_of_each(lines: NDArray[np.void]) -> NDArray[np.void]:
    """Return the first of the ranked lines of each rank."""
    return lines[np.unique(lines["rank"], return_index=True)[1]]


def mixed(lines: NDArray[np.void], most: int) -> NDArray[np.int64]:
    """Return the indices of at most so many ranked lines, as evenly of each rank as there are."""
    within = np.arange(len(lines)) - np.searchsorted(lines["rank"], lines["rank"])
    return np.sort(np.argsort(within, kind="stable")[:most])


def _rank(batch: FlowBatch, winners: NDArray[np.int8]) -> NDArray[np.int8]:
    probes = probe_sum(batch, "probes") > 0
    held = probe_sum(batch, "after_peer_fin") > 0
    rank = {word: index for index, word in enumerate(RANKS)}
    half = has_verdict(winners, Verdict.HALF_CLOSED)
    aborted = has_verdict(winners, Verdict.ABORTED)
    closed = has_verdict(winners, Verdict.CLOSED)
    opened = has_verdict(winners, Verdict.OPEN, Verdict.CLOSING)
    rows = (
        (half & held, "held_in_close_wait"),
        (has_verdict(winners, Verdict.SILENT), "silent"),
        (has_verdict(winners, Verdict.TIMED_OUT), "timed_out"),
        (has_verdict(winners, Verdict.RESET_ON_PROBE), "reset_on_probe"),
        (half, "half_closed"),
        (has_verdict(winners, Verdict.UNDETERMINED), "undetermined"),
        (opened & (probe_sum(batch, "trailing") > 0), "open_unanswered"),
        (aborted & probes, "aborted_after_probes"),
        (closed & (probe_sum(batch, "after_fin") > 0), "probed_after_fin"),
        (opened & probes, "open_probing"),
        (probe_sum(batch, "zero_window") + probe_sum(batch, "undecided") > 0, "window_probed"),
        (closed & probes, "closed_after_probes"),
        (aborted, "aborted"),
        (has_verdict(winners, Verdict.UNESTABLISHED), "unestablished"),
        (opened, "open"),
    )
    return np.select([mask for mask, _ in rows], [rank[word] for _, word in rows], default=rank["closed"]).astype(
        np.int8
    )
