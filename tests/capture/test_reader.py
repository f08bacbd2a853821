import gzip
import io
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture import open_capture
from analyzer.capture import reader as reader_module
from analyzer.capture.decoder import TOO_MANY
from analyzer.capture.reader import LARGE
from analyzer.errors import AnalyzerError, CaptureError, NotACaptureError, UnsupportedLinkTypeError
from tests.beside import corpus, distinct, lab
from tests.capture.craft import (
    Kept,
    block,
    differences,
    enhanced,
    ethernet,
    icmp,
    interface,
    ipv4,
    ipv6,
    pcap,
    pcapng,
    read,
    section,
    simple,
    tcp,
    udp,
)

ROOT = Path(__file__).parents[2]
OURS = sorted(ROOT.glob("captures/**/*.pcap*"))
THEIRS = distinct([*OURS, *lab(), *corpus()])[len(distinct(OURS)) :]

FRAMES = [
    ethernet(ipv4(tcp(b"howdy", seq=at), identifier=at), vlans=[(0x8100, 3)] if at % 5 == 0 else ()) for at in range(9)
]
MIXED = [
    *FRAMES,
    ethernet(ipv6(tcp(b"x")), 0x86DD),
    ethernet(ipv4(udp(b"dns", 53), 17)),
    ethernet(ipv4(tcp(b"x" * 30), fragment=3)),
    ethernet(ipv4(icmp(ipv4(tcp())), 1)),
    ethernet(ipv4(ipv4(tcp(b"in")), 4)),
    ethernet(bytes(4) + ethernet(ipv4(tcp(b"pbb"))), 0x88E7),
    Kept(ethernet(ipv4(tcp(b"long")))[:45], 1_600_000_000_999_999_000, 1514),
]


@pytest.fixture
def written(tmp_path):
    """Writes octets to a file and returns its path."""

    def write(octets, name="made.pcap"):
        path = tmp_path / name
        path.write_bytes(octets)
        return path

    return write


def ids(paths):
    """Short names of captures for test ids."""
    return [f"{path.parent.name}/{path.name}" for path in paths]


# ── one capture, many ways ───────────────────────────────────────────────────────────────────────────────────────


@given(chunk=st.integers(1, 400), batch_rows=st.integers(1, 20), which=st.sampled_from([pcap(MIXED), pcapng(MIXED)]))
def test_any_chunking_gives_the_same_rows(tmp_path_factory, chunk, batch_rows, which):
    """However the stream is cut into reads and batches, rows and counts are the same."""
    path = tmp_path_factory.getbasetemp() / f"chunks-{len(which)}"
    path.write_bytes(which)
    whole, cut = read(path), read(path, chunk=chunk, batch_rows=batch_rows)

    assert [] == differences(whole.rows, cut.rows)
    assert whole[1:] == cut[1:]


@pytest.mark.parametrize("chunk", [1, 57, 1 << 20])
@pytest.mark.parametrize("make", [pcap, pcapng])
def test_compiled_is_plain(written, make, chunk):
    """Compiled and plain loops give the same rows and counts."""
    path = written(make(MIXED))
    plain, compiled = read(path, jit=False, chunk=chunk), read(path, jit=True, chunk=chunk)

    assert [] == differences(plain.rows, compiled.rows)
    assert plain[1:] == compiled[1:]


def test_pcapng_is_pcap(written):
    """The same frames in the other container give the same rows."""
    one, other = read(written(pcap(MIXED))), read(written(pcapng(MIXED), "made.pcapng"))

    assert [] == differences(one.rows, other.rows)
    assert one[1:6] == other[1:6]
    assert ("pcap", "pcapng") == (one.format, other.format)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("make", [pcap, pcapng])
def test_compressed_captures(written, make, compress):
    """Compression is told by octets, not by the name."""
    plain, squeezed = read(written(make(MIXED))), read(written(compress(make(MIXED)), "made.txt"))

    assert [] == differences(plain.rows, squeezed.rows)
    assert plain[1:] == squeezed[1:]


def test_standard_input(written, monkeypatch):
    """A dash reads standard input."""
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pcap(MIXED))))
    monkeypatch.setattr(sys, "stdin", stream)
    piped = read("-")

    assert [] == differences(read(written(pcap(MIXED))).rows, piped.rows)


