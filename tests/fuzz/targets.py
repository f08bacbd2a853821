"""What is fuzzed, and what must hold. A target takes a random generator and returns how many executions it did.

``decode``   one frame through the decoder, compiled between guard pages and plain on exactly its octets: equal
``framing``  one file through the loop that finds its frames, pcap or pcapng, likewise
``tracker``  one sequence of segments through tracker, labels and verdicts, plain and compiled: equal, and the
             invariants of a bystander's bookkeeping
``whole``    one file through everything to the JSON report: an error that says something, or a report; or one
             sequence of segments among others of a capture, written from columns as from objects
``share``    one file through the scrubber, plain and compiled: equal, no more octets than may be, and readable
``text``     one pasted text likewise; what is said of it commands no terminal

Nothing else is counted: a frame that ``framing`` finds is no execution of ``decode``. A new format joins TARGETS.
"""

import functools
import gzip
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import zstandard

from analyzer.analyzing import analyze
from analyzer.capture.formats import open_framing
from analyzer.capture.frame import FRAME, NOTES
from analyzer.capture.headers import decode, segment
from analyzer.capture.pcapng import PcapngFraming
from analyzer.errors import AnalyzerError, CaptureError
from analyzer.judge import recording, verdict
from analyzer.judge.facts import Facts
from analyzer.label.rules import Kind
from analyzer.loops import pool
from analyzer.report import bulk
from analyzer.report import octets as octets_module
from analyzer.report.export import write_json, write_json_of
from analyzer.report.objects import summary_object
from analyzer.segment import SEGMENT, SegmentBatch
from analyzer.track import tracker as tracker_module
from analyzer.track.tracker import Tracker
from tests.capture import craft
from tests.capture.scrub.scrubbing import packets_of, scrub_file
from tests.fuzz import guard, mutate, seeds, wire
from tests.fuzz.guard import PAGE, GuardedNumpy, GuardedPages
from tests.traffic import at_random

MEMORY = Path("/dev/shm")

SEQUENCES = 32
"""So many segment sequences are in one capture, where what a start costs is paid once for all."""
CAPTURES, FILES = 4, 8
"""Of a batch of the whole path."""
OUTCOMES = 3
ARRAYS = GuardedNumpy()


@functools.cache
def pages():
    """Return the guarded memory of this process."""
    return GuardedPages()


class FoundError(AssertionError):
    """Something does not hold; the message has the input."""


def decode_frames(rng):
    """Decode a page of memory each: thousands of changed frames."""
    guarded = pages()
    count = guarded.count
    octets, kinds = zip(*seeds.frames(), strict=True)
    rows, lengths, which = mutate.many(octets, count, rng)
    at_end = bool(rng.integers(2))
    frames = np.zeros(count, dtype=FRAME)
    if at_end:
        guarded.pages[:, -mutate.WIDTH :] = mutate.right_aligned(rows, lengths)
        frames["at"] = guarded.starts + PAGE - lengths
    else:
        guarded.pages[:, : mutate.WIDTH] = rows
        frames["at"] = guarded.starts
    frames["captured"] = lengths
    frames["original"] = lengths + np.where(rng.random(count) < 0.5, 0, rng.integers(0, 3000, count))
    strange = rng.random(count) < 0.05
    frames["link_type"] = np.where(strange, rng.choice(sorted(set(kinds)), count), np.array(kinds)[which])
    frames["ts_ns"] = np.arange(count)
    frames, table = guard.guarded(frames), ARRAYS.empty(count, SEGMENT)
    deferred, skipped = ARRAYS.zeros(count, np.int64), ARRAYS.zeros(OUTCOMES, np.int64)
    made, put_off, _ = decode.compiled(guarded.octets, frames, count, 1, table, deferred, skipped, 0)
    compare_decoded(rows, frames, table[:made], deferred[:put_off], skipped)
    return count


