import pytest

from analyzer.capture import FrameDecoder, scapy_reader
from analyzer.capture import decoder as decoder_module
from analyzer.capture.decoder import ROUND, Decoder, Tables
from analyzer.capture.frame import CAPACITY, MAX_CAPTURED
from analyzer.segment import ABSENT
from tests.capture.craft import Kept, ethernet, ipv4, pcap, read, tcp, udp

PLAIN = ethernet(ipv4(tcp(b"abc")))
TUNNEL = ethernet(bytes(4) + ethernet(ipv4(tcp(b"de"))), 0x88E7)  # one that the loop leaves to scapy
OTHER = ethernet(b"", 0x0806)


@pytest.fixture(params=[False, True], ids=["plain", "compiled"])
def jit(request):
    """Both modes of the loops."""
    return request.param


def decoded(frames, **options):
    """Decode Ethernet frames a nanosecond apart: (decoder, batch)."""
    decoder = FrameDecoder(**options)
    for at, octets in enumerate(frames):
        decoder.add(octets, 1000 + at, 1)
    return decoder, decoder.take()


def test_rows_of_both_decoders_are_in_order(jit):
    """Rows that scapy made stand between those of the loop, in the order of frames."""
    decoder, batch = decoded([TUNNEL, PLAIN, OTHER, TUNNEL, PLAIN, TUNNEL], jit=jit)

    assert [1, 2, 4, 5, 6] == batch.rows["frame"].tolist()
    assert [1000, 1001, 1003, 1004, 1005] == batch.rows["ts_ns"].tolist()
    assert [2, 3, 2, 3, 2] == batch.rows["payload_len"].tolist()
    assert (6, (1, 0, 0), 1005, 3) == (batch.frames, batch.skipped, batch.last_ts_ns, decoder.decoder.used_scapy)


def test_numbers_go_on(jit):
    """Frames are numbered through the batches, and each batch has its own rows."""
    decoder, first = decoded([PLAIN, PLAIN], jit=jit)
    decoder.add(PLAIN, 7, 1, original=1514, interface=3)
    second = decoder.take()

    assert ([1, 2], [3]) == (first.rows["frame"].tolist(), second.rows["frame"].tolist())
    assert ([3], 7) == (second.rows["interface"].tolist(), second.last_ts_ns)


def test_rows_that_somebody_holds_are_left_alone():
    """Memory of rows is used again only when nobody has a row of it any more."""
    pytest.importorskip("numba")
    decoder, first = decoded([PLAIN, PLAIN], jit=True)
    one = first.rows[1:]
    place = first.rows.ctypes.data
    del first
    decoder.add(OTHER, 1, 1)
    decoder.add(PLAIN, 7, 1)
    second = decoder.take()

    assert [2] == one["frame"].tolist()
    assert place != second.rows.ctypes.data
    del one
    decoder.add(PLAIN, 8, 1)
    assert place == decoder.take().rows.ctypes.data


def test_memory_of_a_batch_has_room_for_one_a_little_longer():
    """Batches that grow little by little use the same memory."""
    tables = Tables()
    places = {tables.take(count).ctypes.data for count in (1000, 1001, 1500, ROUND)}
    assert len(places) == 1
    assert len(tables.take(ROUND + 1)) == ROUND + 1


def test_where_references_are_not_counted_memory_is_always_fresh(monkeypatch):
    """On a free-threaded Python nobody can tell whether rows are still held, so none are used again."""
    pytest.importorskip("numba")
    monkeypatch.setattr(decoder_module, "COUNTS", False)
    decoder, first = decoded([PLAIN, PLAIN], jit=True)
    decoder.add(OTHER, 1, 1)
    second = decoder.take()

    assert not decoder.decoder._rows._tables
    assert [1, 2] == first.rows["frame"].tolist()
    assert first.rows.ctypes.data != second.rows.ctypes.data


def test_nothing_in_line(jit):
    """A batch of no frames is empty."""
    _, batch = decoded([], jit=jit)

    assert (0, 0, (0, 0, 0), ABSENT) == (len(batch), batch.frames, batch.skipped, batch.last_ts_ns)


def test_the_line_is_limited():
    """A decoder says when its batch must be taken."""
    decoder, _ = decoded([], room=2)
    decoder.add(PLAIN, 1, 1)
    assert not decoder.full
    decoder.add(PLAIN, 1, 1)
    assert (decoder.full, len(decoder)) == (True, 2)
    with pytest.raises(AssertionError, match="take"):
        decoder.add(PLAIN, 1, 1)


