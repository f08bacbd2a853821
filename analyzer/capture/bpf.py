"""Packet filters that run in the kernel: programs for the classic BPF machine, and how a socket gets one.

Filter expressions are compiled by libpcap, through scapy. Filters of ports only are made here, so that a capture of
a test run needs no libpcap (a slim container has none). Every program gets two things: a head that drops what loopback
shows twice, and a snap length (a program answers how many octets of a frame to keep).

Sources: McCanne and Jacobson, "The BSD Packet Filter", 1993; linux/filter.h for the ancillary loads.

This module must not know flows or decode anything.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from analyzer.values import dataclass

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from analyzer.untyped import Foreign

# Operations: class, size and mode of linux/bpf_common.h, added up.
LD_W_ABS: Final = 0x20
LD_H_ABS: Final = 0x28
LD_B_ABS: Final = 0x30
LD_H_IND: Final = 0x48
LDX_B_MSH: Final = 0xB1
ALU_AND_K: Final = 0x54
JMP_JA: Final = 0x05
JMP_JEQ_K: Final = 0x15
JMP_JSET_K: Final = 0x45
RET_K: Final = 0x06

ANCILLARY: Final = 0xFFFFF000
"""SKF_AD_OFF: loads from here on ask about the packet, not for its octets."""
PROTOCOL: Final = ANCILLARY
"""The ethertype, whatever link layer there is."""
PACKET_TYPE: Final = ANCILLARY + 4
INTERFACE_INDEX: Final = ANCILLARY + 8
HARDWARE: Final = ANCILLARY + 28
"""SKF_AD_HATYPE: the kind of the interface, ARPHRD_*."""
NETWORK: Final = 0xFFF00000
"""SKF_NET_OFF: loads from here on count from the IP header, whatever link layer is before it."""
OUTGOING: Final = 4
"""PACKET_OUTGOING: the copy of a packet on its way out."""

MAX_PORTS: Final = 50
"""A conditional jump reaches 255 instructions."""
MAX_SNAPLEN: Final = 262_144

SO_ATTACH_FILTER: Final = 26


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; jumps count from the next one."""

    code: int
    k: int = 0
    if_true: int = 0
    if_false: int = 0


Program = tuple[Instruction, ...]

NOTHING: Final[Program] = (Instruction(RET_K, 0),)
EVERYTHING: Final[Program] = (Instruction(RET_K, MAX_SNAPLEN),)


def tcp_ports(ports: Sequence[int], *, icmp: bool = False, arp: bool = False) -> Program:
    """Return a program that keeps TCP segments from or to one of these ports, over IPv4 and IPv6.

    With ``icmp`` all of ICMP and ICMPv6 too, which may say why such a segment gets no answer, with ``arp`` ARP.
    Counts from the IP header, so that it fits every link layer. As in libpcap, fragments other than the first and
    IPv6 extension headers are not looked into.
    """
    if not 0 < len(ports) <= MAX_PORTS:
        raise ValueError(f"{len(ports)} ports; expected 1 to {MAX_PORTS}")
    accept, reject = "accept", "reject"
    lines: list[tuple[str, int, int, str, str]] = []  # label, code, k, label if true, label if false

    def put(code: int, k: int, if_true: str = "", if_false: str = "", label: str = "") -> None:
        lines.append((label, code, k, if_true, if_false))

    def either_port(load: int, first: int, second: int) -> None:
        for offset in (first, second):
            put(load, NETWORK + offset)
            for port in ports:
                put(JMP_JEQ_K, port, accept)
        put(JMP_JA, 0, reject)

    if arp:
        put(LD_H_ABS, PROTOCOL)
        put(JMP_JEQ_K, 0x0806, accept)
    put(LD_B_ABS, NETWORK)
    put(ALU_AND_K, 0xF0)
    put(JMP_JEQ_K, 0x60, "ipv6")
    put(JMP_JEQ_K, 0x40, "", reject)
    put(LD_B_ABS, NETWORK + 9)
    if icmp:
        put(JMP_JEQ_K, 1, accept)
    put(JMP_JEQ_K, 6, "", reject)
    put(LD_H_ABS, NETWORK + 6)
    put(JMP_JSET_K, 0x1FFF, reject)
    put(LDX_B_MSH, NETWORK)
    either_port(LD_H_IND, 0, 2)
    put(LD_B_ABS, NETWORK + 6, label="ipv6")
    if icmp:
        put(JMP_JEQ_K, 58, accept)
    put(JMP_JEQ_K, 6, "", reject)
    either_port(LD_H_ABS, 40, 42)
    put(RET_K, 0, label=reject)
    put(RET_K, MAX_SNAPLEN, label=accept)

    places = {label: at for at, (label, *_) in enumerate(lines) if label}

    def jump(at: int, label: str) -> int:
        return places[label] - at - 1 if label else 0

    return tuple(
        Instruction(code, jump(at, yes)) if code == JMP_JA else Instruction(code, k, jump(at, yes), jump(at, no))
        for at, (_, code, k, yes, no) in enumerate(lines)
    )


