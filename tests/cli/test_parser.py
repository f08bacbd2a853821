"""Mistakes in arguments: what may have been meant, and the usage."""

import argparse

import pytest

from analyzer.cli import parser as parsing


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("reprt", ["report"]),
        ("REPORT", ["report"]),
        ("half-closed", ["half_closed"]),
        ("fial-on", ["fail-on"]),
        ("closed_wait", ["close-wait-held"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_the_nearest_words_are_suggested(word, expected):
    """A word that is mistyped, shortened or spelled otherwise suggests those it may mean."""
    assert expected == parsing.nearest(word, ["report", "half_closed", "fail-on", "close-wait-held"])


def test_a_beginning_suggests_all_that_begin_so():
    """A word that was cut short suggests what begins with it first, and no more than three words."""
    known = ["window-closed", "window-closed-for-long", "a-window", "window-probes", "window-shut"]

    assert ["window-closed", "window-closed-for-long", "window-probes"] == parsing.nearest("window", known)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], ""),
        (["silent"], "; did you mean silent?"),
        (["silent", "silently"], "; did you mean silent or silently?"),
    ],
)
def test_a_suggestion_is_a_clause(known, expected):
    """What may be meant is asked at the end of the sentence."""
    assert expected == parsing.suggestion("silen", known)


def test_an_argument_that_nobody_takes_is_named():
    """An unknown option suggests one that is known, and any other argument is one too many."""
    assert "there is no option --jsn; did you mean --json?" == parsing.unknown(["--jsn=1"], ["--json", "--csv"])
    assert "one argument too many: x y" == parsing.unknown(["x", "y"], ["--json"])


def test_the_usage_names_what_must_be_there(capsys):
    """The usage is one line, of what must be named; an error shows it behind its sentence, nothing unprintable."""
    own = parsing.Parser(prog="keepalive draw")
    own.add_argument("files", metavar="FILE", nargs="*", default=[])
    own.add_argument("bpf", metavar="BPF", nargs="*")
    own.add_argument("code", metavar="CODE", nargs="?")
    own.add_argument("-o", "--output", metavar="OUT", required=True)
    own.add_argument("--kind", choices=("fast", "scapy"))
    own.add_argument("--secret", help=argparse.SUPPRESS)
    own.settle_usage()

    with pytest.raises(SystemExit) as ended:
        own.parse_args(["x\x1b", "-o", "y", "--kind", "fsat\x1b"])

    assert 2 == ended.value.code
    assert (
        "keepalive draw: argument --kind: fsat\\x1b is none of fast, scapy\n"
        "usage: keepalive draw [options] -o OUT FILE... [BPF...] [CODE]\n"
        "(keepalive draw --help lists the options)\n"
    ) == capsys.readouterr().err
    assert ["-h", "--help", "-o", "--output", "--kind"] == list(own.options())
