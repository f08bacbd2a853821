"""Changes to octets: of thousands of frames at once, as an array, and of one file."""

import numpy as np

WIDTH = 256
"""No frame of a batch is longer."""
TELLING = np.array([0, 1, 2, 4, 5, 6, 8, 0x0F, 0x10, 0x40, 0x45, 0x4F, 0x60, 0x7F, 0x80, 0x88, 0xFF], dtype=np.uint8)
"""Lengths, versions and protocols that decide something, and the ends of ranges."""


def many(seeds, count, rng):
    """Return ``count`` changed seeds, left-aligned rows of WIDTH octets, and their lengths and which seed each was."""
    table = np.zeros((len(seeds), WIDTH), dtype=np.uint8)
    for at, octets in enumerate(seeds):
        table[at, : min(len(octets), WIDTH)] = np.frombuffer(octets[:WIDTH], dtype=np.uint8)
    which = rng.integers(0, len(seeds), count)
    rows = table[which]
    whole = np.minimum(np.array([len(octets) for octets in seeds]), WIDTH)[which]
    everyone = np.arange(count)
    for _ in range(int(rng.integers(1, 9))):
        at = (rng.random(count) * whole).astype(np.int64)
        kind = rng.integers(0, 4, count)
        old = rows[everyone, at]
        flipped = old ^ (1 << rng.integers(0, 8, count)).astype(np.uint8)
        anything = rng.integers(0, 256, count).astype(np.uint8)
        changed = np.choose(kind, [old, flipped, anything, TELLING[rng.integers(0, len(TELLING), count)]])
        rows[everyone, at] = changed
    # two in three are cut somewhere; of the others a few go on with whatever stood there
    cut = (rng.random(count) * (whole + 1)).astype(np.int64)
    longer = np.minimum(whole + rng.integers(0, 40, count), WIDTH)
    lengths = np.where(rng.random(count) < 0.67, cut, np.where(rng.random(count) < 0.2, longer, whole))
    return rows, lengths, which


def right_aligned(rows, lengths):
    """Return the same rows with their last octet in the last column."""
    columns = np.arange(WIDTH)[None, :] - (WIDTH - lengths)[:, None]
    return np.take_along_axis(rows, np.maximum(columns, 0), axis=1)


def one(octets, rng, most=4096):
    """Return a changed file: octets and words overwritten, pieces cut out, repeated or moved, the end cut."""
    changed = bytearray(octets)
    for _ in range(int(rng.integers(1, 7))):
        if not changed:
            break
        at, kind = int(rng.integers(len(changed))), int(rng.integers(7))
        length = int(rng.integers(1, 65))
        if kind == 0:
            changed[at] = int(rng.integers(256))
        elif kind == 1:
            changed[at] = int(TELLING[rng.integers(len(TELLING))])
        elif kind == 2:  # a word, where words of containers stand
            at -= at % 4
            word = int(rng.choice([0, 1, 4, 12, 16, 20, 28, 32, 0x7FFFFFFF, 0xFFFFFFFF, 262144, 262145, len(octets)]))
            changed[at : at + 4] = word.to_bytes(4, "little" if rng.integers(2) else "big")
        elif kind == 3:
            del changed[at : at + length]
        elif kind == 4:
            changed[at:at] = changed[at : at + length]
        elif kind == 5:
            del changed[at:]
        else:
            to = int(rng.integers(len(changed)))
            changed[to : to + length] = changed[at : at + length]
    return bytes(changed[:most])
