"""What may stand beside a checkout and is no part of it: the lab in full, and the corpus of public captures.

Tests that read these say so by going through here, and are skipped with a reason where they are not. The same rules are
tested on the bundled captures in any case.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
LAB = SHARED / "lab"
CORPUS = SHARED / "corpus" / "files"
PAGE = ROOT / "docs" / "corpus.md"


def known_sums():
    """The sums of the public captures that docs/corpus.md names."""
    return set(re.findall(r"`([0-9a-f]{64})`", PAGE.read_text(encoding="utf-8")))


@cache
def lab():
    """The lab's captures beside the checkout, none if it is not there."""
    return sorted(LAB.glob("*.pcap*"))


@cache
def corpus():
    """The public captures beside the checkout that are those of docs/corpus.md, none if there are none."""
    known = known_sums()
    return [path for path in sorted(CORPUS.glob("*cap*")) if hashlib.sha256(path.read_bytes()).hexdigest() in known]


def distinct(paths):
    """The captures less those that have the octets of an earlier one under the same ending, which tell nothing new."""
    found = {}
    for path in paths:
        found.setdefault((path.suffix, hashlib.sha256(path.read_bytes()).digest()), path)
    return list(found.values())


def or_skip(paths, what):
    """The captures, or the test is skipped."""
    if not paths:
        pytest.skip(f"{what} is not beside this checkout")
    return paths
