"""One point, from where its manifest says it stands to where its files end: what a worker does.

Files are read in order of their first frames. Every so many bytes the stream is saved and the manifest says how far it
has come, so that a worker that is killed costs no more than that. When all files are read, the flows that still live
are written too, and the manifest shows the new tables in place of the old ones.

What is new is read on top; but if a file that was read has another version now, or a new one belongs before it, the
point is read from the beginning. Files that are gone from the archive are no reason to.

It must not know how points are spread over workers.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import analyzer
from analyzer.capture.reader import HUGE, LARGE, open_capture
from analyzer.capture.source import open_stream
from analyzer.errors import AnalyzerError, CaptureError
from analyzer.fleet import manifest, state
from analyzer.fleet.manifest import Manifest, ManifestError, ReadFile, Tables
from analyzer.fleet.partitions import Partitions, write_captures
from analyzer.fleet.places import Place
from analyzer.fleet.sharding import Shard
from analyzer.fleet.state import StateError
from analyzer.fleet.storage import ReplacedError, StorageError, StoredFile
from analyzer.fleet.stream import PointStream, dtypes
from analyzer.fleet.task import Outcome, Task
from analyzer.loops.choice import jit_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.track.batch import FlowBatch

    Found = tuple[ReadFile, str, StoredFile]
    """A file as it is to be remembered, the place it is in, and as it is there."""

PASSES: Final = 3
"""How often a point is begun anew because files changed meanwhile; then what still changes is left for the next run."""
HEAD: Final = 1 << 16
"""Bytes in which the first frame stands."""


STRAY_S: Final = 86_400
"""Files that no manifest names are another run's at work, unless they are older."""


class OvertakenError(AnalyzerError):
    """Somebody else has written the point's manifest meanwhile."""


class CannotRedoError(AnalyzerError):
    """A point would have to be read from the beginning, and files of it are gone."""


def do(task: Task, progress: Callable[[int], None] | None = None) -> Outcome:
    """Do a task; whatever of storage fails is said in the outcome, and its point's tables are what they were."""
    outcome = Outcome(task.point, task.folder)
    if task.rules and task.rules != manifest.rules():
        outcome.error = f"{task.point}: a worker has another version of this program ({analyzer.__version__})"
        return outcome
    try:
        Worker(task, outcome, progress).run()
    except AnalyzerError as error:
        outcome.error = str(error)
    return outcome


