"""The classic BPF machine, as the kernel runs it, for programs that tests want to run."""

from analyzer.capture.bpf import (
    ALU_AND_K,
    INTERFACE_INDEX,
    JMP_JA,
    JMP_JEQ_K,
    JMP_JSET_K,
    LD_B_ABS,
    LD_H_ABS,
    LD_H_IND,
    LD_W_ABS,
    LDX_B_MSH,
    NETWORK,
    PACKET_TYPE,
    PROTOCOL,
    RET_K,
)

SIZES = {LD_W_ABS: 4, LD_H_ABS: 2, LD_H_IND: 2, LD_B_ABS: 1}


def run(program, frame, *, network, packet_type=0, interface=0, protocol=0x0800):
    """Return how many octets of a frame a program keeps; ``network`` is where the IP header begins."""
    accumulator = index = at = 0
    ancillary = {PACKET_TYPE: packet_type, INTERFACE_INDEX: interface, PROTOCOL: protocol}

    def load(offset, size):
        if offset in ancillary:
            return ancillary[offset]
        start = offset - NETWORK + network if offset >= NETWORK else offset
        octets = frame[start : start + size]
        return int.from_bytes(octets, "big") if len(octets) == size else None

    while True:
        each = program[at]
        at += 1
        value = 0
        if each.code == RET_K:
            return each.k
        if each.code in SIZES:
            value = accumulator = load(each.k + (index if each.code == LD_H_IND else 0), SIZES[each.code])
        elif each.code == LDX_B_MSH:
            value = load(each.k, 1)
            index = ((value or 0) & 15) * 4
        elif each.code == ALU_AND_K:
            accumulator &= each.k
        elif each.code == JMP_JA:
            at += each.k
        else:
            taken = {JMP_JEQ_K: accumulator == each.k, JMP_JSET_K: bool(accumulator & each.k)}[each.code]
            at += each.if_true if taken else each.if_false
        if value is None:  # a load beyond the frame rejects it
            return 0
