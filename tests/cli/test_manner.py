"""How the command speaks: -q, -v and --color."""

import argparse

import pytest

from analyzer.cli import manner

FOUNDING = "founding_go_fin60.pcap"


@pytest.fixture
def spoken(monkeypatch):
    """A function that lets options settle how this test speaks."""
    for name in ("quiet", "verbose", "colour"):
        monkeypatch.setattr(manner.Manner, name, getattr(manner.Manner, name))

    def speak(*arguments):
        parser = argparse.ArgumentParser()
        manner.add_manner(parser)
        manner.settle(parser.parse_args(arguments))

    return speak


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "keepalive: error\nkeepalive: warning\n"),
        (("-q",), "keepalive: error\n"),
        (("--verbose",), "keepalive: error\nkeepalive: warning\nkeepalive: detail\n"),
    ],
)
def test_quiet_leaves_errors_and_verbose_adds_details(spoken, capsys, arguments, said):
    """Errors are always said, warnings unless it is to be quiet, details only if asked for."""
    spoken(*arguments)

    manner.complain("error")
    manner.warn("warning")
    manner.detail("detail")

    assert said == capsys.readouterr().err


@pytest.mark.parametrize(
    ("colour", "environment", "expected"),
    [
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {}, False),
    ],
)
def test_colour_goes_before_the_environment(spoken, monkeypatch, colour, environment, expected):
    """--color always and never decide whatever NO_COLOR and FORCE_COLOR say; auto asks them."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    spoken("--color", colour)

    assert expected == manner.screen().colour


def test_every_verb_can_be_told_how_to_speak(keepalive):
    """-v says how a capture was read, -q says no warning, --color colours, before the verb or behind it."""
    detailed = keepalive("-v", "report", FOUNDING)
    quiet = keepalive("report", FOUNDING, "--flow", "0,9", "-q")
    coloured = keepalive("--color", "always", "rules", "open")

    assert "keepalive: founding_go_fin60.pcap: pcap, 39 packets, 39 TCP segments, read in " in detailed.err
    assert (0, "") == (quiet.status, quiet.err)
    assert "\x1b[1m" in coloured.out
    assert 2 == keepalive("rules", "-q", "-v").status
