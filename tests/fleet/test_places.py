"""Places where captures lie and tables go."""

import os
from pathlib import Path

import pytest

from analyzer.fleet import places, running, storage
from analyzer.fleet.places import Place
from analyzer.fleet.storage import StorageError
from tests.fleet import stores
from tests.fleet.archives import as_reported, made, of_report

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")


def test_captures_of_a_folder_are_listed_with_versions(tmp_path):
    """All folders below are looked through, other files passed over, and names are as the user named the folder."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/x.pcap", "a/b/y.pcapng.gz", "a/notes.txt"):
        (tmp_path / name).write_bytes(b"12345")
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        found = Place("a").captures()
    finally:
        os.chdir(before)

    assert ["a/b/y.pcapng.gz", "a/x.pcap"] == [file.name for file in found]
    assert {5} == {file.size for file in found}
    assert 2 == len({file.version for file in found})
    assert [str(tmp_path / "a/notes.txt")] == [file.name for file in Place(str(tmp_path / "a/notes.txt")).captures()]
    assert 1 == len(Place(f"{tmp_path}/a/*.pcap").captures())


def test_what_is_written_is_whole_or_absent(tmp_path):
    """A file that was begun and not completed leaves the old one, and nothing beside it."""
    place = Place(str(tmp_path))
    place.put(str(tmp_path / "in" / "x"), b"old")

    def fail():
        with place.write(str(tmp_path / "in" / "x")) as file:
            file.write(b"new")
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"x: cannot be written \(No space left on device\)"):
        fail()

    assert b"old" == place.get(str(tmp_path / "in" / "x"))
    assert ["x"] == [path.name for path in (tmp_path / "in").iterdir()]
    assert place.get(str(tmp_path / "none")) is None
    assert ([], []) == (place.names(str(tmp_path / "none")), place.folders(str(tmp_path / "none")))


def test_a_fault_of_ours_is_no_store_s(tmp_path):
    """An error of the program while it writes is not called one of the place."""

    def fail():
        with Place(str(tmp_path)).write(str(tmp_path / "x")):
            raise KeyError("ours")

    with pytest.raises(KeyError):
        fail()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return a store with an archive in it, and the archive."""
    folder = tmp_path_factory.mktemp("archive")
    made(folder, 2, 3)
    with stores.store() as address:
        stores.put(address, "captures", folder)
        stores.put(address, "tables", tmp_path_factory.mktemp("nothing"))
        yield address, folder


