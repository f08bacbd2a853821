"""Pasted text is read like a capture: the shapes in which it stands in trackers, and every line that is no packet."""

import gzip
import io
import sys
from pathlib import Path

import pytest

import analyzer
from analyzer.capture import open_capture
from analyzer.errors import NotACaptureError

ROOT = Path(__file__).parents[3]
PASTED = ROOT / "tests" / "pasted"
FOUNDING = ROOT / "captures" / "founding_go_fin60.pcap"

LINE = "20:27:{:02d}.000000 IP 10.0.0.1.80 > 10.0.0.2.4000: Flags [P.], seq {}:{}, ack 1, win 64, length 1"


def lines(count):
    """This many packets, one a second."""
    return [LINE.format(at % 60, at + 1, at + 2) for at in range(count)]


def read(tmp_path, text):
    """The reader of a text, and its batches."""
    path = tmp_path / "dump.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with open_capture(path) as reader:
        return reader, list(reader)


def probes_of(path):
    """Frames of the probes, and verdicts, of a text or capture."""
    flows = list(analyzer.analyze(path))
    return [probe["frame"] for flow in flows for probe in flow.fields["probes"]], [flow.verdict for flow in flows]


WHOLE = sorted(path.name for path in PASTED.iterdir() if path.name != "idle_part_only.txt")


@pytest.mark.parametrize("name", WHOLE)
def test_pasted_shapes_tell_the_founding_story(name):
    """However somebody pasted the founding capture, its probes and its end are those of the capture."""
    assert probes_of(FOUNDING) == probes_of(PASTED / name)


def test_a_piece_from_the_middle():
    """A text that begins and ends in mid-connection shows the probes that it has."""
    frames, verdicts = probes_of(PASTED / "idle_part_only.txt")

    assert [frame - 7 for frame in probes_of(FOUNDING)[0] if 8 <= frame <= 27] == frames
    assert ["half_closed"] == verdicts


def test_octets_are_packets():
    """Where a text has octets probes are certain, and its link type is told."""
    analysis = analyzer.analyze(PASTED / "octets_for_text2pcap.txt")
    certainties = {probe["certainty"] for flow in analysis for probe in flow.fields["probes"]}

    assert ({"certain"}, "text", ["EN10MB"]) == (
        certainties, analysis.captures[0].format, list(analysis.captures[0].link_types),
    )  # fmt: skip


def test_lines_without_packets_are_counted_and_shown(tmp_path):
    """Every line that is no packet's is counted, and the first is shown, so that it commands no terminal."""
    reader, batches = read(tmp_path, "\x1b[2Jevil \x1b]0;title\x07\n" + "\n".join(lines(3)) + "\n\nnoise\n")

    assert 3 == sum(batch.frames for batch in batches)
    told = 'lines of the text that are not packets, or could not be read: 2, the first is line 1: "evil"'
    assert told in reader.warnings


def test_a_cut_line_is_counted(tmp_path):
    """A packet whose line is cut before its numbers is a frame without a row, and a line that could not be read."""
    reader, [batch] = read(tmp_path, "\n".join([*lines(2), LINE[:60].format(3), *lines(1)]))

    assert (4, 3, (0, 0, 1)) == (batch.frames, len(batch), batch.skipped)
    assert any("could not be read: 1, the first is line 3" in warning for warning in reader.warnings)


def test_drops_are_those_of_tcpdumps_last_words(tmp_path):
    """What the kernel dropped by tcpdump's count is known as in a pcapng."""
    reader, _ = read(tmp_path, "\n".join([*lines(2), "9 packets captured", "12 packets dropped by kernel"]))

    assert 12 == reader.dropped


def test_nothing_but_prose_is_refused(tmp_path):
    """Text without a packet is refused with one sentence."""
    with pytest.raises(NotACaptureError, match=r'is text \(it begins with "hello"\), in which no line is a packet'):
        read(tmp_path, "\nhello\nworld\n")


def test_batches_number_frames_through(tmp_path):
    """Frames of a long text come in batches, numbered in order, as in a capture."""
    path = tmp_path / "dump.txt"
    path.write_text("\n".join(lines(50)))
    with open_capture(path) as reader:
        batches = list(reader.batches(8))

    assert ([8] * 6 + [2], list(range(1, 51))) == (
        [batch.frames for batch in batches], [int(frame) for batch in batches for frame in batch.rows["frame"]],
    )  # fmt: skip


def test_frames_of_a_list_keep_their_numbers(tmp_path):
    """A packet list that is filtered keeps the numbers that Wireshark gave."""
    info = "9 → 80 [ACK] Seq=1 Ack=1 Win=1 Len=0"
    _, [batch] = read(
        tmp_path, f"  17  0.5 10.0.0.1 → 10.0.0.2 TCP 66 {info}\n  40  1.5 10.0.0.1 → 10.0.0.2 TCP 66 {info}\n"
    )

    assert [17, 40] == batch.rows["frame"].tolist()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("IP 10.0.0.1.80 > 10.0.0.2.4: Flags [.], ack 1, win 5, length 0\n" * 3, "the text has no times (tcpdump -t)"),
        (lines(1)[0] + "\n", "the text has times of day without a date"),
        (
            "  1  0.5 10.0.0.1 → 10.0.0.2 HTTP 66 GET / HTTP/1.1\n",
            "packets whose numbers the list does not show, because a protocol above TCP is in their place",
        ),
        (
            "20:27:19.1 IP 10.0.0.1.80 > 10.0.0.2.4: Flags [.], ack 1, win 5, length 0\n",
            "segments without data, whose numbers tcpdump prints only with -vv: 1, the first is frame 1",
        ),
        (
            "0000  ff ff ff ff ff ff 02 00 00 00 00 01 08 06 00 01\n",
            "packets of the text whose bytes are no IP packet's",
        ),
    ],
)
def test_what_a_text_cannot_carry_is_said(tmp_path, text, sentence):
    """What a text lacks is said once, with the command that prints it where there is one."""
    reader, _ = read(tmp_path, text)

    assert [sentence] == [warning[: len(sentence)] for warning in reader.warnings if warning.startswith(sentence)]


def test_mixed_forms(tmp_path):
    """Lines, octets and lists in one text are read each in its form."""
    octets = (PASTED / "octets_for_text2pcap.txt").read_text().split("\n\n")[0]
    listed = "  9  1.5 10.0.0.1 → 10.0.0.2 TCP 66 9 → 80 [ACK] Seq=1 Ack=1 Win=1 Len=0"
    _, [batch] = read(tmp_path, "\n".join([octets, *lines(1), listed]))

    assert [4001, 4000, 80] == batch.rows["dst_port"].tolist()


def test_standard_input_and_compression(tmp_path, monkeypatch):
    """A text comes through a pipe too, or compressed."""
    text = (PASTED / "tcpdump_3.txt").read_bytes()
    packed = tmp_path / "dump.txt.gz"
    packed.write_bytes(gzip.compress(text))
    with open_capture(packed) as reader:
        frames = sum(batch.frames for batch in reader)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    with open_capture("-") as reader:
        assert (39, None) == (sum(batch.frames for batch in reader), reader.size)
    assert 39 == frames


def test_utf_16_is_what_windows_shells_write(tmp_path):
    """A text that a shell of Windows redirected into a file is read."""
    reader, [batch] = read(tmp_path, "\r\n".join(lines(3)).encode("utf-16"))

    assert (3, []) == (len(batch), [warning for warning in reader.warnings if "lines" in warning])
