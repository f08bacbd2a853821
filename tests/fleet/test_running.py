"""All points of an archive, on a cluster."""

import json
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
import time

import pytest

from analyzer.fleet import forked, running
from analyzer.fleet.running import FleetError, SchedulerLostError
from analyzer.fleet.storage import StoredFile
from analyzer.fleet.task import Outcome, Task
from tests.fleet.archives import as_reported, made, of_fleet, of_report

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Return a small archive."""
    folder = tmp_path_factory.mktemp("archive")
    made(folder, 4, 5)
    return folder


def test_a_run_brings_tables_up_to_date(archive, tmp_path):
    """The first run reads everything, the second nothing, and both say what is there."""
    told = []
    first = running.run([str(archive)], str(tmp_path), workers=0, progress=lambda state: told.append(state.octets_read))
    second = running.run([str(archive)], str(tmp_path), workers=0, resume=True)

    assert (4, 4, 20, 0, []) == (first.points, first.done, first.files, first.left, first.errors)
    assert (4, 0, first.flows) == (second.done, second.files, second.flows)
    assert len(of_fleet(tmp_path)["flows"]) == first.flows
    assert sorted(told) == told
    assert first.octets == told[-1]


def test_resume_insists_on_tables(archive, tmp_path):
    """A misspelled --out is not begun."""
    with pytest.raises(FleetError, match="no tables there to go on with"):
        running.run([str(archive)], str(tmp_path / "tabels"), workers=0, resume=True)

    assert not (tmp_path / "tabels").exists()


@pytest.mark.parametrize("more", [{"points": "{host}/*.pcap"}, {"shards": 2}])
def test_tables_are_of_one_making(archive, tmp_path, more):
    """Other points or shards than the tables have are refused; anew they are made, and the old ones are gone."""
    running.run([str(archive)], str(tmp_path), workers=0)
    with pytest.raises(FleetError, match="--anew makes all of them again"):
        running.run([str(archive)], str(tmp_path), workers=0, **more)
    done = running.run([str(archive)], str(tmp_path), workers=0, anew=True, **more)

    assert 20 * more.get("shards", 1) == done.files
    assert json.loads((tmp_path / "fleet.json").read_text())["run"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{}", "is damaged"), (b"no", "is damaged"), (b'{"format": 9}', "tables of another format")],
)
def test_tables_of_others_are_left_alone(archive, tmp_path, content, sentence):
    """What is no fleet's, or a later program's, is not written to."""
    (tmp_path / "fleet.json").write_bytes(content)

    with pytest.raises(FleetError, match=sentence):
        running.run([str(archive)], str(tmp_path), workers=0)


def test_a_pattern_without_points_is_said(archive, tmp_path):
    """Where no file is of a point, nothing is done."""
    with pytest.raises(FleetError, match="none of 20 files is of a point"):
        running.run([str(archive)], str(tmp_path), workers=0, points="{host}/*.pcap.gz")


@pytest.fixture(params=["spawn", "forkserver"])
def started(request, monkeypatch):
    """Have workers started in each way there is here."""
    if request.param == "spawn":
        yield
        return
    if sys.platform != "linux":
        pytest.skip("only Linux has the server")
    monkeypatch.setattr(forked, "_BEGUN", [])
    forked.begin()
    yield
    multiprocessing.forkserver._forkserver._stop()
    multiprocessing.set_forkserver_preload(["__main__"])


@pytest.mark.usefixtures("started")
def test_a_killed_worker_costs_nothing_but_time(archive, tmp_path):
    """On two workers of which one is killed outright, every point is done once, as ``report`` has it."""
    pytest.importorskip("distributed")
    killed = []

    def kill(state):
        children = [each for each in multiprocessing.active_children() if "ask" in each.name or "anny" in each.name]
        if state.points_done and children and not killed:
            killed.append(children[0].pid)
            os.kill(children[0].pid, signal.SIGKILL)

    done = running.run([str(archive)], str(tmp_path / "out"), workers=2, checkpoint=20_000, progress=kill)

    assert (4, []) == (done.done, done.errors)
    assert 1 == len(killed)
    tables = of_fleet(tmp_path / "out")
    for path in sorted(each for each in archive.iterdir() if each.is_dir()):
        one = {
            table: [row for row in rows if row["capture_point"].startswith(f"{path}/")]
            for table, rows in tables.items()
        }
        assert of_report(path, tmp_path) == as_reported(one)


def test_a_lost_scheduler_ends_the_run_with_a_sentence(archive, tmp_path):
    """Where the scheduler is killed, the run says so, and that it can be repeated."""
    pytest.importorskip("distributed")
    code = (
        "import asyncio, distributed, sys\n"
        "async def main():\n"
        "    async with distributed.Scheduler(host='127.0.0.1', port=0, dashboard=False) as scheduler:\n"
        "        print(scheduler.address, flush=True)\n"
        "        await scheduler.finished()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True) as scheduler:
        address = scheduler.stdout.readline().strip()
        begun = []

        def kill(state):
            if not begun:
                begun.append(time.monotonic())
            elif scheduler.poll() is None:
                scheduler.kill()

        with pytest.raises(SchedulerLostError, match=r"with 4 points to do; what was\s+done is kept"):
            running.run([str(archive)], str(tmp_path), scheduler=address, progress=kill)
        scheduler.wait()


def test_a_scheduler_that_is_not_there_is_said(archive, tmp_path, monkeypatch):
    """An address at which nobody answers is one sentence."""
    distributed = pytest.importorskip("distributed")

    def nobody(*_, **__):
        raise OSError("Timed out trying to connect")

    monkeypatch.setattr(distributed, "Client", nobody)

    with pytest.raises(FleetError, match="does not answer"):
        running.run([str(archive)], str(tmp_path), scheduler="tcp://127.0.0.1:9")


def tasks(*sizes):
    """Return tasks of one file each, of these sizes."""
    files = [StoredFile(f"/in/{at}.pcap", f"/in/{at}.pcap", size, "1") for at, size in enumerate(sizes)]
    return [Task(f"/in/{at}", (("/in", file),), "/out") for at, file in enumerate(files)]


@pytest.mark.parametrize(
    ("sizes", "workers", "expected"),
    [
        ((9, 8, 7), 1, [1, 1, 1]),
        ([1] * 30, 1, [3, 3, 3, *[2] * 3, *[1] * 15]),
        ([1] * 30, 4, [1] * 30),
        ((running.OCTETS + 1, *[2] * 31), 1, [1, 3, 3, 3, *[2] * 4, *[1] * 14]),
        ([running.OCTETS // 2] * 40, 1, [2] * 13 + [1] * 14),
        ([1] * 1000, 1, None),
    ],
)
def test_small_points_are_handed_out_together(sizes, workers, expected):
    """As many points go in a batch as leave every worker enough to do, and no more octets than are read in a second."""
    made = tasks(*sizes)
    found = running.batches(made, workers)

    assert expected in (None, [len(batch) for batch in found])
    assert running.BATCH >= max(map(len, found))
    assert made == [task for batch in found for task in batch]


class Cluster:
    """A client of a cluster on which one point kills every worker that takes it."""

    status = "running"

    def __init__(self, deadly):
        """Have nothing done yet."""
        self.deadly = deadly
        self.handed = []

    def ncores(self):
        """Say that there is one worker."""
        return {"worker": 1}

    def submit(self, _, batch, *, key, **__):
        """Do a batch at once."""
        self.handed.append([task.point for task in batch])
        return Future(key, batch, "error" if self.deadly in self.handed[-1] else "finished")


class Future:
    """What comes of a batch."""

    def __init__(self, key, batch, status):
        """Be over."""
        self.key, self.batch, self.status = key, batch, status

    def add_done_callback(self, call):
        """Call at once."""
        call(self)

    def result(self, timeout):
        """Return what came of it."""
        return [Outcome(task.point, task.folder) for task in self.batch]

    def exception(self, timeout):
        """Return what Dask says of a task whose workers died."""
        return type("KilledWorker", (Exception,), {})()

    def release(self):
        """Keep nothing."""


def test_a_point_that_kills_workers_harms_no_other(monkeypatch):
    """Of a batch that is never done each point is tried by itself, and only the one at fault is said to be."""
    monkeypatch.setattr(running, "SHARES", 2)
    client = Cluster("/in/4")
    outcomes = list(running._outcomes(client, tasks(*[1] * 8), "", lambda: None))

    assert sorted(f"/in/{at}" for at in range(8)) == sorted(outcome.point for outcome in outcomes)
    assert ["/in/4"] == [outcome.point for outcome in outcomes if outcome.error]
    assert "--shards splits a point" in next(outcome.error for outcome in outcomes if outcome.error)
    assert [4, 2, 1, 1, 1, 1] == [len(batch) for batch in client.handed]
