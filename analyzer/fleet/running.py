"""All points of an archive, on a cluster of Dask: a task a point, the largest first, and what came of each.

A cluster of its own runs on this machine: processes that find no module in the current folder, reachable by this one
alone (TLS with keys made for the occasion). One that exists is named by its scheduler's address; its workers need this
program in the same version, and reach sources and tables by themselves.

A task reads and writes in storage, and returns a few numbers; so whatever is lost on the way is done again, and a run
that is repeated does what is missing.

It must not know how a point is done.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import tempfile
import time
from dataclasses import field
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import analyzer
from analyzer.errors import AnalyzerError
from analyzer.fleet import forked, manifest
from analyzer.fleet.extras import library, missing
from analyzer.fleet.places import Place
from analyzer.fleet.points import Pattern, points_of
from analyzer.fleet.task import CHECKPOINT, Outcome, Task
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.fleet.storage import StoredFile
    from analyzer.untyped import Foreign

    Told = Callable[["Progress"], None]

FLEET: Final = "fleet.json"
"""What says, beside the points, how all of them were made."""
FORMAT: Final = 1
WINDOW: Final = 10_000
"""Maximum number of batches with the scheduler at once: more would only be memory."""
BATCH: Final = 16
"""Maximum number of points that a worker is handed at once,"""
OCTETS: Final = 128 << 20
"""if together they have no more than so many bytes, which takes about a second, and"""
SHARES: Final = 8
"""if what is left would do for so many such batches for each worker, so that all end at about the same time."""
TOPIC: Final = "keepalive-fleet"
"""Under which workers tell the scheduler how much they have read."""
TELL_S: Final = 0.5
"""How often they tell at most."""
POLL_S: Final = 0.5
OWN: Final = {
    "distributed.nanny.pre-spawn-environ": forked.SAFELY,
    "distributed.worker.daemon": True,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.active-memory-manager.start": False,
}
"""Settings of a cluster of our own. Dask looks every 10 ms at what a worker does, and every 20 ms whether its loop
turns; that takes a tenth of a processor from each, and nobody asks for it here."""


class FleetError(AnalyzerError):
    """A run that cannot begin, or not go on."""


class SchedulerLostError(FleetError):
    """Nobody answers for the cluster any more."""


@dataclass(slots=True)
class Progress:
    """How far a run has come."""

    points: int
    octets: int
    points_done: int = 0
    octets_done: int = 0
    at: dict[str, int] = field(default_factory=dict)
    """Bytes that points which are not done have read, by name of their folder."""
    dashboard: str = ""
    """Address of Dask's dashboard; empty if there is none."""

    @property
    def octets_read(self) -> int:
        """Bytes read so far."""
        return min(self.octets_done + sum(self.at.values()), self.octets)


