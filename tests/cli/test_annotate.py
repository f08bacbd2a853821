"""``keepalive annotate``."""

from pathlib import Path

CAPTURES = Path(__file__).parents[2] / "captures"
FOUNDING = "founding_go_fin60.pcap"


def test_what_was_written_is_said(keepalive, tmp_path):
    """One line has the file, its packets, and how many have a comment."""
    out = tmp_path / "out.pcapng"
    done = keepalive("annotate", FOUNDING, out)

    assert (0, f"{out}: 39 packets, 33 with a comment\n", "") == (done.status, done.out, done.err)
    assert out.read_bytes().startswith(b"\n\r\r\n")


def test_nothing_is_written_over_without_force(keepalive, tmp_path):
    """An OUT that is there needs --force."""
    out = tmp_path / "out.pcapng"
    out.write_text("mine", encoding="utf-8")
    refused = keepalive("annotate", FOUNDING, out)

    assert (2, f"keepalive: {out} exists; --force overwrites it\n") == (refused.status, refused.err)
    assert 0 == keepalive("annotate", FOUNDING, out, "--force").status


def test_the_capture_itself_is_never_written_over(keepalive, tmp_path):
    """Not even with --force."""
    path = tmp_path / "in.pcap"
    path.write_bytes((CAPTURES / FOUNDING).read_bytes())
    done = keepalive("annotate", path, tmp_path / "." / "in.pcap", "--force")

    assert (2, f"keepalive: {path} is the capture itself\n") == (done.status, done.err)
    assert path.read_bytes() == (CAPTURES / FOUNDING).read_bytes()


def test_from_a_pipe_to_a_pipe(program, tmp_path):
    """Standard input and output do, and what was done is said on stderr."""
    import subprocess
    import sys

    root = CAPTURES.parent
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "annotate", "-", "-"],
        cwd=root,
        input=(CAPTURES / FOUNDING).read_bytes(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    program("annotate", FOUNDING, tmp_path / "out.pcapng")

    assert (tmp_path / "out.pcapng").read_bytes() == done.stdout
    assert b"standard output: 39 packets, 33 with a comment\n" == done.stderr


def test_damage_is_said(keepalive, tmp_path):
    """A cut capture gives a copy as far as it goes, and two warnings."""
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((CAPTURES / FOUNDING).read_bytes()[:-9])
    done = keepalive("annotate", cut, tmp_path / "out.pcapng")

    assert 0 == done.status
    assert "38 packets" in done.out
    assert "warning: the copy ends where the capture could not be read further: the last record, at byte" in done.err


def test_what_is_no_capture_gives_nothing(keepalive, tmp_path):
    """Status 2, a sentence, and no file."""
    bad = tmp_path / "bad.txt"
    bad.write_text("no capture", encoding="utf-8")
    done = keepalive("annotate", bad, tmp_path / "out.pcapng")

    assert 2 == done.status
    assert [bad] == list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(keepalive, tmp_path):
    """OUT in a folder that does not exist is one sentence."""
    done = keepalive("annotate", FOUNDING, tmp_path / "none" / "out.pcapng")

    assert 2 == done.status
    assert done.err.startswith("keepalive: ")
    assert "Traceback" not in done.err
