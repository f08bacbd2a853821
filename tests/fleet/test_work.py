"""One point, from where its manifest says it stands to where its files end."""

import gzip
import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from analyzer.fleet import work
from analyzer.fleet.octets import Octets
from analyzer.fleet.places import Place
from analyzer.fleet.points import points_of
from tests.fleet.archives import arrive, as_reported, files_of, left_over, made, of_fleet, of_report

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

POINTS = 7
FEW = 2


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Return an archive in which everything is planted once, and what ``report`` says of each point."""
    folder = tmp_path_factory.mktemp("archive")
    made(folder, POINTS, 10)
    told = tmp_path_factory.mktemp("told")
    return folder, {path.name: of_report(path, told) for path in sorted(folder.iterdir()) if path.is_dir()}


def tasks(source, out, **more):
    """Return the tasks of an archive."""
    place = Place(str(source))
    points, _ = points_of(place.captures())
    return [
        work.Task(point.name, tuple((str(source), file) for file in point.files), str(out), **more) for point in points
    ]


def do_all(source, out, **more):
    """Do them; return what came of each."""
    return [work.do(task) for task in tasks(source, out, **more)]


def few(reports):
    """Return the reports of the first points."""
    return {name: reports[name] for name in sorted(reports)[:FEW]}


def expect_reports(out, source, reports):
    """Make sure that the tables of each point are those that ``report`` writes."""
    for name, report in reports.items():
        assert report == as_reported(of_fleet(out, f"{source}/{name}/")), name


def test_tables_are_those_of_report(archive, tmp_path):
    """Every point's flows, probes and findings are row by row those that ``report --parquet`` writes of it."""
    source, reports = archive
    outcomes = do_all(source, tmp_path)

    assert [""] * POINTS == [each.error for each in outcomes]
    assert [10] * POINTS == [each.read for each in outcomes]
    expect_reports(tmp_path, source, reports)
    assert [] == left_over(tmp_path)


def test_ten_runs_give_what_one_gives(archive, tmp_path):
    """A point continued over ten runs, a new file each, has in the end the tables of one run over all files."""
    source, reports = archive
    for count in range(1, 11):
        arrive(source, tmp_path / "grown", count, FEW)
        assert [1] * FEW == [each.read for each in do_all(tmp_path / "grown", tmp_path / "out")]

    assert do_all(tmp_path / "grown", tmp_path / "out")[0].read == 0
    expect_reports(tmp_path / "out", tmp_path / "grown", few(reports))
    assert [] == left_over(tmp_path / "out")


def test_a_run_that_is_killed_goes_on_from_its_last_checkpoint(archive, tmp_path, monkeypatch):
    """Killed at any commit, a run leaves the old tables or the new ones, and the next gives what one run gives."""
    source, reports = archive
    task = tasks(source, tmp_path, checkpoint=1)[0]
    real = work.Worker._replace
    read = []
    for _ in range(10):

        def die(self, before, after):
            real(self, before, after)
            raise SystemExit

        monkeypatch.setattr(work.Worker, "_replace", die)
        with pytest.raises(SystemExit):
            work.do(task)
        read.append(
            len(json.loads(next(tmp_path.glob("points/*/manifest.json")).read_text())["underway"]["files"])
            if of_fleet(tmp_path)["flows"] == []
            else 10
        )
    monkeypatch.setattr(work.Worker, "_replace", real)
    again = work.do(task)

    assert list(range(1, 11)) == read
    assert (0, "") == (again.read, again.error)
    name = next(iter(reports))
    assert reports[name] == as_reported(of_fleet(tmp_path))


