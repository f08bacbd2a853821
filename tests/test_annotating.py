"""``annotate(path, out)``: copies that Wireshark opens, with our labels and equal packets."""

import gzip
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest
import zstandard

import analyzer
from analyzer.analyzing import analyze
from analyzer.annotating import annotate
from analyzer.capture.source import open_source
from analyzer.errors import CaptureError
from analyzer.survey.selection import Selection
from analyzer.wireshark.tshark import find
from tests.capture.craft import block
from tests.wireshark.needs import needs_tshark

CAPTURES = Path(__file__).parents[1] / "captures"
LAB = CAPTURES / "lab"
FOUNDING = CAPTURES / "founding_go_fin60.pcap"
ALL = sorted(path for folder in (CAPTURES, LAB) for path in folder.iterdir() if ".pcap" in path.suffix)


def fields(path, *names, only="frame"):
    """What tshark prints of a capture, frame by frame; anything that it complains of is an error."""
    done = subprocess.run(
        [find(), "-n", "-r", path, "-Y", only, "-o", "frame.generate_md5_hash:TRUE", "-T", "fields"]
        + [word for name in names for word in ("-e", name)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert [] == [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    return [line.split("\t") for line in done.stdout.splitlines()]


PACKET = ("frame.time_epoch", "frame.cap_len", "frame.len", "frame.md5_hash", "frame.encap_type")


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A copy of each capture, and what was done."""
    folder = tmp_path_factory.mktemp("annotated")
    outs = {path: folder / f"{at}.pcapng" for at, path in enumerate(ALL)}
    return {path: (out, annotate(path, out)) for path, out in outs.items()}


@pytest.fixture(scope="module")
def seen(copies, tmp_path_factory):
    """The packets of each capture and those of its copy, with comments: tshark starts for longer than it reads them."""
    joined = tmp_path_factory.mktemp("joined") / "joined.pcapng"
    parts = [path for path, (out, _) in copies.items() for path in (path, out)]
    subprocess.run([Path(find()).with_name("mergecap"), "-a", "-w", joined, *parts], check=True)
    rest = iter(fields(joined, *PACKET, "frame.comment"))
    found = {
        path: [[next(rest) for _ in range(done.copied.frames)] for _ in range(2)] for path, (_, done) in copies.items()
    }
    assert [] == list(rest)
    return found


@needs_tshark
@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_a_copy_has_equal_packets_and_our_comments(path, copies, seen):
    """Wireshark reads the same octets, times and lengths, and a comment on every probe, answer, FIN and RST."""
    original, copied = seen[path]
    said = {number: text for number, (*_, text) in enumerate(copied, 1) if text}
    flows = [flow.judged.record for flow in analyze(path).flows]
    expected = {probe.frame for record in flows for probe in record.probes}
    expected |= {probe.answer_frame for record in flows for probe in record.probes if probe.answer_frame}
    expected |= {thing.frame for record in flows for thing in (*record.fins, *record.resets)}

    assert [frame[:-1] for frame in original] == [frame[:-1] for frame in copied]
    assert expected <= set(said)
    assert all(text.startswith("keepalive: flow ") for text in said.values())
    assert len(said) == copies[path][1].copied.comments


@needs_tshark
def test_interfaces_stay(tmp_path):
    """A pcapng keeps its interfaces, by name, and packets theirs."""
    path = LAB / "pcapng_two_interfaces.pcapng"
    annotate(path, tmp_path / "out.pcapng")
    names = ("frame.interface_id", "frame.interface_name", "frame.time_epoch")

    assert fields(path, *names) == fields(tmp_path / "out.pcapng", *names)


@needs_tshark
def test_comments_that_are_there_stay(tmp_path):
    """A pcapng with comments of somebody else's shows these beside ours, of packets and of the section."""
    annotate(FOUNDING, tmp_path / "ours.pcapng")
    theirs = (tmp_path / "ours.pcapng").read_bytes().replace(b"keepalive: ", b"a colleague")
    (tmp_path / "theirs.pcapng").write_bytes(theirs)
    annotate(tmp_path / "theirs.pcapng", tmp_path / "out.pcapng")
    (before,) = fields(tmp_path / "theirs.pcapng", "frame.comment", only="frame.number == 14")[0]
    (after,) = fields(tmp_path / "out.pcapng", "frame.comment", only="frame.number == 14")[0]
    capinfos = [Path(find()).with_name("capinfos"), tmp_path / "out.pcapng"]
    section = subprocess.run(capinfos, check=True, capture_output=True, text=True).stdout

    assert fields(FOUNDING, *PACKET) == fields(tmp_path / "out.pcapng", *PACKET)
    assert "a colleagueflow 0: FIN, acknowledged in frame 15" == before
    assert f"keepalive: flow 0: FIN, acknowledged in frame 15,{before}" == after
    assert "a colleague1 flow, 1 with probes" in section
    assert "keepalive: 1 flow, 1 with probes" in section


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_we_read_the_same_from_a_copy(path, copies):
    """What we conclude from a copy is what we conclude from the capture, to the nanosecond."""
    out, _ = copies[path]

    assert [flow.judged for flow in analyze(path).flows] == [flow.judged for flow in analyze(out).flows]


@needs_tshark
def test_the_section_has_the_summary(tmp_path):
    """In capinfos stand the sums, the verdicts and the story of the flow in one line."""
    annotate(FOUNDING, tmp_path / "out.pcapng")
    shown = subprocess.run(
        [Path(find()).with_name("capinfos"), tmp_path / "out.pcapng"], check=True, capture_output=True, text=True
    ).stdout

    assert "keepalive: 1 flow, 1 with probes; 16 probes, 15 answered, 12 after a FIN; 0 zero-window probes." in shown
    assert "Verdicts: reset_on_probe 1." in shown
    assert "flow 0, 127.0.0.1:59285 and 127.0.0.1:4001: reset_on_probe. The client closed" in shown
    assert f"keepalive {analyzer.__version__}" in shown


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_compressed_captures(pack, tmp_path):
    """A gzip or zstd file gives the copy that the plain one gives."""
    packed = tmp_path / "packed"
    packed.write_bytes(pack(FOUNDING.read_bytes()))
    annotate(FOUNDING, tmp_path / "plain.pcapng")
    annotate(packed, tmp_path / "packed.pcapng")

    assert (tmp_path / "plain.pcapng").read_bytes() == (tmp_path / "packed.pcapng").read_bytes()


def test_nothing_is_written_over_without_force(tmp_path):
    """A file that is there stays, until force is given."""
    out = tmp_path / "out.pcapng"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        annotate(FOUNDING, out)

    assert "mine" == out.read_text(encoding="utf-8")
    annotate(FOUNDING, out, force=True)
    assert out.read_bytes().startswith(b"\n\r\r\n")


def test_a_failure_leaves_nothing_behind(tmp_path):
    """What cannot be read gives no copy, and no part of one."""
    bad = tmp_path / "bad.pcap"
    bad.write_text("no capture", encoding="utf-8")
    with pytest.raises(CaptureError):
        annotate(bad, tmp_path / "out.pcapng")

    assert [bad] == list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [9, 0xBAD, 0x221, 0x77777777])
def test_comments_stand_on_their_packets_whatever_blocks_come_first(kind, tmp_path):
    """Blocks that have a frame number, and blocks that have none, do not move a comment to another packet."""
    annotate(FOUNDING, tmp_path / "bare.pcapng", select=Selection(numbers=(99,)))
    bare = (tmp_path / "bare.pcapng").read_bytes()
    first = int.from_bytes(bare[4:8], "little")
    (tmp_path / "in.pcapng").write_bytes(bare[:first] + block(kind, bytes(40)) * 2 + bare[first:])
    annotate(FOUNDING, tmp_path / "plain.pcapng")
    done = annotate(tmp_path / "in.pcapng", tmp_path / "out.pcapng").copied
    expected, found = (list(blocks_said(tmp_path / f"{name}.pcapng")) for name in ("plain", "out"))

    assert expected == found
    assert done.comments == sum(text != b"" for _, text in found)


def blocks_said(path):
    """The packets of a pcapng, as (octets, our comment without its numbers)."""
    octets, at = path.read_bytes(), 0
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        if kind == 6:
            stop = at + 28 + int.from_bytes(octets[at + 20 : at + 24], "little")
            said = re.sub(rb"[0-9]+", b"#", octets[stop : at + length - 4].partition(b"keepalive: ")[2].rstrip(b"\0"))
            yield octets[at + 12 : stop], said
        at += length


def test_a_capture_that_changes_while_it_is_read_gives_no_copy(tmp_path, monkeypatch):
    """A comment that finds no packet is an error, and OUT is not made."""
    capture = tmp_path / "in.pcap"
    capture.write_bytes(FOUNDING.read_bytes())

    def cut_and_open(path):
        capture.write_bytes(FOUNDING.read_bytes()[:1000])
        return open_source(path)

    monkeypatch.setattr("analyzer.annotating.open_source", cut_and_open)
    with pytest.raises(
        CaptureError, match=r"in\.pcap: changed while it was read: \d+ comments found no packet among 11;"
    ):
        annotate(capture, tmp_path / "out.pcapng")

    assert [capture] == list(tmp_path.iterdir())


def test_a_copy_is_there_only_when_it_is_complete(tmp_path, monkeypatch):
    """If writing fails in between, OUT is as before."""
    monkeypatch.setattr(
        "analyzer.annotating.copy_with_comments", lambda *_, **__: (_ for _ in ()).throw(OSError("full"))
    )
    out = tmp_path / "out.pcapng"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(OSError, match="full"):
        annotate(FOUNDING, out, force=True)

    assert "mine" == out.read_text(encoding="utf-8")
    assert [out] == list(tmp_path.iterdir())


def test_a_pipe_is_written_as_it_comes(tmp_path):
    """What is no regular file is written to, not replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        annotate(FOUNDING, pipe, force=True)
        octets = reader.stdout.read()
    annotate(FOUNDING, tmp_path / "out.pcapng")

    assert (tmp_path / "out.pcapng").read_bytes() == octets


def test_a_selection_has_comments_on_its_flows_only(tmp_path):
    """Packets of other flows are copied without a comment."""
    path = LAB / "port_reuse.pcap"
    everything = annotate(path, tmp_path / "all.pcapng").copied
    one = annotate(path, tmp_path / "one.pcapng", select=Selection(numbers=(1,))).copied

    assert everything.frames == one.frames
    assert 0 < one.comments < everything.comments


def test_annotate_is_a_public_name():
    """The package offers it."""
    assert annotate is analyzer.annotate
