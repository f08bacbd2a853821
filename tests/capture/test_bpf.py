"""Kernel filters: what the programs made here keep and drop."""

import struct

import pytest

from analyzer.capture import bpf
from tests.capture import craft
from tests.capture.machine import run

ETHERNET = 14


def frame(packet, ethertype=0x0800):
    """An Ethernet frame around an IP packet."""
    return bytes(12) + struct.pack("!H", ethertype) + packet


def kept(program, packet, *, network=ETHERNET, **about):
    """Return how many octets of an IP packet in a frame a program keeps."""
    return run(program, frame(packet) if network == ETHERNET else packet, network=network, **about)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (craft.ipv4(craft.tcp(ports=(4001, 9))), True),
        (craft.ipv4(craft.tcp(ports=(9, 4001))), True),
        (craft.ipv4(craft.tcp(ports=(9, 4002))), True),
        (craft.ipv4(craft.tcp(ports=(9, 10))), False),
        (craft.ipv4(craft.tcp(ports=(4001, 9)), options=bytes(8)), True),
        (craft.ipv4(craft.tcp(ports=(4001, 9)), fragment=5), False),
        (craft.ipv4(craft.udp(b"", 4001), 17), False),
        (craft.ipv6(craft.tcp(ports=(4001, 9))), True),
        (craft.ipv6(craft.tcp(ports=(9, 4002))), True),
        (craft.ipv6(craft.tcp(ports=(9, 10))), False),
        (craft.ipv6(craft.udp(b"", 4001), 17), False),
        (b"\x00\x01\x08\x00" + bytes(30), False),
        (b"", False),
    ],
)
@pytest.mark.parametrize("network", [ETHERNET, 0])
def test_a_port_filter_keeps_tcp_of_its_ports_only(packet, expected, network):
    """TCP from or to one of the ports is kept over IPv4 and IPv6, behind any link layer."""
    assert expected == (kept(bpf.tcp_ports([4001, 4002]), packet, network=network) > 0)


@pytest.mark.parametrize(
    ("packet", "protocol", "expected"),
    [
        (craft.ipv4(craft.icmp(b""), 1), 0x0800, True),
        (craft.ipv6(craft.icmp(b""), 58), 0x86DD, True),
        (b"\x00\x01\x08\x00" + bytes(24), 0x0806, True),
        (craft.ipv4(craft.tcp(ports=(9, 4001))), 0x0800, True),
        (craft.ipv4(craft.tcp(ports=(9, 10))), 0x0800, False),
        (craft.ipv4(craft.udp(b"", 4001), 17), 0x0800, False),
    ],
    ids=["icmp", "icmp6", "arp", "its port", "another port", "udp"],
)
def test_what_may_say_why_nothing_answers_is_kept_too(packet, protocol, expected):
    """With ICMP and ARP admitted, a port filter keeps both, and else nothing more."""
    program = bpf.tcp_ports([4001], icmp=True, arp=True)

    assert expected == (kept(program, packet, protocol=protocol) > 0)
    assert (expected and protocol == 0x0800 and packet[9] == 6) == (kept(bpf.tcp_ports([4001]), packet) > 0)


def test_fifty_ports_still_reach_the_end():
    """The last of the most ports that are taken is kept as the first is, and no jump is too long."""
    ports = list(range(1000, 1000 + bpf.MAX_PORTS))
    program = bpf.tcp_ports(ports)

    assert all(kept(program, craft.ipv4(craft.tcp(ports=(9, port)))) for port in ports)
    assert all(each.if_true < 256 and each.if_false < 256 for each in program)


@pytest.mark.parametrize("ports", [[], range(51)])
def test_no_ports_and_too_many_are_refused(ports):
    """A port filter is of one to fifty ports."""
    with pytest.raises(ValueError, match="expected 1 to 50"):
        bpf.tcp_ports(ports)