def compare_decoded(rows, frames, table, deferred, skipped):
    """Hold what compiled code made of frames against the plain twin, which sees each frame alone."""
    plain, later, missed = segment.bare, [], [0] * OUTCOMES
    expected = iter(table.tolist())
    columns = SEGMENT.names
    for at, (length, original, link_type) in enumerate(frames[["captured", "original", "link_type"]].tolist()):
        octets = rows[at, :length].tobytes()
        row = {}
        outcome = plain({"octet": octets}, 0, length, original, link_type, row)
        if outcome in (0, 5):
            row |= {"ts_ns": at, "frame": at + 1, "interface": 0}
            made = next(expected, None)
            if made != tuple(row[name] for name in columns):
                raise FoundError(f"link type {link_type}, {octets.hex()}: plain {row}, compiled {made}")
        if outcome == 4:
            later.append(at)
        elif outcome:
            missed[(3 if outcome == 5 else outcome) - 1] += 1
    if (later, missed) != (deferred.tolist(), skipped.tolist()) or next(expected, None) is not None:
        raise FoundError(f"counts: plain {missed} and {later}, compiled {skipped} and {deferred}")


# ── finding frames ───────────────────────────────────────────────────────────────────────────────────────────────────


class HeldWindow:
    """What a Window is to framing, over octets that lie where the test put them."""

    def __init__(self, octets, view, start, length):
        """Hold ``length`` octets from ``start`` on, of which all were read; ``octets`` as the loops take them."""
        self.start, self.end, self.base = start, start + length, -start
        self.view, self.damage, self.ended = view, "", True
        self._octets = octets

    @property
    def position(self):
        """Where framing is in the stream."""
        return self.base + self.start

    @property
    def rest(self):
        """How many octets lie before framing."""
        return self.end - self.start

    def octets(self, *, jit):
        """Return the octets as loops take them; a sentence about damage is made by plain ones in either mode."""
        return self._octets if jit else {"octet": self.view}

    def head(self, count):
        """Return the next octets."""
        return bytes(self.view[self.start : min(self.end, self.start + count)])

    def more(self):
        """Say that there is no more."""
        return False


def frames_of(window, rng_room, *, jit):
    """Find the frames in a window; return all that framing tells."""
    try:
        framing = open_framing("fuzzed", window)
    except CaptureError as error:
        return str(error)
    found, first = [], -window.base
    notes = ARRAYS.zeros(1, NOTES)[0] if jit else dict.fromkeys(NOTES.names, 0)
    if jit and isinstance(framing, PcapngFraming):
        framing._change_mode(jit=True)
        framing._named = guard.guarded(framing._named)
    for room in rng_room:
        index = ARRAYS.zeros(room, FRAME) if jit else [{} for _ in range(room)]
        if jit and isinstance(framing, PcapngFraming):
            framing._interfaces = guard.guarded(framing._interfaces)
        count = framing.index(window, index, 0, room, notes, jit=jit)
        if not count:
            break
        made = index[:count].tolist() if jit else [tuple(each[name] for name in FRAME.names) for each in index[:count]]
        found += [(at - first, *rest) for at, *rest in made]
    for at, captured, *_ in found:
        if not 0 <= at <= at + captured <= window.end - first:
            raise FoundError(f"a frame outside the file: {at} + {captured}")
    told = framing.damage or (framing.cut(window) if window.rest and len(found) < sum(rng_room) else "")
    return found, told, framing.link_types, notes.tolist() if jit else tuple(notes.values()), window.position


def find_frames(rng):
    """Find the frames of a few hundred changed files."""
    guarded = pages()
    count = 256
    view = memoryview(guarded.octets["octet"])
    for _ in range(count):
        files = (seeds.pcap_files(), seeds.pcapng_files())[int(rng.integers(2))]
        octets = mutate.one(files[int(rng.integers(len(files)))], rng, PAGE)
        rooms = [int(room) for room in rng.integers(1, 5, 6)]
        start = guarded.put(int(rng.integers(guarded.count)), octets, at_end=True)
        compiled = frames_of(HeldWindow(guarded.octets, view, start, len(octets)), rooms, jit=True)
        plain = frames_of(HeldWindow({"octet": octets}, memoryview(octets), 0, len(octets)), rooms, jit=False)
        if plain != compiled:
            raise FoundError(f"{octets.hex()}: plain {plain}, compiled {compiled}")
    return count


