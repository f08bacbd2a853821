"""``share(path, out)``: a copy of a capture that can be given away, and that still tells the same story.

The copy has other addresses, by key, and nothing that is not understood (``capture.scrub``). Before it gets its name it
is read, and what it shows of every flow is compared with what the capture shows: all that a story is made of, but for
addresses; of the most important flows the words as well. A copy that differs is not kept.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import numpy as np

from analyzer import explain
from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.capture.reader import refuse_text
from analyzer.capture.scrub.copy import Scrubbed, Wishes, copy_scrubbed
from analyzer.capture.scrub.pseudonyms import KEY_OCTETS, Pseudonyms
from analyzer.capture.source import open_source
from analyzer.errors import CaptureError
from analyzer.judge.events import REDIRECT_KINDS
from analyzer.output import whole
from analyzer.segment import ABSENT, NOTE_ICMP_ERROR
from analyzer.units import NS_PER_S
from analyzer.values import dataclass
from analyzer.words.teller import count

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from analyzer.capture.rotation import RotatedReader
    from analyzer.output import NamedFile
    from analyzer.segment import SegmentBatch
    from analyzer.track.batch import FlowBatch

STDOUT: Final = "-"
STORIES: Final = 20
"""This many stories are compared word by word."""
SHIFT_MOST_S: Final = 10 * 365 * 86_400
"""Times are moved back by less than this."""

HIDDEN: Final = {
    "flow": frozenset({
        "a_hi", "a_lo", "alive", "b_hi", "b_lo", "tag", "a_port", "b_port", "hash", "interface", "first_seen",
        "last_seen", "former", "twin_hi", "twin_lo", "twin_port", "twin_at", "stray_hi", "stray_lo",
        "other_hash", "other_tag", "stray_port", "stray_at", "reset_way",
    }),
    "a": frozenset({"mac", "data_octet", "steady", "sign0", "sign1", "sign2", "sign3"}),
    "ending": frozenset({"reset_mac"}),
    "seen": frozenset({"flow", "next", "src_mac", "own_mac", "first_octet", "data_octet", "ttl_low", "ttl_high",
                       "host"}),
}  # fmt: skip
"""Columns that a copy changes, that say where records lie or which flow left when, or what was remembered of a host: of
many hosts not all is, and of which depends on addresses. What follows from these columns is compared."""
INSTANTS: Final = "_ns"
"""Ends the names of columns of instants, which a shift moves, and of spans of time, which it does not."""
SPANS: Final = frozenset(
    {"silence_ns", "gap_ns", "idle_ns", "window_wait_ns", "gap_least_ns", "trial_ns", "survived_ns", "shut_ns"}
)
MULTIPLIERS: Final = np.array([[0xBF58476D1CE4E5B9], [0x94D049BB133111EB]], dtype=np.uint64)
AT_END: Final = 1 << 62
ADDRESSES: Final = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?<=::))(?!\w|:[0-9a-f:])"  # a colon may follow, in a sentence
)


@dataclass(slots=True)
class Told:
    """What a capture shows of all its flows, as sums that do not depend on their order."""

    flows: int = 0
    probes: int = 0
    dropped: int = 0
    start_ns: int = 0
    sums: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(2, dtype=np.uint64))
    stories: dict[int, str] = field(default_factory=dict)
    """The most important flows' by number."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What was written."""

    scrubbed: Scrubbed
    told: Told
    warnings: list[str]


