"""Whatever is put where nothing is understood, in whatever frame, comes out of none."""

import struct

import pytest

from tests.capture.craft import cooked, cooked2, ethernet, icmp, ipv4, ipv6, tcp, udp
from tests.capture.scrub.scrubbing import scrubbed, scrubbed_cuts

SECRET = bytes([0xC1, 0xE7, 0xB3, 0xF9, 0xA5, 0xD9, 0x9D, 0xEB])
RUNS = {SECRET[at : at + 4] for at in range(len(SECRET) - 3)}
STATION = bytes([2, 0, 0, 0, 0, 1])
DNS = udp(b"\0\1\1\0\0\1\0\0\0\0\0\0\x08" + SECRET + b"\0\0\1\0\1", 53)


def labelled(bottom):
    """An MPLS label with the secret behind it, or with the secret for a label."""
    return struct.pack("!I", 16 << 12 | bottom << 8 | 64) + SECRET


def six(kind, body, code=0):
    """An ICMPv6 message in Ethernet."""
    return ethernet(ipv6(bytes([kind, code, 0, 0]) + body, following=58), 0x86DD)


FRAMES = {
    "LLDP": ethernet(b"\x02\x07\x04" + SECRET, 0x88CC),
    "spanning tree": ethernet(b"\x42\x42\x03" + SECRET, len(SECRET) + 3),
    "EAPOL": ethernet(b"\x01\x00\0\x08" + SECRET, 0x888E),
    "PPPoE discovery": ethernet(b"\x11\x09\0\0\0\x0c\x01\x01\0\x08" + SECRET, 0x8863),
    "behind tags": ethernet(SECRET, 0x88B7, vlans=((0x8100, 7), (0x8100, 8))),
    "padding": ethernet(ipv4(tcp())) + SECRET,
    "ARP, what follows": ethernet(struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20) + SECRET, 0x0806),
    "ARP of another kind": ethernet(struct.pack("!HHBBH", 6, 0x0800, 8, 4, 1) + SECRET * 4, 0x0806),
    "no IP": ethernet(b"\x95" + SECRET * 3),
    "DNS": ethernet(ipv4(DNS, protocol=17)),
    "DNS over IPv6": ethernet(ipv6(DNS, following=17), 0x86DD),
    "DHCP": ethernet(ipv4(udp(b"\1\1\6\0" + bytes(232) + b"\x63\x82\x53\x63\x0c\x08" + SECRET, 67), protocol=17)),
    "data": ethernet(ipv4(tcp(SECRET))),
    "data of a first fragment": ethernet(ipv4(tcp(SECRET), fragment=0x2000)),
    "a later fragment": ethernet(ipv4(SECRET * 3, fragment=5)),
    "an unknown option": ethernet(ipv4(tcp(options=b"\xfd\x0a" + SECRET))),
    "fast open": ethernet(ipv4(tcp(options=b"\x22\x0a" + SECRET, flags=2))),
    "an option of a wrong length": ethernet(ipv4(tcp(options=b"\x02\x0a" + SECRET))),
    "an option that is cut": ethernet(ipv4(tcp(options=b"\x08\x0c" + SECRET + b"\x01\x01"))),
    "behind the end of options": ethernet(ipv4(tcp(options=b"\0\1\1\1" + SECRET))),
    "options of IP": ethernet(ipv4(tcp(), options=b"\x07\x0a\x04" + SECRET + b"\0")),
    "hop by hop": ethernet(ipv6(b"\x06\x01\x1e\x0c" + SECRET + bytes(4) + tcp(), following=0), 0x86DD),
    "routing": ethernet(ipv6(b"\x06\x02\0\1" + bytes(4) + SECRET * 2 + tcp(), following=43), 0x86DD),
    "authentication": ethernet(ipv4(b"\x06\x04" + bytes(2) + SECRET * 2 + SECRET[:4] + tcp(), protocol=51)),
    "ESP": ethernet(ipv4(SECRET * 4, protocol=50)),
    "SCTP": ethernet(ipv4(SECRET * 4, protocol=132)),
    "nobody's protocol": ethernet(ipv4(SECRET * 4, protocol=253)),
    "what an error has no use for": ethernet(
        ipv4(b"\3\1\0\0" + SECRET[:4] + ipv4(tcp())[:28], protocol=1)
    ),
    "time exceeded": ethernet(ipv4(b"\x0b\0\0\0" + SECRET[:4] + ipv4(tcp())[:28], protocol=1)),
    "beside where the problem is": ethernet(ipv4(b"\x0c\0\0\0" + SECRET[:4] + ipv4(tcp())[:28], protocol=1)),
    "data that an error quotes": ethernet(ipv4(icmp(ipv4(tcp(SECRET))), protocol=1)),
    "DNS that an error quotes": ethernet(ipv4(icmp(ipv4(DNS, protocol=17)), protocol=1)),
    "a message that an error quotes": ethernet(ipv4(icmp(ipv4(b"\x08\0\0\0" + SECRET, protocol=1)), protocol=1)),
    "extensions of an error": ethernet(
        ipv4(icmp(ipv4(tcp()).ljust(128, b"\0") + b"\x20\0\0\0\0\x0c\1\1" + SECRET), protocol=1)
    ),
    "no IP that an error quotes": ethernet(ipv4(icmp(SECRET * 4), protocol=1)),
    "data of an echo": ethernet(ipv4(b"\x08\0\0\0\0\1\0\1" + SECRET, protocol=1)),
    "a timestamp": ethernet(ipv4(b"\x0d\0\0\0\0\1\0\1" + SECRET, protocol=1)),
    "unreachable in IPv6": six(1, SECRET[:4] + ipv6(tcp())),
    "reserved of a solicitation": six(135, b"\0" + SECRET[:3] + bytes(16)),
    "a nonce": six(135, bytes(20) + b"\x0e\x02" + SECRET + bytes(6)),
    "a prefix": six(134, b"\x40\0\x07\x08" + bytes(8) + b"\x03\x04\x40\xc0" + bytes(8) + bytes(4) + SECRET * 2),
    "a search list": six(134, b"\x40\0\x07\x08" + bytes(8) + b"\x1f\x02\0\0" + bytes(4) + SECRET),
    "a second option": six(136, bytes(20) + b"\x02\x01" + STATION + b"\x0e\x02" + SECRET + bytes(6)),
    "listeners": six(143, b"\0\0\0\1\4\0\0\0" + SECRET * 2),
    "a key of GRE": ethernet(ipv4(b"\x20\0\x08\0" + SECRET[:4] + ipv4(tcp()), protocol=47)),
    "no IP in GRE": ethernet(ipv4(b"\0\0\x88\xb7" + SECRET, protocol=47)),
    "options of Geneve": ethernet(
        ipv4(udp(b"\x03\0\x65\x58\0\0\7\0\1\2\3\2" + SECRET + ethernet(ipv4(tcp())), 6081), protocol=17)
    ),
    "no IP in VXLAN": ethernet(ipv4(udp(b"\x08\0\0\0\0\0\7\0" + ethernet(SECRET, 0x88CC), 4789), protocol=17)),
    "no IP in MPLS": ethernet(labelled(1), 0x8847),
    "labels of MPLS": ethernet(SECRET[:3] + b"\x40" + SECRET[:2] + b"\xf1\x40" + ipv4(tcp()), 0x8847),
    "not even UDP's header": ethernet(ipv4(SECRET[:6], protocol=17)),
}  # fmt: skip
OTHERS = {
    "a cooked address of another kind": (cooked(SECRET * 3, 0x88CC, address_len=8, hardware=32), 113),
    "a cooked frame of another protocol": (cooked(SECRET, 0x88CC), 113),
    "what is no cooked frame": (SECRET * 4, 113),
    "another cooked frame of another protocol": (cooked2(SECRET, 0x88CC), 276),
    "what is no other cooked frame": (SECRET * 4, 276),
    "what is no loopback": (SECRET * 4, 0),
    "what is no loopback of OpenBSD": (SECRET * 4, 108),
    "a family that is no IP": (b"\x1e\0\0\x01" + SECRET * 4, 0),
    "control of PPP": (b"\xff\x03\xc0\x21\1\1\0\x0c" + SECRET, 9),
    "what is no PPP": (b"\xff" + SECRET * 3, 9),
    "Cisco's keepalive": (b"\x8f\0\x80\x35\0\0\0\2" + SECRET, 104),
    "what is no HDLC": (SECRET * 3, 104),
    "what is no PPPoE": (SECRET * 3, 51),
    "no raw IP": (b"\x95" + SECRET * 3, 101),
    "Bluetooth": (SECRET * 3, 187),
    "USB": (SECRET * 8, 220),
    "WLAN": (b"\x80\0\0\0" + b"\xff" * 6 + STATION * 2 + bytes(2) + SECRET * 2, 105),
    "a type that nobody has": (SECRET * 8, 3210),
}


@pytest.mark.parametrize(
    ("frame", "link_type"), [*((f, 1) for f in FRAMES.values()), *OTHERS.values()], ids=[*FRAMES, *OTHERS]
)
def test_nothing_planted_comes_out(frame, link_type):
    """No run of four octets of what was planted is in the copy, however much of the frame is captured."""
    assert any(run in frame for run in RUNS) or SECRET[:3] in frame
    copies = [scrubbed(frame, link_type), *scrubbed_cuts(frame, link_type)]

    assert len(frame) + 1 == len(copies)
    assert [] == [(at, run) for at, copy in enumerate(copies) for run in sorted(RUNS) if run in copy]
