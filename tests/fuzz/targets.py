"""What is fuzzed, and what must hold. A target takes a random generator and returns how many executions it did.

``decode``   one frame through the decoder, compiled between guard pages and plain on exactly its octets: equal
``framing``  one file through the loop that finds its frames, pcap or pcapng, likewise
``tracker``  one sequence of segments through tracker, labels and verdicts, plain and compiled: equal, and the
             invariants of a bystander's bookkeeping
``whole``    one file through everything to the JSON report: an error that says something, or a report

Nothing else is counted: a frame that ``framing`` finds is no execution of ``decode``. A new format joins TARGETS.
"""

import functools

import numpy as np

from analyzer.capture.frame import FRAME, NOTES
from analyzer.capture.headers import decode, segment
from analyzer.segment import SEGMENT
from tests.fuzz import mutate, seeds
from tests.fuzz.guard import PAGE, GuardedPages

OUTCOMES = 3


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
    table = np.full(count * SEGMENT.itemsize, 0x55, dtype=np.uint8).view(SEGMENT)
    deferred, skipped = np.zeros(count, dtype=np.int64), np.zeros(OUTCOMES, dtype=np.int64)
    made, put_off = decode.compiled(guarded.octets, frames, 0, count, 1, table, deferred, skipped)
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


def zeroed_notes():
    """Return empty NOTES, plain and compiled."""
    return dict.fromkeys(NOTES.names, 0), np.zeros(1, dtype=NOTES)[0]


TARGETS = {"decode": decode_frames}
