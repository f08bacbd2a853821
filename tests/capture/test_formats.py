import struct

import pytest

from analyzer.capture.formats import CAPTURES, OTHERS, describe
from analyzer.errors import NotACaptureError
from tests.capture.craft import ethernet, ipv4, pcapng, read, section, tcp


def erf(seconds, kind=2):
    """A record of an Endace card: time, type, flags, lengths, two octets of padding, an Ethernet frame."""
    frame = ethernet(ipv4(tcp(b"abc")))
    lengths = struct.pack("!HHH", 18 + len(frame), 0, len(frame))
    return struct.pack("<IIBB", 0, seconds, kind, 4) + lengths + b"\0\0" + frame


NO_PACKET = "in which no line is a packet's; expected a pcap or pcapng file, or what tcpdump or tshark print"


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "is empty; expected a pcap or pcapng file"),
        (b"\xd4\xc3", "is no capture, beginning with the bytes d4 c3; expected a pcap or pcapng file"),
        (b"\0" * 600, "is no capture, beginning with the bytes 00 00 00 00; expected a pcap or pcapng file"),
        (b"\n\n hi \n", f'is text (it begins with "hi"), {NO_PACKET}'),
        (b"\n\n\n\n", f'is text (it begins with ""), {NO_PACKET}'),
        (
            b"caf\xe9 12:27:19 IP\n",
            f'is text (it begins with "caf\N{LATIN SMALL LETTER E WITH ACUTE} 12:27:19 IP"), {NO_PACKET}',
        ),
        (
            b"\n<!DOCTYPE html><html>",
            "is an HTML page; expected a pcap or pcapng file; perhaps the download wanted a login",
        ),
        (b"<?xml version='1.0'?><pdml/>", "is an XML document; expected a pcap or pcapng file"),
        (
            b"snoop\0\0\0\0\0\0\2",
            "is a snoop capture; expected a pcap or pcapng file; convert it with: editcap -F pcap PATH out.pcap",
        ),
        (
            b"GMBU\0\2",
            (
                "is a Microsoft NetMon 2 capture; expected a pcap or pcapng file; "
                "convert it with: editcap -F pcap PATH out.pcap"
            ),
        ),
        (
            b"XCP\x00002.001\0",
            "is a NetXRay capture; expected a pcap or pcapng file; convert it with: editcap -F pcap PATH out.pcap",
        ),
        (
            erf(1_560_000_000) + erf(1_560_000_009, kind=0x82) + erf(1_560_000_008),
            "is an Endace ERF capture; expected a pcap or pcapng file; convert it with: editcap -F pcap PATH out.pcap",
        ),
        (
            erf(1_560_000_000) + erf(1_000_000_000),
            "is no capture, beginning with the bytes 00 00 00 00; expected a pcap or pcapng file",
        ),
        (
            erf(1_560_000_000, kind=49),
            "is no capture, beginning with the bytes 00 00 00 00; expected a pcap or pcapng file",
        ),
        (b"\xfd7zXZ\0", "is compressed with xz; expected a pcap or pcapng file; decompress it first"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "is a Git LFS pointer; expected a pcap or pcapng file; fetch the file with: git lfs pull",
        ),
        (
            pcapng([]).replace(b"\r\n", b"\n"),
            "is a pcapng file damaged by a transfer as text; expected a pcap or pcapng file; transfer it as binary",
        ),
        (
            section(">").replace(b"\n", b"\r\n"),
            "is a pcapng file damaged by a transfer as text; expected a pcap or pcapng file; transfer it as binary",
        ),
    ],
)
def test_what_is_no_capture_is_named(tmp_path, octets, sentence):
    """Each kind of file that is no capture gets one exact sentence."""
    path = tmp_path / "made.pcap"
    path.write_bytes(octets)
    with pytest.raises(NotACaptureError) as caught:
        read(path)

    assert f"{path}: {sentence}".replace("PATH", str(path)) == str(caught.value)


@pytest.mark.parametrize("magic", [entry[0] for entry in CAPTURES + OTHERS])
def test_every_magic_number_is_found(magic):
    """No entry of the tables hides another."""
    what, _ = describe(magic + b"\0" * 20, "x")
    expected = next(entry[1] for entry in CAPTURES + OTHERS if entry[0] == magic)

    assert what in {expected, f"a {expected} capture"}


def test_standard_input_and_spaces_in_commands():
    """The command that converts a file can be pasted."""
    assert "convert it with: editcap -F pcap - out.pcap" == describe(b"snoop\0\0\0", "standard input")[1]
    assert "convert it with: editcap -F pcap 'my file' out.pcap" == describe(b"snoop\0\0\0", "my file")[1]
