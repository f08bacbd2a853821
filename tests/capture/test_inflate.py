import gzip
import io
import random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.inflate import AHEAD, inflater, is_gzip, is_zstd
from analyzer.capture.source import RawSource

OCTETS = random.Random(1).randbytes(300_000) + bytes(300_000)
SKIPPABLE = b"\x5a\x2a\x4d\x18\x05\0\0\0skip!"


def frames(octets, pieces):
    """The octets as several zstd frames."""
    size = -(-len(octets) // pieces)
    return b"".join(zstandard.compress(octets[at : at + size]) for at in range(0, len(octets), size))


def members(octets, pieces):
    """The octets as several gzip members."""
    size = -(-len(octets) // pieces)
    return b"".join(gzip.compress(octets[at : at + size], 1) for at in range(0, len(octets), size))


def inflated(compressed, *, size=1, view_len=70_000):
    """What comes out, and what it says is wrong."""
    raw = RawSource("made", io.BytesIO(compressed), size, owned=True)
    source = inflater(raw, raw.peek(4))
    view, found = memoryview(bytearray(view_len)), b""
    while got := source.readinto(view):
        found += view[:got]
    assert 0 == source.readinto(view)
    source.close()
    return found, source.damage


@pytest.mark.parametrize("compress", [members, frames])
@pytest.mark.parametrize("pieces", [1, 2, 40])
@pytest.mark.parametrize("size", [1, None])
def test_whole_streams(compress, pieces, size):
    """One or several members or frames give their octets, from a file and from a stream."""
    assert (OCTETS, "") == inflated(compress(OCTETS, pieces), size=size)


@pytest.mark.parametrize("compress", [members, frames])
def test_more_than_is_read_ahead(compress):
    """Octets beyond what the thread may have waiting come in order."""
    octets = OCTETS * (4 * AHEAD // len(OCTETS) + 1)

    assert (octets, "") == inflated(compress(octets, 3), view_len=1 << 20)


def test_skippable_frames_are_passed():
    """Frames of zstd that hold no data are passed, in front too."""
    assert (OCTETS, "") == inflated(SKIPPABLE + frames(OCTETS, 2) + SKIPPABLE)


def test_gzip_padding_is_passed():
    """Zeros behind the last member are the padding of a tape, not damage."""
    assert (OCTETS, "") == inflated(members(OCTETS, 2) + bytes(1000))


@pytest.mark.parametrize(("compress", "name"), [(members, "gzip"), (frames, "zstd")])
@given(data=st.data())
def test_cut_streams(compress, name, data):
    """A stream cut anywhere gives what was before the cut, and says how far it got."""
    compressed = compress(OCTETS[250_000:350_000], 3)
    keep = data.draw(st.integers(4, len(compressed) - 1))
    found, damage = inflated(compressed[:keep])

    assert OCTETS[250_000:350_000].startswith(found)
    where = f"at byte {keep} of the compressed file, after {len(found)} bytes of capture"
    assert damage in {f"the {name} stream ends early {where}", ""}
    assert damage or len(found) % 33_334 == 0


@pytest.mark.parametrize(("compress", "name"), [(members, "gzip"), (frames, "zstd")])
def test_what_is_no_stream_behind_a_stream(compress, name):
    """Octets behind the last member or frame that begin no other are told."""
    compressed = compress(b"capture", 1)

    assert (
        b"capture",
        (
            f"what follows the {name} stream is not {name} at byte {len(compressed)} of the compressed file, "
            "after 7 bytes of capture"
        ),
    ) == inflated(compressed + b"junk")


@pytest.mark.parametrize(("compress", "name"), [(members, "gzip"), (frames, "zstd")])
@given(data=st.data())
def test_damaged_streams(compress, name, data):
    """Whatever is changed in a stream, nothing is raised."""
    compressed = bytearray(compress(OCTETS[299_000:301_000], 2))
    for _ in range(3):
        compressed[data.draw(st.integers(4, len(compressed) - 1))] ^= data.draw(st.integers(1, 255))
    _, damage = inflated(bytes(compressed))

    assert damage == "" or name in damage


def test_damage_in_the_middle():
    """A damaged stream says so, with the library's reason."""
    compressed = bytearray(gzip.compress(OCTETS, 1))
    compressed[150_000:150_100] = bytes(100)
    _, damage = inflated(bytes(compressed))

    assert damage.startswith("the gzip stream is damaged (Error -3 while decompressing data: ")


def test_magic_numbers():
    """Compression is told by the first octets."""
    assert [True, False] == [is_gzip(b"\x1f\x8b\x08\0"), is_gzip(b"\x1f\x9d")]
    assert [True, True, False, False] == [
        is_zstd(head) for head in (b"\x28\xb5\x2f\xfd", SKIPPABLE[:4], b"\x60\x2a\x4d\x18", b"")
    ]
    assert inflater(None, b"\xd4\xc3\xb2\xa1") is None


def test_closing_early():
    """A source that is closed before its end stops its thread."""
    raw = RawSource("made", io.BytesIO(members(OCTETS * 20, 1)), 1, owned=True)
    source = inflater(raw, raw.peek(4))
    source.readinto(memoryview(bytearray(10)))
    source.close()

    assert not source._thread.is_alive()
    assert raw._stream.closed


class Dribble(io.BytesIO):
    """A stream that gives a few octets at a time."""

    def readinto(self, view):
        """Give at most three octets."""
        return super().readinto(memoryview(view)[:3])


@pytest.mark.parametrize("compress", [members, frames])
def test_streams_that_come_in_crumbs(compress):
    """A stream that comes a few octets at a time is the same stream, where its members meet too."""
    octets = OCTETS[299_900:300_400]
    raw = RawSource("made", Dribble(compress(octets, 3)), None, owned=True)
    source = inflater(raw, raw.peek(4))
    view, found = memoryview(bytearray(100)), b""
    while got := source.readinto(view):
        found += view[:got]

    assert (octets, "") == (found, source.damage)
    assert source.bytes_read == raw.bytes_read
    source.close()


@pytest.mark.parametrize("left", [1, 2, 3])
def test_less_than_a_magic_number_behind_a_stream(left):
    """A few octets behind the last member are told as what they are."""
    _, damage = inflated(members(b"capture", 1) + b"xyz"[:left])

    assert damage.startswith("what follows the gzip stream is not gzip at byte ")


def test_a_device_that_fails_under_a_compressed_file():
    """An error of the device ends a compressed stream, and is the reason that is told."""
    compressed = members(OCTETS, 1)

    class Broken(io.BytesIO):
        def readinto(self, view):
            if self.tell() >= 1000:
                raise OSError(5, "Input/output error")
            return super().readinto(memoryview(view)[:1000])

    raw = RawSource("made", Broken(compressed), 1, owned=True)
    source = inflater(raw, raw.peek(4))
    given = 0
    while got := source.readinto(memoryview(bytearray(1000))):
        given += got

    assert (
        "reading stopped at byte 1004: cannot be read (Input/output error), of the compressed file, "
        f"after {given} bytes of capture"
    ) == source.damage
    source.close()