def reach(monkeypatch, address):
    """Have the store's library use this address, with made-up credentials."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)  # so that it is our own that are tried
    monkeypatch.setattr(storage, "PAUSE_S", 0.01)
    for name, value in {**stores.SETTINGS, "AWS_ENDPOINT_URL": address}.items():
        monkeypatch.setenv(name, value)


def rows(out):
    """Return the tables of a fleet in a store, as rows."""
    import json

    from pyarrow import parquet

    from tests.fleet.archives import TABLES, in_order

    place = Place(out)
    found = {table: [] for table in TABLES}
    for folder in place.folders(place.below("points")):
        shown = json.loads(place.get(f"{folder}/manifest.json"))["shown"]
        for table, name in (*shown["parts"], *shown["live"]):
            with place.read(f"{folder}/{name}") as file:
                found[table] += parquet.ParquetFile(file).read().to_pylist()
    return {table: in_order(each) for table, each in found.items()}


def expect_reports(out, folder, tmp_path):
    """Make sure that tables in a store are those of ``report``."""
    tables = rows(out)
    for point in sorted(path for path in folder.iterdir() if path.is_dir()):
        one = {
            table: [row for row in each if f"/{point.name}/" in row["capture_point"]] for table, each in tables.items()
        }
        assert of_report(point, tmp_path) == as_reported(one)


def test_a_store_is_read_and_written(served, tmp_path, monkeypatch):
    """An archive in S3 becomes tables in S3, the same as of folders, and no credential is in any file."""
    address, folder = served
    reach(monkeypatch, address)
    done = running.run(["s3://captures"], "s3://tables/once", workers=0)
    again = running.run(["s3://captures"], "s3://tables/once", workers=0)

    assert (2, 6, []) == (done.done, done.files, done.errors)
    assert 0 == again.files
    expect_reports("s3://tables/once", folder, tmp_path)
    place = Place("s3://tables/once")
    for point in place.folders(place.below("points")):
        for name in place.names(point):
            assert b"testing-" not in place.get(name)


def test_a_store_that_fails_now_and_then_costs_only_time(served, tmp_path, monkeypatch):
    """Errors of the server, connections that break and half objects are asked for again, and nothing is lost."""
    address, folder = served
    kinds = ("error", "drop", "half")
    told = []

    def fault(count, method, path):
        kind = kinds[count // 3 % 3] if count % 3 == 0 else ""
        kind = "" if kind == "half" and method != "GET" else kind
        told.append(kind)
        return kind

    with stores.failing(address, fault) as proxy:
        reach(monkeypatch, proxy.address)
        done = running.run(["s3://captures"], "s3://tables/flaky", workers=0)

    reach(monkeypatch, address)
    assert (2, []) == (done.done, done.errors)
    assert {"", *kinds} == set(told)
    expect_reports("s3://tables/flaky", folder, tmp_path)


def test_a_store_that_only_fails_is_said(served, tmp_path, monkeypatch):
    """Where a file can never be read, its point is not done, and the others are."""
    address, _ = served
    monkeypatch.setattr(storage, "ATTEMPTS", 2)
    fault = lambda count, method, path: "error" if "host-0001/trace-001" in path and method == "GET" else ""  # noqa: E731
    with stores.failing(address, fault) as proxy:
        reach(monkeypatch, proxy.address)
        done = running.run(["s3://captures"], "s3://tables/broken", workers=0)

    assert (1, 1) == (done.done, len(done.errors))
    assert "s3://captures/host-0001/trace-001.pcap: cannot be read" in done.errors[0]
    assert "testing-" not in done.errors[0]


def test_a_store_that_falls_silent_costs_only_time(served, tmp_path, monkeypatch):
    """A request that is accepted and never answered, or never to its end, is made again, and nothing is lost."""
    address, folder = served
    kinds = ["stuck", "silent"]

    def fault(count, method, path):
        return kinds.pop() if kinds and method == "GET" and "host-0001/trace-001" in path else ""

    with stores.failing(address, fault) as proxy:
        reach(monkeypatch, proxy.address)
        monkeypatch.setattr(places, "SILENT_S", 1.0)
        done = running.run(["s3://captures"], "s3://tables/silent", workers=0)

    reach(monkeypatch, address)
    assert (2, [], []) == (done.done, done.errors, kinds)
    expect_reports("s3://tables/silent", folder, tmp_path)


@pytest.mark.parametrize(
    ("url", "answer", "why"),
    [
        ("s3://captures", b"", "no answer in time"),
        ("{}/capture.pcap", b"", "no answer in time"),
        (
            "{}/capture.pcap",
            b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            "status 503",
        ),
    ],
)
def test_a_store_that_never_answers_is_said(tmp_path, monkeypatch, url, answer, why):
    """Where connections are accepted and no request is ever served, the run ends with one sentence."""
    monkeypatch.setattr(storage, "ATTEMPTS", 2)
    monkeypatch.setattr(places, "SILENT_S", 0.1 if not answer else 5.0)
    with stores.accepting(answer) as address:
        reach(monkeypatch, address)
        with pytest.raises(StorageError) as caught:
            running.run([url.format(address)], str(tmp_path / "out"), workers=0)

    assert f"{url.format(address)}: cannot be listed ({why})" == str(caught.value)


def test_nothing_is_asked_for_again_for_ever(tmp_path, monkeypatch):
    """Attempts that take long are not repeated as often as those that fail at once."""
    monkeypatch.setattr(storage, "GIVE_UP_S", 0.0)
    asked = []

    def fail():
        asked.append(1)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Place(str(tmp_path))._again(fail)

    assert 1 == len(asked)