def test_a_pipe_that_dribbles(tmp_path, written):
    """A FIFO whose writer takes its time gives the same rows."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    octets = pcapng(MIXED)

    def write():
        with path.open("wb", buffering=0) as stream:
            for at in range(0, len(octets), 7):
                stream.write(octets[at : at + 7])

    writer = threading.Thread(target=write)
    writer.start()
    dribbled = read(path)
    writer.join()

    assert [] == differences(read(written(octets)).rows, dribbled.rows)


@pytest.mark.parametrize("kind", ["pcapng", "nsecpcap", "modpcap"])
def test_editcap_makes_the_same(written, tmp_path, kind):
    """What Wireshark's editcap makes of a capture has the same rows, and back."""
    if shutil.which("editcap") is None:
        pytest.skip("editcap IS NOT INSTALLED")
    path = written(pcap(MIXED))
    there, back = tmp_path / "there", tmp_path / "back"
    subprocess.run(["editcap", "-F", kind, path, there], check=True, capture_output=True)
    subprocess.run(["editcap", "-F", "pcap", there, back], check=True, capture_output=True)

    for other in (there, back):
        assert [] == differences(read(path).rows, read(other).rows)


# ── the reader as an object ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_known_before_the_first_batch(written):
    """Format, link type, start and size are known once a capture is open."""
    path = written(pcap(MIXED))
    with open_capture(path) as reader:
        assert ("pcap", ["EN10MB"], 1_600_000_000_123_456_000) == (reader.format, reader.link_types, reader.start_ns)
        assert (str(path), path.stat().st_size, []) == (reader.path, reader.size, reader.warnings)
        assert 0 < reader.bytes_read <= reader.size
        assert sum(batch.frames for batch in reader) == len(MIXED)
        assert (reader.bytes_read, reader.used_scapy) == (reader.size, 1)


@pytest.mark.parametrize("how", ["auto", "scapy"])
def test_scapy_is_asked_about_so_many_frames_of_a_file(written, monkeypatch, how):
    """Frames that only scapy takes apart are so slow that a file of them is read to a limit, unless scapy is wanted."""
    monkeypatch.setattr(reader_module, "MOST_BY_SCAPY", 2)
    plain, tunnel = ethernet(ipv4(tcp())), ethernet(bytes(4) + ethernet(ipv4(tcp())), 0x88E7)
    result = read(written(pcap([tunnel, plain, tunnel, tunnel, plain, tunnel])), reader=how)

    assert ([1, 2, 3, 5] if how == "auto" else [1, 2, 3, 4, 5, 6]) == result.rows["frame"].tolist()
    assert ((2, 0, 0) if how == "auto" else (0, 0, 0)) == result.skipped
    assert [f"2 frames {TOO_MANY}; the first is frame 4"] * (how == "auto") == result.warnings


def test_batches_have_at_most_so_many_frames(written):
    """A batch stands for as many frames as was asked for, the last for the rest."""
    with open_capture(written(pcap(MIXED))) as reader:
        assert [4, 4, 4, 4] == [batch.frames for batch in reader.batches(4)]


def test_a_reader_is_read_once(written):
    """A second pass yields nothing."""
    with open_capture(written(pcap(MIXED))) as reader:
        assert [len(MIXED)] == [batch.frames for batch in reader]
        assert [] == list(reader)


def test_batches_larger_than_usual(written):
    """A batch may be larger than the usual size."""
    path = written(pcap(FRAMES * 1000))
    with open_capture(path, jit=False) as reader:
        assert 9000 == next(reader.batches(10_000)).frames


def test_batches_with_contents_are_longer(written, monkeypatch):
    """Who asks for what else is in frames gets them in longer batches, compiled and plain alike."""
    monkeypatch.setattr(reader_module, "BATCH_ROWS", 4)
    for jit in (False, True):
        with open_capture(written(pcap(MIXED)), contents=True, jit=jit) as reader:
            assert [8, 8] == [batch.frames for batch in reader]
        with open_capture(written(pcap(MIXED)), jit=jit) as reader:
            assert [4, 4, 4, 4] == [batch.frames for batch in reader]


def test_rows_belong_to_the_caller(written):
    """Rows keep their values when reading goes on."""
    with open_capture(written(pcap(FRAMES * 20)), chunk=500) as reader:
        batches = list(reader.batches(7))
    numbers = np.concatenate([batch.rows["frame"] for batch in batches])

    assert list(range(1, 181)) == numbers.tolist()


@pytest.mark.parametrize(
    ("size", "compressed", "expected"),
    [(100, False, False), (LARGE, False, True), (100, True, False), (LARGE * 3, True, True)],
)
def test_size_decides_about_compiling(written, monkeypatch, size, compressed, expected):
    """Small files are read plainly, large ones by compiled loops; compressed ones count for more."""
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    noise = np.random.default_rng(1).integers(0, 256, size, np.uint8).tobytes()
    octets = pcap([*FRAMES, *(noise[at : at + 60_000] for at in range(0, size, 60_000))])
    with open_capture(written(gzip.compress(octets) if compressed else octets)) as reader:
        assert expected == reader.jit


