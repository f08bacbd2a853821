"""THE TABLE OF RSTs: which RST its receiver takes, by the receiver's state and the numbers of the segment.

The file's law: whether a receiver takes a RST by its numbers is decided by ``RECEPTIONS`` and nothing else. Rows are
tried in order and the first that fits wins; the last fits everything. Loops look the answer up in ``receptions()``,
which is made from the rows.

Read RFC 9293 3.10.7 and RFC 5961 3.2 first, then tcp_reset_check in Linux's net/ipv4/tcp_input.c. A bystander does not
know RCV.NXT: it lies between what the receiver acknowledged and what was sent to it. Where the two are one number the
answer is certain; between them it is PERHAPS, and what follows must tell: ``receive`` asks who goes on.

It must not know probes, who sent the RST, or how the flow ended.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.label.outcome import RESET
from analyzer.loops.loop import loop
from analyzer.segment import ACK
from analyzer.tolerances import WENT_ON_NS
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows


class Receiver(IntEnum):
    """State of the endpoint that a RST comes to, as far as a bystander can derive it (RFC 9293 3.3.2)."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RECEIVED = 3
    ESTABLISHED = 4
    FIN_WAIT_1 = 5
    FIN_WAIT_2 = 6
    CLOSE_WAIT = 7
    CLOSING = 8
    LAST_ACK = 9
    TIME_WAIT = 10


class Place(IntEnum):
    """Where SEG.SEQ of a RST lies, beside what is known of the receiver's RCV.NXT."""

    UNKNOWN = 0
    """The receiver acknowledged nothing yet, so nothing is known."""
    BELOW = 1
    """Two or more below what the receiver acknowledged."""
    ONE_BELOW = 2
    """One below what the receiver acknowledged."""
    EXACT = 3
    """What the receiver acknowledged, and no more was sent to it: RCV.NXT."""
    BETWEEN = 4
    """Not below what the receiver acknowledged and not above what was sent to it: RCV.NXT may be there."""
    ABOVE = 5
    """Above all that was sent, within the receiver's window."""
    OUTSIDE = 6
    """Beyond the receiver's window."""


class Reception(IntEnum):
    """What a receiver does with a RST."""

    NONE = 0
    TAKEN = 1
    """The connection is over."""
    PERHAPS = 2
    """Taken if RCV.NXT is there, else challenged: the numbers alone do not tell a bystander."""
    CHALLENGED = 3
    """Ignored, and answered by a challenge ACK (RFC 5961 3.2)."""
    DROPPED = 4
    """Ignored in silence."""


@dataclass(frozen=True, slots=True)
class ReceptionRule:
    """A row of the table: in these states (empty: all), at these places (all), with this ACK (None: any)."""

    reception: Reception
    name: str
    cite: str
    states: tuple[Receiver, ...] = ()
    places: tuple[Place, ...] = ()
    acknowledges_syn: bool | None = None
    """Whether SEG.ACK acknowledges the receiver's SYN."""

    def fits(self, state: Receiver, place: Place, *, acknowledges_syn: bool) -> bool:
        """Say whether a RST falls under this row."""
        return (
            (not self.states or state in self.states)
            and (not self.places or place in self.places)
            and self.acknowledges_syn in {None, acknowledges_syn}
        )


RECEPTIONS: Final = (
    ReceptionRule(Reception.DROPPED, "nobody-there", "RFC 9293 3.10.7.1, 3.10.7.2", (Receiver.CLOSED, Receiver.LISTEN)),
    # no number of the peer is known yet, so only the acknowledgement can be checked
    ReceptionRule(Reception.TAKEN, "refused", "RFC 9293 3.10.7.3", (Receiver.SYN_SENT,), acknowledges_syn=True),
    ReceptionRule(Reception.DROPPED, "syn-not-acknowledged", "RFC 9293 3.10.7.3", (Receiver.SYN_SENT,)),
    ReceptionRule(Reception.PERHAPS, "nothing-known", "the capture began late", places=(Place.UNKNOWN,)),
    ReceptionRule(Reception.TAKEN, "exact", "RFC 9293 3.10.7.4, RFC 5961 3.2", places=(Place.EXACT,)),
    ReceptionRule(Reception.PERHAPS, "in-flight", "RFC 5961 3.2; what arrived is not known", places=(Place.BETWEEN,)),
    # for macOS, which resets one below after its FIN; before CLOSE-WAIT no stack takes it
    ReceptionRule(
        Reception.TAKEN,
        "one-below-after-fin",
        "Linux tcp_reset_check",
        (Receiver.CLOSE_WAIT, Receiver.LAST_ACK, Receiver.CLOSING),
        (Place.ONE_BELOW,),
    ),
    ReceptionRule(Reception.CHALLENGED, "in-window", "RFC 5961 3.2", places=(Place.ABOVE,)),
    ReceptionRule(Reception.DROPPED, "outside", "RFC 9293 3.10.7.4, RFC 5961 3.2"),
)


