"""``keepalive fleet``."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.cli.fleet import Bar
from analyzer.fleet.running import Progress
from tests.fleet.archives import files_of, made

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Return an archive of two points."""
    folder = tmp_path_factory.mktemp("archive")
    made(folder, 2, 2)
    return folder


def test_it_says_what_it_did(archive, tmp_path, capsys):
    """Points, flows and files are said on standard output; a second run reads nothing."""
    arguments = ["fleet", str(archive), "--out", str(tmp_path / "tables"), "--workers", "0"]
    statuses = [main(arguments), main([*arguments, "--resume"])]
    first, second = capsys.readouterr().out.splitlines()

    assert [0, 0] == statuses
    assert first.startswith(f"{tmp_path}/tables: 2 of 2 points done, ")
    assert first.endswith("; read now: 4 files, 0.1 MiB")
    assert second.endswith("; read now: 0 files, 0.0 MiB")


def test_what_is_not_done_is_an_error(archive, tmp_path, capsys):
    """A point whose tables cannot be written is named, and the status is 2."""
    arguments = ["fleet", str(archive), "--out", str(tmp_path), "--workers", "0"]
    main(arguments)
    for path in tmp_path.glob("points/*/manifest.json"):
        path.write_text("{")
    capsys.readouterr()

    assert 2 == main(arguments)
    told = capsys.readouterr()
    assert "0 of 2 points done" in told.out
    assert "manifest.json: is damaged" in told.err


def test_a_damaged_file_is_a_warning(archive, tmp_path, capsys):
    """What could not be read is named, and the rest is done."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x1.pcap").write_bytes(files_of(archive)[0].read_bytes())
    (tmp_path / "in" / "y\x1b[1m.pcap").write_bytes(b"nothing")

    assert 0 == main(["fleet", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--workers", "0"])
    told = capsys.readouterr()
    assert "2 of 2 points done" in told.out
    assert "y\\x1b[1m.pcap" in told.err
    assert "\x1b" not in told.err + told.out


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--points", "*.pcap"], "names no point"),
        (["--resume"], "no tables there to go on with"),
        (["--shards", "0"], "expected 1 or more"),
    ],
)
def test_mistakes_are_one_sentence(archive, tmp_path, capsys, more, sentence):
    """What cannot be done is said, with status 2."""
    assert 2 == main(["fleet", str(archive), "--out", str(tmp_path / "out"), "--workers", "0", *more])
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("ftp://user:secret@host/x", "ftp://host/x: no such kind of place"),
        ("nowhere", "nowhere: no captures there; expected"),
        ("simplecache::s3://a/b", "no such kind of place"),
    ],
)
def test_sources_that_are_none_are_said_without_secrets(tmp_path, capsys, source, sentence):
    """A place that cannot be is named without user and password."""
    assert 2 == main(["fleet", source, "--out", str(tmp_path / "out"), "--workers", "0"])
    told = capsys.readouterr().err
    assert sentence in told
    assert "secret" not in told


EVIL = ("analyzer", "click", "dask", "distributed", "fsspec", "json", "numpy", "pyarrow", "secrets", "tornado", "zict")


def test_no_worker_imports_from_the_current_folder(archive, tmp_path):
    """Modules that lie where the command is called are not run, by the command or by the processes it starts."""
    pytest.importorskip("distributed")
    for name in EVIL:
        (tmp_path / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\nraise SystemExit(9)"
        )
    command = Path(sys.executable).with_name("keepalive")
    if not command.exists():
        pytest.skip("needs the command, installed")
    done = subprocess.run(
        [command, "fleet", archive, "--out", "tables", "--workers", "1"],
        cwd=tmp_path,
        env={**os.environ, "KEEPALIVE_JIT": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (0, "", False) == (done.returncode, done.stderr, (tmp_path / "ran").exists())
    assert "2 of 2 points done" in done.stdout


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        """Say so."""
        return True


def test_a_terminal_shows_points_octets_and_time(monkeypatch):
    """The bar has points, octets and the time that is left; without a terminal there is none."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with Bar() as bar:
        bar(Progress(3, 2_000_000, 1, 500_000))
        bar(Progress(3, 2_000_000, 2, 500_000, {"x": 500_000}))
        drawn = bar._bar.get_renderable()
        assert (1_000_000, 2_000_000) == (bar._bar.tasks[0].completed, bar._bar.tasks[0].total)
        assert drawn is not None
    shown = sys.stderr.getvalue()

    assert "2/3 points" in shown
    assert "MB" in shown
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Bar() as bar:
        bar(Progress(3, 9))
    assert not sys.stderr.getvalue()


def test_the_help_names_an_example():
    """The page of the documentation that the help names is there."""
    assert (Path(__file__).parents[2] / "docs" / "fleet.md").exists()
