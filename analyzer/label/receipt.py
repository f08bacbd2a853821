"""What shows that an endpoint's data is no answer to a probe: a timer sent it again, or the prober never received it.

Whoever gets a probe answers it at once with an empty ACK. Data behind a probe stands for that answer only where nothing
says that it was sent for its own reason, and to nobody's notice.

It must not decide what answers what: that is ``answers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import NOTE_UNNUMBERED
from analyzer.tolerances import ANSWER_DATA_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

LOOKED_AT: Final = 256
"""Rows behind a segment in which it is looked for whether the other end received it."""


@loop
def lies_before(seq: int, payload_len: int, snd_nxt: int) -> bool:
    """Say whether all octets of data had been sent before: they end at or below SND.NXT, both unwrapped."""
    return payload_len > 0 and seq + payload_len <= snd_nxt


@loop
def is_sent_again(row: Record) -> bool:
    """Say whether a segment carries nothing but data that was sent before: a timer sent it (RFC 6298 5.4)."""
    if row["note"] == NOTE_UNNUMBERED or row["seq"] < 0:
        return False
    return lies_before(row["seq"], row["payload_len"], row["snd_nxt"])


@loop
def is_missed(rows: Rows, stop: int, j: int) -> bool:
    """Say whether the other end had not received the data of row ``j``, by what it acknowledges when that was due.

    What it sends within two seconds may have been on its way already. Among the next LOOKED_AT rows that shows, or not
    at all: of many segments that are alike each would else look through all that come behind.
    """
    row = rows[j]
    if row["note"] == NOTE_UNNUMBERED or row["seq"] < 0:
        return False
    for k in range(j + 1, min(stop, j + 1 + LOOKED_AT)):
        later = rows[k]
        if later["side"] == row["side"] or later["ack"] < 0 or later["is_copy"] != 0:
            continue
        if later["ack"] > row["seq"]:
            return False
        if later["ts_ns"] - row["ts_ns"] >= ANSWER_DATA_NS:
            return True
    return False


@loop
def heard_all(row: Record) -> bool:
    """Say whether the sender of a segment had received all that the other end is known to have sent by then."""
    return bool(row["ack"] < 0 or row["ack"] >= row["peer_nxt"])
