"""``analyze(path)``: captures into an ``Analysis``, by the one way from files to finished flows.

It must not know what a flow shows: ``Analysis`` takes what finishes.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.analysis import Analysis
from analyzer.capture.ahead import nothing, read_ahead
from analyzer.capture.reader import refuse_text
from analyzer.capture.rotation import in_folders, series_of, streams
from analyzer.errors import AnalyzerError, UnsupportedLinkTypeError
from analyzer.intake import Intake
from analyzer.loops.choice import rehearse_with
from analyzer.survey import limits
from analyzer.survey.overview import CaptureSummary
from analyzer.survey.selection import Selection, checked_hosts, checked_ports
from analyzer.track.tracker import Tracker
from analyzer.units import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from analyzer.analysis import Time
    from analyzer.capture.rotation import Part, RotatedReader
    from analyzer.segment import SegmentBatch
    from analyzer.track.batch import FlowBatch
    from analyzer.wireshark.display_filter import Matching

FINISHED: Final = 4
"""Batches of finished flows that may wait: each takes some megabytes, and with one alone the tracker waits for us."""
QUIET: Final = 16
"""After so many batches that finish no flow, whoever shows progress is told, where tracking has its own thread."""


class Apart(NamedTuple):
    """That flows are tracked in a thread of its own, and what to do until the first of them come."""

    meanwhile: Callable[[], object] = nothing


def analyze(  # noqa: PLR0913 - each is an option of the command, too
    *paths: str | Path | Iterable[str | Path],
    host: str | Iterable[str] | None = None,
    port: int | Iterable[int] | None = None,
    display_filter: str = "",
    reader: str = "auto",
    keep_all: bool = True,
    one_stream: bool = True,
    jit: bool | None = None,
    time: Time = "relative",
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> Analysis:
    """Read captures and return what they show.

    ``paths`` are files, folders, lists of these, or ``-`` for a pcap stream on stdin. Rotated files of one capture
    point are read as one stream (see ``capture.rotation``) unless ``one_stream`` is False; every other path is a
    capture point of its own.

    Only flows are returned of which one end is a ``host`` (an address or network, or one of several) and one has a
    ``port`` (or one of several), and which have a frame that matches Wireshark's ``display_filter`` (needs tshark).

    ``time`` is how stories, plots and DataFrames say instants: "relative", as seconds from the capture's first frame,
    or as dates in "utc" or in the "local" time zone.

    Raises:
        CaptureError: a path of which nothing could be read.
        ValueError: no path, a host or port that can be none, or no such ``time``.
        WiresharkError: tshark is not there, or does not understand the filter.
    """
    named = [str(each) for path in paths for each in ([path] if isinstance(path, str | Path) else path)]
    if not named or "" in named:
        raise ValueError("no capture to analyze: a path is empty" if named else "no capture to analyze: name a path")
    if display_filter:
        from analyzer.wireshark.display_filter import check_filter

        check_filter(display_filter)
    select = Selection(checked_hosts(host), checked_ports(port), display_filter=display_filter)
    result = Analysis(keep_all=keep_all, select=select, clock=Clock(time))
    files = in_folders(named)
    for series in series_of(files) if one_stream else [[path] for path in files]:
        read_into(result, series, reader=reader, jit=jit, progress=progress)
    result.compare_heartbeats()
    return result


def read_into(
    result: Analysis,
    series: list[str],
    *,
    reader: str = "auto",
    jit: bool | None = None,
    refused: Callable[[AnalyzerError], None] | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
    meanwhile: Callable[[], object] = nothing,
) -> None:
    """Read a series of rotated files into an analysis; the arguments are those of ``read_flows``.

    ``meanwhile`` is called while other threads read the first packets, if the capture is worth any.
    """
    apart = Apart(meanwhile)
    flows = read_flows(series, result, reader=reader, jit=jit, refused=refused, progress=progress, apart=apart)
    for capture, batch in flows:
        result.add(capture, batch)
        del batch
    result.settle()


def read_flows(
    series: list[str],
    result: Analysis,
    *,
    reader: str = "auto",
    jit: bool | None = None,
    refused: Callable[[AnalyzerError], None] | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
    see: Callable[[SegmentBatch], None] | None = None,
    apart: Apart | None = None,
) -> Generator[tuple[int, FlowBatch | None], None, None]:
    """Read a series of rotated files, enter their summaries in ``result``, and yield flows as they finish.

    A file that does not go on where the one before ended is a capture of its own. ``see`` gets every batch of segments
    before the flows that it finishes. If a display filter selects, only flows that contain a frame matching it are
    yielded. ``apart`` has flows tracked in a thread of its own; whoever makes much of flows as they finish, in Python,
    would only wait for it, and it for them.

    Raises:
        AnalyzerError: a file cannot be read; if there is ``refused``, it is told that, and the others are read.
    """
    for source in streams(series, reader=reader, jit=jit):
        try:
            if isinstance(source, AnalyzerError):
                raise source
            yield from _flows_of(source, result, progress=progress, see=see, apart=apart)
        except AnalyzerError as error:
            if refused is None:
                raise
            # what shows only at its end that nothing of it could be decoded (pcapng) is no capture
            if result.captures and result.captures[-1].refused:
                result.captures.pop()
            refused(error)


def _flows_of(
    source: RotatedReader,
    result: Analysis,
    *,
    progress: Callable[[RotatedReader, int], None] | None,
    see: Callable[[SegmentBatch], None] | None,
    apart: Apart | None,
) -> Generator[tuple[int, FlowBatch | None], None, None]:
    summary = CaptureSummary([source.path])
    index = len(result.captures)
    with source:
        if result.select.display_filter:
            refuse_text(source.path, "a display filter (-Y)")
        result.captures.append(summary)
        summary.parts = source.parts
        intake = Intake(summary, source, result.limits)
        matching = _matcher(result.select.display_filter, source.parts)
        seers = [*([see] if see is not None else []), *([matching.see] if matching is not None else [])]
        several = (source.jit or source.size is None) and (os.cpu_count() or 1) > 1
        try:
            # on two processors reading and decoding take turns with tracking, and tracking with what takes the flows
            for flows in (
                read_ahead(_tracked(source, intake, ahead=several, rest=QUIET), FINISHED, meanwhile=apart.meanwhile)
                # who sees batches is to see those before the flows that they finish, and no later one
                if apart and several and not seers and _is_long(source)
                else _tracked(source, intake, seers, ahead=several)
            ):
                yield index, _matching(matching, flows, result)
                del flows  # of few flows anything is kept: the memory of the others is needed while more come
                if progress is not None:
                    progress(source, summary.frames)
        except UnsupportedLinkTypeError:
            summary.refused = len(source.parts) == 1
            raise
        finally:
            intake.enter()  # what was read before it ended in an error counts too
        summary.paths = [part.path for part in source.parts]


def _is_long(source: RotatedReader) -> bool:
    """Whether a capture is worth a thread for tracking; a pipe, whose flows somebody may wait for, has none."""
    return source.jit and source.size is not None


def _tracked(
    source: RotatedReader,
    intake: Intake,
    seers: Sequence[Callable[[SegmentBatch], None]] = (),
    *,
    ahead: bool,
    rest: int = 1,
) -> Generator[FlowBatch | None, None, None]:
    """Yield the flows of a capture as they finish, and None every ``rest`` batches that finish none.

    Whoever goes through this, in whichever thread, has the intake and its tables until it ends; what is yielded is
    copied out of them, and belongs to who takes it.
    """
    quiet = 0
    for batch in read_ahead(source) if ahead else source:
        if intake.full:
            break
        for see in seers:
            see(batch)
        flows = intake.feed(batch)
        quiet = 0 if flows is not None else quiet + 1
        if not quiet % rest:
            yield flows
        del batch, flows
    yield from intake.close()


def _matcher(display_filter: str, parts: list[Part]) -> Matching | None:
    """Return what selects flows by a display filter, if there is one."""
    if not display_filter:
        return None
    from analyzer.wireshark.display_filter import Matching

    return Matching(display_filter, parts)


def _matching(matching: Matching | None, batch: FlowBatch | None, result: Analysis) -> FlowBatch | None:
    """Return the flows that a display filter selects, and count the others as left out."""
    if matching is None or batch is None:
        return batch
    picked = matching.of(batch)
    result.highest = max(result.highest, int(batch.flow["number"].max(initial=-1)))
    result.left_out += len(batch) - len(picked)
    return picked


# a rehearsal ───────────────────────────────────────────────────────────────────────────────────────────────────────

SYN: Final = bytes.fromhex(
    "0000000000000000000000000800"  # Ethernet
    "450000280000400040060000"
    "7f000001"
    "7f000001"  # IPv4, with a header checksum of 0
    "0fa1"
    "0fa2"
    "00000000"
    "00000000"
    "5002"
    "2000"
    "00000000"  # TCP
)
"""An Ethernet frame with a SYN, to run loops on."""
ARP: Final = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000017f0000010000000000007f000002")
"""One with a question of ARP."""


def small_pcap() -> bytes:
    """Return a pcap file with these two."""
    frames = [struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in (SYN, ARP)]
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(frames)


def rehearse_pcap() -> None:
    """Call, compiled, all loops that reading a pcap file takes."""
    _rehearse(small_pcap())
    tracker = Tracker(jit=True, seed=0)
    tracker.rehearse()
    limits.rehearse(tracker.snapshot())


def rehearse_pcapng() -> None:
    """Call, compiled, the loops that reading a pcapng file takes."""
    packet = struct.pack("<5I", 0, 0, 0, len(SYN), len(SYN)) + SYN + bytes(-len(SYN) % 4)
    section, interface = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), struct.pack("<HHI", 1, 0, 65535)
    blocks = ((0x0A0D0D0A, section), (1, interface), (6, packet))
    framed = [(struct.pack("<I", kind), struct.pack("<I", 12 + len(body)), body) for kind, body in blocks]
    _rehearse(b"".join(kind + length + body + length for kind, length, body in framed))


def _rehearse(octets: bytes) -> None:
    """Read a capture out of a pipe: there may be no room for a file."""
    there, here = os.pipe()
    try:
        os.write(here, octets)
        os.close(here)
        analyze(f"/dev/fd/{there}", jit=True)
    finally:
        os.close(there)


rehearse_with(rehearse_pcap, rehearse_pcapng)
