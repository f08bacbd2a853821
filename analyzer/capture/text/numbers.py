"""Sequence numbers of a text: those that count from an earlier packet of the connection, made whole again.

tcpdump prints the numbers of the first packet of a connection that has an ACK as they are, and from then on how far
they are from these: SEG.SEQ from the first one's, SEG.ACK from one less (print-tcp.c; ``-S`` prints all as they are).
What has no ACK is never relative. A SYN,ACK begins anew. Whether a text has relative numbers is told for each
connection by its second packet: one of the two ways to read it is near what is expected.

Where a text begins in mid-connection with an empty ACK, whose number tcpdump does not print, relative numbers give it
away: they count from it. Where they count from a packet that the text does not have, they are taken as they are.

tshark counts both directions from their SYNs, or from the first packet, so its numbers fit together as they are; only a
new connection between the same ends needs others than the one before.

This module must not know how numbers are printed, or what a packet is.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from analyzer.segment import ABSENT, ACK, FIN, NOTE_TCP, NOTE_UNNUMBERED, RST, SYN
from analyzer.values import dataclass

if TYPE_CHECKING:
    Row = dict[str, int]

WORD: Final = 1 << 32
FAR: Final = 1 << 30
"""Further apart than any window: numbers of two different countings."""
NEAR: Final = 1 << 24
"""Numbers that count from something are smaller, mostly."""
MOST: Final = 50_000
"""This many connections are remembered; of those not heard for longest nothing is."""
STEP: Final = 0x1357_9BDF
"""How far apart tshark's numbers of one connection and the next between the same ends are made."""


@dataclass(slots=True)
class _Conversation:
    """What earlier lines said of a connection; lists have an entry for each direction."""

    base: list[int | None] = field(default_factory=lambda: [None, None])
    """What relative numbers of a direction count from."""
    next_: list[int | None] = field(default_factory=lambda: [None, None])
    """SND.NXT of a direction."""
    relative: bool | None = None
    """Whether numbers are relative; None until a packet told."""
    first: Row | None = None
    """The row that relative numbers count from, if its own number was not printed."""
    iss: int | None = None
    shift: list[int] = field(default_factory=lambda: [0, 0])
    """Window scale that a SYN offered."""
    offered: list[bool] = field(default_factory=lambda: [False, False])
    established: bool = False
    offset: int = 0
    """What is added to tshark's numbers."""


