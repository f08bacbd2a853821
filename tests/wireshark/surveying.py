"""Comparisons of captures that are written by hand or drawn, each made once."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from analyzer.comparing import compare
from analyzer.segment import NOTE_UNNUMBERED
from tests.notation import SCENARIOS, load, parse
from tests.traffic import at_random
from tests.wireshark.rendering import pcap

CAPTURES = Path(__file__).parents[2] / "captures"
SEEDS = 400
SPREAD = 12
"""Bits by which the addresses of two drawn captures differ at least."""


def compared(rows, **options):
    """Compare rows as a capture."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pcap"
        path.write_bytes(pcap(rows))
        return compare(path, **options)


def written(text):
    """Compare a capture in the notation of the scenarios, which has no expectations."""
    return compared(parse(f"# Written by hand.\n{text}").rows)


def together(parts):
    """Compare several captures as one, each between addresses of its own."""
    for at, rows in enumerate(parts):
        for end in ("src_lo", "dst_lo"):
            rows[end] += at << SPREAD
    return compared(np.concatenate(parts))


@cache
def scenarios():
    """The comparison of all scenarios as one capture, but for those of a text that did not print a number."""
    every = [load(path).rows for path in sorted(SCENARIOS.glob("*.pkt"))]
    return together([rows for rows in every if not (rows["note"] == NOTE_UNNUMBERED).any()])


@cache
def drawn():
    """The comparison of much random traffic."""
    return together([at_random(seed) for seed in range(SEEDS)])


@cache
def bundled():
    """The comparison of every capture of the project, by name."""
    paths = [path for folder in (CAPTURES, CAPTURES / "lab") for path in folder.iterdir() if ".pcap" in path.suffix]
    return {path.name: once(path) for path in sorted(paths)}


@cache
def known():
    """Comparisons by what captures contain."""
    return {}


def once(path, **options):
    """Compare a capture, or return what came of the same one under another name."""
    octets = path.suffix, path.read_bytes()
    if octets not in known():
        known()[octets] = compare(path, **options)
    return known()[octets]