def share(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    key: bytes | None = None,
    wishes: Wishes | None = None,
    shift: bool = False,
    force: bool = False,
    jit: bool | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> Shared:
    """Write a pcapng copy of a capture that can be given away.

    ``key`` has 32 bytes; with the same one the same addresses get the same pseudonyms, and times the same ``shift``,
    so that several files stay joinable; without it one is drawn and forgotten. The copy appears when it is complete
    and was found to tell the same story. ``out`` may be ``-`` for standard output.

    Raises:
        FileExistsError: there is an ``out``, and ``force`` was not given.
        CaptureError: nothing could be read of the capture, it is text, or its copy would tell another story.
    """
    source_path, out_path = os.fspath(path), os.fspath(out)
    if not force and out_path != STDOUT and Path(out_path).is_file():
        raise FileExistsError(out_path)
    refuse_text(source_path, "share")
    pseudonyms = Pseudonyms(key or os.urandom(KEY_OCTETS))
    asked = wishes or Wishes()
    losses: list[tuple[int, ...]] = []
    warnings: list[str] = []
    before = _told(source_path, losses=losses, warnings=warnings, jit=jit, progress=progress)
    if shift:
        shift_ns = pseudonyms.seconds(SHIFT_MOST_S) * NS_PER_S
        # times that count from the start of a test would lie before 1970, where no pcapng can have them
        asked = replace(asked, shift_ns=-shift_ns if before.start_ns >= shift_ns else shift_ns)
    source = open_source(source_path)
    try:
        with _spooled(out_path, replace=force) as (file, spool):
            looks = _looks(losses, before.dropped)
            scrubbed = copy_scrubbed(
                source, file.write, pseudonyms, asked, looks=looks, untimed_ns=before.start_ns, jit=jit
            )
            file.flush()
            after = _told(spool, losses=[], warnings=[], jit=jit, shift_ns=asked.shift_ns, progress=progress)
            same_words = not (asked.hide_ports or asked.shift_ns)
            if difference := _difference(before, after, stories=same_words):
                raise CaptureError(source_path, f"{difference}; no copy was kept")
    finally:
        source.close()
    return Shared(scrubbed, before, warnings)


def _told(
    path: str,
    *,
    losses: list[tuple[int, ...]],
    warnings: list[str],
    shift_ns: int = 0,
    jit: bool | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> Told:
    """Read a capture, and return what it tells; ``losses`` gets the stretches in which packets were dropped."""
    told = Told()
    result = Analysis(keep_all=False, most=STORIES)

    def see(batch: SegmentBatch) -> None:
        losses.extend(batch.losses.tolist())

    for capture, flows in read_flows([path], result, jit=jit, progress=progress, see=see):
        if flows is not None:
            _add(told, flows, shift_ns)
            result.add(capture, flows)
    result.settle()
    summary = result.captures[0]
    warnings += summary.warnings
    told.flows, told.probes = result.totals.flows, result.totals.probes
    told.dropped, told.start_ns = summary.dropped, summary.start_ns or 0
    for flow in result.flows:
        story = explain.story(flow.judged, result.start_ns())
        lines = [
            f"{section.heading}: {line.text} {line.frames}" for section in story.sections for line in section.lines
        ]
        told.stories[flow.judged.record.number] = ADDRESSES.sub("@", "\n".join([story.headline, *lines]))
    return told


def _looks(losses: list[tuple[int, ...]], dropped: int) -> list[tuple[int, int, int]]:
    """Return the looks at drop counters that show these stretches, and at the end what was dropped at no known time.

    Each stretch has a counter of its own: (behind which frame, which counter, what it said).
    """
    looks = []
    for counter, (_, _, from_frame, to_frame, packets, to_end) in enumerate(losses, start=1):
        looks += [(from_frame, counter, 0), (AT_END if to_end else to_frame - 1, counter, packets)]
    undated = dropped - sum(loss[4] for loss in losses)
    return sorted(looks) + ([(AT_END, 0, undated)] if undated > 0 else [])


def _add(told: Told, batch: FlowBatch, shift_ns: int) -> None:
    """Add what a batch of flows shows to the sums."""
    lanes = _mixed(batch.flow["number"].astype(np.uint64))
    for name in ("flow", "a", "b", "run_a", "run_b", "ending"):
        lanes = _together(lanes, getattr(batch, name), HIDDEN.get("a" if name == "b" else name, frozenset()), shift_ns)
    rows = _mixed((np.arange(len(batch.seen)) - np.repeat(batch.start[:-1], np.diff(batch.start))).astype(np.uint64))
    seen = batch.seen.copy()
    for half in ("sack_left", "sack_right"):  # of an ICMP error they are its sender's address
        seen[half][seen["note"] == NOTE_ICMP_ERROR] = ABSENT
    names_router = np.isin(seen["icmp"] >> 8, REDIRECT_KINDS) & (seen["tsecr"] != ABSENT)
    seen["tsecr"][names_router & (seen["note"] == NOTE_ICMP_ERROR)] = 0
    rows = _together(rows, seen, HIDDEN["seen"], shift_ns)
    before = np.concatenate([np.zeros((2, 1), dtype=np.uint64), np.cumsum(rows, axis=1, dtype=np.uint64)], axis=1)
    lanes = _mixed(lanes ^ (before[:, batch.start[1:]] - before[:, batch.start[:-1]]))
    told.sums += lanes.sum(axis=1, dtype=np.uint64)


def _together(
    lanes: NDArray[np.uint64], table: NDArray[np.void], hidden: frozenset[str], shift_ns: int
) -> NDArray[np.uint64]:
    """Mix the columns of a table into the lanes of its rows."""
    for name in table.dtype.names or ():
        if name in hidden:
            continue
        column = table[name].astype(np.int64)
        if shift_ns and name.endswith(INSTANTS) and name not in SPANS:
            column = np.where(column > 0, column - shift_ns, column)
        lanes = _mixed(lanes ^ column.view(np.uint64))
    return lanes


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return two lanes of mixed values (the steps of SplitMix64); of two lanes each is mixed in itself."""
    lanes = np.broadcast_to(values, (2, values.shape[-1]))
    mixed = (lanes ^ (lanes >> np.uint64(29))) * MULTIPLIERS
    return mixed ^ (mixed >> np.uint64(32))


def _difference(before: Told, after: Told, *, stories: bool) -> str:
    """Return how what is told differs, to fit after the name of the capture; empty if it does not."""
    if (before.flows, before.probes) != (after.flows, after.probes):
        counts = [f"{count(told.flows, 'flow')} and {count(told.probes, 'probe')}" for told in (before, after)]
        return f"shows {counts[0]}, its copy {counts[1]}"
    # of flows that are as important as others those stay that came first, which depends on how bytes come
    both = before.stories.keys() & after.stories.keys()
    others = sorted(number for number in both if before.stories[number] != after.stories[number])
    if stories and others:
        return f"tells another story of flow {others[0]} than its copy"
    if (before.sums != after.sums).any():
        return "does not show the same of all flows as its copy"
    return ""


@contextlib.contextmanager
def _spooled(out: str, *, replace: bool) -> Iterator[tuple[BinaryIO, str]]:
    """Give a file to write to, and where it can be read before it has its name, or before it is passed on."""
    if out != STDOUT and (not Path(out).exists() or Path(out).is_file()):
        with whole(out, replace=replace) as file:
            yield file, str(cast("NamedFile", cast("io.BufferedWriter", file).raw).part)
        return
    with tempfile.NamedTemporaryFile(prefix="keepalive-") as spool:
        yield cast("BinaryIO", spool), spool.name
        spool.seek(0)
        if out == STDOUT:
            shutil.copyfileobj(spool, sys.stdout.buffer)
            sys.stdout.buffer.flush()  # what did not leave was not written
        else:
            with whole(out, replace=replace) as target:
                shutil.copyfileobj(spool, target)
