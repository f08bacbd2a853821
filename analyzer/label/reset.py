"""Who sent a RST, in answer to what, and whether it ended the flow.

Judged from its shape (RFC 9293 3.5.2: with or without ACK, which numbers) and from what was waiting for an answer.
Whether its receiver takes it stands in ``reset_acceptance``, how it compares with its sender's own packets in
``unlike_sender``, and a prober's own in ``giving_up``.

It must not know the outcome of the flow beyond its RSTs, or any word about it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.giving_up import gave_up
from analyzer.label.outcome import ANSWER_RST, COPY, ICMP, NO_ANSWER, OCTET, PROBE, RESET
from analyzer.label.sender import forget, note_ip_id, note_other, note_probe
from analyzer.label.unlike_sender import SENDER_WENT_ON, strangeness
from analyzer.loops.loop import loop
from analyzer.segment import ACK
from analyzer.tolerances import ANSWER_RST_NS, WENT_ON_NS

if TYPE_CHECKING:
    from analyzer.untyped import Record, Rows

ENDING: Final = np.dtype(
    [
        ("reset_row", np.int32),  # the accepted RST, row of the flow; -1 none
        ("reset_side", np.int8),
        ("reset_kind", np.int8),
        ("stranger", np.int8),
        ("answers_row", np.int32),  # the probe it answers, -1 none
        ("reset_ns", np.int64),
        ("reset_frame", np.int64),
        ("reset_mac", np.int64),  # the station that it came from, -1 unknown or no RST
        ("heard_a_ns", np.int64),  # when a was last heard, with anything but a RST, before the ending or at all
        ("heard_b_ns", np.int64),
        ("ignored", np.int32),  # RSTs that did not end the flow
        ("icmp_errors", np.int32),
    ],
    align=True,
)
"""What the RSTs and ICMP errors of one flow add up to."""


class ResetKind(IntEnum):
    """What a RST says."""

    NONE = 0
    NO_SOCKET = 1
    """The address answered, but knows no such connection (RFC 9293 3.10.7.1): no ACK and window 0, or ``computed``."""
    GAVE_UP = 2
    """The prober's own, one interval after its last unanswered probe (Linux tcp_keepalive_timer)."""
    ABORT = 3
    """Any other: close with unread data, SO_LINGER 0, a closing side that gave up waiting, a crash."""
    IGNORED = 4
    """Its receiver did not take it (``reset_acceptance``)."""


NO_SOCKET: Final = int(ResetKind.NO_SOCKET)
GAVE_UP: Final = int(ResetKind.GAVE_UP)
ABORT: Final = int(ResetKind.ABORT)
IGNORED: Final = int(ResetKind.IGNORED)
"""Names for loops, which take plain ints."""
FEW: Final = 4
"""So many rows behind a RST are kept without another reason."""


@loop
def settle_resets(rows: Rows, start: int, stop: int, a: Record, b: Record, senders: Rows, ending: Record) -> None:
    """Settle the RSTs among the SEEN rows of one flow; the first that is taken is its ending.

    ``a`` and ``b`` are the flow's ENDPOINT records, ``senders`` is room for two SENDER records. Comes after
    ``reset_acceptance.receive``. Nothing that comes after the ending is told to answer anything from before it.
    """
    ending["reset_row"] = -1
    ending["answers_row"] = -1
    ending["reset_mac"] = -1
    ending["heard_a_ns"] = a["last_ns"]
    ending["heard_b_ns"] = b["last_ns"]
    forget(senders[0])
    forget(senders[1])
    quickest_a = -1
    quickest_b = -1
    for j in range(start, stop):
        row = rows[j]
        row["reset_kind"] = 0
        row["stranger"] = 0
        side = row["side"]
        kind = row["kind"]
        if kind == ICMP:
            ending["icmp_errors"] += 1
        if kind == RESET:
            own_last_ns = a["last_ns"] if side == 0 else b["last_ns"]
            quickest = quickest_a if side == 0 else quickest_b
            settle_reset(rows, start, stop, j, own_last_ns, quickest, senders, ending)
        elif kind not in (COPY, ICMP):
            note_ip_id(senders[side], row)
        if row["answers_row"] >= 0 and kind != RESET:
            took = row["ts_ns"] - rows[start + row["answers_row"]]["ts_ns"]
            if side == 0:
                quickest_a = took if quickest_a < 0 else min(took, quickest_a)
            else:
                quickest_b = took if quickest_b < 0 else min(took, quickest_b)
        if kind in (PROBE, OCTET):
            note_probe(senders[side], rows, j)
        else:
            note_other(senders[side], row)


