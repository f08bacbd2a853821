"""``copy_scrubbed``: a capture in, a pcapng out that holds nothing but scrubbed frames and counts of dropped packets.

Of the file itself nothing is kept: no comments, names, descriptions or secrets, no program and no operating system.
Frames keep their number, order and time; octets are passed on as they come, so memory does not grow with the file.

This module must not know what a flow is.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.capture.commented import interface_block, section_block
from analyzer.capture.decoder import BATCH_ROWS, MOST_BY_SCAPY, Decoder
from analyzer.capture.formats import open_framing
from analyzer.capture.frame import NOTES, empty_frames
from analyzer.capture.reader import LARGE
from analyzer.capture.scrub.frames import BLOCK, DONE, LINUX_SLL, MISSED, MORE, finish_block, put_time, scrub, unnamed
from analyzer.capture.scrub.layers import (
    COUNTER_COUNT,
    CUT_SHORT,
    OF_INTERFACE,
    OF_IP,
    OF_MAC,
    OF_TAG,
    OPTIONS,
    PAYLOAD,
    UNTUNNELLED,
)
from analyzer.capture.scrub.made import packet_of
from analyzer.capture.scrub.table import Names
from analyzer.capture.tunnel import TUNNEL
from analyzer.capture.window import Window
from analyzer.loops.choice import jit_wanted
from analyzer.loops.loop import records
from analyzer.segment import MAPPED_IPV4, address_text
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.capture.scrub.pseudonyms import Pseudonyms
    from analyzer.capture.source import Source
    from analyzer.untyped import Foreign, Record

    Write = Callable[[bytes], object]

UNTIMED: Final = 1000
"""Among so many frames the first may be without a time."""
ROOM: Final = 4 << 20
"""Octets that are written at a time."""
STATISTICS: Final = 5
DROPPED: Final = 7
"""Of a statistics block: what the operating system dropped (draft-ietf-opsawg-pcapng 4.6)."""
MARK: Final = 4094
"""The outermost VLAN of what was in a tunnel."""
MOST_TUNNELS: Final = 4094 * 4094
WORD: Final = 0xFFFFFFFFFFFFFFFF


@dataclass(slots=True)
class Scrubbed:
    """What became of a copy."""

    frames: int = 0
    payload: int = 0
    """Octets of data that were left out, of TCP, UDP and echoes."""
    options: int = 0
    """TCP options that were."""
    cut_short: int = 0
    """Frames of which only the link header, or ARP, is understood."""
    untunnelled: int = 0
    """Frames that were taken out of a tunnel, or of a link layer that tells too much."""
    addresses: int = 0
    """IP addresses that became others; of more than the table of names holds, some count again."""
    stations: int = 0
    """MAC addresses that did."""
    damage: str = ""
    """Why the copy ends before the file does; empty if it does not."""
    pseudonyms: dict[str, str] = field(default_factory=dict)
    """Addresses and what they became, if they were asked for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What else may be hidden, or kept apart."""

    hide_ports: bool = False
    shift_ns: int = 0
    """What is added to all times."""
    keep_map: bool = False
    """Whether to return which address became which."""


def copy_scrubbed(
    source: Source,
    write: Write,
    pseudonyms: Pseudonyms,
    wishes: Wishes,
    *,
    looks: Sequence[tuple[int, int, int]] = (),
    untimed_ns: int = 0,
    reader: str = "auto",
    jit: bool | None = None,
) -> Scrubbed:
    """Copy a capture, to whose first frames ``untimed_ns`` is given if they have no time.

    ``looks`` are those at drop counters, in order: (behind which frame, which counter, what it said).

    Raises:
        CaptureError: it is no capture, or cut within its header.
    """
    window = Window(source)
    framing = open_framing("", window)
    large = bool(source.compression) or source.size is None or source.size >= LARGE
    compiled = jit_wanted(large=large, asked=jit)
    frames, notes = empty_frames(BATCH_ROWS, jit=compiled), records(NOTES, 1, jit=compiled)[0]
    copy = _Copy(write, pseudonyms, looks, reader, jit=compiled)
    copy.shift_ns, copy.keep_map, copy.untimed_ns = wishes.shift_ns, wishes.keep_map, untimed_ns
    if wishes.hide_ports:
        copy.ports = copy.numbers(pseudonyms.ports())
    write(section_block("", "keepalive"))
    while True:
        while count := framing.index(window, frames, 0, len(frames), notes, jit=compiled):
            copy.frames_of(window.octets(jit=compiled), frames, count)
        if framing.damage or not window.more():
            break
    result = copy.finish()
    if framing.damage or (window.rest and not source.damage):
        result.damage = framing.damage or framing.cut(window)
    result.damage = source.damage or result.damage
    return result


class _Copy:
    """A copy in the making."""

    def __init__(
        self, write: Write, pseudonyms: Pseudonyms, looks: Sequence[tuple[int, int, int]], reader: str, *, jit: bool
    ) -> None:
        """Begin behind the section header."""
        self.jit = jit
        self.shift_ns = 0
        self.untimed_ns = 0
        self.keep_map = False
        self.ports: Any = self.numbers(np.arange(65536))
        self._write = write
        self._pseudonyms = pseudonyms
        self._looks = deque(looks)
        self._counters: dict[int, int] = {}
        self._names = Names(COUNTER_COUNT, jit=jit)
        self._out: Any = np.empty(ROOM, dtype=np.uint8) if jit else bytearray(ROOM)
        self._interfaces = 0
        self._tunnels = 0
        self._tags: dict[int, int] = {}
        self._made: dict[int, int] = {}
        self._seen: set[object] = set()
        self._decoder = Decoder(reader, most_by_scapy=MOST_BY_SCAPY)
        self._result = Scrubbed()

    def numbers(self, values: np.ndarray[Any, Any]) -> Foreign:
        """Return numbers in the form that loops take."""
        return values.astype(np.int64) if self.jit else values.tolist()

    def frames_of(self, octets: Record, frames: Foreign, count: int) -> None:
        """Write the blocks of the first ``count`` rows of an index."""
        step = scrub.choose(jit=self.jit)
        self._meet(octets, frames, count)
        first = 0
        for at in range(count if self._result.frames < UNTIMED else 0):
            if frames[at]["ts_ns"] == 0:
                frames[at]["ts_ns"] = self.untimed_ns
        while first < count:
            self._look()
            until = count
            if self._looks:
                until = min(count, first + self._looks[0][0] - self._result.frames)
            names = self._names
            at, to, stopped = step(
                octets, frames, first, until, self.shift_ns, self._out, ROOM, names.rows, self.ports, names.state
            )
            if to:
                self._write(bytes(memoryview(self._out)[:to]))
            self._result.frames += at - first
            first = at
            if stopped == MISSED:
                self._name()
            elif stopped != DONE and not to and at < until:
                self._make(octets, frames[at])
                first += 1
                self._result.frames += 1

    def finish(self) -> Scrubbed:
        """Write what is left, and return what was done."""
        self._look(at_end=True)
        result, state = self._result, self._names.state
        result.payload, result.options = int(state[PAYLOAD]), int(state[OPTIONS])
        result.cut_short, result.untunnelled = int(state[CUT_SHORT]), int(state[UNTUNNELLED])
        return result

    def _look(self, *, at_end: bool = False) -> None:
        """Write the statistics that were between the frame written last and the next."""
        while self._looks and (at_end or self._looks[0][0] <= self._result.frames):
            _, counter, dropped = self._looks.popleft()
            if counter not in self._counters:
                self._counters[counter] = self._interface(LINUX_SLL)
            self._write(_statistics(self._counters[counter], dropped))

    def _meet(self, octets: Record, frames: Foreign, count: int) -> None:
        """Give names to the IPv4 addresses of these frames that have none: all at once takes a fifth of the time."""
        names = self._names
        found: Any = np.zeros(2 * count, dtype=np.int64) if self.jit else [0] * (2 * count)
        many = unnamed.choose(jit=self.jit)(octets, frames, count, names.rows, names.state, found)
        addresses = np.unique(np.array(found[:many], dtype=np.int64))
        addresses = addresses[: names.room_for(len(addresses))]
        if not len(addresses):
            return
        others = self._pseudonyms.ipv4_all(addresses)
        names.give_all(OF_IP, MAPPED_IPV4 + addresses, MAPPED_IPV4 + others)
        self._result.addresses += len(addresses)
        if self.keep_map:
            pairs = zip(addresses.tolist(), others.tolist(), strict=True)
            texts = {address_text(0, MAPPED_IPV4 + one): address_text(0, MAPPED_IPV4 + other) for one, other in pairs}
            self._result.pseudonyms.update(texts)

    def _name(self) -> None:
        """Give what the loop missed a name."""
        kind, hi, lo = self._names.missed
        if kind == OF_INTERFACE:
            self._names.give(0, self._interface(lo))
        elif kind == OF_TAG:
            self._names.give(0, self._vlans_of(lo))
        elif kind == OF_MAC:
            other = self._pseudonyms.mac(lo)
            self._result.stations += 1
            if self.keep_map:
                self._result.pseudonyms[_mac_text(lo)] = _mac_text(other)
            self._names.give(0, other)
        else:
            self._result.addresses += 1
            self._names.give(*self._address(hi, lo))

    def _address(self, hi: int, lo: int) -> tuple[int, int]:
        """Return the halves of the pseudonym of an address."""
        if hi == 0 and lo & ~0xFFFFFFFF == MAPPED_IPV4:
            other = 0, MAPPED_IPV4 | self._pseudonyms.ipv4(lo & 0xFFFFFFFF)
        else:
            whole = self._pseudonyms.ipv6((hi & WORD) << 64 | lo & WORD)
            other = _signed(whole >> 64), _signed(whole & WORD)
        if self.keep_map:
            self._result.pseudonyms[address_text(hi, lo)] = address_text(*other)
        return other

    def _vlans(self, tag: int) -> int:
        """Return the VLAN ids that a tag becomes: its own, or for a tunnel three that no other has."""
        if tag < TUNNEL:
            return tag
        number, self._tunnels = self._tunnels % MOST_TUNNELS, self._tunnels + 1
        return MARK << 24 | (1 + number // 4094) << 12 | (1 + number % 4094)

    def _interface(self, link_type: int) -> int:
        """Describe one more interface, and return its number."""
        self._write(interface_block(link_type, 0, 9, None))
        self._interfaces += 1
        return self._interfaces - 1

    def _make(self, octets: Record, frame: Record) -> None:
        """Write the block of a frame that only scapy takes apart: of its TCP segment, or an empty one."""
        row = self._decoder.defer(octets, frame, self._result.frames + 1, [0, 0, 0])
        packet = packet_of(row, self._address_made, self._mac_made, self._vlans_of, self.ports)
        interface = int(frame["interface"])
        if interface not in self._made:
            self._made[interface] = self._interface(LINUX_SLL)
        original = len(packet) + (row["payload_len"] if row else 0)
        block = bytearray(BLOCK + len(packet) + MORE)
        block[BLOCK - 4 : BLOCK - 4 + len(packet)] = packet
        stop = finish_block.bare(block, 0, self._made[interface], len(packet), original)
        put_time.bare(block, 0, int(frame["ts_ns"]) + self.shift_ns)
        self._write(bytes(block[:stop]))
        self._names.state[UNTUNNELLED] += 1

    def _address_made(self, hi: int, lo: int) -> tuple[int, int]:
        """Return the pseudonym of an address that no loop saw."""
        self._result.addresses += (hi, lo) not in self._seen
        self._seen.add((hi, lo))
        return self._address(hi, lo)

    def _mac_made(self, mac: int) -> int:
        """Return the pseudonym of a MAC address that no loop saw."""
        other = self._pseudonyms.mac(mac)
        self._result.stations += mac not in self._seen
        self._seen.add(mac)
        if self.keep_map:
            self._result.pseudonyms[_mac_text(mac)] = _mac_text(other)
        return other

    def _vlans_of(self, tag: int) -> int:
        """Return what a tag became, or becomes now, for what loops did not see."""
        if tag not in self._tags:
            self._tags[tag] = self._vlans(tag)
        return self._tags[tag]


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def _mac_text(mac: int) -> str:
    return mac.to_bytes(6, "big").hex(":")


def _statistics(interface: int, dropped: int) -> bytes:
    """Return a statistics block of an interface, with its count of dropped packets and no time."""
    options = struct.pack("<HHQHH", DROPPED, 8, dropped, 0, 0)
    length = 24 + len(options)
    return struct.pack("<IIIII", STATISTICS, length, interface, 0, 0) + options + struct.pack("<I", length)
