"""``keepalive join`` tells one story of several captures, as text or JSON."""

import json

import pytest

from analyzer.cli import main
from tests.judging import CAPTURES

PAIR = [str(CAPTURES / "lab" / "fw_silent_drop.pcap"), str(CAPTURES / "lab" / "fw_silent_drop.peer.pcap")]


def test_text(capsys):
    """The story goes to stdout, and the status is 0."""
    assert 0 == main(["join", *PAIR])

    assert "5 lost between A and B" in capsys.readouterr().out.replace("\n", " ")


def test_json(capsys):
    """One JSON object names the captures as they were named."""
    assert 0 == main(["join", "--json", PAIR[0], "-r", PAIR[1]])

    found = json.loads(capsys.readouterr().out)
    assert set(PAIR) == {point["path"] for point in found["points"]}
    assert {"answered": 2, "lost": 5} == found["summary"]["probes"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no capture named: give a FILE, or - for standard input"),
        ([PAIR[0]], f"{PAIR[0]} has every packet once: name a capture from another point as well"),
        ([PAIR[0], PAIR[0]], f"{PAIR[0]} is named twice: a capture has nothing to tell about itself"),
        ([*PAIR, "--flow", "3"], "no connection 3 here: there is only connection 0"),
        ([PAIR[0], "nowhere.pcap"], "nowhere.pcap: no such file"),
    ],
)
def test_what_cannot_be_joined_is_refused(capsys, arguments, sentence):
    """One sentence on stderr, with the usage where that helps, and status 2."""
    assert 2 == main(["join", *arguments])

    said, *usage = capsys.readouterr().err.splitlines()
    assert f": {sentence}" == said.removeprefix("keepalive").removeprefix(" join")
    assert usage[:1] == ([] if arguments else ["usage: keepalive join [options] FILE..."])
