"""``keepalive share``."""

import csv
import stat
import subprocess
import sys
from pathlib import Path

from tests.capture.scrub.scrubbing import packets_of

FOUNDING = "founding_go_fin60.pcap"
FILE = "all comments, names, descriptions, filters and secrets"
CAPTURES = Path(__file__).parents[2] / "captures"


def test_what_is_gone_is_said(keepalive, tmp_path):
    """What became of the packets, what was left out, what is as it was, and that the story is the same."""
    out = tmp_path / "out.pcapng"
    done = keepalive("share", FOUNDING, out)

    assert (0, "") == (done.status, done.err)
    assert [
        f"{out}: 39 packets, with other addresses for 1 IP address, 1 MAC address",
        f"left out: 5 bytes of data, 0 TCP options, and of the file {FILE}",
        "as they were: lengths, ports, times, numbers and flags of TCP",
        "read again: 1 flow and 16 probes, the same story as before",
    ] == done.out.splitlines()


def test_a_key_is_made_and_used_again(keepalive, tmp_path):
    """A key that is not there is made, for nobody else, and gives the same copy again."""
    key, outs = tmp_path / "key", [tmp_path / f"{at}.pcapng" for at in range(2)]
    statuses = [keepalive("share", FOUNDING, out, "--key", key).status for out in outs]

    assert [0, 0] == statuses
    assert 0o600 == stat.S_IMODE(key.stat().st_mode)
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_map_is_for_oneself(keepalive, tmp_path):
    """The map has each address and its pseudonym, and nobody else may read it."""
    path = tmp_path / "map.csv"
    keepalive("share", FOUNDING, tmp_path / "out.pcapng", "--map", path)
    with path.open() as file:
        rows = list(csv.DictReader(file))

    assert {"127.0.0.1", "00:00:00:00:00:00"} == {row["address"] for row in rows}
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_ports_are_kept_unless_they_are_hidden(keepalive, tmp_path):
    """Keeping ports is what happens anyway, and contradicts hiding them."""
    key, out, other = (tmp_path / name for name in ("key", "out.pcapng", "other.pcapng"))
    both = keepalive("share", FOUNDING, out, "--keep-ports", "--hide-ports")
    kept, plain = (
        keepalive("share", FOUNDING, out, "--keep-ports", "--key", key),
        keepalive("share", FOUNDING, other, "--key", key),
    )

    assert (2, 0, 0) == (both.status, kept.status, plain.status)
    assert "not allowed with argument" in both.err
    assert out.read_bytes() == other.read_bytes()
    assert ":4001" in keepalive("explain", out).out
    assert "as they were: lengths, ports, times" in kept.out


def test_ports_and_times_are_hidden(keepalive, tmp_path):
    """What is to be hidden too is."""
    out = tmp_path / "out.pcapng"
    done = keepalive("share", FOUNDING, out, "--hide-ports", "--shift-times")
    story = keepalive("explain", out).out

    assert 0 == done.status
    assert "as they were: lengths, numbers and flags of TCP" in done.out
    assert ":4001" not in story
    assert "12 probes after the FIN" in story


def test_what_is_refused(keepalive, tmp_path):
    """A bad key, text, a file that is there, a copy over the capture or the key: a sentence each, and status 2."""
    bad, there, out = tmp_path / "bad", tmp_path / "there.pcapng", tmp_path / "out.pcapng"
    bad.write_text("abc\n")
    there.write_bytes(b"")
    text = CAPTURES.parent / "tests" / "pasted" / "tcpdump_3.txt"
    cases = {
        ("share", FOUNDING, out, "--key", bad): f"{bad}: is not a key; expected 64 hexadecimal digits",
        ("share", FOUNDING, out, "--key", tmp_path): f"{tmp_path}: Is a directory",
        ("share", text, out): f"{text}: is text, and share needs packets",
        ("share", FOUNDING, there): f"{there}",
        ("share", FOUNDING, FOUNDING, "--force"): f"{FOUNDING} is the capture itself",
        ("share", FOUNDING, bad, "--force", "--key", bad): f"{bad} is the key",
        ("share", FOUNDING, out, "--map", there): f"{there}",
        ("share", "nowhere.pcap", out): "nowhere.pcap: no such file",
        ("share", FOUNDING, tmp_path / "no" / "out.pcapng"): "No such file or directory",
    }

    for words, sentence in cases.items():
        done = keepalive(*words)
        assert (2, "") == (done.status, done.out)
        assert 1 == done.err.count("\n")
        assert sentence in done.err
    assert ["bad", "there.pcapng"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_pipe_on_both_sides():
    """A capture comes through standard input, and its copy goes through standard output."""
    words = [sys.executable, "-m", "analyzer", "share", "-", "-"]
    done = subprocess.run(
        words, input=(CAPTURES / FOUNDING).read_bytes(), capture_output=True, check=True, cwd=CAPTURES.parent
    )

    assert 39 == len(packets_of(done.stdout))
    assert b"standard output: 39 packets" in done.stderr