@loop
def settle_reset(
    rows: Rows, start: int, stop: int, at: int, own_last_ns: int, quickest: int, senders: Rows, ending: Record
) -> None:
    """Judge the RST in row ``at``; ``own_last_ns`` is when its sender last sent anything but a RST.

    ``quickest`` is the shortest time after which it had answered a probe, -1 if it had not.
    """
    row = rows[at]
    side = row["side"]
    own = senders[side]
    asked = senders[1 - side]["row"]
    over = ending["reset_row"] >= 0
    aborted = over and ending["answers_row"] < 0 and ending["reset_kind"] == ABORT and ending["reset_side"] == side
    row["stranger"] = strangeness(row, own)
    if row["taken"] == 0 and not over:
        row["reset_kind"] = IGNORED
        ending["ignored"] += 1
        if asked >= 0 and computed(rows[asked], row) == 1 and answers(rows[asked], row) == 1:
            # its receiver drops it and waits on, so that the probe stays unanswered
            row["answers_row"] = asked - start
        return
    if own_last_ns > row["ts_ns"] + WENT_ON_NS:
        row["stranger"] += SENDER_WENT_ON
    has_ack = (row["flags"] & ACK) != 0
    if has_ack and not over and row["stranger"] & SENDER_WENT_ON == 0 and gave_up(rows, row, own) == 1:
        what = GAVE_UP
    else:
        what = NO_SOCKET if not has_ack and row["window"] == 0 else ABORT
    if what == ABORT and asked >= 0 and computed(rows[asked], row) == 1 and answers(rows[asked], row) == 1:
        what = NO_SOCKET
    row["reset_kind"] = what
    since = start + ending["reset_row"] if over else -1
    if aborted and what == NO_SOCKET and row["ts_ns"] - ending["reset_ns"] <= ANSWER_RST_NS:
        # the probe had crossed the abort
        since = -1
    if (
        what != GAVE_UP
        and asked > since
        and answers(rows[asked], row) == 1
        and (not has_ack or crossed(rows, at, stop, asked, quickest) == 0)
    ):
        row["answers_row"] = asked - start
        rows[asked]["answer"] = ANSWER_RST
        rows[asked]["answer_row"] = at - start
    if over:
        return
    ending["reset_row"] = at - start
    ending["reset_side"] = side
    ending["reset_kind"] = what
    ending["stranger"] = row["stranger"]
    ending["answers_row"] = row["answers_row"]
    ending["reset_ns"] = row["ts_ns"]
    ending["reset_frame"] = row["frame"]
    ending["reset_mac"] = row["src_mac"]
    ending["heard_a_ns"] = row["own_last_ns"] if side == 0 else row["peer_last_ns"]
    ending["heard_b_ns"] = row["peer_last_ns"] if side == 0 else row["own_last_ns"]


@loop
def crossed(rows: Rows, at: int, stop: int, asked: int, quickest: int) -> int:
    """Say whether a RST with ACK, row ``at``, is an abort that met a probe on its way, row ``asked``, and no answer.

    What knows no connection has no timestamps to send. A second RST, without ACK and with the probe's number, answers
    it. And no host answers in less than half of the shortest time that it had taken before; a box in between, which
    does, has another distance.
    """
    row = rows[at]
    probe = rows[asked]
    if computed(probe, row) == 1:
        return 0
    if row["timestamps_on"] == 1 and row["tsval"] >= 0:
        return 1
    for k in range(at + 1, min(at + 1 + FEW, stop)):
        late = rows[k]
        bare = late["kind"] == RESET and late["side"] == row["side"] and late["flags"] & ACK == 0
        if bare and late["seq"] == probe["ack"] and late["ts_ns"] - probe["ts_ns"] <= ANSWER_RST_NS:
            return 1
    return 1 if row["stranger"] == 0 and 2 * (row["ts_ns"] - probe["ts_ns"]) < quickest else 0


@loop
def answers(probe: Record, row: Record) -> int:
    """Say whether a RST answers a probe: right behind it, with the numbers that RFC 9293 3.5.2 prescribes."""
    if (
        probe["answer"] != NO_ANSWER
        or row["peer_last_ns"] != probe["ts_ns"]
        or row["ts_ns"] - probe["ts_ns"] > ANSWER_RST_NS
    ):
        return 0
    if row["flags"] & ACK:
        return 1 if row["ack"] == probe["seq"] + 1 or computed(probe, row) == 1 else 0
    return 1 if row["seq"] == probe["ack"] else 0


@loop
def computed(probe: Record, row: Record) -> int:
    """Say whether the numbers of a RST with ACK can only be made of those of a probe, as by who knows no connection.

    Its ACK is SEG.SEQ+SEG.LEN of an empty probe, one below what a host that has the connection acknowledges; or it is
    what the probe asks for, but with sequence number 0, which RFC 9293 3.10.7.1 has for what comes without ACK.
    """
    if row["flags"] & ACK == 0 or probe["seq"] < 0 or probe["kind"] not in (PROBE, OCTET):
        return 0
    own = probe["payload_len"] == 0 and row["ack"] == probe["seq"]
    zero = row["seq"] & 0xFFFFFFFF == 0 and row["seq"] != probe["ack"]
    if own:
        return 1 if zero or row["seq"] == probe["ack"] else 0
    return 1 if zero and row["ack"] == probe["seq"] + 1 else 0