@pytest.mark.parametrize(("variable", "expected"), [("0", False), ("1", True)])
def test_the_environment_decides_about_compiling(written, monkeypatch, variable, expected):
    """KEEPALIVE_JIT overrules the size, and an argument overrules both."""
    monkeypatch.setenv("KEEPALIVE_JIT", variable)
    path = written(pcap(FRAMES * (1 if variable == "1" else 12_000)))
    with open_capture(path) as reader:
        assert expected == reader.jit
    with open_capture(path, jit=not expected) as reader:
        assert expected != reader.jit


def test_a_stream_changes_when_it_grows(written, monkeypatch):
    """A stream begins plain and is compiled from a certain length on, with the same rows."""
    monkeypatch.delenv("KEEPALIVE_JIT", raising=False)
    octets = pcap([Kept(FRAMES[at % 9], 10**18 + at * 1000) for at in range(20_000)])
    assert len(octets) > LARGE
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(octets))))
    modes, parts = [], []
    with open_capture("-", chunk=1 << 16) as reader:
        for batch in reader:
            modes.append(reader.jit)
            parts.append(batch.rows)

    assert (False, True) == (modes[0], modes[-1])
    assert [] == differences(read(written(octets), jit=False).rows, np.concatenate(parts))


# ── what cannot be read ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_undecodable_link_type(written):
    """A capture of a link type that nobody decodes is refused when it is opened."""
    path = written(pcap(FRAMES, 147))
    with pytest.raises(UnsupportedLinkTypeError) as caught:
        open_capture(path)

    assert 147 == caught.value.link_type
    assert f"{path}: is of link type LINKTYPE_147 (147), which no reader here decodes" == str(caught.value)


def test_a_link_type_that_only_scapy_decodes(written):
    """A link type of scapy's is read by auto and refused by fast."""
    inside = b"\x08\x02" + bytes(22) + b"\xaa\xaa\x03\0\0\0\x08\0" + ipv4(tcp(b"air"))
    path = written(pcap([inside], 105))

    assert ([3], ["IEEE802_11"]) == (read(path).column("payload_len"), read(path).link_types)
    with pytest.raises(UnsupportedLinkTypeError, match="which the fast reader does not decode"):
        open_capture(path, reader="fast")


