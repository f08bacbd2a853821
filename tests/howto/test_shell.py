"""A word of a command line is one word, whatever is in it."""

import shlex
import subprocess

import pytest

from analyzer.howto.shell import posix, posix_line, windows

HOSTILE = ["a b", "$(touch x)", "`x`", "a'b", 'a"b', "a\\b", "a;b", "a|b", "a\nb", "!x", "*", "~", "-x", "", "a&&b"]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_posix_word_comes_out_as_it_is(word):
    """A shell prints the word as it was given, and runs nothing."""
    done = subprocess.run(
        ["sh", "-c", f"printf %s {posix(word)}"], capture_output=True, text=True, check=True, timeout=10
    )

    assert word == done.stdout


@pytest.mark.parametrize("word", HOSTILE)
def test_a_line_for_two_shells_is_unpacked_once_by_each(word):
    """What ssh hands on is one word for the first shell, and the line for the second."""
    line = f"printf %s {posix(word)}"
    [first] = shlex.split(posix_line(line))
    done = subprocess.run(
        ["sh", "-c", f"sh -c {posix_line(line)}"], capture_output=True, text=True, check=True, timeout=10
    )

    assert (line, word) == (first, done.stdout)


def test_a_line_without_what_a_shell_obeys_is_readable():
    """Where nothing in a line means something within double quotes, it stands in these."""
    assert '''"tcpdump 'tcp or arp'"''' == posix_line("tcpdump 'tcp or arp'")


def test_windows_words():
    """A word of Windows' shells is quoted where it must be, and refused where these do not agree how."""
    assert ["Ethernet", '"Ethernet 2"', r"\Device\NPF_Loopback", '""'] == [
        windows(word) for word in ("Ethernet", "Ethernet 2", r"\Device\NPF_Loopback", "")
    ]
    for character in '"%!`$':
        with pytest.raises(ValueError, match="a"):
            windows(f"a{character}b")
