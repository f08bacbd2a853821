"""IP and what is in it keep their headers with right checksums, and nothing behind them."""

import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6, in6_chksum
from scapy.layers.l2 import Ether

from analyzer.capture.scrub.pseudonyms import Pseudonyms
from tests.capture import craft
from tests.capture.scrub.scrubbing import KEY, packets_of, scrub_file, scrubbed

NAMES = Pseudonyms(KEY)
SECRET = b"password=swordfish"


def sound(octets, kind):
    """Whether scapy computes the same packet, checksums included, once data are zeros."""
    packet = kind(octets)
    length = packet.len if kind is IP else packet.plen + 40
    whole = kind(octets + bytes(length - len(octets)))
    for layer in (IP, TCP, UDP, ICMP):
        if layer in whole and getattr(whole[layer], "chksum", 0):
            del whole[layer].chksum
    for layer in (ICMPv6DestUnreach, ICMPv6ND_NS):
        if layer in whole:
            del whole[layer].cksum
    return bytes(whole)[: len(octets)] == octets


@pytest.mark.parametrize("data", [b"", b"x", SECRET])
def test_tcp_over_ipv4(data):
    """Header, options and lengths stay, data go, and both checksums are right for data of zeros."""
    frame = craft.ipv4(craft.tcp(data, options=craft.TIMESTAMPS, flags=0x18))
    made = scrubbed(frame, 101)

    assert (len(frame) - len(data), craft.TIMESTAMPS) == (len(made), made[40:])
    assert NAMES.ipv4(int.from_bytes(craft.IP_A, "big")).to_bytes(4, "big") == made[12:16]
    assert frame[2:10] + frame[20:36] == made[2:10] + made[20:36]
    assert sound(made, IP)


def test_no_octet_of_data_is_left_in_a_checksum():
    """Frames that differ in their data only become the same."""
    one, other = (scrubbed(craft.ipv4(bytes(IP(craft.ipv4(craft.tcp(data)))[TCP])), 101) for data in (b"p", b"q"))

    assert one == other


def test_tcp_over_ipv6_with_extension_headers():
    """Extension headers become padding of the same length, and the checksum is right."""
    options = bytes([6, 0]) + b"\x05\x02\0\0" + b"ab"
    frame = craft.ipv6(options + craft.tcp(SECRET), 0)
    made = scrubbed(frame, 101)

    assert bytes([6, 0, 0, 0, 0, 0, 0, 0]) == made[40:48]
    assert sound(made, IPv6)


def test_options_of_ip_become_nops():
    """A recorded route is gone, and the header is as long as it was."""
    made = scrubbed(craft.ipv4(craft.tcp(), options=b"\x07\x07\x04" + craft.IP_B + b"\0"), 101)

    assert b"\1" * 8 == made[20:28]
    assert sound(made, IP)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ("020405b4", "020405b4"),
        ("0204 05b4 0402 080a 00000001 00000002 01 030307", "0204 05b4 0402 080a 00000001 00000002 01 030307"),
        ("0101 050a 00000001 00000002", "0101 050a 00000001 00000002"),
        ("1e08 0102030405060101", "0101010101010101 01 01"),
        ("2206 deadbeef 0101", "01010101010101 01"),
        ("13120102030405060708090a0b0c0d0e0f100101", "01" * 20),
        ("0000 dead", "00000000"),
        ("01080adead", "0100000000"),
    ],
)
def test_options_of_tcp(options, left):
    """Options that are understood stay; MPTCP, fast open, MD5 and the like become NOPs; behind the end is nothing."""
    octets = bytes.fromhex(options)
    octets += b"\1" * (-len(octets) % 4)
    made = scrubbed(craft.ipv4(craft.tcp(options=octets)), 101)[40:]
    expected = bytes.fromhex(left)

    assert expected == made[: len(expected)]
    assert len(octets) == len(made)


def test_cut_headers_stay_cut():
    """A TCP header that the snap length cut is as long as it was."""
    frame = craft.ipv4(craft.tcp(SECRET, options=craft.TIMESTAMPS))
    lengths = [len(scrubbed(frame[:cut], 101, original=len(frame))) for cut in (22, 24, 33, 39, 44, 52, 60)]

    assert [20, 24, 33, 39, 44, 52, 52] == lengths