def test_a_stream_that_ends_at_once(tmp_path):
    """A FIFO whose writer leaves without a word is empty."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.open("wb").close())
    writer.start()
    with pytest.raises(NotACaptureError) as caught:
        open_capture(path)
    writer.join()

    assert f"{path}: is empty; expected a pcap or pcapng file" == str(caught.value)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_compressed_file_that_gives_nothing(written, name):
    """A compressed file that breaks before its first octet is an error that says so."""
    octets = gzip.compress(pcap(FRAMES))[:8] if name == "gzip" else zstandard.compress(pcap(FRAMES))[:-20]
    path = written(octets)
    with pytest.raises(CaptureError) as caught:
        open_capture(path)

    where = f"at byte {len(octets)} of the compressed file, after 0 bytes of capture"
    assert f"{path}: the {name} stream ends early {where}" == str(caught.value)


def test_a_cut_compressed_capture(written):
    """A compressed capture that was cut gives what is left, and both ends are told."""
    octets = pcap([bytes([at]) * 1000 for at in range(250)] + FRAMES + [np.random.default_rng(1).bytes(60_000)] * 9)
    squeezed = gzip.compress(octets)[:60_000]
    found = read(written(squeezed))

    assert 9 == len(found.rows)
    assert 2 == len(found.warnings)
    assert found.warnings[0].startswith("the gzip stream ends early at byte 60000 of the compressed file, after ")
    assert found.warnings[1].startswith("the last record, at byte ")


def test_damage_does_not_flood(written):
    """A capture in which every frame is wrong has few warnings."""
    head = section() + interface() + interface(147)
    octets = head + b"".join(
        enhanced(FRAMES[0], 2000 * (1000 - at), at % 3) + simple(FRAMES[0]) + block(7, bytes(8)) for at in range(500)
    )
    found = read(written(octets))

    assert 1000 == found.frames
    assert 4 == len(found.warnings)


@given(data=st.data(), make=st.sampled_from([pcap, pcapng]))
def test_mutated_captures(tmp_path_factory, data, make):
    """Whatever is changed in a capture, both modes read it equally far, or refuse it with the same sentence."""
    octets = bytearray(make(MIXED))
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.sampled_from([0, 1, 6, 127, 128, 255]))
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(octets)
    found = []
    for jit in (False, True):
        try:
            found.append(read(path, jit=jit, chunk=data.draw(st.sampled_from([64, 1 << 20]))))
        except AnalyzerError as error:
            found.append(str(error))

    if isinstance(found[0], str) or isinstance(found[1], str):
        assert found[0] == found[1]
    else:
        assert [] == differences(found[0].rows, found[1].rows)
        assert found[0][1:] == found[1][1:]


# ── real captures ────────────────────────────────────────────────────────────────────────────────────────────────

UNKNOWN_TO_SCAPY = {"5139e360b5c7.pcap": "NFLOG", "eb6f65f18716.pcap.gz": "FDDI"}


MOST = 8192
"""So many frames of a capture are read by scapy, too: of more it would take minutes, and they are like those before."""


def same_by_both(path):
    """Assert that the first frames of a capture have equal columns by loop and by scapy, or the same refusal."""
    found = []
    for options in ({"jit": False}, {"reader": "scapy"}):
        try:
            found.append(read(path, most=MOST, **options))
        except CaptureError as error:
            found.append(str(error))
    fast, scapy = found
    if isinstance(fast, str):
        assert fast == scapy
        return
    assert [] == differences(fast.rows, scapy.rows)
    assert fast[1:3] == scapy[1:3]


@pytest.mark.parametrize("path", OURS, ids=ids(OURS))
def test_scapy_agrees(path):
    """Every capture of ours has equal columns by the fast reader and by scapy."""
    same_by_both(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", THEIRS or [None], ids=ids(THEIRS) or ["none"])
def test_scapy_agrees_on_shared_captures(path):
    """Every shared capture has equal columns by both readers, unless scapy does not know its link type."""
    if path is None:
        pytest.skip("neither lab nor corpus is beside this checkout")
    if path.name in UNKNOWN_TO_SCAPY:
        pytest.skip(f"scapy does not know {UNKNOWN_TO_SCAPY[path.name]}")
    same_by_both(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", [*OURS, *THEIRS], ids=ids([*OURS, *THEIRS]))
def test_compiled_is_plain_on_real_captures(path):
    """Every capture has the same rows, counts and warnings in both modes."""
    found = []
    for jit in (False, True):
        try:
            found.append(read(path, jit=jit))
        except CaptureError as error:
            found.append(str(error))
    plain, compiled = found
    if isinstance(plain, str):
        assert plain == compiled
        return
    assert [] == differences(plain.rows, compiled.rows)
    assert plain[1:] == compiled[1:]


TSHARK = {
    "frame": "frame.number",
    "src_port": "tcp.srcport",
    "dst_port": "tcp.dstport",
    "seq": "tcp.seq_raw",
    "ack": "tcp.ack_raw",
    "payload_len": "tcp.len",
    "window": "tcp.window_size_value",
    "header_len": "tcp.hdr_len",
    "tsval": "tcp.options.timestamp.tsval",
    "tsecr": "tcp.options.timestamp.tsecr",
    "ttl": "ip.ttl",
    "ip_id": "ip.id",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What tshark shows of each of our captures; it is begun once for all, one behind the other."""
    if shutil.which("tshark") is None or shutil.which("mergecap") is None:
        pytest.skip("tshark IS NOT INSTALLED")
    path = tmp_path_factory.mktemp("shown") / "all.pcapng"
    subprocess.run(["mergecap", "-a", "-w", path, *OURS], check=True, capture_output=True)
    fields = [part for field in TSHARK.values() for part in ("-e", field)]
    command = ["tshark", "-r", path, "-Y", "ip and tcp and not icmp and tcp.window_size_value", "-T", "fields", *fields]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    values = np.array([[int(value, 0) if value else -1 for value in line.split("\t")] for line in lines])
    behind = np.cumsum([0, *(read(each).frames for each in OURS)])
    parts = np.split(values, np.searchsorted(values[:, 0], behind[1:], side="right"))
    first = np.array([name == "frame" for name in TSHARK])
    return {each: part - before * first for each, before, part in zip(OURS, behind, parts, strict=False)}


@pytest.mark.parametrize("path", OURS, ids=ids(OURS))
def test_tshark_agrees(path, shown):
    """Every segment of our captures has the numbers that tshark shows."""
    rows = read(path).rows
    rows = rows[(rows["note"] == 0) & (rows["ip_version"] == 4)]

    assert shown[path].tolist() == np.stack([rows[name].astype(np.int64) for name in TSHARK], axis=1).tolist()


def test_a_pipe_is_refused_where_packets_are_read_twice(tmp_path):
    """Who reads a capture twice refuses what can be read only once, and does not wait for it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(CaptureError) as refused:
        reader_module.refuse_text(pipe, "compare")

    assert f"{pipe}: can be read only once, and compare reads it twice: save it as a file" == str(refused.value)