def test_a_changed_file_has_the_point_read_again(archive, tmp_path):
    """Where a file that was read is another one now, the point is read from the beginning."""
    source, reports = archive
    name = min(reports)
    shutil.copytree(source / name, tmp_path / "in" / name)
    third = files_of(tmp_path / "in")[2]
    whole = third.read_bytes()
    third.write_bytes(whole[: len(whole) // 2])
    first = do_all(tmp_path / "in", tmp_path / "out")
    third.write_bytes(whole)
    second = do_all(tmp_path / "in", tmp_path / "out")

    assert [(10, ""), (10, "")] == [(each.read, each.error) for each in (*first, *second)]
    assert reports[name] == as_reported(of_fleet(tmp_path / "out"))
    assert [] == left_over(tmp_path / "out")


def test_a_late_file_has_the_point_read_again(archive, tmp_path):
    """A file that belongs before others that were read is not put behind them."""
    source, reports = archive
    name = sorted(reports)[1]
    shutil.copytree(source / name, tmp_path / "in" / name)
    late = files_of(tmp_path / "in")[4]
    late.rename(tmp_path / "late")
    do_all(tmp_path / "in", tmp_path / "out")
    (tmp_path / "late").rename(late)
    again = do_all(tmp_path / "in", tmp_path / "out")

    assert [10] == [each.read for each in again]
    assert reports[name] == as_reported(of_fleet(tmp_path / "out"))


def test_files_that_are_gone_are_no_reason_to_read_again(archive, tmp_path):
    """An archive may forget files that were read; where one must be read again, the tables stay, and that is said."""
    source, reports = archive
    name = min(reports)
    arrive(source, tmp_path / "in", 9, 1)
    do_all(tmp_path / "in", tmp_path / "out")
    for path in files_of(tmp_path / "in")[:8]:
        path.unlink()
    shutil.copy2(files_of(source / name)[9], tmp_path / "in" / name)
    assert [1] == [each.read for each in do_all(tmp_path / "in", tmp_path / "out")]
    before = of_fleet(tmp_path / "out")
    files_of(tmp_path / "in")[0].write_bytes(b"another")
    again = do_all(tmp_path / "in", tmp_path / "out")

    assert reports[name] == as_reported(before)
    assert before == of_fleet(tmp_path / "out")
    assert "8 of its files were read before and are gone" in again[0].error


def test_a_damaged_file_harms_no_other(archive, tmp_path):
    """What is no capture is named with its reason; the tables are those that ``report`` makes of what is there."""
    source, reports = archive
    name = sorted(reports)[3]
    shutil.copytree(source / name, tmp_path / "in" / name)
    files_of(tmp_path / "in")[5].write_bytes(b"not a capture at all")
    outcome = do_all(tmp_path / "in", tmp_path / "out")[0]

    assert ("", 10) == (outcome.error, outcome.read)
    assert 1 == len(outcome.notes)
    assert "trace-005.pcap: " in outcome.notes[0]
    assert of_report_with_refusals(tmp_path / "in" / name, tmp_path) == as_reported(of_fleet(tmp_path / "out"))


def of_report_with_refusals(folder, tmp_path):
    """Return what ``report --parquet`` writes of a folder in which not everything can be read."""
    from pyarrow import parquet

    from analyzer.cli import main

    assert 0 == main(["-q", "report", str(folder), "--parquet", str(tmp_path / "told")])
    from tests.fleet.archives import in_order

    return {
        table: in_order(parquet.read_table(tmp_path / "told" / f"{table}.parquet").to_pylist())
        for table in ("flows", "probes", "findings")
    }


def test_a_file_replaced_while_it_is_read_is_read_again(archive, tmp_path, monkeypatch):
    """Nothing of the old file gets into the tables, whenever it is replaced."""
    source, reports = archive
    name = min(reports)
    shutil.copytree(source / name, tmp_path / "in" / name)
    victim = files_of(tmp_path / "in")[3]
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-200])
    real = Octets.readinto

    def replaced(self, view):
        got = real(self, view)
        if self._file.name.endswith("trace-003.pcap") and victim.read_bytes() != whole:
            part = tmp_path / "part"
            part.write_bytes(whole)
            part.replace(victim)
        return got

    monkeypatch.setattr(Octets, "readinto", replaced)
    outcome = do_all(tmp_path / "in", tmp_path / "out")[0]

    assert "" == outcome.error
    assert reports[name] == as_reported(of_fleet(tmp_path / "out"))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_are_streamed(archive, tmp_path, suffix):
    """Gzip and zstd are read as what they hold."""
    source, reports = archive
    name = min(reports)
    (tmp_path / "in" / name).mkdir(parents=True)
    pack = gzip.compress if suffix == ".gz" else zstandard.ZstdCompressor().compress
    for path in files_of(source / name):
        (tmp_path / "in" / name / f"{path.name}{suffix}").write_bytes(pack(path.read_bytes()))

    assert [(10, "")] == [(each.read, each.error) for each in do_all(tmp_path / "in", tmp_path / "out")]
    assert reports[name] == as_reported(of_fleet(tmp_path / "out"))


def test_a_file_that_never_holds_still_is_left_for_the_next_run(archive, tmp_path, monkeypatch):
    """A file that grows while it is read is not read, nor what is behind it, and that is said."""
    source, _ = archive
    name = "host-0001"
    shutil.copytree(source / name, tmp_path / "in" / name)
    growing = files_of(tmp_path / "in")[8]
    real = Octets.verify

    def grown(self):
        if self._file.name.endswith("trace-008.pcap"):
            with growing.open("ab") as file:
                file.write(b"\0")
        real(self)

    monkeypatch.setattr(Octets, "verify", grown)
    outcome = do_all(tmp_path / "in", tmp_path / "out")[0]

    assert "" == outcome.error
    assert "trace-008.pcap: changes while it is read" in outcome.notes[0]
    kept = json.loads(next((tmp_path / "out").glob("points/*/manifest.json")).read_text())["shown"]["files"]
    assert [f"trace-00{n}.pcap" for n in range(8)] == [Path(each["name"]).name for each in kept]