def reception(state: Receiver, place: Place, *, acknowledges_syn: bool = False) -> ReceptionRule:
    """Return the row of the table that a RST falls under."""
    return next(rule for rule in RECEPTIONS if rule.fits(state, place, acknowledges_syn=acknowledges_syn))


@cache
def receptions() -> list[int]:
    """Return the table as loops take it: Reception by state, place and ACK."""
    return [
        int(reception(state, place, acknowledges_syn=acknowledges).reception)
        for state in Receiver
        for place in Place
        for acknowledges in (False, True)
    ]


def receptions_for(*, jit: bool) -> Numbers:
    """Return ``receptions`` as an array for compiled loops, as a list for plain ones."""
    return np.array(receptions(), dtype=np.int8) if jit else receptions()


TAKEN: Final = int(Reception.TAKEN)
PERHAPS: Final = int(Reception.PERHAPS)
CHALLENGED: Final = int(Reception.CHALLENGED)
DROPPED: Final = int(Reception.DROPPED)
PLACES: Final = len(Place)

SYN_SENT: Final = int(Receiver.SYN_SENT)
SYN_RECEIVED: Final = int(Receiver.SYN_RECEIVED)
ESTABLISHED: Final = int(Receiver.ESTABLISHED)
FIN_WAIT_1: Final = int(Receiver.FIN_WAIT_1)
FIN_WAIT_2: Final = int(Receiver.FIN_WAIT_2)
CLOSE_WAIT: Final = int(Receiver.CLOSE_WAIT)
CLOSING: Final = int(Receiver.CLOSING)
LAST_ACK: Final = int(Receiver.LAST_ACK)
TIME_WAIT: Final = int(Receiver.TIME_WAIT)

AT_UNKNOWN: Final = int(Place.UNKNOWN)
BELOW: Final = int(Place.BELOW)
ONE_BELOW: Final = int(Place.ONE_BELOW)
EXACT: Final = int(Place.EXACT)
BETWEEN: Final = int(Place.BETWEEN)
ABOVE: Final = int(Place.ABOVE)
OUTSIDE: Final = int(Place.OUTSIDE)
"""Names for loops, which take plain ints."""

SCALE_MOST: Final = 14
"""RFC 7323 2.3: a window whose scale was not captured may be that large."""


@loop
def receiver_state(end: Record, peer: Record, row: Record) -> int:
    """Return the Receiver state of the endpoint that a RST (a SEEN row) comes to.

    A bystander assumes that an acknowledgement which was captured arrived, but never that a connection is gone: the
    last ACK may be lost. Nothing but its peer's segments seen, mid-stream, counts as ESTABLISHED.
    """
    frame = row["frame"]
    acked = 0 < peer["ack_frame"] < frame
    if 0 < peer["syn_frame"] < frame and not acked:
        if peer["syn_had_ack"] == 1:
            return ESTABLISHED if row["rcv_nxt"] > peer["iss"] else SYN_RECEIVED
        if end["syn_frame"] == 0 or end["syn_frame"] > frame:
            return SYN_SENT
    got_fin = row["own_fin_seq"] >= 0 and row["snd_una"] > row["own_fin_seq"]
    if row["peer_fin_seq"] < 0:
        return CLOSE_WAIT if got_fin else ESTABLISHED
    fin_acked = row["rcv_nxt"] > row["peer_fin_seq"]
    if not got_fin:
        return FIN_WAIT_2 if fin_acked else FIN_WAIT_1
    if 0 < end["fin_acked_frame"] <= peer["fin_frame"]:
        return LAST_ACK
    return TIME_WAIT if fin_acked else CLOSING