# ── segments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def disturbed(rows, rng):
    """Return a segment sequence with some rows repeated, dropped, swapped, and fields moved to where limits are."""
    rows = rows[np.sort(rng.integers(0, len(rows), len(rows)))] if rng.random() < 0.2 else rows.copy()
    for _ in range(int(rng.integers(0, 6))):
        at, other = (int(place) for place in rng.integers(0, len(rows), 2))
        kind = int(rng.integers(7))
        near = int(rng.choice([-(1 << 31), -65536, -2, -1, 1, 2, 65535, 1 << 31]))
        if kind == 0:
            rows[at]["seq"] = (int(rows[at]["seq"]) + near) % (1 << 32)
        elif kind == 1:
            rows[at]["ack"] = (int(rows[at]["ack"]) + near) % (1 << 32)
        elif kind == 2:
            rows[at]["ts_ns"] = int(rng.choice([0, 1, (1 << 62) - 1, 1 << 62, int(rows[other]["ts_ns"])]))
        elif kind == 3:
            rows[at]["payload_len"] = int(rng.choice([0, 1, 2, 65535, 0x7FFFFFFF]))
        elif kind == 4:
            rows[at]["flags"] = int(rng.integers(256))
        elif kind == 5:
            rows[[at, other]] = rows[[other, at]]
        else:
            rows[at]["tsval"] = int(rng.choice([-1, 0, 1, 0x7FFFFFFF, 0xFFFFFFFF]))
    rows["frame"] = 1 + np.arange(len(rows))
    return rows


def judged(runs):
    """Return of each run all flows as records and endings, held to what is true of any bookkeeping.

    A run is what came out of a tracker: batches, and how many segments and copies it saw. The records of all are made
    together: what numpy costs is paid once.
    """
    pieces = [(batch, np.arange(len(batch))) for batches, _, _ in runs for batch in batches]
    records = iter(recording.records(Facts(*pieces)) if pieces else ())
    return [_judged(records, *each) for each in runs]


def _judged(records, batches, segments, copies):
    """Return the flows of one run, of which these are the next records."""
    found = []
    for batch in batches:
        endings = verdict.endings(batch, np.arange(len(batch)), verdict.decide(batch))
        for index, ending in enumerate(endings):
            record = next(records)
            found.append((record, ending))
            seen = batch.rows(index)
            if (np.diff(seen["frame"]) < 0).any() or not ((seen["kind"] >= 0) & (seen["kind"] < len(Kind))).all():
                raise FoundError(f"rows of flow {record.number}: {seen[['frame', 'kind']].tolist()}")
            frames = [probe.frame for probe in record.probes]
            if frames != sorted(set(frames)) or not all(record.first_frame <= f <= record.last_frame for f in frames):
                raise FoundError(f"probes of flow {record.number} in frames {frames}")
            if ending.frame is not None and not record.first_frame <= ending.frame:
                raise FoundError(f"flow {record.number} ended by frame {ending.frame}, before it began")
    found.sort(key=lambda each: each[0].number)
    if [record.number for record, _ in found] != list(range(len(found))):
        raise FoundError(f"flows {[record.number for record, _ in found]}")
    if not 0 <= copies <= segments:
        raise FoundError(f"{copies} copies of {segments} segments")
    return found


def tracked(batches, *, jit, seed):
    """Let batches pass a tracker of its own; return what came out of it, to be judged.

    Compiled, all tables and columns lie between guard pages, and have no more room than they must.
    """
    if jit:
        batches = [replace(batch, rows=guard.guarded(batch.rows)) for batch in batches]
        with guard.everywhere(tracker_module, pool, MOVES_PAGES=False, FEWEST=1, CHUNK=16):
            return _tracked(batches, jit=True, seed=seed)
    return _tracked(batches, jit=False, seed=seed)


def _tracked(batches, *, jit, seed):
    tracker = Tracker(jit=jit, seed=seed)
    done = [each for batch in batches if (each := tracker.feed(batch)) is not None]
    segments, copies = tracker.segments, tracker.copies
    done += tracker.close()
    return done, segments, copies


