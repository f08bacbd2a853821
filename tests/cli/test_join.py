"""``keepalive join`` tells one story of several captures, as text or JSON."""

import json
import os
import re
import threading
from pathlib import Path

import pytest

from analyzer.cli import main
from tests.judging import CAPTURES
from tests.vantage.test_forgetting import in_small_pieces
from tests.vantages import ACK, PSH, World, keepalive

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


def test_times_of_day(capsys, tmp_path):
    """With --time utc the story and the page say instants as UTC, and of which day."""
    page = tmp_path / "join.html"

    assert 0 == main(["join", *PAIR, "--time", "utc"])
    said = capsys.readouterr().out
    assert 0 == main(["join", *PAIR, "--time", "utc", "--html", str(page)])
    assert 0 == main(["join", *PAIR])
    relative = capsys.readouterr().out

    when = re.search(r"Times are those of UTC; A begins at (\d{4}-\d\d-\d\d) (\d\d:\d\d)", said)
    assert when is not None
    assert f"  {when[2]}:" in said
    assert f'">{when[2]}:' in page.read_text()
    assert f"Times count from A's first frame, {when[1]} {when[2]}" in relative
    assert f"  {when[2]}:" not in relative


@pytest.mark.parametrize("arguments", [["--flow", "0"], ["--limit", "1"]])
def test_json_of_some_connections(capsys, arguments):
    """With --flow or --limit only these connections are concluded, and added up."""
    assert 0 == main(["join", "--json", *PAIR, *arguments])

    found = json.loads(capsys.readouterr().out)
    assert ([0], 1) == ([flow["flow"] for flow in found["flows"]], found["summary"]["flows"])


def test_of_a_connection_the_same_is_said_however_few_are_told(tmp_path, monkeypatch, capsys):
    """That a capture lacks packets is known by connections that are not told as well."""
    in_small_pieces(monkeypatch)
    made = World()
    for number in range(5):
        made.client, at_s, seq = ("192.0.2.1", 40000 + number), 20.0 * number, 1000 * number + 1
        for turn in range(10):
            missed = "B" if (number, turn) == (3, 5) else ""
            made.send(at_s + turn, "a", ACK | PSH, seq + turn, 500, b"x", missed=missed)
            made.send(at_s + turn + 0.1, "b", ACK, 500, seq + turn + 1)
            made.send(at_s + turn + 0.2, "a", ACK, seq + turn + 1, 500, fate="both" if number or turn != 7 else "lost")
    paths = made.write(tmp_path)

    told = []
    for limit in ("1", "0"):
        assert 0 == main(["join", *paths, "--limit", limit])
        told.append(capsys.readouterr().out.partition("Connection 1")[0].partition("What each end believes")[0])
    assert told[0] == told[1]
    assert "which passed B by all that is known" in " ".join(told[0].split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no capture named: give a FILE, or - for standard input"),
        ([PAIR[0]], f"{PAIR[0]} has every packet once: name a capture from another point as well"),
        ([PAIR[0], PAIR[0]], f"{PAIR[0]} is named twice: a capture has nothing to tell about itself"),
        ([*PAIR, "--flow", "3"], "no connection 3 here: there is only connection 0"),
        ([PAIR[0], "nowhere.pcap"], "nowhere.pcap: no such file"),
        ([PAIR[0], "captures"], "captures: is a directory; name the capture of each point"),
    ],
)
def test_what_cannot_be_joined_is_refused(capsys, arguments, sentence):
    """One sentence on stderr, with the usage where that helps, and status 2."""
    assert 2 == main(["join", *arguments])

    said, *usage = capsys.readouterr().err.splitlines()
    assert f": {sentence}" == said.removeprefix("keepalive").removeprefix(" join")
    assert usage[:1] == ([] if arguments else ["usage: keepalive join [options] FILE..."])


def test_a_damaged_capture_is_named_as_report_names_it(capsys, tmp_path):
    """What is wrong with a capture that has no packets is said before the refusal, in the words of report."""
    made = World()
    keepalive(made)
    paths = made.write(tmp_path)
    (tmp_path / "A.pcap").write_bytes((tmp_path / "A.pcap").read_bytes()[:50])
    wrong = "the last record, at byte 24, is cut: 10 of its 70 bytes are there"

    assert 2 == main(["join", *paths])
    assert capsys.readouterr().err.splitlines() == [
        f"keepalive: warning: {paths[0]}: {wrong}",
        f"keepalive: {paths[0]} has no packets: there is nothing to join",
    ]
    main(["report", paths[0]])
    assert wrong in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("verb", ["join", "report"])
def test_two_pipes_are_read_as_two_captures(capsys, tmp_path, verb):
    """Pipes whose names differ only in digits, as a shell calls them, are read once each."""
    pipes = [tmp_path / name for name in ("62", "63")]
    writers = []
    for pipe, path in zip(pipes, PAIR, strict=True):
        os.mkfifo(pipe)
        writers.append(threading.Thread(target=pipe.write_bytes, args=(Path(path).read_bytes(),), daemon=True))
        writers[-1].start()

    assert 0 == main([verb, "--json", *map(str, pipes)])

    for writer in writers:
        writer.join()
    piped = json.loads(capsys.readouterr().out)
    main([verb, "--json", *PAIR])
    named = json.loads(capsys.readouterr().out)
    assert [len(each["flows"]) for each in (piped, named)] == [len(named["flows"])] * 2
    if verb == "join":
        assert piped["flows"] == named["flows"]


def test_a_page_and_pictures(capsys, tmp_path):
    """The page and the ladder are written, and not written over without --force."""
    page, ladder = tmp_path / "join.html", tmp_path / "ladder.png"

    assert 0 == main(["join", *PAIR, "--html", str(page), "-o", str(ladder)])
    assert b"<svg" in page.read_bytes()
    assert ladder.read_bytes().startswith(b"\x89PNG")
    assert 2 == main(["join", *PAIR, "--html", str(page)])
    assert 2 == main(["join", *PAIR, "-o", str(tmp_path / "ladder.gif")])
    said = capsys.readouterr().err
    assert f"{page} exists; --force overwrites it" in said
    assert "ladder.gif: the picture is .png, .svg or .pdf" in said


def test_report_names_join_where_two_captures_hold_the_same(capsys):
    """Who reports on two captures of the same connections is told how to join them."""
    assert 0 == main(["report", *PAIR])

    assert f"keepalive join {' '.join(PAIR)}" in capsys.readouterr().err