@loop
def place_of(end: Record, peer: Record, row: Record) -> int:
    """Return the Place of a RST's number, by what the receiver had acknowledged and what was sent to it."""
    una = row["snd_una"]
    if una < 0 and end["iss"] >= 0:
        # a SYN that reached the receiver, whose first acknowledgement is still to come
        una = end["iss"] + 1
    if una < 0:
        return AT_UNKNOWN
    sent = max(una, row["snd_nxt"])
    seq = row["seq"]
    if seq < una:
        return ONE_BELOW if seq == una - 1 else BELOW
    if seq <= sent:
        return EXACT if una == sent else BETWEEN
    scale = peer["window_scale"]
    if scale < 0:
        scale = SCALE_MOST if peer["syn_frame"] == 0 else 0
    window = max(row["snd_wnd"], 0) << scale
    return ABOVE if seq < una + window else OUTSIDE


@loop
def receive(rows: Rows, start: int, stop: int, a: Record, b: Record, table: Numbers) -> None:
    """Write ``receiver_state``, ``reception`` and ``taken`` of the RSTs among the SEEN rows of one flow.

    ``a`` and ``b`` are the flow's ENDPOINT records, ``table`` is ``receptions_for``. ``taken`` is 1 for a RST that
    ended the connection at its receiver, or that its sender itself ended with.
    """
    alive_a_ns = a["last_ns"]
    alive_b_ns = b["last_ns"]
    for j in range(start, stop):
        row = rows[j]
        row["receiver_state"] = 0
        row["reception"] = 0
        row["taken"] = 0
        if row["kind"] != RESET:
            continue
        if row["side"] == 0:
            say_reception(row, a, b, table)
        else:
            say_reception(row, b, a, table)
        # a RST of a connection that it still had; one without ACK is the word of an address that knows none (3.10.7.1)
        if row["flags"] & ACK and row["seq"] >= row["snd_nxt"] >= 0:
            if row["side"] == 0:
                alive_a_ns = max(alive_a_ns, row["ts_ns"])
            else:
                alive_b_ns = max(alive_b_ns, row["ts_ns"])
    for j in range(start, stop):
        row = rows[j]
        if row["kind"] == RESET and row["side"] == 0:
            row["taken"] = ends(row, a, b, alive_b_ns)
        elif row["kind"] == RESET:
            row["taken"] = ends(row, b, a, alive_a_ns)


@loop
def say_reception(row: Record, end: Record, peer: Record, table: Numbers) -> None:
    """Write the receiver's state and what it does with a RST by its numbers."""
    state = receiver_state(end, peer, row)
    acknowledges = 0
    if row["flags"] & ACK and peer["iss"] >= 0 and peer["iss"] < row["ack"] <= max(row["peer_nxt"], peer["iss"] + 1):
        acknowledges = 1
    row["receiver_state"] = state
    row["reception"] = table[(state * PLACES + place_of(end, peer, row)) * 2 + acknowledges]


@loop
def ends(row: Record, end: Record, peer: Record, alive_ns: int) -> int:
    """Say whether a RST ended the connection: by its numbers, and by who goes on after it.

    That its sender goes on shows that the sender did not send it, not that the receiver lived; that the receiver goes
    on shows that it did not take it. But a RST at the number that its sender would send next may also have been lost
    behind the capture point: then its sender is gone all the same, unless it goes on too. ``alive_ns`` is when the
    receiver last showed that it has the connection.
    """
    reception = row["reception"]
    if reception == DROPPED:
        return 0
    if row["receiver_state"] == SYN_SENT and peer["ack_frame"] > row["frame"]:
        # the SYN was sent again, and then answered
        return 0
    receiver_lived = alive_ns > row["ts_ns"] + WENT_ON_NS
    if reception == CHALLENGED:
        # the challenge ACK is the proof; one that took it knows more of RCV.NXT than the capture does
        return 0 if receiver_lived or peer["last_ns"] > row["ts_ns"] else 1
    if reception == PERHAPS and row["seq"] != row["snd_nxt"]:
        return 0 if receiver_lived else 1
    return 0 if receiver_lived and end["last_ns"] > row["ts_ns"] + WENT_ON_NS else 1