class Numbers:
    """Makes the numbers of rows whole, in order."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self._known: dict[tuple[int, ...], _Conversation] = {}
        self._pairs: dict[tuple[int, ...], tuple[int, ...] | None] = {}
        """The one connection between two addresses; None where there are several."""

    def tcpdump(self, row: Row, sack: tuple[int, int] | None) -> None:
        """Complete a row whose ``seq`` (ABSENT if not printed), ``ack`` and SACK block are as tcpdump printed them."""
        known, way = self._conversation(row)
        flags = row["flags"]
        if flags & SYN:
            self._begin(known, way, row)
        elif not flags & ACK:
            self._without_ack(known, way, row)
        else:
            self._with_ack(known, way, row)
        if sack is not None:
            row["sack_left"], row["sack_right"] = (_near(known, 1 - way, number) for number in sack)
        _learn(known, way, row)

    def tshark(self, row: Row, sack: tuple[int, int] | None) -> None:
        """Complete a row whose numbers, and scaled window, are as tshark printed them."""
        known, way = self._conversation(row)
        flags = row["flags"]
        if flags & SYN and not flags & ACK and known.established:
            known.offset = (known.offset + STEP) % WORD
            known.established, known.offered = False, [False, False]
        row["seq"] = (row["seq"] + known.offset) % WORD
        row["ack"] = (row["ack"] + known.offset) % WORD if flags & ACK else 0
        if sack is not None:
            row["sack_left"], row["sack_right"] = ((number + known.offset) % WORD for number in sack)
        if flags & SYN:
            known.offered[way] = row["window_scale"] != ABSENT
            known.shift[way] = max(row["window_scale"], 0)
        else:
            known.established = True
            if all(known.offered):
                row["window"] >>= known.shift[way]
        row["window"] = min(row["window"], 0xFFFF)

    def only_between(self, row: Row) -> bool:
        """Complete a row that has two addresses with the ports of the only connection between them.

        False if there is none, or several, or its destination port is set and is not that one.
        """
        src, dst = (row["src_hi"], row["src_lo"]), (row["dst_hi"], row["dst_lo"])
        key = self._pairs.get(src + dst) or self._pairs.get(dst + src)
        if key is None or (src + dst in self._pairs and dst + src in self._pairs):
            return False
        way = int(key[:2] != src)
        ports = (key[5], key[2]) if way else (key[2], key[5])
        if row["dst_port"] not in {0, ports[1]}:
            return False
        row["src_port"], row["dst_port"] = ports
        return True

    def _conversation(self, row: Row) -> tuple[_Conversation, int]:
        """Return what is known of a row's connection, and which of its directions the row goes."""
        src = (row["src_hi"], row["src_lo"], row["src_port"])
        dst = (row["dst_hi"], row["dst_lo"], row["dst_port"])
        way = int(src > dst)
        key = dst + src if way else src + dst
        known = self._known.pop(key, None)
        if known is None:
            known = _Conversation()
            if len(self._known) >= MOST:
                oldest = next(iter(self._known))
                del self._known[oldest]
                self._pairs.pop((*oldest[:2], *oldest[3:5]), None)
            pair = (*key[:2], *key[3:5])
            self._pairs[pair] = None if pair in self._pairs else key
        self._known[key] = known
        return known, way

    @staticmethod
    def _begin(known: _Conversation, way: int, row: Row) -> None:
        """Take a SYN, whose numbers are never relative."""
        if row["flags"] & ACK:
            known.base[way], known.base[1 - way] = row["seq"], (row["ack"] - 1) % WORD
            known.iss = known.base[1 - way]
            known.next_[1 - way] = row["ack"]
        elif known.iss != row["seq"]:
            known.base, known.next_, known.relative = [None, None], [None, None], None
            known.iss = known.base[way] = row["seq"]
        known.first = None
        known.next_[way] = (row["seq"] + 1 + row["payload_len"]) % WORD

    def _without_ack(self, known: _Conversation, way: int, row: Row) -> None:
        """Take a packet without an ACK, whose number is never relative, whatever the others are."""
        expected = known.next_[way]
        beyond = expected is not None and expected < NEAR and _apart(row["seq"], expected) > NEAR
        # 0 is what answers a packet without an ACK (RFC 9293 3.10.7.1)
        if row["seq"] == ABSENT or (beyond and not known.relative and known.iss is None and row["seq"] != 0):
            row["note"] = NOTE_UNNUMBERED
            row["seq"] = ABSENT

    def _with_ack(self, known: _Conversation, way: int, row: Row) -> None:
        """Take a packet whose numbers may be relative."""
        seq, ack = row["seq"], row["ack"]
        if known.base[1 - way] is None:
            first = known.base[way] is None
            known.base[1 - way] = (ack - 1) % WORD
            if first:
                known.base[way] = 0 if seq == ABSENT else seq
                known.first = row if seq == ABSENT and row["payload_len"] == 0 else None
        elif known.relative is None:
            known.relative = _tells(known, way, seq, ack)
            if known.relative and known.first is not None:
                known.first["note"], known.first["seq"] = NOTE_TCP, 0
            if known.relative is not None:
                known.first = None
        if known.relative:
            row["ack"] = (ack + (known.base[1 - way] or 0)) % WORD
            row["seq"] = seq if seq == ABSENT else (seq + (known.base[way] or 0)) % WORD
        if seq == ABSENT:
            row["note"] = NOTE_UNNUMBERED


def _tells(known: _Conversation, way: int, seq: int, ack: int) -> bool | None:
    """Say whether a packet's numbers are relative, by what is expected; None if it does not tell."""
    plain = relative = 0
    for number, direction in ((ack, 1 - way), (seq, way)):
        expected, base = known.next_[direction], known.base[direction]
        if number == ABSENT or expected is None or base is None:
            continue
        plain += _apart(number, expected)
        relative += _apart(number + base, expected)
    if plain == relative:
        return None
    return relative < plain


def _near(known: _Conversation, direction: int, number: int) -> int:
    """Return a number of a SACK block, relative or not, whichever is near what is expected."""
    expected, base = known.next_[direction], known.base[direction]
    if expected is None or base is None or known.relative is False:
        return number
    return min((number, (number + base) % WORD), key=lambda each: _apart(each, expected))


def _learn(known: _Conversation, way: int, row: Row) -> None:
    """Let a completed row move what is expected."""
    if row["flags"] & SYN:
        return
    if row["seq"] != ABSENT and not row["flags"] & RST:
        beyond = (row["seq"] + row["payload_len"] + bool(row["flags"] & FIN)) % WORD
        _advance(known, way, beyond)
    if row["flags"] & ACK:
        _advance(known, 1 - way, row["ack"])


def _advance(known: _Conversation, direction: int, number: int) -> None:
    before = known.next_[direction]
    if before is None or (number - before) % WORD < FAR:
        known.next_[direction] = number


def _apart(one: int, other: int) -> int:
    """Return how far apart two numbers are, in the circle of 32 bits."""
    ahead = (one - other) % WORD
    return min(ahead, WORD - ahead)