def test_a_full_disk_leaves_the_tables_as_they_were(archive, tmp_path, monkeypatch):
    """Where nothing more can be written, the point's tables are the old ones, whole, and the reason is said."""
    source, _ = archive
    arrive(source, tmp_path / "in", 3, FEW)
    do_all(tmp_path / "in", tmp_path / "out")
    before = of_fleet(tmp_path / "out")
    arrive(source, tmp_path / "in", 6, FEW)

    def full(self, octets):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("analyzer.output.NamedFile.write", full)
    outcomes = do_all(tmp_path / "in", tmp_path / "out")
    monkeypatch.undo()

    assert all("No space left on device" in each.error for each in outcomes)
    assert before == of_fleet(tmp_path / "out")
    assert [] == left_over(tmp_path / "out")
    assert [3] * FEW == [each.read for each in do_all(tmp_path / "in", tmp_path / "out")]


def test_no_manifest_names_what_is_not_on_disk(archive, tmp_path, monkeypatch):
    """Where the disk has not kept a partition, the point's tables are the old ones, and the reason is said."""
    source, _ = archive
    arrive(source, tmp_path / "in", 3, FEW)
    do_all(tmp_path / "in", tmp_path / "out")
    before = of_fleet(tmp_path / "out")
    arrive(source, tmp_path / "in", 6, FEW)

    def full(descriptor):
        if threading.current_thread() is not threading.main_thread():  # the manifest itself could be kept
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcomes = do_all(tmp_path / "in", tmp_path / "out")
    monkeypatch.undo()

    assert all(": cannot be written (No space left on device)" in each.error for each in outcomes)
    assert before == of_fleet(tmp_path / "out")
    assert [3] * FEW == [each.read for each in do_all(tmp_path / "in", tmp_path / "out")]


def test_who_was_overtaken_writes_nothing(archive, tmp_path, monkeypatch):
    """A worker that was given up, and lives, finds that another has done its point and leaves that alone."""
    source, reports = archive
    task = tasks(source, tmp_path)[0]
    real = work.Worker._replace

    def late(self, before, after):
        monkeypatch.setattr(work.Worker, "_replace", real)
        assert "" == work.do(task).error
        real(self, before, after)

    monkeypatch.setattr(work.Worker, "_replace", late)
    outcome = work.do(task)

    assert "another run has written its tables meanwhile" in outcome.error
    assert next(iter(reports.values())) == as_reported(of_fleet(tmp_path))


@pytest.mark.parametrize("damage", [lambda octets: octets[:-9], lambda octets: b"x" + octets[1:]])
def test_a_damaged_state_is_made_again(archive, tmp_path, damage):
    """A saved stream that is not the one its manifest names is not gone on from."""
    source, reports = archive
    arrive(source, tmp_path / "in", 4, FEW)
    do_all(tmp_path / "in", tmp_path / "out")
    for path in (tmp_path / "out").glob("points/*/*-state.zst"):
        path.write_bytes(damage(path.read_bytes()))
    arrive(source, tmp_path / "in", 10, FEW)

    assert [(10, "")] * FEW == [(each.read, each.error) for each in do_all(tmp_path / "in", tmp_path / "out")]
    expect_reports(tmp_path / "out", tmp_path / "in", few(reports))


def test_shards_together_have_all_flows(archive, tmp_path):
    """The shards of a point share its flows out, and say of each what the whole says."""
    source, reports = archive
    for shard in range(2):
        assert all(not each.error for each in do_all(source, tmp_path, shard=shard, shards=2))
    names = ("a", "b", "first_frame", "last_frame", "verdict", "by", "state_a", "state_b", "probes_a", "probes_b")
    for name, report in reports.items():
        whole = {tuple(row[column] for column in names) for row in report["flows"]}
        found = [tuple(row[column] for column in names) for row in of_fleet(tmp_path, f"{source}/{name}/")["flows"]]

        assert whole == set(found)
        assert len(whole) == len(found)


def test_other_rules_are_not_gone_on_from(archive, tmp_path):
    """Tables that other rules made are refused, unless they are to be made anew."""
    source, _ = archive
    task = tasks(source, tmp_path)[0]
    work.do(task)
    path = next(tmp_path.glob("points/*/manifest.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "rules": "older"}))

    assert "made by other rules" in work.do(task).error
    again = work.do(replace(task, anew="token"))
    assert (10, "") == (again.read, again.error)
    assert 0 == work.do(replace(task, anew="token")).read
