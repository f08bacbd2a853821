"""What a frame holds beside the columns of its SEGMENT row: a digest of the data, the MSS, which options are there.

Only who compares captures asks for it (``open_capture(..., contents=True)``), so that nobody else's packets pay. Where
the TCP header stands in its frame is found by its first twelve octets, which the row has: whatever link layer or tunnel
stands before it, and whoever decoded it.

This module must not know flows, or what is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.capture.frame import octet, word16, word32
from analyzer.loops.loop import loop
from analyzer.segment import ABSENT, NOTE_TCP, SYN

if TYPE_CHECKING:
    from analyzer.untyped import Octets, Rows

CONTENT: Final = np.dtype(
    [
        ("options", np.int64),  # bit KIND for each option that is there, kinds above 61 together as bit 62
        ("digest", np.uint32),  # of the captured octets of data; 0 if there are none
        ("head", np.uint32),  # the same of the first HEAD of them
        ("captured", np.int32),  # how many octets of data the capture has, at most DIGESTED
        ("mss", np.int32),  # of a SYN, ABSENT without the option
    ],
    align=True,
)
"""One for each row of a batch."""

HEAD: Final = 16
DIGESTED: Final = 256
"""Of longer data only so many octets are looked at: who alters data, alters headers of protocols, or all of it."""
FARTHEST: Final = 512
"""So far into a frame a TCP header is looked for."""
PRIME: Final = 0x01000193
"""FNV-1a's, of 32 bits: no product overflows, which compiled loops may take for granted."""
BASIS: Final = 0x811C9DC5
WORD: Final = 0xFFFFFFFF


@loop
def look_inside(data: Octets, frames: Rows, number: int, rows: Rows, count: int, contents: Rows) -> None:
    """Write a CONTENT record for each of ``count`` SEGMENT rows of these frames; ``number`` is that of the first."""
    usual = 34  # where the header stood last: nearly always it is there again
    for i in range(count):
        row = rows[i]
        content = contents[i]
        content["digest"] = 0
        content["head"] = 0
        content["captured"] = 0
        content["mss"] = ABSENT
        content["options"] = 0
        if row["note"] != NOTE_TCP or (row["payload_len"] == 0 and row["header_len"] == 20):
            continue
        frame = frames[row["frame"] - number]
        start = frame["at"]
        end = start + frame["captured"]
        last = min(end - 20, start + FARTHEST)
        at = start + usual
        if (
            at > last
            or word16(data, at) != row["src_port"]
            or word16(data, at + 2) != row["dst_port"]
            or word32(data, at + 4) != row["seq"]
            or word32(data, at + 8) != row["ack"]
        ):
            at = start
        while at <= last:
            if (
                word16(data, at) == row["src_port"]
                and word16(data, at + 2) == row["dst_port"]
                and word32(data, at + 4) == row["seq"]
                and word32(data, at + 8) == row["ack"]
            ):
                break
            at += 1
        if at > last:
            continue
        usual = at - start
        behind = at + row["header_len"]
        if row["header_len"] > 20:
            look_at_options(data, at + 20, min(behind, end), row["flags"] & SYN, content)
        captured = min(end - behind, row["payload_len"], DIGESTED)
        if captured <= 0:
            continue
        digest = BASIS
        whole = captured // 4 * 4
        for place in range(0, whole, 4):
            if place == HEAD:
                content["head"] = digest
            digest = ((digest ^ word32(data, behind + place)) * PRIME) & WORD
        for place in range(whole, captured):
            if place == HEAD:
                content["head"] = digest
            digest = ((digest ^ octet(data, behind + place)) * PRIME) & WORD
        if captured <= HEAD:
            content["head"] = digest
        content["digest"] = digest
        content["captured"] = captured


@loop
def look_at_options(data: Octets, at: int, end: int, syn: int, content: Rows) -> None:
    """Note which TCP options stand between ``at`` and ``end``, and the MSS of a SYN."""
    while at < end:
        kind = octet(data, at)
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if at + 2 > end:
            return
        length = octet(data, at + 1)
        if length < 2 or at + length > end:
            return
        content["options"] = content["options"] | (1 << min(kind, 62))
        if kind == 2 and length == 4 and syn != 0:
            content["mss"] = word16(data, at + 2)
        at += length
