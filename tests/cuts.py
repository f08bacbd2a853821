"""Cuts the front of captures at every frame, and drops each frame by itself: no frame becomes a probe by that.

    python tests/cuts.py [FOLDER_OR_CAPTURE ...]

Without arguments the captures are those of the project; ``make cuts`` runs it. Prints each frame that is called a probe
where less was captured, and none where all was; the exit status is 1 if there is one.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz", ".zst")


def rows_of(path):
    """Return all SEGMENT rows of a capture, less those that are no TCP or ICMP error."""
    from analyzer.capture.reader import open_capture

    with open_capture(str(path), jit=False) as capture:
        parts = [batch.rows for batch in capture]
    return np.concatenate(parts) if parts else None


def probes_in(rows, *, jit, copies=False):
    """Return the frames of these rows that are called probes, and those of their ``copies`` if asked."""
    from analyzer.label.rules import Kind
    from analyzer.segment import SegmentBatch
    from analyzer.track.tracker import Tracker

    tracker = Tracker(jit=jit)
    out = [tracker.feed(SegmentBatch(rows, len(rows))), *tracker.close()]
    seen = [batch.seen for batch in out if batch is not None and len(batch)]
    found = set()
    for part in seen:
        probes = part[np.isin(part["kind"], (Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_OCTET))]
        found |= set(probes["frame"].tolist())
        if copies:
            numbers = set(zip(probes["side"].tolist(), probes["seq"].tolist(), strict=True))
            again = part[part["kind"] == Kind.DUPLICATE_COPY]
            found |= {int(row["frame"]) for row in again if (int(row["side"]), int(row["seq"])) in numbers}
    return found


def lessened(count, every):
    """Yield what is left of ``count`` rows, with a name: every ``every``-th of all cuts, and of all drops."""
    for at in range(1, count, every):
        yield f"from row {at + 1}", slice(at, None)
    for at in range(0, count, every):
        yield f"without row {at + 1}", [row for row in range(count) if row != at]


def connections(rows):
    """Yield the rows of each connection by itself: what is done to one does nothing to another."""
    names = ("src_hi", "src_lo", "dst_hi", "dst_lo", "src_port", "dst_port", "tag")
    keys = {}
    for at, row in enumerate(rows[list(names)].tolist()):
        source, target = (row[0], row[1], row[4]), (row[2], row[3], row[5])
        keys.setdefault((min(source, target), max(source, target), row[6]), []).append(at)
    for picked in keys.values():
        yield rows[picked]


def invented(path, *, every=1, jit=False, most=4000):
    """Return what less of a capture is called that all of it is not, and how often it was lessened.

    ``every`` takes a sample; a connection of more than ``most`` rows is sampled to as many.
    """
    wrong, tried = [], 0
    rows = rows_of(path)
    for part in connections(rows) if rows is not None else ():
        whole = probes_in(part, jit=jit, copies=True)
        for name, left in lessened(len(part), max(every, len(part) // most + 1)):
            tried += 1
            more = probes_in(part[left], jit=jit) - whole
            if more:
                wrong.append(f"{Path(path).name} {name}: frames {sorted(more)}")
    return wrong, tried


def main(arguments):
    """Try all captures named, print what is invented, and return the exit status."""
    paths = []
    for name in arguments or [ROOT / "captures"]:
        path = Path(name)
        paths += sorted(each for each in path.rglob("*") if each.name.endswith(SUFFIXES)) if path.is_dir() else [path]
    wrong, tried = [], 0
    for path in paths:
        found, count = invented(path)
        wrong += found
        tried += count
        print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(paths)} captures, {tried} cuts and drops, {len(wrong)} with a frame that becomes a probe")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