def test_udp_keeps_its_header():
    """Names in DNS are gone; length and ports stay."""
    four, six = craft.ipv4(craft.udp(SECRET, 53), 17), craft.ipv6(craft.udp(SECRET, 53), 17)

    for frame, header in ((four, 20), (six, 40)):
        made = scrubbed(frame, 101)
        assert (header + 8, frame[header : header + 6]) == (len(made), made[header : header + 6])
        assert sound(made, IP if header == 20 else IPv6)


def test_errors_keep_what_they_quote():
    """An ICMP error's quoted headers get the same pseudonyms, and its checksum is right."""
    quoted = craft.ipv4(craft.tcp(SECRET), src=craft.IP_B, dst=craft.IP_A)
    made = scrubbed(craft.ipv4(craft.icmp(quoted), 1), 101)
    six = scrubbed(craft.ipv6(craft.icmp(craft.ipv6(craft.tcp(SECRET)), 1, 0), 58), 101)

    assert made[12:20] == made[44:48] + made[40:44]
    assert sound(made, IP)
    assert sound(six, IPv6)
    assert SECRET not in made + six


def test_redirects_keep_what_they_quote():
    """An ICMPv6 redirect names pseudonyms, stays valid, and quotes headers in an option of their length."""
    packet = craft.ipv6(craft.tcp(SECRET))
    quoted = packet + bytes(-len(packet) % 8)
    option = struct.pack("!BB6x", 4, (8 + len(quoted)) // 8) + quoted
    router, host = (0xFE80 << 112 | 2).to_bytes(16, "big"), craft.IP6_A
    made = scrubbed(
        craft.ipv6(struct.pack("!BBHI", 137, 0, 0, 0) + router + host + b"\2\1\2\0\0\0\0\1" + option, 58), 101
    )

    assert NAMES.ipv6(0xFE80 << 112 | 2).to_bytes(16, "big") == made[48:64]
    assert (4, len(made) - 80) == (made[80], made[81] * 8)
    assert in6_chksum(58, IPv6(made), made[40:] + bytes(IPv6(made).plen + 40 - len(made))) == 0
    assert SECRET not in made


def test_other_messages():
    """An echo keeps its numbers, a redirect's gateway gets a pseudonym, and of anything else type and code are left."""
    echo = scrubbed(craft.ipv4(struct.pack("!BBHI", 8, 0, 0, 0x00070009) + SECRET, 1), 101)
    redirect = scrubbed(craft.ipv4(struct.pack("!BBH", 5, 1, 0) + craft.IP_A + craft.ipv4(craft.tcp()), 1), 101)
    other = scrubbed(craft.ipv4(struct.pack("!BBHI", 13, 0, 0, 5) + SECRET, 1), 101)

    assert "00070009" == echo[24:].hex()
    assert NAMES.ipv4(int.from_bytes(craft.IP_A, "big")).to_bytes(4, "big") == redirect[24:28]
    assert bytes(4) == other[24:]


def test_neighbour_discovery():
    """Target and link-layer address get pseudonyms, other options go."""
    asked = IPv6(src="fe80::1", dst="ff02::1:ff00:2", hlim=255) / ICMPv6ND_NS(tgt="fe80::2")
    frame = bytes(asked / ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01"))
    made = scrubbed(frame + b"\x0e\x01nonce.", 101)

    assert NAMES.ipv6(0xFE80 << 112 | 2).to_bytes(16, "big") == made[48:64]
    assert b"\1\1" + NAMES.mac(0x020000000001).to_bytes(6, "big") == made[64:]
    assert sound(scrubbed(frame, 101), IPv6)


@pytest.mark.parametrize("protocol", [2, 50, 89, 132, 255])
def test_other_protocols_are_cut(protocol):
    """Of IGMP, ESP, OSPF, SCTP and what nobody knows the IP header is left."""
    assert 20 == len(scrubbed(craft.ipv4(SECRET * 2, protocol), 101))


def test_fragments_are_cut():
    """A later fragment is data only; where it belongs stays."""
    made = scrubbed(craft.ipv4(SECRET * 2, fragment=0x2003), 101)

    assert (20, 0x2003) == (len(made), int.from_bytes(made[6:8], "big"))


def test_padding_is_gone_and_lengths_are_true():
    """What pads a short frame on the wire is not copied, and the length on the wire stays."""
    copy, _ = scrub_file(craft.pcap([craft.ethernet(craft.ipv4(craft.tcp()), pad=60)]))

    assert [(54, 60)] == [(len(octets), original) for _, octets, original, _ in packets_of(copy)]
    assert Ether(packets_of(copy)[0][1])[TCP].dport == 80