def track_segments(rng):
    """Track some segment sequences: plain, and compiled in other batches with another hash."""
    count = 64
    taken, runs = [], []
    for _ in range(count):
        rows = at_random(int(rng.integers(1 << 62)), int(rng.integers(1, 40)))
        if len(rows):
            rows = disturbed(rows, rng)
        cut = int(rng.integers(0, len(rows) + 1))
        parts = [SegmentBatch(part, len(part)) for part in (rows[:cut], rows[cut:])]
        taken.append((rows, cut))
        runs.append(tracked([SegmentBatch(rows, len(rows))], jit=False, seed=1))
        runs.append(tracked(parts, jit=True, seed=int(rng.integers(1 << 60))))
    found = judged(runs)
    for (rows, cut), plain, compiled in zip(taken, found[::2], found[1::2], strict=True):
        if plain != compiled:
            raise FoundError(f"cut at {cut}: {rows.tobytes().hex()}: plain {plain}, compiled {compiled}")
    return count


# ── the whole path ───────────────────────────────────────────────────────────────────────────────────────────────────


def any_file(rng):
    """Return a capture: segment sequences on the wire or a bundled capture, changed or not, compressed or not."""
    if rng.random() < 0.7:
        rows = at_random(int(rng.integers(1 << 62)), int(rng.integers(1, 16)))
        kept = wire.frames(disturbed(rows, rng) if len(rows) else rows)
        octets = (craft.pcap if rng.random() < 0.5 else craft.pcapng)(kept)
    else:
        files = seeds.captures() + seeds.pcap_files() + seeds.pcapng_files()
        octets = files[int(rng.integers(len(files)))]
    if rng.random() < 0.6:
        octets = mutate.one(octets, rng, 1 << 14)
    if rng.random() < 0.2:
        octets = gzip.compress(octets, 1) if rng.random() < 0.5 else zstandard.compress(octets)
        octets = mutate.one(octets, rng, 1 << 14) if rng.random() < 0.7 else octets
    return octets


def sequences(rng):
    """Return a capture of SEQUENCES segment sequences on the wire, each between addresses of its own.

    One in ten shares addresses with others. In most captures they are interleaved by time, which nothing disturbs; in
    the others time leaps. Octets of frames are changed, but none of the container: every sequence is read to its end.
    """
    kept, in_order = [], rng.random() < 0.7
    for at in range(SEQUENCES):
        rows = at_random(int(rng.integers(1 << 62)), int(rng.integers(1, 16)))
        if not len(rows):
            continue
        when = rows["ts_ns"].copy()
        rows = disturbed(rows, rng)
        if in_order:
            rows["ts_ns"] = when
        apart = at << 8 if rng.random() < 0.9 else 0
        rows["src_lo"] += apart
        rows["dst_lo"] += apart
        frames = wire.frames(rows)
        for _ in range(int(rng.integers(0, 3))):
            which = int(rng.integers(len(frames)))
            octets = mutate.one(frames[which].octets, rng)
            frames[which] = craft.Kept(octets, frames[which].ts_ns, max(frames[which].original, len(octets)))
        kept += frames
    order = np.argsort([frame.ts_ns for frame in kept] if in_order else rng.random(len(kept)), kind="stable")
    octets = (craft.pcap if rng.random() < 0.5 else craft.pcapng)([kept[at] for at in order.tolist()])
    return zstandard.compress(octets) if rng.random() < 0.1 else octets


def reported(path, *, jit, told=0):
    """Return the JSON report of a capture and the stories of one flow in ``told``; or the sentence that says why not.

    Compiled, the flows are written from columns, between guard pages; plain, from objects.
    """
    try:
        result = analyze(path, jit=jit)
        parts = []
        if jit:
            with guard.everywhere(octets_module, bulk, LARGE=0):
                write_from_columns(result, parts.append)
        else:
            write_json(result.captures, result.flows, result.totals, parts.append, several=False)
        stories = [str(flow.explain()) for flow in result.flows[::told]] if told else []
    except AnalyzerError as error:
        return str(error), []
    return "".join(parts), stories


def write_from_columns(result, write):
    """Write the JSON report as ``keepalive report --json`` does."""
    writer = bulk.JsonWriter(result.captures, several=False)
    texts = (writer.page(flows, order)() for flows, order in result.together())
    write_json_of(result.captures, texts, lambda: summary_object(result.totals, writer.found), write)


