"""What a logger or a search puts before every line: ``journald``, ``docker logs``, ``kubectl logs``, ``grep -n``.

A prefix is found by what stands before the first packets, its digits left open (they count, or tell a time). It is
looked for only where no line begins with a packet, so that nothing that can be read without it is read otherwise.

This module must not know what a packet says.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer.capture.text import packet_list, tcpdump
from analyzer.capture.text.times import TIME

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 160
"""Characters of a prefix."""
READ: Final = 1024
"""Characters of a line in which a packet is looked for."""
LOOKED_AT: Final = 256
"""Lines with a prefix that are looked at."""
BEGINS: Final = re.compile(r"(?<![\w.])(?=\d)")
"""Where a packet's time, or its number in a list, may begin."""


def prefix_of(lines: Iterable[str]) -> re.Pattern[str] | None:
    """Return what stands before most packets, with a blank behind it; None if no line has a packet within."""
    found: Counter[str] = Counter()
    for line in lines:
        at = _packet_in(line)
        if at:
            found[re.sub(r"\d+", r"\\d+", re.sub(r"(?:\\ )+", " +", re.escape(line[:at].rstrip())))] += 1
            if found.total() >= LOOKED_AT:
                break
    return re.compile(found.most_common(1)[0][0] + " ?") if found else None


def _packet_in(line: str) -> int:
    """Return where in a line a packet begins; 0 for nowhere."""
    line = line[:READ]
    for begin in BEGINS.finditer(line, 1, LONGEST):
        at = begin.start()
        stamp = TIME.match(line, at)
        if stamp is not None and tcpdump.STARTS.match(line[stamp.end() :].lstrip()):
            return at
        if packet_list.LINE.fullmatch(line, at):
            return at
    return 0
