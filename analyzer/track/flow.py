"""Which rows belong to which flow: endpoints, the flow's identity, and the table that finds it.

A flow is two endpoints (address and port), the VLAN or tunnel tag, and an incarnation. Endpoint ``a`` sent the first
segment seen. The table is open addressing over int64 slots (hash tag and flow index in one word), so that most
lookups touch one cache line before the flow itself; it is seeded per process, so that no capture can be
built to make it slow.

This module must not know sequence numbers, kinds of segments or outcomes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from analyzer.loops.loop import loop
from analyzer.loops.pool import whole_lines
from analyzer.segment import address_text
from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.untyped import Record

Side = Literal["a", "b"]
SIDES: Final[tuple[Side, Side]] = ("a", "b")

FREE: Final = 0
GONE: Final = -1
NO_FLOW: Final = -1

INDEX: Final = 0xFFFFFFFF
"""The half of a slot's word that is the flow's index plus 1."""

HALF: Final = 0xFFFFFFFF
ALL: Final = 0xFFFFFFFFFFFFFFFF
WORD: Final = 0x7FFFFFFFFFFFFFFF
"""What Python's integers are cut to, so that they are those of a machine."""

FLOW: Final = whole_lines(
    [
        # touched by every segment: two cache lines
        ("a_hi", np.int64),
        ("a_lo", np.int64),
        ("b_hi", np.int64),
        ("b_lo", np.int64),
        ("tag", np.int64),
        ("a_port", np.int32),
        ("b_port", np.int32),
        ("last_ns", np.int64),  # time of the last segment of either endpoint, copies included
        ("active_ns", np.int64),  # the same without keepalive probes, their answers and copies
        ("active_frame", np.int64),
        ("last_frame", np.int64),
        ("silence_ns", np.int64),  # longest silence between segments that are not keepalive
        ("reset_count", np.int32),
        ("after_reset", np.int32),  # segments since the last RST
        ("alive", np.int8),  # 1 while the flow is in the table, 2 while only its successor leads to it
        ("exchange", np.int8),  # who began the small exchange that is open (beats): 1 a, 2 b, 0 none is
        ("ip_version", np.int8),
        ("watched", np.int8),  # whose small messages concern trains amid other data (amid): 1 a's, 2 b's, 3 of both
        ("odd_kind", np.int8),
        ("odd_side", np.int8),
        ("provoked_side", np.int8),  # who sent the SYN that its receiver may challenge (challenged), -1 none
        ("trial_side", np.int8),  # who broke the silence that waits: 0 a, 1 b
        ("trial_ns", np.int64),  # a silence of both ends that the other end has not reacted to yet (trial), 0 none
        ("stray", np.int64),  # 1 + number of the other flow that a RST left untranslated concerns (untranslated), or 0
        ("former", np.int32),  # an older flow on these addresses that may still be heard (half_open), -1 none
        ("interface", np.int32),
        ("first_seen", np.int64),  # chain of SEEN rows; -1 none
        ("last_seen", np.int64),
        ("silence_from", np.int64),  # frames at the two ends of the longest silence
        ("silence_to", np.int64),
        ("trial_from", np.int64),  # frames at the two ends of the silence that waits
        ("trial_to", np.int64),
        ("survived_ns", np.int64),  # the longest silence that both ends went on behind
        ("survived_from", np.int64),
        ("survived_to", np.int64),
        ("number", np.int64),  # order of the first segment among all flows of the capture
        ("first_ns", np.int64),
        ("reused_ns", np.int64),  # when another incarnation took its addresses, -1 not
        ("first_frame", np.int64),
        ("new_syn_frame", np.int64),  # a SYN of another connection that one end sent meanwhile (half_open), 0 none
        ("new_syn_ns", np.int64),  # when
        ("new_syn_ack_frame", np.int64),  # the empty ACK of old numbers that it drew
        ("twin", np.int64),  # 1 + number of the flow that is this connection under other addresses, or 0
        ("twin_hi", np.int64),  # what one end is called there
        ("twin_lo", np.int64),
        ("twin_port", np.int32),
        ("twin_side", np.int16),  # which end: 0 a, 1 b
        ("twin_is_first", np.int16),  # 1 if the other began before: this one is the copy
        ("twin_at", np.int64),  # index of its record, which may be another flow's by now
        ("stray_at", np.int64),  # index of its record, which may be another flow's by now
        ("stray_hi", np.int64),  # what the end in whose name the RST came is called there
        ("stray_lo", np.int64),
        ("stray_frame", np.int64),  # the RST
        ("stray_port", np.int32),
        ("stray_side", np.int16),  # which end: 0 a, 1 b
        ("stray_role", np.int16),  # what this flow is to the RST
        ("stray_what", np.int16),  # what it is if no RST (untranslated)
        ("stray_ns", np.int64),  # when
        ("odd_from", np.int64),  # what the capture did not show of one end's numbers, see endpoint
        ("odd_to", np.int64),
        ("odd_frame", np.int64),  # the empty ACK that is odd, 0 if it was another segment
        ("trial_half", np.int8),  # 1 if a FIN had passed before it
        ("survived_half", np.int16),
        ("new_syn_side", np.int8),  # who sent that SYN: 0 a, 1 b
        ("provoked_frame", np.int64),  # that SYN, 0 none
        ("provoked_ns", np.int64),
        ("seen_count", np.int32),
        ("backwards", np.int32),  # segments older than the one before; not copies, which may come another way
        ("hash", np.int32),
        ("copies", np.int32),
        ("beats", np.int32),  # chain of trains of heartbeats, -1 none
        ("cut", np.int32),  # segments of which the snap length left only the ports
        ("reset_way", np.int64),  # TTL and station of the last RST (copies)
        ("other_tag", np.int64),  # another tag that it has as well (two_tags), -1 none
        ("other_hash", np.int32),
    ],
)
"""What is kept per live flow beside its two endpoints, in whole cache lines: else the hot ones would be three."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One end of a connection: an address and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        """Return ``127.0.0.1:4001`` or ``[::1]:4001``."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def endpoints_of(flow: Record) -> tuple[Endpoint, Endpoint]:
    """Return endpoints ``a`` and ``b`` of a record that has the identity fields of FLOW."""
    version = int(flow["ip_version"])
    a, b = (
        Endpoint(address_of(int(flow[f"{side}_hi"]), int(flow[f"{side}_lo"]), version), int(flow[f"{side}_port"]))
        for side in SIDES
    )
    return a, b