def prepared(program: Program, *, snaplen: int, loopback_index: int | None) -> Program:
    """Return a program cut to a snap length that drops the outgoing copies of loopback.

    Loopback hands every packet to packet sockets twice: when it is sent and when it comes in. The latter is kept.
    ``loopback_index`` is the interface index of loopback, None if the capture cannot see it.
    """
    body = tuple(Instruction(each.code, min(each.k, snaplen)) if each.code == RET_K else each for each in program)
    if loopback_index is None:
        return body
    head = (
        Instruction(LD_W_ABS, PACKET_TYPE),
        Instruction(JMP_JEQ_K, OUTGOING, 0, 3),
        Instruction(LD_W_ABS, INTERFACE_INDEX),
        Instruction(JMP_JEQ_K, loopback_index, 0, 1),
        Instruction(RET_K, 0),
    )
    return head + body


def from_network_layer(program: Program) -> Program:
    """Return a program that was compiled for raw IP so that it works on any link layer: its loads count from there."""
    loads = {0x20, 0x28, 0x30, 0x40, 0x48, 0x50, LDX_B_MSH}  # absolute and indirect words, halves, octets
    return tuple(
        replace(each, k=each.k + NETWORK) if each.code in loads and each.k < NETWORK else each for each in program
    )


COOKED_HEADER: Final = 20
COOKED_FIELDS: Final = {0: PROTOCOL, 4: INTERFACE_INDEX, 8: HARDWARE, 10: PACKET_TYPE}
"""Where LINUX_SLL2 has what the kernel knows of a packet (its address, at 12, it does not say)."""


def from_cooked(program: Program) -> Program:
    """Return a program that was compiled for LINUX_SLL2 so that it works on all interfaces, as libpcap does for any.

    Raises:
        ValueError: it asks for an address of the link layer.
    """
    loads = {LD_W_ABS, LD_H_ABS, LD_B_ABS, 0x40, LD_H_IND, 0x50, LDX_B_MSH}

    def moved(each: Instruction) -> Instruction:
        if each.code not in loads:
            return each
        if each.k >= COOKED_HEADER:
            return replace(each, k=each.k - COOKED_HEADER + NETWORK)
        if each.k not in COOKED_FIELDS:
            raise ValueError(f"the byte {each.k} of a cooked header")
        return replace(each, code=LD_W_ABS, k=COOKED_FIELDS[each.k])

    return tuple(map(moved, program))


def from_libpcap(program: Foreign) -> Program:
    """Return what libpcap compiled."""
    return tuple(
        Instruction(each.code, each.k, each.jt, each.jf)
        for each in (program.bf_insns[at] for at in range(program.bf_len))
    )


def encoded(program: Program) -> bytes:
    """Return the program as an array of ``struct sock_filter``."""
    return b"".join(struct.pack("=HBBI", each.code, each.if_true, each.if_false, each.k) for each in program)


def attach(sock: socket.socket, program: Program) -> None:
    """Give a socket a filter in place of the one it has; from the next packet on it holds.

    Raises:
        OSError: the kernel refuses the program.
    """
    octets = ctypes.create_string_buffer(encoded(program), 8 * len(program))
    fprog = struct.pack("@HP", len(program), ctypes.addressof(octets))
    # 1 is SOL_SOCKET: the constant is not taken from the socket module, so that tests may replace that.
    sock.setsockopt(1, SO_ATTACH_FILTER, fprog)
