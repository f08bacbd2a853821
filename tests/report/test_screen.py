"""What a terminal shows, and what never reaches it."""

import io

import pytest

from analyzer.report.screen import GLUE, Screen, columns, printable, screen_for


class Stream(io.StringIO):
    """A stream that may be a terminal, of some encoding."""

    def __init__(self, *, terminal, encoding="utf-8"):
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._terminal

    def fileno(self):
        raise OSError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("capture 1.pcap", "capture 1.pcap"),
        ("Aufzeichnung für Zoë.pcap", "Aufzeichnung für Zoë.pcap"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\rc\x07", "a\\nb\\rc\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("gpj.\u202epacp", "gpj.\\u202epacp"),
        ("a\u2028b", "a\\u2028b"),
        ("caf\udce9.pcap", "caf\\xe9.pcap"),
    ],
)
def test_what_a_terminal_acts_on_is_spelled_out(text, expected):
    """Control characters, overrides of direction and stray octets become escapes, all else stays."""
    assert expected == printable(text)


@pytest.mark.parametrize(
    ("terminal", "environ", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_unless_the_environment_says_otherwise(terminal, environ, expected):
    """A terminal has colour and a pipe has none, and NO_COLOR wins over FORCE_COLOR."""
    assert expected == screen_for(Stream(terminal=terminal), environ).colour


@pytest.mark.parametrize(
    ("environ", "expected"), [({}, 80), ({"COLUMNS": "140"}, 140), ({"COLUMNS": "7"}, 40), ({"COLUMNS": "wide"}, 80)]
)
def test_width_is_80_where_nothing_else_is_known(environ, expected):
    """A stream that has no width gets 80 columns, and COLUMNS is heeded but never below 40."""
    assert expected == screen_for(Stream(terminal=True), environ).width


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("", False)])
def test_symbols_are_used_only_where_the_encoding_has_them(encoding, expected):
    """An encoding without the symbols gets ASCII."""
    assert expected == screen_for(Stream(terminal=False, encoding=encoding), {}).unicode


def test_numbers_stay_with_their_unit():
    """A line is not broken between a number and its unit, nor inside a list of frames."""
    lines = list(Screen(width=40).wrap("The last probe drew a RST after 61.463 s, [frames 14-15, 38] so it is said."))

    assert ["The last probe drew a RST after", "61.463 s, [frames 14-15, 38] so it is", "said."] == lines
    assert not any(GLUE in line for line in lines)


def test_colour_does_not_change_the_words():
    """Painted lines without their colour are the plain lines."""
    text = "The client sent FIN, acknowledged 43 ms later. [frames 14-15]"
    plain, painted = (list(Screen(40, colour=colour).wrap(text, indent="  ")) for colour in (False, True))

    assert plain == [line.replace("\x1b[2m", "").replace("\x1b[0m", "") for line in painted]
    assert plain != painted


def test_columns_align():
    """Cells stand two spaces apart, and negative widths align right."""
    assert "a       12" == columns((("a", 4), ("12", -4)))