@lru_cache(maxsize=1 << 14)
def address_of(high: int, low: int, ip_version: int) -> str:
    """Return an address of a packet of this IP version as text: in IPv6 one that stands for IPv4 shows that it does."""
    text = address_text(high, low)
    return f"::ffff:{text}" if ip_version == 6 and ":" not in text else text


def keys_of(seed: int) -> tuple[int, int, int, int, int]:
    """Return five odd multipliers that nobody can guess who does not know the seed (they are SplitMix64's).

    They are for the lower and the upper half of ``lo``, the same of ``hi``, and the port.
    """
    keys = []
    for turn in range(1, 6):
        word = (seed + turn * 0x9E3779B97F4A7C15) & ALL
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & ALL
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & ALL
        keys.append((word ^ (word >> 31)) & WORD | 1)
    return keys[0], keys[1], keys[2], keys[3], keys[4]


@loop
def halves(word: int, lower: int, upper: int) -> int:
    """Multiply both halves of a word by their own keys.

    A product tells apart only what lies below the bits that are looked at. Multiplied whole, words that differ in their
    uppermost bits (addresses in many networks of one host number) would share their slots.
    """
    return (word & HALF) * lower + ((word >> 32) & HALF) * upper


@loop
def hash_of(row: Record, low: int, low_top: int, high: int, high_top: int, port: int) -> int:
    """Return a 31-bit hash of a row's flow, the same for both directions, never zero.

    Each endpoint becomes one word, by the multipliers (multilinear hashing: Lemire and Kaser, "Strongly universal
    string hashing is fast"); the product of the two does not depend on their order. Addresses in even steps would give
    words in even steps, so the upper bits are put into the lower ones and multiplied again. Python, whose integers do
    not wrap, is told to wrap where it matters.
    """
    source = halves(row["src_lo"], low, low_top) + row["src_port"] * port
    target = halves(row["dst_lo"], low, low_top) + row["dst_port"] * port
    if row["src_hi"] | row["dst_hi"]:  # never of IPv4
        source += halves(row["src_hi"], high, high_top)
        target += halves(row["dst_hi"], high, high_top)
    both = ((source & WORD) | 1) * ((target & WORD) | 1)
    if row["tag"]:
        both += halves(row["tag"], low, low_top)
    both &= WORD
    return ((((both ^ (both >> 29)) * low) & WORD) >> 32) | 0x40000000


