"""Link headers and ARP keep their form; addresses get other ones, and nothing else of them is left."""

import struct

import pytest

from analyzer.capture.scrub.layers import in_place
from analyzer.capture.scrub.pseudonyms import Pseudonyms
from tests.capture import craft
from tests.capture.scrub.scrubbing import KEY, packets_of, scrub_file, scrubbed

NAMES = Pseudonyms(KEY)


def mac(address):
    """The pseudonym of a MAC address, as octets."""
    return NAMES.mac(address).to_bytes(6, "big")


def ip(octets):
    """The pseudonym of an IPv4 address, as octets."""
    return NAMES.ipv4(int.from_bytes(octets, "big")).to_bytes(4, "big")


def test_ethernet():
    """Both addresses become others, tags and ethertype stay."""
    made = scrubbed(craft.ethernet(craft.ipv4(craft.tcp()), vlans=[(0x88A8, 7), (0x8100, 42)]))

    assert mac(craft.MAC_B) + mac(craft.MAC_A) == made[:12]
    assert bytes.fromhex("88a800078100002a0800") == made[12:22]


@pytest.mark.parametrize(("frame", "link_type", "at"), [(craft.cooked, 113, 6), (craft.cooked2, 276, 12)])
def test_linux_cooked(frame, link_type, at):
    """The sender's address becomes another; one that is none of Ethernet becomes zeros."""
    made = scrubbed(frame(craft.ipv4(craft.tcp())), link_type)
    without = scrubbed(frame(craft.ipv4(craft.tcp()), address_len=4), link_type)

    assert mac(craft.MAC_A) + bytes(2) == made[at : at + 8]
    assert bytes(8) == without[at : at + 8]


@pytest.mark.parametrize("vlans", [(), [(0x8100, 5)]])
def test_arp(vlans):
    """All four addresses of ARP become others."""
    arp = bytes.fromhex("0001080006040002") + craft.MAC_A.to_bytes(6, "big") + craft.IP_A + bytes(6) + craft.IP_B
    made = scrubbed(craft.ethernet(arp, 0x0806, vlans=vlans, pad=60))
    in_cooked = scrubbed(craft.cooked(arp, 0x0806), 113)
    in_cooked2 = scrubbed(craft.cooked2(arp, 0x0806), 276)

    expected = arp[:8] + mac(craft.MAC_A) + ip(craft.IP_A) + bytes(6) + ip(craft.IP_B)
    assert [expected] * 3 == [made[-28:], in_cooked[-28:], in_cooked2[-28:]]


@pytest.mark.parametrize("ethertype", [0x88CC, 0x888E, 0x0027, 0x1234])
def test_other_protocols_are_cut(ethertype):
    """Of what is not understood (LLDP, EAPOL, spanning tree) only that it was there is left."""
    made = scrubbed(craft.ethernet(b"switch7.example.org port 3" * 3, ethertype))

    assert struct.pack("!H", ethertype) + (bytes(8) if ethertype < 0x600 else b"") == made[12:]


@pytest.mark.parametrize(
    ("link_type", "header"),
    [
        (0, bytes([2, 0, 0, 0])),
        (108, bytes([0, 0, 0, 2])),
        (101, b""),
        (9, bytes.fromhex("0021")),
        (50, bytes.fromhex("ff030021")),
        (104, bytes.fromhex("0f000800")),
        (51, bytes.fromhex("1100000700000021")),
    ],
)
def test_headers_without_addresses_stay(link_type, header):
    """Headers that hold protocols and lengths only are copied."""
    made = scrubbed(header + craft.ipv4(craft.tcp()), link_type)

    assert header == made[: len(header)]
    assert 0x45 == made[len(header)]


@pytest.mark.parametrize(("frame", "left"), [(b"\xc0\x21secret", 2), (b"\xff\x03\xc0\x21secret", 4)])
def test_control_protocols_of_ppp_are_cut(frame, left):
    """Of PPP that carries no IP, the protocol is left."""
    assert frame[:left] == scrubbed(frame, 9)


def test_link_layers_that_tell_too_much_are_replaced():
    """MacOS's header with names of interfaces and processes, and netfilter's log, become Linux cooked headers."""
    pktap = struct.pack("<III", 108, 1, 1) + b"firefox\0" * 12 + craft.ethernet(craft.ipv4(craft.tcp()))
    copy, done = scrub_file(craft.pcap([pktap], link_type=258))

    [(link_type, made, original, _)] = packets_of(copy)
    assert (113, 16 + 40, 16 + 40, 1) == (link_type, len(made), original, done.untunnelled)
    assert b"firefox" not in copy
    assert not in_place(258)
    assert not in_place(239)


def test_what_was_in_a_tunnel_has_vlans_for_it():
    """Two tunnels become VLANs that differ, and the packets are outside them."""
    vxlan = [
        craft.udp(struct.pack("!II", 0x08000000, vni << 8) + craft.ethernet(craft.ipv4(craft.tcp())), 4789)
        for vni in (5, 6, 5)
    ]
    copy, done = scrub_file(craft.pcap([craft.ethernet(craft.ipv4(each, 17)) for each in vxlan]))

    heads = [octets[14:28].hex() for _, octets, _, _ in packets_of(copy)]
    assert ["81000ffe81000001810000010800", "81000ffe81000001810000020800"] == heads[:2]
    assert (heads[0], 3) == (heads[2], done.untunnelled)
