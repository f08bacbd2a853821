"""What mail, trackers and terminals do to lines is undone; what is shown of a line obeys nobody."""

import io

import pytest

from analyzer.capture.source import RawSource
from analyzer.capture.text.lines import LONGEST, cleaned, encoding_of, excerpt, physical_lines
from analyzer.capture.window import Window

LINE = "20:27:19.123456 IP 10.0.0.1.80 > 10.0.0.2.4000: Flags [.], ack 1, win 64, length 0"


def lines_of(octets, *, chunk=1 << 20):
    """The physical lines of octets, read in chunks."""
    window = Window(RawSource("x", io.BytesIO(octets), len(octets), owned=True), chunk=chunk)
    return list(physical_lines(window, encoding_of(window.head(64))))


@pytest.mark.parametrize(
    "mangled",
    [
        LINE,
        LINE + "\r",
        "> " + LINE,
        ">> > " + LINE,
        "| " + LINE,
        LINE.replace(" ", "\u00a0"),
        LINE.replace(">", "&gt;"),
        LINE.replace(">", "&#62;") + "<br/>",
        "<code>" + LINE + "</code>",
        "\x1b[01;31m" + LINE.replace("80", "\x1b[K80\x1b[m"),
        "\ufeff" + LINE,
        LINE.replace("IP", "I\u200bP"),
        "`" + LINE + "`",
        "- " + LINE,
        LINE + "  \t",
    ],
)
def test_a_mangled_line_is_what_it_was(mangled):
    """Marks of quotation, entities, tags, odd spaces and escapes are taken away, and nothing else."""
    assert LINE == cleaned(mangled)


def test_options_of_old_tcpdump_are_no_tags():
    """What stands in angle brackets stays, unless it is a tag."""
    line = "20:27:19.1 IP a.80 > b.4000: S 1:1(0) win 64 <mss 1460,nop,wscale 3>"

    assert line == cleaned(line)


def test_what_is_shown_obeys_nobody():
    """An excerpt is short, and a terminal's escapes in it are spelled out."""
    assert '"a\\x1b[31mb c"' == excerpt("  a\x1b[31mb \t c ")
    assert 65 == len(excerpt("x" * 1000))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("chunk", [7, 64, 1 << 20])
def test_lines_of_every_encoding(encoding, chunk):
    """A text is cut into its lines, whatever its encoding, however it comes in pieces."""
    text = "ein → zwei\nĊ drei\n\nvier"

    assert text.split("\n") == [line.removeprefix("\ufeff") for line in lines_of(text.encode(encoding), chunk=chunk)]


def test_latin_1_is_text_too():
    """What is no UTF-8 is read as Latin-1."""
    assert ["caf\u00e9 au lait, s'il vous pla\u00eet"] == lines_of(
        "caf\u00e9 au lait, s'il vous pla\u00eet".encode("latin-1")
    )


def test_a_line_that_is_too_long_is_cut():
    """Of a very long line the beginning is read, and the next line is the next."""
    octets = b"x" * (3 * LONGEST) + b"\nnext\n"

    assert ["x" * LONGEST, "next"] == lines_of(octets, chunk=1000)


@pytest.mark.parametrize("octets", [b"", b"\0\1\2", b"\xd4\xc3\xb2\xa1", b"abc\0"])
def test_what_is_no_text(octets):
    """Octets with controls that no text has are none."""
    assert encoding_of(octets) is None