@loop
def side_of(flow: Record, row: Record) -> int:
    """Return 0 if ``a`` of the flow sent this row, 1 if ``b`` did, -1 if it belongs to another flow.

    Without branches but for another tag, because no processor can guess who sends next.
    """
    other = flow["tag"] ^ row["tag"]
    if other != 0 and flow["other_tag"] == row["tag"]:
        other = 0
    forth = other | flow["a_port"] ^ row["src_port"] | flow["b_port"] ^ row["dst_port"]
    forth = forth | flow["a_lo"] ^ row["src_lo"] | flow["b_lo"] ^ row["dst_lo"]
    forth = forth | flow["a_hi"] ^ row["src_hi"] | flow["b_hi"] ^ row["dst_hi"]
    back = other | flow["b_port"] ^ row["src_port"] | flow["a_port"] ^ row["dst_port"]
    back = back | flow["b_lo"] ^ row["src_lo"] | flow["a_lo"] ^ row["dst_lo"]
    back = back | flow["b_hi"] ^ row["src_hi"] | flow["a_hi"] ^ row["dst_hi"]
    side = 0 if forth == 0 else 1
    return side if forth == 0 or back == 0 else -1


@loop
def side_under_any_tag(flow: Record, row: Record) -> int:
    """Return the same if the tag did not matter."""
    to_b = flow["b_port"] == row["dst_port"] and flow["b_lo"] == row["dst_lo"] and flow["b_hi"] == row["dst_hi"]
    if to_b and flow["a_port"] == row["src_port"] and flow["a_lo"] == row["src_lo"] and flow["a_hi"] == row["src_hi"]:
        return 0
    to_a = flow["a_port"] == row["dst_port"] and flow["a_lo"] == row["dst_lo"] and flow["a_hi"] == row["dst_hi"]
    if to_a and flow["b_port"] == row["src_port"] and flow["b_lo"] == row["src_lo"] and flow["b_hi"] == row["src_hi"]:
        return 1
    return -1


@loop
def find(slots: NDArray[np.int64], flows: NDArray[np.void], row: Record, digest: int) -> int:
    """Return the index of the row's live flow, or NO_FLOW."""
    mask = len(slots) - 1
    at = digest & mask
    while True:
        word = slots[at]
        if word == FREE:
            return -1
        if word != GONE and (word >> 32) == digest:
            index = (word & INDEX) - 1
            if side_of(flows[index], row) >= 0:
                return index
        at = (at + 1) & mask


@loop
def likely(slots: NDArray[np.int64], digest: int) -> int:
    """Return the index of the first flow with this hash, which is nearly always the right one; or NO_FLOW."""
    mask = len(slots) - 1
    at = digest & mask
    while True:
        word = slots[at]
        if word == FREE:
            return -1
        if word != GONE and (word >> 32) == digest:
            return (word & INDEX) - 1
        at = (at + 1) & mask


@loop
def insert(slots: NDArray[np.int64], digest: int, index: int) -> int:
    """Enter a flow; return 1 if a fresh slot was used, 0 if one of a departed flow was."""
    mask = len(slots) - 1
    at = digest & mask
    while slots[at] != FREE and slots[at] != GONE:
        at = (at + 1) & mask
    fresh = 1 if slots[at] == FREE else 0
    slots[at] = (digest << 32) | (index + 1)
    return fresh