@dataclass(slots=True)
class Fleet:
    """What a run did."""

    points: int = 0
    done: int = 0
    files: int = 0
    """Files that were read, by this run."""
    octets: int = 0
    flows: int = 0
    """In the tables of the points that were done."""
    left: int = 0
    """Files of no point."""
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Why points were not done."""


def run(  # noqa: PLR0913 - the options of the verb, by name
    sources: Sequence[str],
    out: str,
    *,
    scheduler: str = "",
    workers: int | None = None,
    points: str = "",
    shards: int = 1,
    resume: bool = False,
    anew: bool = False,
    checkpoint: int = CHECKPOINT,
    progress: Told | None = None,
) -> Fleet:
    """Bring the tables in ``out`` up to date with the captures in ``sources``.

    Both are folders or URLs (``s3://``, ``gs://``, ``abfs://``; sources ``http(s)://`` too). ``scheduler`` is the
    address of a Dask cluster; without one ``workers`` processes are started here, one per processor by default, and
    with 0 all is done in this process. ``points`` says which files are one point (``points.Pattern``); ``shards``
    splits each point by its pairs of hosts. ``resume`` refuses to begin where no tables are, ``anew`` forgets those
    that are there; each point is saved after ``checkpoint`` bytes. ``progress`` is told how far it has come.

    Raises:
        FleetError: it cannot begin, or the scheduler is gone; what is done is done.
        StorageError: a source cannot be listed, or ``out`` not be written.
        MissingFleetError: a library is not installed.
    """
    if find_spec("pyarrow") is None:  # not imported: it is for those who work
        raise missing("pyarrow")
    for module in ("fsspec", *(["distributed"] if workers != 0 or scheduler else [])):
        library(module)
    if shards < 1:
        raise FleetError(f"--shards {shards}: expected 1 or more")
    pattern = Pattern(points) if points else None
    token = _settled(Place(out), points, shards, resume=resume, anew=anew)
    found: dict[str, tuple[str, StoredFile]] = {}
    for source in dict.fromkeys(sources):
        found |= {file.name: (source, file) for file in Place(source).captures()}
    named, left = points_of((file for _, file in found.values()), pattern)
    if not named:
        raise FleetError(f"--points {points}: none of {len(found)} files is of a point")
    octets = sum(point.size for point in named) * shards
    tasks = [
        Task(
            point.name,
            tuple(found[file.name] for file in point.files),
            out,
            shard,
            shards,
            token,
            checkpoint,
            manifest.rules(),
            octets,
        )
        for point in sorted(named, key=lambda point: -point.size)
        for shard in range(shards)
    ]
    state = Progress(len(tasks), octets)
    result = Fleet(points=len(tasks), left=left)
    tell = progress or (lambda _: None)
    outcomes: Any = _here(tasks, state, tell) if workers == 0 and not scheduler else _there(
        tasks, state, tell, scheduler, workers
    )  # fmt: skip
    sizes = {task.folder: task.octets for task in tasks}
    with contextlib.closing(outcomes):
        for outcome in outcomes:
            state.points_done += 1
            state.octets_done += sizes[outcome.folder]
            state.at.pop(outcome.folder, None)
            tell(state)
            result.files += outcome.read
            result.octets += outcome.octets
            result.flows += outcome.flows
            result.notes += outcome.notes
            if outcome.error:
                result.errors.append(outcome.error)
            else:
                result.done += 1
    return result


def _settled(out: Place, points: str, shards: int, *, resume: bool, anew: bool) -> str:
    """Make sure that ``out`` is to be written the way it was; return the word of the run that makes all anew."""
    path = out.below(FLEET)
    octets = out.get(path)
    wanted = {"format": FORMAT, "rules": manifest.rules(), "points": points, "shards": shards}
    if octets is None:
        if resume:
            raise FleetError(f"{out.name}: no tables there to go on with (without --resume they are begun)")
        there = None
    else:
        there = settings(octets, out.name)
    if there is not None and not anew:
        for key, option in (("points", "--points"), ("shards", "--shards"), ("rules", "the rules")):
            if there.get(key) != wanted[key]:
                raise FleetError(
                    f"{out.name}: the tables there were made with {option} {there.get(key) or 'not given'}, not "
                    f"{wanted[key] or 'without it'}; --anew makes all of them again"
                )
        return str(there.get("run", ""))
    token = secrets.token_hex(8) if there is not None else ""
    out.put(path, json.dumps({**wanted, "program": analyzer.__version__, "run": token}).encode())
    return token


def settings(octets: bytes, name: str) -> dict[str, Any]:
    """Return how tables were made, from their ``fleet.json``.

    Raises:
        FleetError: it is none.
    """
    try:
        found = json.loads(octets)
        if found["format"] != FORMAT:
            raise FleetError(f"{name}: has tables of another format than {FORMAT}")
    except (ValueError, KeyError, TypeError) as error:
        raise FleetError(f"{name}: {FLEET} is damaged") from error
    return dict(found)


def _here(tasks: Iterable[Task], state: Progress, tell: Told) -> Iterator[Outcome]:
    """Yield what comes of tasks that are done in this process."""
    from analyzer.fleet import work

    for task in tasks:

        def read(octets: int, folder: str = task.folder) -> None:
            state.at[folder] = state.at.get(folder, 0) + octets
            tell(state)

        yield work.do(task, read)


def _there(
    tasks: Sequence[Task], state: Progress, tell: Told, scheduler: str, workers: int | None
) -> Iterator[Outcome]:
    """Yield what comes of tasks that workers do, as they are done."""
    with _cluster(scheduler, workers, len(tasks)) as client:
        state.dashboard = client.dashboard_link if _has_dashboard() else ""
        tell(state)

        def heard(event: tuple[float, Any]) -> None:
            _, (folder, octets) = event
            state.at[folder] = state.at.get(folder, 0) + octets

        client.subscribe_topic(TOPIC, heard)
        yield from _outcomes(client, tasks, scheduler, lambda: tell(state))


def _outcomes(client: Foreign, tasks: Sequence[Task], scheduler: str, wait: Callable[[], None]) -> Iterator[Outcome]:
    waiting = list(reversed(batches(tasks, len(client.ncores()))))
    running: dict[str, tuple[Task, ...]] = {}
    over: queue.SimpleQueue[Any] = queue.SimpleQueue()
    left = len(tasks)

    def submit() -> None:
        while waiting and len(running) < WINDOW:
            batch = waiting.pop()
            key = f"point-{batch[0].folder}-{secrets.token_hex(4)}"
            future = client.submit(do_there, batch, key=key, pure=False, priority=len(waiting))
            running[key] = batch
            future.add_done_callback(over.put)

    submit()
    while running:
        try:
            future = over.get(timeout=POLL_S)
        except queue.Empty:
            if client.status != "running":
                raise lost(scheduler, left) from None
            wait()
            continue
        batch = running.pop(future.key)
        outcomes = _outcomes_of(future, batch, scheduler, left)
        if outcomes is None:  # each by itself shows whose fault it is
            waiting += [(task,) for task in reversed(batch)]
        else:
            left -= len(outcomes)
            yield from outcomes
        future.release()
        submit()


def batches(tasks: Sequence[Task], workers: int) -> list[tuple[Task, ...]]:
    """Return the tasks in the same order, together where many are left: each batch costs a few messages."""
    found: list[tuple[Task, ...]] = []
    at = 0
    while at < len(tasks):
        most = min(max((len(tasks) - at) // (SHARES * max(workers, 1)), 1), BATCH)
        batch, octets = [tasks[at]], tasks[at].octets
        for task in tasks[at + 1 : at + most]:
            octets += task.octets
            if octets > OCTETS:
                break
            batch.append(task)
        found.append(tuple(batch))
        at += len(batch)
    return found


def _outcomes_of(future: Foreign, batch: tuple[Task, ...], scheduler: str, left: int) -> list[Outcome] | None:
    """Return what came of a batch that is over; None if that has to be found out task by task."""
    if future.status == "finished":
        try:
            found: list[Outcome] = future.result(timeout=60)
        except Exception:  # noqa: BLE001 - what a lost connection raises differs by its moment
            raise lost(scheduler, left) from None
        return found
    if future.status != "error":
        raise lost(scheduler, left)
    if len(batch) > 1:
        return None
    error = future.exception(timeout=60)
    if type(error).__name__ == "KilledWorker":
        why = "workers died while doing it, again and again (perhaps for lack of memory; --shards splits a point)"
    else:
        why = f"a fault of this program ({type(error).__name__})"
    return [Outcome(task.point, task.folder, error=f"{task.point}: {why}") for task in batch]


def lost(scheduler: str, left: int) -> SchedulerLostError:
    """Return the error for a scheduler that is gone."""
    return SchedulerLostError(
        f"the scheduler{f' at {scheduler}' if scheduler else ''} is gone, with {left} points to do; what was "
        "done is kept, and the same command goes on from there"
    )


def do_there(batch: Sequence[Task]) -> list[Outcome]:
    """Do tasks on a worker, which tells now and then how much it has read; the rest shows in the outcomes."""
    from analyzer.fleet import work

    worker = library("distributed").get_worker()
    told_s, untold = time.monotonic(), dict.fromkeys((task.folder for task in batch), 0)

    def read(octets: int, folder: str) -> None:
        nonlocal told_s
        untold[folder] += octets
        if time.monotonic() - told_s >= TELL_S:
            for name, count in untold.items():
                if count:
                    worker.log_event(TOPIC, (name, count))
                    untold[name] = 0
            told_s = time.monotonic()

    return [work.do(task, partial(read, folder=task.folder)) for task in batch]


@contextlib.contextmanager
def _cluster(scheduler: str, workers: int | None, most: int) -> Iterator[Foreign]:
    """Give a client of the cluster, or of one made for the occasion."""
    distributed = library("distributed")
    if scheduler:
        try:
            client = distributed.Client(scheduler, timeout=30, set_as_default=False)
        except Exception as error:  # noqa: BLE001 - what a connection that fails raises differs by its kind
            raise FleetError(f"--scheduler {scheduler}: does not answer ({type(error).__name__})") from None
        with client:
            yield client
        return
    dask = library("dask")
    if hasattr(distributed.utils, "_forkserver_preload_set"):
        # else Dask imports pandas here, to have a server of its own import it
        distributed.utils._forkserver_preload_set = True  # noqa: SLF001
    count = min(workers or os.cpu_count() or 1, max(most, 1))
    with (
        tempfile.TemporaryDirectory(prefix="keepalive-fleet-") as folder,
        dask.config.set(OWN | {"distributed.worker.multiprocessing-method": forked.method()}),
        forked.environment(forked.SAFELY),
        distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tls://",
            security=distributed.Security.temporary(),
            dashboard_address="127.0.0.1:0",
            local_directory=folder,
            memory_limit=0,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _has_dashboard() -> bool:
    """Say whether Dask can show its dashboard."""
    try:
        library("bokeh")
    except AnalyzerError:
        return False
    return True