def whole_path(rng):
    """Read and judge some files, and some captures of many sequences: each sequence there is an execution too.

    One capture in four and one file in eight are done compiled too; stories are told of every fourth flow of a capture
    and of one file in four, and a few of these are compared.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "fuzzed"
        for at in range(FILES):
            holds_whole(path, any_file(rng), told=int(at % 4 == 0), compared=at % 8 == 0)
        for at in range(CAPTURES):
            holds_whole(path, sequences(rng), told=4, compared=at == 0)
    return FILES + CAPTURES * SEQUENCES


def holds_whole(path, octets, *, told, compared):
    """Read and judge a file, plain, and compiled too if that is to be ``compared``."""
    path.write_bytes(octets)
    try:
        report, stories = reported(path, jit=False, told=told)
        compiled = reported(path, jit=True, told=4 * told) if compared else (report, stories[::4])
    except Exception as error:
        raise FoundError(f"{type(error).__name__}: {error} from {octets.hex()}") from error
    if (report, stories[::4]) != compiled or not report:
        raise FoundError(f"plain and compiled differ for {octets.hex()}")
    if report.startswith("{"):
        json.loads(report, parse_constant=refuse_constant)


def any_text(rng):
    """Return a pasted text: lines of several left out, repeated, cut, broken or mixed, octets changed."""
    texts = seeds.texts()
    lines = [line for _ in range(int(rng.integers(1, 3))) for line in texts[int(rng.integers(len(texts)))].split(b"\n")]
    for _ in range(int(rng.integers(0, 8))):
        at, cut = int(rng.integers(len(lines))), int(rng.integers(0, 120))
        kind, line = int(rng.integers(5)), lines[at]
        lines[at : at + 1] = (
            [],
            [line, line],
            [line[:cut]],
            [line[:cut], line[cut:]],
            [line, lines[int(rng.integers(len(lines)))]],
        )[kind]
        lines = lines or [b""]
    octets = b"\n".join(lines)
    return mutate.one(octets, rng, 1 << 14) if rng.random() < 0.6 else octets


def read_texts(rng):
    """Read and judge some texts."""
    count = 16
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "fuzzed"
        for at in range(count):
            octets = any_text(rng)
            path.write_bytes(octets)
            try:
                report, _ = reported(path, jit=False, told=int(at % 4 == 0))
            except Exception as error:
                raise FoundError(f"{type(error).__name__}: {error} from {octets.hex()}") from error
            if report.startswith("{"):
                warnings = json.loads(report, parse_constant=refuse_constant)["captures"][0]["warnings"]
                if not all(warning.isprintable() for warning in warnings):
                    raise FoundError(f"{warnings} from {octets.hex()}")
            elif not report.isprintable():
                raise FoundError(f"{report!r} from {octets.hex()}")
    return count


def scrub_files(rng):
    """Scrub some files, and hold plain loops against compiled ones."""
    count = 32
    for _ in range(count):
        octets = any_file(rng)
        if octets[:2] in (b"\x1f\x8b", b"\x28\xb5"):
            continue
        at = int(rng.integers(len(octets) + 1))
        marked = octets[:at] + bytes(18) + octets[at + 18 :] if rng.random() < 0.5 else octets
        copies = []
        for jit in (False, True):
            try:
                copies.append(scrub_file(marked, jit=jit))
            except CaptureError as error:
                copies.append(str(error))
        if copies[0] != copies[1]:
            raise FoundError(f"plain and compiled differ for {marked.hex()}")
        if isinstance(copies[0], tuple):
            for _, packet, original, _ in packets_of(copies[0][0]):
                if len(packet) > original:
                    raise FoundError(f"a packet is longer than it was, from {marked.hex()}")
    return count


def refuse_constant(name):
    """Refuse what JSON has no word for."""
    raise FoundError(f"{name} in the report")


TARGETS = {
    "decode": decode_frames,
    "framing": find_frames,
    "tracker": track_segments,
    "whole": whole_path,
    "share": scrub_files,
    "text": read_texts,
}