@pytest.mark.parametrize(
    ("packet_type", "interface", "expected"), [(0, 1, True), (4, 1, False), (4, 2, True), (0, 2, True)]
)
def test_what_loopback_sends_is_dropped(packet_type, interface, expected):
    """Of the two copies of a packet on loopback the outgoing one is dropped; other interfaces show both ways."""
    program = bpf.prepared(bpf.EVERYTHING, snaplen=100, loopback_index=1)

    assert expected == (kept(program, b"", packet_type=packet_type, interface=interface) > 0)


def test_the_snap_length_is_what_a_program_answers():
    """A program that keeps everything keeps so many octets, and one that drops keeps none."""
    assert 96 == kept(bpf.prepared(bpf.EVERYTHING, snaplen=96, loopback_index=None), b"")
    assert 0 == kept(bpf.prepared(bpf.NOTHING, snaplen=96, loopback_index=None), b"")


def test_a_program_is_encoded_as_the_kernel_reads_it():
    """Each instruction is code, two jumps and an operand, in eight octets."""
    program = (bpf.Instruction(bpf.JMP_JEQ_K, 7, 2, 3), bpf.Instruction(bpf.RET_K, 9))

    assert struct.pack("=HBBIHBBI", 0x15, 2, 3, 7, 6, 0, 0, 9) == bpf.encoded(program)


def test_a_program_for_raw_ip_works_behind_a_link_layer():
    """Loads are moved to count from the IP header; those that ask about the packet stay."""
    raw = (
        bpf.Instruction(bpf.LD_W_ABS, bpf.PACKET_TYPE),
        bpf.Instruction(bpf.LD_B_ABS, 9),
        bpf.Instruction(bpf.JMP_JEQ_K, 6, 0, 1),
        bpf.Instruction(bpf.RET_K, 50),
        bpf.Instruction(bpf.RET_K, 0),
    )
    moved = bpf.from_network_layer(raw)

    assert 50 == kept(moved, craft.ipv4(craft.tcp()))
    assert 0 == kept(moved, craft.ipv4(craft.udp(b"", 1), 17))
    assert bpf.PACKET_TYPE == moved[0].k


COOKED = 0x14
PORTS_OR_ARP = (
    bpf.Instruction(bpf.LD_H_ABS, 0),  # as libpcap has "tcp port 4001 or arp" for LINUX_SLL2, but for IPv6
    bpf.Instruction(bpf.JMP_JEQ_K, 0x0806, 7, 0),
    bpf.Instruction(bpf.JMP_JEQ_K, 0x0800, 0, 7),
    bpf.Instruction(bpf.LD_B_ABS, COOKED + 9),
    bpf.Instruction(bpf.JMP_JEQ_K, 6, 0, 5),
    bpf.Instruction(bpf.LDX_B_MSH, COOKED),
    bpf.Instruction(bpf.LD_H_IND, COOKED + 2),
    bpf.Instruction(bpf.JMP_JEQ_K, 4001, 1, 2),
    bpf.Instruction(bpf.JMP_JA, 0),
    bpf.Instruction(bpf.RET_K, 65535),
    bpf.Instruction(bpf.RET_K, 0),
)


@pytest.mark.parametrize(
    ("packet", "protocol", "expected"),
    [
        (b"\x00\x01\x08\x00" + bytes(24), 0x0806, True),
        (craft.ipv4(craft.tcp(ports=(9, 4001))), 0x0800, True),
        (craft.ipv4(craft.tcp(ports=(9, 4001)), options=bytes(8)), 0x0800, True),
        (craft.ipv4(craft.tcp(ports=(9, 10))), 0x0800, False),
    ],
    ids=["arp", "its port", "with options", "another port"],
)
def test_a_filter_of_cooked_headers_works_on_all_interfaces(packet, protocol, expected):
    """What libpcap asks of a cooked header the kernel is asked for, and IP is found behind any link layer."""
    program = bpf.from_cooked(PORTS_OR_ARP)

    assert expected == (kept(program, packet, protocol=protocol) > 0)


def test_a_cooked_header_without_addresses():
    """The kernel does not say which address of the link a packet is from."""
    with pytest.raises(ValueError, match="the byte 12 of a cooked header"):
        bpf.from_cooked((bpf.Instruction(bpf.LD_W_ABS, 12),))