@loop
def remove(slots: NDArray[np.int64], digest: int, index: int) -> None:
    """Take a flow out; its slot stays marked so that later ones are still found."""
    mask = len(slots) - 1
    at = digest & mask
    word = (digest << 32) | (index + 1)
    while slots[at] != word:
        at = (at + 1) & mask
    slots[at] = GONE


@loop
def refill(slots: NDArray[np.int64], flows: NDArray[np.void], count: int) -> None:
    """Enter all live flows among the first ``count`` into an empty table."""
    for index in range(count):
        if flows[index]["alive"] == 1:
            insert(slots, flows[index]["hash"], index)
            if flows[index]["other_tag"] >= 0:
                insert(slots, flows[index]["other_hash"], index)


@loop
def new_links(flow: Record) -> None:
    """Set a flow to have nothing to do with any other, and one tag."""
    flow["other_tag"] = -1
    flow["other_hash"] = 0
    flow["twin"] = 0
    flow["twin_hi"] = 0
    flow["twin_lo"] = 0
    flow["twin_port"] = 0
    flow["twin_side"] = 0
    flow["twin_is_first"] = 0
    flow["twin_at"] = 0
    flow["stray"] = 0
    flow["stray_at"] = 0
    flow["stray_hi"] = 0
    flow["stray_lo"] = 0
    flow["stray_frame"] = 0
    flow["stray_port"] = 0
    flow["stray_side"] = 0
    flow["stray_role"] = 0
    flow["stray_what"] = 0
    flow["stray_ns"] = -1


@loop
def no_trials(flow: Record) -> None:
    """Set a flow to have gone through no silence."""
    flow["trial_ns"] = 0
    flow["trial_from"] = 0
    flow["trial_to"] = 0
    flow["trial_side"] = 0
    flow["trial_half"] = 0
    flow["survived_half"] = 0
    flow["survived_ns"] = 0
    flow["survived_from"] = 0
    flow["survived_to"] = 0


@loop
def new_flow(flow: Record, row: Record, digest: int, number: int) -> None:
    """Start a flow with the sender of ``row`` as endpoint a (for an ICMP error: of the quoted segment)."""
    flow["a_hi"] = row["src_hi"]
    flow["a_lo"] = row["src_lo"]
    flow["b_hi"] = row["dst_hi"]
    flow["b_lo"] = row["dst_lo"]
    flow["tag"] = row["tag"]
    flow["a_port"] = row["src_port"]
    flow["b_port"] = row["dst_port"]
    flow["hash"] = digest
    flow["last_ns"] = row["ts_ns"]
    flow["last_frame"] = row["frame"]
    flow["active_ns"] = -1
    flow["active_frame"] = 0
    flow["silence_ns"] = 0
    flow["silence_from"] = 0
    flow["silence_to"] = 0
    flow["first_seen"] = -1
    flow["last_seen"] = -1
    flow["seen_count"] = 0
    flow["copies"] = 0
    flow["cut"] = 0
    flow["reset_count"] = 0
    flow["reset_way"] = 0
    flow["after_reset"] = 0
    flow["backwards"] = 0
    flow["ip_version"] = row["ip_version"]
    flow["number"] = number
    flow["first_ns"] = row["ts_ns"]
    flow["first_frame"] = row["frame"]
    flow["reused_ns"] = -1
    flow["alive"] = 1
    flow["exchange"] = 0
    flow["watched"] = 0
    flow["beats"] = -1
    flow["former"] = -1
    flow["new_syn_frame"] = 0
    flow["new_syn_ns"] = -1
    flow["new_syn_ack_frame"] = 0
    flow["new_syn_side"] = 0
    flow["odd_from"] = -1
    flow["odd_to"] = -1
    flow["odd_side"] = 0
    flow["odd_kind"] = 0
    flow["odd_frame"] = 0
    flow["provoked_frame"] = 0
    flow["provoked_ns"] = -1
    flow["provoked_side"] = -1
    new_links(flow)
    flow["interface"] = row["interface"]
    no_trials(flow)
