"""Rows of octets become packets, in every form in which programs print them, and nothing else does."""

import subprocess

import pytest

from analyzer.capture.text.hexdump import EN10MB, LINUX_SLL, NULL, RAW, Dump, row_of

IPV4 = bytes.fromhex("4500002c00004000400600000a0000010a000002") + bytes(24)
IPV6 = bytes.fromhex("6000000000140640") + bytes(32) + bytes(20)
ETHERNET = bytes(12)


@pytest.mark.parametrize(
    "line",
    [
        "\t0x0000:  4500 003c d018 4000 4006 6ca1 7f00 0001  E..<..@.@.l.....",
        "0000  45 00 00 3c d0 18 40 00 40 06 6c a1 7f 00 00 01  E..<..@.@.l.....",
        "0000   45 00 00 3c d0 18 40 00 40 06 6c a1 7f 00 00 01   E..<..@.@.l.....",
        "00000000: 4500 003c d018 4000 4006 6ca1 7f00 0001  E..<..@.@.l.....",
        "00000000  45 00 00 3c d0 18 40 00  40 06 6c a1 7f 00 00 01  |E..<..@.@.l.....|",
        "000000 45 00 00 3c d0 18 40 00 40 06 6c a1 7f 00 00 01",
    ],
)
def test_forms_of_a_row(line):
    """tcpdump, scapy, Wireshark, xxd, hexdump and text2pcap print rows that say the same."""
    assert (0, bytes.fromhex("4500003cd018400040066ca17f000001")) == row_of(line)


@pytest.mark.parametrize(
    "line", ["2019-06-12 20:27:19", "0800 of them came late and none was seen", "dead beef", "0x0007:  4500", "face"]
)
def test_what_is_no_row(line):
    """Prose, dates and odd offsets are none."""
    assert row_of(line) is None


@pytest.mark.parametrize(
    ("octets", "link_type"),
    [
        (IPV4, RAW),
        (IPV6, RAW),
        (ETHERNET + b"\x08\x00" + IPV4, EN10MB),
        (ETHERNET + b"\x81\x00\x00\x2a\x08\x00" + IPV4, EN10MB),
        (b"\0\0\0\1\0\6" + bytes(8) + b"\x08\x00" + IPV4, LINUX_SLL),
        (b"\2\0\0\0" + IPV4, NULL),
        (b"\0\0\0\x1e" + IPV6, NULL),
    ],
)
def test_what_comes_first(octets, link_type):
    """The link header is told by what it leads to, and padding is taken away."""
    dump = Dump()
    for at in range(0, len(octets), 16):
        dump.add(at, octets[at : at + 16])
    dump.add(len(octets), bytes(4))

    assert (octets, link_type, len(octets)) == dump.packet()


def test_a_cut_packet():
    """A packet that was cut keeps its length on the wire."""
    dump = Dump()
    dump.add(0, IPV4[:32])

    assert (IPV4[:32], RAW, 44) == dump.packet()


def test_a_missing_row():
    """What comes behind a row that is missing is not used."""
    dump = Dump()
    dump.add(0, IPV4[:16])
    dump.add(32, IPV4[32:])

    assert 16 == len(dump)
    assert dump.packet() is None


def test_what_is_no_packet():
    """ARP, and nothing, are no IP packets."""
    arp = Dump()
    arp.add(0, bytes.fromhex("0001080006040001"))

    assert (None, None) == (arp.packet(), Dump().packet())


def test_scapy_prints_such_rows():
    """What scapy's own hexdump prints is read."""
    from scapy.utils import hexdump

    lines = hexdump(ETHERNET + b"\x08\x00" + IPV4, dump=True).splitlines()
    dump = Dump()
    for line in lines:
        dump.add(*row_of(line))

    assert ETHERNET + b"\x08\x00" + IPV4 == dump.packet()[0]


def test_xxd_prints_such_rows():
    """What xxd prints is read, where there is one."""
    try:
        printed = subprocess.run(["xxd"], input=IPV4, capture_output=True, check=True).stdout.decode()
    except FileNotFoundError:
        pytest.skip("xxd is not installed")

    assert (0, IPV4[:16]) == row_of(printed.splitlines()[0])
