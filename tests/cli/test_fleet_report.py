"""``keepalive fleet-report``."""

import json

import pytest

from analyzer.cli import main
from analyzer.fleet import running
from tests.fleet.archives import made

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return the tables of a small archive."""
    folder, out = tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("tables")
    made(folder, 2, 2)
    (folder / "host-0001").rename(folder / "<b>\x1b[1m")
    running.run([str(folder)], str(out), workers=0, points="{host}/*.pcap")
    return str(out)


def test_text_has_every_question(tables, capsys):
    """Titles, meanings and rows; what is not shown is counted; nothing unprintable gets through."""
    assert 0 == main(["fleet-report", tables, "--limit", "1"])
    out = capsys.readouterr().out

    assert "Connections that services hold in CLOSE-WAIT\n" in out
    assert "10.1.0.0              8080" in out
    assert "and 1 more (--ask points --limit 0)" in out
    assert "\x1b" not in out


def test_json_has_rows_by_name(tables, capsys):
    """One object, with the SQL of each question."""
    assert 0 == main(["fleet-report", tables, "--json", "--ask", "close_wait", "--ask", "points", "--limit", "0"])
    found = json.loads(capsys.readouterr().out)

    assert (1, 2, ["close_wait", "points"]) == (
        found["schema"],
        found["points"],
        [q["name"] for q in found["questions"]],
    )
    assert 3 == found["questions"][0]["rows"][0]["connections"]
    assert "SELECT" in found["questions"][0]["sql"]


def test_a_file_that_is_in_no_table_is_said(tmp_path, capsys):
    """A broken place among others is named whenever the tables are asked, with the reason, and counted on top."""
    folder, out = tmp_path / "archive", str(tmp_path / "tables")
    folder.mkdir()
    made(folder, 2, 1)
    for number in range(4):
        (folder / f"broken{number}").mkdir()
        (folder / f"broken{number}" / "\x1b.pcap").write_bytes(bytes(100))
    running.run([str(folder)], out, workers=0, points="{host}/*.pcap")
    capsys.readouterr()

    assert 0 == main(["fleet-report", out, "--ask", "points"])
    told = capsys.readouterr()
    assert 0 == main(["fleet-report", out, "--ask", "points", "--json"])
    found = json.loads(capsys.readouterr().out)

    assert "; 4 files refused" in " ".join(told.out.split())
    assert 3 == told.err.count("is in no table: is no capture")
    assert "and 1 more files are in no table" not in told.err
    assert "and 1 more is in no table (--json names all)" in told.err
    assert "\x1b" not in told.err
    assert 4 == len(found["refused"])
    assert all(each["why"].startswith("is no capture") for each in found["refused"])


def test_a_page_escapes_what_comes_from_captures(tables, tmp_path, capsys):
    """Names are text on the page, which loads nothing; it is written once."""
    out = tmp_path / "fleet.html"
    assert 0 == main(["fleet-report", tables, "--html", str(out)])
    assert 2 == main(["fleet-report", tables, "--html", str(out)])
    page = out.read_text()

    assert "&lt;b&gt;\\x1b[1m" in page
    assert "<b>" not in page
    assert "Content-Security-Policy" in page
    assert "exists; --force overwrites it" in capsys.readouterr().err


def test_sql_is_printed(capsys, tmp_path):
    """All questions, or one, ready to be changed and put into a folder of one's own."""
    assert 0 == main(["fleet-report", "--sql"])
    assert capsys.readouterr().out.startswith("-- endings.sql\n-- How connections ended\n")
    assert 0 == main(["fleet-report", "--sql", "idle_limits"])
    (tmp_path / "idle_limits.sql").write_text(capsys.readouterr().out)
    assert 0 == main(["fleet-report", "--views", str(tmp_path), "--sql", "idle_limits"])
    assert (tmp_path / "idle_limits.sql").read_text() == capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name the tables"),
        (["nowhere"], "no tables there"),
        (["--sql", "nothing"], "no such question"),
        (["nowhere", "--views", "no-folder"], "no tables there"),
    ],
)
def test_mistakes_are_one_sentence(arguments, sentence, capsys):
    """What cannot be answered is said, with status 2."""
    assert 2 == main(["fleet-report", *arguments])
    assert sentence in capsys.readouterr().err
