"""What fuzzing begins with: frames of each link layer and tunnel that the decoder knows, and small files, all ours."""

import functools
import struct
from pathlib import Path

from tests.capture import craft

CAPTURES = Path(__file__).parents[2] / "captures"
TIMES = craft.TIMESTAMPS
SACK = b"\x01\x01\x05\x0a" + struct.pack("!II", 100, 200)
SYN = b"\x02\x04\x05\xb4\x03\x03\x07\x04\x02" + TIMES[2:] + b"\x00"


@functools.cache
def frames():
    """Return (octets, link type) of frames, each of another form."""
    plain, data = craft.tcp(), craft.tcp(b"howdy", flags=0x18, options=TIMES)
    four, six = craft.ipv4(data), craft.ipv6(data)
    error = craft.ipv4(craft.icmp(craft.ipv4(craft.tcp(b"x" * 8))), protocol=1)
    error6 = craft.ipv6(craft.icmp(craft.ipv6(plain), kind=1), following=58)
    routed = craft.ipv6(struct.pack("!BB6x", 6, 0) + plain, following=43)
    hopped = craft.ipv6(struct.pack("!BB6x", 44, 0) + struct.pack("!BBHI", 6, 0, 0, 7) + plain, following=0)
    signed = craft.ipv4(struct.pack("!BBHII", 6, 1, 0, 1, 1) + plain, protocol=51)
    gre = craft.ipv4(struct.pack("!HHI", 0x2000, 0x0800, 7) + four, protocol=47)
    vxlan = craft.ipv4(craft.udp(struct.pack("!II", 0x08000000, 9 << 8) + craft.ethernet(four), 4789), protocol=17)
    geneve = craft.ipv4(craft.udp(struct.pack("!BBHI", 0, 0, 0x6558, 9 << 8) + craft.ethernet(six), 6081), protocol=17)
    labelled = struct.pack("!I", (16 << 12) | 0x100 | 64) + four
    on_ethernet = [
        (craft.ethernet(craft.ipv4(plain), pad=60), 1),
        (craft.ethernet(four), 1),
        (craft.ethernet(craft.ipv4(craft.tcp(flags=2, options=SYN))), 1),
        (craft.ethernet(craft.ipv4(craft.tcp(options=SACK))), 1),
        (craft.ethernet(craft.ipv4(plain, options=b"\x94\x04\x00\x00")), 1),
        (craft.ethernet(craft.ipv4(plain, fragment=0x2000)), 1),
        (craft.ethernet(craft.ipv4(data, total=0)), 1),
        (craft.ethernet(four, vlans=[(0x8100, 5)]), 1),
        (craft.ethernet(four, vlans=[(0x88A8, 5), (0x8100, 6)]), 1),
        (craft.ethernet(labelled, 0x8847), 1),
        *((craft.ethernet(each), 1) for each in (error, signed, gre, vxlan, geneve)),
        *((craft.ethernet(each, 0x86DD), 1) for each in (six, error6, routed, hopped)),
        (craft.ethernet(craft.ipv4(six, protocol=41)), 1),
        (craft.ethernet(craft.ipv4(four, protocol=4)), 1),
        (craft.ethernet(struct.pack("!BBHHH", 0x11, 0, 7, 2 + len(four), 0x21) + four, 0x8864), 1),
    ]
    others = [(craft.cooked(four), 113), (craft.cooked2(six, 0x86DD), 276)]
    others += [(packet, kind) for kind in (101, 12, 14) for packet in (four, six)] + [(four, 228), (six, 229)]
    others += [(order + packet, 0) for order in (b"\x02\0\0\0", b"\0\0\0\x02") for packet in (four,)]
    return tuple(on_ethernet + others)


@functools.cache
def pcap_files():
    """Return small pcap files of each byte order, unit of time and record length."""
    three = [each for each, kind in frames() if kind == 1][:3]
    magics = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
    return tuple(craft.pcap(three, order=order, magic=magic) for order in "<>" for magic in magics)


@functools.cache
def pcapng_files():
    """Return small pcapng files with every kind of block."""
    one, two, three = [each for each, kind in frames() if kind == 1][:3]
    files = [craft.pcapng([one, two, three], order=order) for order in "<>"]
    for order in "<>":
        units = [craft.option(9, bytes([unit]), order) for unit in (9, 0x8A, 3)]
        shift = craft.option(14, struct.pack(order + "q", -1), order)
        described = b"".join(craft.interface(1, order, snaplen=64, options=each + shift) for each in units)
        blocks = [craft.enhanced(one, 1 << 50, at, order, options=craft.option(1, b"hi", order)) for at in range(4)]
        others = [craft.simple(two, order), craft.obsolete(three, 7, 0, order), craft.block(0xBAD, b"custom", order)]
        files.append(craft.section(order) + described + b"".join(blocks + others))
        files.append(files[-1] + craft.section(order) + craft.interface(113, order) + craft.enhanced(one, order=order))
    return tuple(files)


@functools.cache
def texts():
    """Return the pasted texts, as octets."""
    return tuple(path.read_bytes() for path in sorted((CAPTURES.parent / "tests" / "pasted").iterdir()))


def captures():
    """Return the bundled captures that are small, as octets."""
    found = sorted(path for suffix in ("pcap", "pcapng") for path in CAPTURES.rglob(f"*.{suffix}"))
    return tuple(path.read_bytes() for path in found if path.stat().st_size <= 8192)
