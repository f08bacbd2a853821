"""What the scrubber makes of frames, for the tests of its modules."""

import io
import struct

from analyzer.capture.scrub.copy import Wishes, copy_scrubbed
from analyzer.capture.scrub.pseudonyms import Pseudonyms
from analyzer.capture.source import RawSource
from tests.capture import craft

KEY = bytes(range(32))


def source_of(octets):
    """Octets as a source."""
    return RawSource("x", io.BytesIO(octets), len(octets), owned=True)


def scrub_file(octets, *, wishes=None, jit=False, **options):
    """What becomes of a file: the copy, and what was counted."""
    parts = []
    done = copy_scrubbed(source_of(octets), parts.append, Pseudonyms(KEY), wishes or Wishes(), jit=jit, **options)
    return b"".join(parts), done


def blocks_of(octets):
    """The blocks of a little-endian pcapng, as (type, body)."""
    at, found = 0, []
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        found.append((kind, octets[at + 8 : at + length - 4]))
        at += length
    return found


def packets_of(octets):
    """The packets of a pcapng, as (link type, octets, length on the wire, time in ns)."""
    links, found = [], []
    for kind, body in blocks_of(octets):
        if kind == 1:
            links.append(struct.unpack_from("<H", body)[0])
        elif kind == 6:
            interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
            found.append((links[interface], body[20 : 20 + captured], original, high << 32 | low))
    return found


def scrubbed(frame, link_type=1, *, original=None, **options):
    """What becomes of one frame: its octets."""
    kept = craft.Kept(frame, original=original or len(frame))
    copy, _ = scrub_file(craft.pcap([kept], link_type=link_type), **options)
    [(_, octets, _, _)] = packets_of(copy)
    return octets


def scrubbed_cuts(frame, link_type=1):
    """What becomes of a frame of which one octet was captured, two, and so on to all: the octets of each."""
    cuts = [craft.Kept(frame[:length], original=len(frame)) for length in range(1, len(frame) + 1)]
    copy, _ = scrub_file(craft.pcap(cuts, link_type=link_type))
    return [octets for _, octets, _, _ in packets_of(copy)]