class Worker:
    """Does one task."""

    def __init__(self, task: Task, outcome: Outcome, progress: Callable[[int], None] | None = None) -> None:
        """Find the places."""
        self._task, self._outcome = task, outcome
        self._progress = progress or (lambda _: None)
        self._out = Place(task.out)
        self._folder = self._out.below("points", task.folder)
        self._places = {root: Place(root) for root in dict.fromkeys(root for root, _ in task.files)}
        self._shard = Shard(task.shard, task.shards) if task.shards > 1 else None
        self._compiled: bool | None = None
        """Whether files are read by compiled loops; None leaves that to the size of each."""
        self._changing: set[str] = set()
        self._asked = False
        """Whether the store is to be asked again what the files are: they changed since they were listed."""

    def run(self) -> None:
        """Do it.

        Raises:
            AnalyzerError: it cannot be done now.
        """
        for last in range(PASSES):
            try:
                self._pass()
            except ReplacedError as error:
                self._asked = True
                if last == PASSES - 1:
                    self._changing.add(error.name)
            else:
                return
        self._outcome.notes += [
            f"{name}: changes while it is read; left, with what is behind it, for the next run"
            for name in sorted(self._changing)
        ]
        self._pass()

    def _pass(self) -> None:
        files = self._in_order()
        before = self._manifest()
        known = before.furthest
        todo = None if before.run != self._task.anew and self._task.anew else _beyond(known, files)
        stream = None
        if todo is None:
            before = self._begun_anew(before, files)
            known, todo, stream = Tables(), files, PointStream(shard=self._shard)
        elif not todo and before.shown is not None and before.underway is None:
            self._outcome.flows = before.shown.sums.get("flows", 0)
            return
        if stream is None:
            try:
                stream = self._stream(known)
            except (StateError, StorageError):  # what is lost is made again
                before = self._begun_anew(before, files)
                known, todo, stream = Tables(), files, PointStream(shard=self._shard)
        while True:
            some, todo = _cut(todo, self._task.checkpoint)
            before = self._commit(before, known, stream, some, last=not todo)
            known = before.furthest
            if not todo:
                return

    # what there is ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _stored(self) -> Manifest | None:
        """Return the manifest that is there."""
        path = f"{self._folder}/{manifest.NAME}"
        octets = self._out.get(path)
        return None if octets is None else manifest.read(octets, self._out.called(path))

    def _manifest(self) -> Manifest:
        """Return the manifest that there is, or a blank one."""
        found = self._stored()
        if found is None:
            task = self._task
            return Manifest(task.point, task.shard, task.shards, analyzer.__version__, manifest.rules(), run=task.anew)
        if found.point != self._task.point:
            raise ManifestError(f"{self._out.called(self._folder)}: holds the tables of another point")
        if found.rules != manifest.rules() and not self._task.anew:
            raise ManifestError(
                f"{self._task.point}: its tables were made by other rules ({found.program}, {found.rules}); --anew "
                "makes them again"
            )
        return found

    def _begun_anew(self, before: Manifest, files: list[Found]) -> Manifest:
        """Return the manifest of a point that is read from the beginning."""
        there = {file.name for file, _, _ in files}
        gone = [file.name for file in before.furthest.files if file.name not in there]
        if gone and not self._task.anew:
            raise CannotRedoError(
                f"{self._task.point}: {len(gone)} of its files were read before and are gone (the first is {gone[0]}), "
                "and another changed or belongs between them; its tables stay as they were (--anew makes them again "
                "of what is left)"
            )
        program, rules = analyzer.__version__, manifest.rules()
        if self._task.anew and before.run != self._task.anew:
            before = replace(before, shown=None)
        return replace(before, underway=None, refused=(), program=program, rules=rules, run=self._task.anew)

    def _in_order(self) -> list[Found]:
        """Return the point's files in order of time, as they are now; of what is known already nothing is asked."""
        found = []
        before = self._stored()
        known = {} if before is None else {file.name: file for file in before.furthest.files}
        for root, listed in self._task.files:
            file = self._places[root].now(listed) if self._asked else listed
            was = known.get(file.name)
            if was is None or was.version != file.version:
                was = ReadFile(file.name, file.version, file.size, self._began(root, file))
            found.append((was, root, file))
        found.sort(key=lambda each: (1 << 62 if each[0].start_ns is None else each[0].start_ns, each[0].name))
        changing = next((at for at, (file, _, _) in enumerate(found) if file.name in self._changing), len(found))
        return found[:changing]

    def _began(self, root: str, file: StoredFile) -> int | None:
        """Return when a file's first frame was captured; None if it has none, or is no capture."""
        octets = self._places[root].open(file)
        try:
            with open_capture(
                file.name, jit=False, chunk=HEAD, source=open_stream(file.name, octets, file.size)
            ) as reader:
                began = reader.start_ns
        except CaptureError:
            began = None
        finally:
            octets.close()
        octets.check()
        return began

    def _stream(self, known: Tables) -> PointStream:
        """Return the point's stream, where it stands."""
        if known.state is None:
            return PointStream(shard=self._shard)
        name, digest = known.state
        with self._out.read(f"{self._folder}/{name}") as file:
            arrays, facts = state.read(file, digest, dtypes())
        return PointStream.restored(arrays, facts, shard=self._shard)

    # what is done ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _commit(
        self,
        before: Manifest,
        known: Tables,
        stream: PointStream,
        some: list[Found],
        *,
        last: bool,
    ) -> Manifest:
        """Read some files, write what they finish, save the stream, and replace the manifest."""
        tag = secrets.token_hex(8)
        point, shard = self._task.point, self._task.shard
        with self._partitions(f"{tag}-done", stream) as done:
            for _, root, file in some:
                for capture, flows in self._read(stream, root, file):
                    done.add(capture, flows)
        arrays, facts = stream.save()
        name = f"{tag}-state.zst"
        with self._out.write(f"{self._folder}/{name}", settle=False) as out:
            digest = state.write(out, arrays, facts)
        del arrays
        live: list[tuple[str, str]] = []
        sums = {"done": known.sums.get("done", 0) + done.rows["flows"], "captures": len(stream.captures)}
        sums["flows"] = sums["done"]
        sums["frames"] = sum(each.frames for each in stream.captures)
        if last:
            with self._partitions(f"{tag}-live", stream) as living:
                for capture, flows in stream.end():
                    living.add(capture, flows)
            live = list(living.names.items())
            live.append(("captures", write_captures(self._out, self._folder, tag, point, shard, stream.captures)))
            sums["flows"] += living.rows["flows"]
        tables = Tables(
            (*known.files, *(file for file, _, _ in some)),
            (*known.parts, *done.names.items()),
            tuple(live),
            (name, digest),
            sums,
        )
        after = replace(
            before,
            shown=tables if last else before.shown,
            underway=None if last else tables,
            refused=tuple(stream.refused),
            generation=before.generation + 1,
        )
        self._replace(before, after)
        self._outcome.read += len(some)
        self._outcome.octets += sum(file.size for _, _, file in some)
        self._outcome.flows = sums["flows"]
        if last:
            self._outcome.notes += [f"{name}: {why}" for name, why in stream.refused]
        return after

    def _partitions(self, tag: str, stream: PointStream) -> Partitions:
        task = self._task
        return Partitions(self._out, self._folder, tag, task.point, task.shard, stream.start_ns)

    def _read(self, stream: PointStream, root: str, file: StoredFile) -> Iterator[tuple[int, FlowBatch]]:
        place, beside = self._places[root], self._task.beside
        if self._compiled is None and jit_wanted(large=beside >= LARGE, huge=beside >= HUGE):
            self._compiled = True  # paid for once, by all files of the run
        octets = place.open(file)
        try:
            # what is fetched from afar comes while the batch before is tracked; else a worker is one processor's work
            yield from stream.read(file.name, octets, file.size, jit=self._compiled, ahead=not place.is_local)
            octets.verify()
        finally:
            octets.close()
        self._progress(file.size)

    def _replace(self, before: Manifest, after: Manifest) -> None:
        """Let the manifest be another, unless somebody else did; then remove what no manifest names any more."""
        there = self._stored()
        generation = 0 if there is None else there.generation
        if generation != before.generation:
            raise OvertakenError(f"{self._task.point}: another run has written its tables meanwhile")
        self._out.settled()
        self._out.put(f"{self._folder}/{manifest.NAME}", after.octets())
        self._out.remove([f"{self._folder}/{name}" for name in sorted(before.names - after.names)])
        if after.underway is None:  # what runs left that were killed
            keep = {f"{self._folder}/{name}" for name in (*after.names, manifest.NAME)}
            self._out.remove([name for name in self._out.older(self._folder, STRAY_S) if name not in keep])


def _beyond(known: Tables, files: list[Found]) -> list[Found] | None:
    """Return the files behind those that are known; None if these cannot be gone on from."""
    by_name = {file.name: file for file, _, _ in files}
    if any(file.name in by_name and by_name[file.name].version != file.version for file in known.files):
        return None
    read = {file.name for file in known.files}
    new = [each for each in files if each[0].name not in read]
    last = max((file.start_ns for file in known.files if file.start_ns is not None), default=None)
    if last is not None and any(each[0].start_ns is not None and each[0].start_ns < last for each in new):
        return None
    return new


def _cut(todo: list[Found], octets: int) -> tuple[list[Found], list[Found]]:
    """Return the first files, of about so many bytes, at least one, and the others."""
    total = 0
    for at, (_, _, file) in enumerate(todo):
        total += file.size
        if total >= octets:
            return todo[: at + 1], todo[at + 1 :]
    return todo, []