def test_the_buffer_is_limited():
    """Large frames fill the buffer before the line."""
    decoder = FrameDecoder()
    while not decoder.full:
        decoder.add(PLAIN.ljust(MAX_CAPTURED + 100, b"x"), 1, 1)

    assert CAPACITY // MAX_CAPTURED == len(decoder)
    assert [3] * len(decoder) == decoder.take().rows["payload_len"].tolist()


def test_the_fast_reader_leaves_tunnels(jit):
    """The fast reader counts what it cannot decode, and says so."""
    decoder, batch = decoded([TUNNEL, PLAIN, TUNNEL], jit=jit, reader="fast")

    assert ([2], (2, 0, 0), 0) == (batch.rows["frame"].tolist(), batch.skipped, decoder.decoder.used_scapy)
    assert [
        "2 frames may hold TCP in a tunnel, which only the reader auto or scapy looks into; the first is frame 1"
    ] == decoder.warnings


def test_the_scapy_reader_decodes_all(jit):
    """The scapy reader asks scapy about every frame, with the same rows."""
    decoder, batch = decoded([TUNNEL, PLAIN, OTHER], jit=jit, reader="scapy")

    assert 3 == decoder.decoder.used_scapy
    assert decoded([TUNNEL, PLAIN, OTHER])[1].rows.tobytes() == batch.rows.tobytes()


def test_frames_that_scapy_fails_at(monkeypatch, jit):
    """A frame that scapy cannot take apart is unusable, counted and named."""

    def fail(*_):
        raise scapy_reader.Failed("IndexError")

    monkeypatch.setattr(scapy_reader, "decode_frame", fail)
    decoder, batch = decoded([TUNNEL, PLAIN], jit=jit)

    assert ([2], (0, 0, 1)) == (batch.rows["frame"].tolist(), batch.skipped)
    assert ["frame 1 could not be taken apart by scapy (IndexError)"] == decoder.warnings


@pytest.mark.parametrize("reader", ["auto", "scapy"])
def test_cut_frames_are_counted_once(tmp_path, reader):
    """A frame with nothing but its ports gives a row and counts as cut, from either decoder."""
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap([Kept(PLAIN[:40], 1, 57), Kept(TUNNEL[:60], 2, 74), Kept(TUNNEL[:50], 3, 74)]))
    found = read(path, reader=reader)

    assert [1, 2] == found.column("frame")
    assert [2, 2] == found.column("note")
    assert (0, 0, 3) == found.skipped


@pytest.mark.parametrize(
    ("reader", "link_type", "expected"),
    [
        ("auto", 1, True),
        ("auto", 127, True),
        ("auto", 239, True),
        ("auto", 147, False),
        ("fast", 127, False),
        ("fast", 239, True),
        ("scapy", 239, False),
        ("scapy", 127, True),
    ],
)
def test_which_link_types_can_be_decoded(reader, link_type, expected):
    """Each reader has its link types; auto has those of both."""
    assert expected == Decoder(reader).can_decode(link_type)


@pytest.mark.parametrize(
    ("reader", "excuse"),
    [
        ("auto", "no reader here decodes"),
        ("fast", "the fast reader does not decode"),
        ("scapy", "scapy does not decode"),
    ],
)
def test_undecodable_link_types_are_named(reader, excuse):
    """Frames of a link type that the chosen reader does not know are counted and named."""
    decoder = FrameDecoder(reader=reader)
    decoder.add(PLAIN, 1, 147)
    batch = decoder.take()

    assert (0, (1, 0, 0), 1) == (len(batch), batch.skipped, decoder.decoder.undecodable)
    assert [f"frame 1 is of link type LINKTYPE_147, which {excuse}"] == decoder.warnings


def test_an_unknown_reader():
    """A reader that does not exist is a mistake of the caller."""
    with pytest.raises(ValueError, match="reader is 'quick'; expected one of auto, fast, scapy"):
        FrameDecoder(reader="quick")


def test_ordinary_udp_does_not_import_scapy():
    """Frames without tunnels are decoded without scapy."""
    decoder, _ = decoded([PLAIN, OTHER, ethernet(ipv4(udp(b"x" * 50, 53), 17))] * 10)

    assert 0 == decoder.decoder.used_scapy
