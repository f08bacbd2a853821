"""What a file is, by its first octets: pcap, pcapng, or something else that gets a name in the error.

Sources of the magic numbers: the heads of Wireshark's wiretap readers, as its documentation lists them, and file(1).
"""

from __future__ import annotations

import shlex
import string
from typing import TYPE_CHECKING, Final

from analyzer.capture.pcap import MAGICS, PcapFraming
from analyzer.capture.pcapng import BYTE_ORDER_MAGIC, MAGIC, PcapngFraming
from analyzer.capture.source import STDIN, display_name
from analyzer.capture.text.lines import encoding_of
from analyzer.errors import CaptureError, NotACaptureError

if TYPE_CHECKING:
    from analyzer.capture.window import Window

HEAD: Final = 512
"""Octets looked at."""

CAPTURES: Final = (
    (b"snoop\0\0\0", "snoop"),
    (b"RTSS", "Microsoft NetMon 1"),
    (b"GMBU", "Microsoft NetMon 2"),
    (b"TRSNIFF data    \x1a", "NG Sniffer"),
    (b"XCP\0", "NetXRay"),
    (b"VL\0\0", "NetXRay 1"),
    (b"TR\0d\0", "HP-UX nettl"),
    (b"+---------+---------------+", "K12 text"),
    (b"iptrace 1.0", "AIX iptrace"),
    (b"iptrace 2.0", "AIX iptrace"),
    (b"\x00\x00\x02\x00\x12\x05\x10", "K12"),
    (b"\x1c\x00\x01\xac", "Ixia lcap"),
    (b"\x1c\x00\x01\xab", "Ixia lcap"),
    (b"\x05VNF", "Visual Networks"),
    (b"\x7fver", "OmniPeek"),
    (b"ObserverPktBuffe", "Network Instruments Observer"),
    (b"\xaa\xaa\xaa\xaa", "5View"),
    (b"EyeSDN", "EyeSDN"),
    (b"\x43\x53\x46\x50", "IBM CSF"),
    (b"btsnoop\0", "btsnoop"),
)
"""Captures that Wireshark's editcap can rewrite."""

OTHERS: Final = (
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it first"),
    (b"BZh", "compressed with bzip2", "decompress it first"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "decompress it first"),
    (b"\x1f\x9d", "compressed with compress", "decompress it first"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a rar archive", "unpack it first"),
    (b"%PDF", "a PDF document", ""),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a Windows program", ""),
    (b"\x89PNG", "a PNG image", ""),
    (b"PAR1", "a Parquet table", ""),
    (b"SQLite format 3\0", "an SQLite database", ""),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file with: git lfs pull"),
)
"""What else is mistaken for a capture, and the way out."""

ERF_HEADER: Final = 16
"""Octets of a record's header: time, type, flags, its length, losses, length on the wire (Endace ERF types)."""
ERF_TYPES: Final = 48
"""The highest type of a record that is known; bit 7 says that more headers follow."""
ERF_SINCE_S: Final = 631_152_000
"""1990: no such card captured before."""

BYTE_ORDER_MARK: Final = BYTE_ORDER_MAGIC.to_bytes(4, "big")
"""Stands near the first octets of pcapng, which are line ends so that a transfer as text shows."""

DOCUMENTS: Final = (b"<!doctype html", b"<html", b"<?xml", b"<pdml", b"<psml")
"""Text that is none to read a line at a time."""

TEXT: Final = frozenset(string.printable.encode())

Framing = PcapFraming | PcapngFraming


def open_framing(name: str, window: Window) -> Framing:
    """Return the framing that reads the stream, after its header.

    Raises:
        CaptureError: the header is cut or of an unknown version.
        NotACaptureError: it is neither pcap nor pcapng.
    """
    head = window.head(4)
    if not head and window.damage:
        raise CaptureError(name, window.damage)
    if int.from_bytes(head, "big") in MAGICS and len(head) == 4:
        return PcapFraming(name, window)
    if head == MAGIC:
        return PcapngFraming(name, window)
    what, way_out = describe(window.head(HEAD), name)
    raise NotACaptureError(name, f"is {what}; expected a pcap or pcapng file" + (way_out and f"; {way_out}"))


def is_text(head: bytes) -> bool:
    """Say whether what begins with these octets may be text that somebody pasted, which ``text.reader`` reads."""
    if not head or head.startswith(tuple(magic for magic, *_ in (*CAPTURES, *OTHERS))) or head[:4] == MAGIC:
        return False
    start = head.lstrip().lower()
    return encoding_of(head) is not None and not start.startswith(DOCUMENTS)


def describe(head: bytes, name: str) -> tuple[str, str]:
    """Say what begins with these octets, to fit after "is", and what could be done about it."""
    if not head:
        return "empty", ""
    for magic, what in CAPTURES:
        if head.startswith(magic):
            return f"a {what} capture", _convert(name)
    for magic, what, way_out in OTHERS:
        if head.startswith(magic):
            return what, way_out
    if head[:1] in (b"\r", b"\n") and (BYTE_ORDER_MARK in head[:20] or BYTE_ORDER_MARK[::-1] in head[:20]):
        return "a pcapng file damaged by a transfer as text", "transfer it as binary"
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page", "perhaps the download wanted a login"
    if start.startswith(DOCUMENTS):
        return "an XML document", ""
    if not set(head) - TEXT:
        return f"text, beginning with {_excerpt(head)}", ""
    if _is_erf(head):  # the last: it has no magic number
        return "an Endace ERF capture", _convert(name)
    return f"no capture, beginning with the bytes {head[:4].hex(' ')}", ""


def _convert(name: str) -> str:
    """Return how a capture of another format becomes one that is read."""
    file = STDIN if name == display_name(STDIN) else name
    return f"convert it with: editcap -F pcap {shlex.quote(file)} out.pcap"


def _is_erf(head: bytes) -> bool:
    """Say whether all records that begin in these octets can be Endace's, each a second earlier at most than the last.

    Wireshark's reader has no magic number to go by either, and asks the same.
    """
    at = last_s = 0
    while at + ERF_HEADER <= len(head):
        seconds = int.from_bytes(head[at + 4 : at + 8], "little")
        length = int.from_bytes(head[at + 10 : at + 12], "big")
        if not (1 <= head[at + 8] & 0x7F <= ERF_TYPES and length >= ERF_HEADER) or seconds < max(
            ERF_SINCE_S, last_s - 1
        ):
            return False
        at, last_s = at + length, seconds
    return at > 0


def _excerpt(head: bytes) -> str:
    """Return the beginning of the first line that is not empty, in quotes."""
    lines = head.decode("ascii").strip().splitlines() or [""]
    line = lines[0]
    return f'"{line[:40]}..."' if len(line) > 40 else f'"{line}"'
