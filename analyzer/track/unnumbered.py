"""Which number a segment may have had whose number the text of tcpdump does not show.

tcpdump prints no number for a segment that carries nothing, unless asked with -vv, and what tells a keepalive probe is
its number. So it is told by what else a probe is: an ACK that says nothing its sender had not said, on a connection on
which nothing is outstanding and nothing happened for as long as no timer is short. Such a segment is given the number
that a probe would have, one below SND.NXT; every other one SND.NXT. ``label.rules`` says what it is, and what follows
it how sure that is.

It must not decide what a segment is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import ACK, FIN, RST, SYN, URG
from analyzer.tolerances import REPEAT_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record

ANY_NUMBER: Final = 1 << 62
"""Stands for the number of a probe of which nothing at all is known: any acknowledgement answers it."""


@loop
def may_probe(end: Record, peer: Record, row: Record, ack: int) -> int:
    """Say whether an unnumbered segment has all that a probe has but its number: 1 or 0."""
    if (row["flags"] & (ACK | SYN | FIN | RST | URG)) != ACK or row["payload_len"] > 0:
        return 0
    if peer["pending_seq"] >= 0:  # it answers
        return 0
    if ack < peer["snd_nxt"] or (peer["snd_una"] >= 0 and ack != peer["snd_una"]):
        return 0
    if end["snd_una"] >= 0 and end["snd_una"] < end["snd_nxt"]:
        return 0
    if updates_window(row["window"], end["window"]):
        return 0
    active_ns = max(end["active_ns"], peer["active_ns"])
    busy = active_ns >= 0 and row["ts_ns"] - active_ns < REPEAT_NS
    return 0 if busy and peer["window"] != 0 else 1


@loop
def updates_window(window: int, before: int) -> bool:
    """Say whether an empty ACK was sent for its window: a receiver says so when it doubled, or when it is shut.

    RFC 9293 3.8.6.2.2 asks for more than a small part of the buffer before it tells the sender (Linux doubles:
    tcp_cleanup_rbuf). A probe may have another window than the segment before it, but not one so different.
    """
    return before >= 0 and (window >= 2 * before + (before == 0) or 2 * window < before)
