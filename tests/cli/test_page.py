"""``keepalive report --html`` and ``--parquet``: files are written once, and never over others."""

import re

import pytest

FOUNDING = "founding_go_fin60.pcap"


def test_a_page_is_written(keepalive, tmp_path):
    """The page is where it was asked for, and the command says so."""
    out = tmp_path / "report.html"
    done = keepalive("report", FOUNDING, "--html", out)

    assert (0, f"{out}\n", "") == (done.status, done.out, done.err)
    assert 1 == out.read_text(encoding="utf-8").count("<svg ")


def test_explain_writes_the_same_page(keepalive, tmp_path):
    """``explain --html`` gives the page that ``report --html`` gives."""
    keepalive("report", FOUNDING, "--html", tmp_path / "report.html")
    done = keepalive("explain", FOUNDING, "--html", tmp_path / "explain.html", "--fail-on", "reset_on_probe")

    assert 1 == done.status
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "explain.html").read_bytes()


def test_nothing_is_written_over_without_force(keepalive, tmp_path):
    """A file that is there stays as it is, and one sentence says why; --force replaces it."""
    out = tmp_path / "report.html"
    out.write_text("mine", encoding="utf-8")
    refused = keepalive("report", FOUNDING, "--html", out)

    assert (2, "", f"keepalive: {out} exists; --force overwrites it\n") == (refused.status, refused.out, refused.err)
    assert "mine" == out.read_text(encoding="utf-8")
    assert 0 == keepalive("report", FOUNDING, "--html", out, "--force").status
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_folder_that_is_not_there(keepalive, tmp_path):
    """A place that cannot be written to is named in one line."""
    done = keepalive("report", FOUNDING, "--html", tmp_path / "none" / "report.html")

    assert 2 == done.status
    assert re.fullmatch(r"keepalive: \S+report\.html: No such file or directory\n", done.err)


def test_limit_says_how_many_stories(keepalive, tmp_path):
    """With --limit 1 the page tells one story, and says that there are more."""
    out = tmp_path / "report.html"
    keepalive("report", "lab/port_reuse.pcap", FOUNDING, "--html", out, "--limit", 1)
    text = out.read_text(encoding="utf-8")

    assert 1 == text.count('<details class="story"')
    assert "Told are 1 of the 4 flows" in text


def test_only_findings(keepalive, tmp_path):
    """With --only-findings the table has no other flow."""
    out = tmp_path / "report.html"
    keepalive("report", "fixed_server.pcap", FOUNDING, "--html", out, "--only-findings", "--fail-on", "silent")
    text = out.read_text(encoding="utf-8")

    assert '"rows":[[1,0,' in text
    assert '"rows":[[0,' not in text


@pytest.mark.parametrize("word", ["reset_on_probe", "close-wait-held-by-keepalive"])
def test_fail_on_works_with_a_page(keepalive, tmp_path, word):
    """The exit status tells of a verdict or finding, and the page is written all the same."""
    out = tmp_path / "report.html"

    assert 1 == keepalive("report", FOUNDING, "--html", out, "--fail-on", word).status
    assert out.exists()


def test_tables_are_written(keepalive, tmp_path):
    """--parquet writes three files and names them, and refuses to write over them."""
    parquet = pytest.importorskip("pyarrow.parquet")
    done = keepalive("report", FOUNDING, "--parquet", tmp_path / "tables", "--fail-on", "reset_on_probe")
    again = keepalive("report", FOUNDING, "--parquet", tmp_path / "tables")

    assert 1 == done.status
    assert [f"{tmp_path}/tables/{name}.parquet" for name in ("flows", "probes", "findings")] == done.out.split()
    assert 16 == parquet.read_table(tmp_path / "tables" / "probes.parquet").num_rows
    assert (2, f"keepalive: {tmp_path}/tables/flows.parquet exists; --force overwrites it\n") == (
        again.status,
        again.err,
    )
    assert 0 == keepalive("report", FOUNDING, "--parquet", tmp_path / "tables", "--force").status


def test_a_place_for_tables_that_is_a_file(keepalive, tmp_path):
    """A file where the folder should be is named in one line."""
    pytest.importorskip("pyarrow")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = keepalive("report", FOUNDING, "--parquet", tmp_path / "file")

    assert (2, f"keepalive: {tmp_path}/file: File exists\n") == (done.status, done.err)
