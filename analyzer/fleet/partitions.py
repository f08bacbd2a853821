"""Finished flows as partitions of the tables: Parquet files of one point, written once and never changed.

What a flow's row says is decided by ``report.tables``, the same as in ``report --parquet``; here the columns that only
many points need are put beside it. Until its manifest names it, a partition is nothing to anybody; whoever writes that
waits before until the place has ``settled``.

It must not know where flows come from.
"""

from __future__ import annotations

import contextlib
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from analyzer.fleet.columns import TABLES
from analyzer.fleet.extras import library
from analyzer.judge import verdict
from analyzer.judge.signatures import of_end
from analyzer.report import tabular
from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS
from analyzer.report.tables import Told
from analyzer.segment import address_text
from analyzer.survey.limits import trials
from analyzer.survey.overview import responder_is_b
from analyzer.together import GATHERED, FlowsTogether
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from numpy.typing import NDArray

    from analyzer.fleet.places import Place
    from analyzer.survey.overview import CaptureSummary
    from analyzer.track.batch import FlowBatch
    from analyzer.untyped import Foreign

OF_REPORT: Final = {"flows": FLOW_COLUMNS, "probes": PROBE_COLUMNS, "findings": FINDING_COLUMNS}
OF_STREAM: Final = ("flows", "probes", "findings", "silences")
"""The tables that grow while files are read."""
INTEGERS: Final = frozenset({"port_a", "port_b", "isn_a", "isn_b", "shard"})
GROUP: Final = 1 << 16
"""About so many rows of flows are a row group."""
ISN: Final = 0xFFFFFFFF


@cache
def schema_of(table: str) -> Foreign:
    """Return the Arrow schema of one of the tables."""
    arrow = library("pyarrow")
    known = tabular.schema_of(OF_REPORT.get(table, {}))
    return arrow.schema(
        [
            known.field(name)
            if name in known.names
            else arrow.field(name, _kind(name), metadata={"description": meaning})
            for name, meaning in TABLES[table].items()
        ]
    )


def _kind(name: str) -> Foreign:
    arrow = library("pyarrow")
    if name.endswith("_at") or name == "at":
        return arrow.timestamp("ns", tz="UTC")
    if name.endswith("_s"):
        return arrow.float64()
    numbers = {"capture", "flow", "server_port", "half_closed", "died", "from_frame", "to_frame", "files", "frames"}
    return arrow.int64() if name in INTEGERS | numbers | {"tcp_segments", "dropped"} else arrow.string()


class Partitions:
    """The files of one point's flows that finish from one commit to the next."""

    def __init__(
        self, place: Place, folder: str, tag: str, point: str, shard: int, start_ns: Callable[[int], int]
    ) -> None:
        """Begin files in a folder of a place, whose names begin with ``tag``; nothing is written yet."""
        self.names: dict[str, str] = {}
        """By table the file that has rows of it; none for a table without rows."""
        self.rows = dict.fromkeys(OF_STREAM, 0)
        self._place, self._folder, self._tag = place, folder, tag
        self._of = {"capture_point": point, "shard": shard}
        self._start_ns = start_ns
        self._waiting: list[tuple[FlowBatch, NDArray[np.int8], NDArray[np.int64]]] = []
        self._capture = -1
        self._told = Told()
        self._open = contextlib.ExitStack()
        self._writers: dict[str, Any] = {}
        self._held: dict[str, list[Foreign]] = {name: [] for name in OF_STREAM}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the files, or take them away after an error."""
        if error is None:
            with self._open:
                self._search()
                for table in OF_STREAM:
                    self._put(table)
                for writer in self._writers.values():
                    writer.close()
            return
        for writer in self._writers.values():
            with contextlib.suppress(Exception):
                writer.close()
            writer.is_open = False  # else it tries again when it is forgotten
        self._open.__exit__(kind, error, trace)

    def add(self, capture: int, batch: FlowBatch) -> None:
        """Take finished flows of the capture with that index."""
        if capture != self._capture:
            self._search()
            self._capture = capture
        winners = verdict.decide(batch)
        self._silences(capture, batch, winners)
        self._waiting.append((batch, winners, np.arange(len(batch))))
        if sum(len(each) for each, _, _ in self._waiting) >= GATHERED:
            self._search()

    def _search(self) -> None:
        """Search and judge the flows that wait for it, together."""
        waiting, self._waiting = self._waiting, []
        if not sum(len(each) for each, _, _ in waiting):
            return
        flows = FlowsTogether(self._capture, waiting)
        start_ns = self._start_ns(self._capture)
        for part in flows.parts(np.arange(len(flows))):
            for table in OF_REPORT:
                found = tabular.arrow_table(table, part, start_ns, told=self._told)
                self._take(table, self._beside(table, found, part, start_ns))

    def _beside(self, table: str, found: Foreign, flows: FlowsTogether, start_ns: int) -> Foreign:
        """Return rows with the columns that only many points need."""
        more: dict[str, Any] = {}
        if table == "flows":
            more = _of_flows(flows, start_ns)
        elif table == "probes":
            more["at"] = flows.facts.probes.columns["ts_ns"]
            more["host"] = [sender.rpartition(":")[0].strip("[]") for sender in found["sender"].to_pylist()]
        return self._completed(table, {name: found[name] for name in OF_REPORT[table]} | more, len(found))

    def _silences(self, capture: int, batch: FlowBatch, winners: NDArray[np.int8]) -> None:
        rows = trials(capture, batch, winners)
        if not len(rows):
            return
        hosts, others = (
            [address_text(hi, lo) for hi, lo in zip(rows[f"{end}hi"].tolist(), rows[f"{end}lo"].tolist(), strict=True)]
            for end in ("", "other_")
        )
        columns: dict[str, Any] = {
            "capture": rows["capture"],
            "flow": rows["number"],
            "server_host": hosts,
            "server_port": rows["port"],
            "client_host": others,
            "half_closed": rows["half"],
            "died": rows["died"],
            "silence_s": rows["ns"] / NS_PER_S,
            "from_frame": rows["from"],
            "to_frame": rows["to"],
            "ended_at": rows["last_ns"],
        }
        self._take("silences", self._completed("silences", columns, len(rows)))

    def _completed(self, table: str, columns: dict[str, Any], count: int) -> Foreign:
        arrow, schema = library("pyarrow"), schema_of(table)
        columns |= {name: [value] * count for name, value in self._of.items()}
        arrays = [
            columns[field.name]
            if isinstance(columns[field.name], arrow.ChunkedArray)
            else arrow.array(np.ascontiguousarray(columns[field.name]), type=field.type)
            if isinstance(columns[field.name], np.ndarray)
            else arrow.array(columns[field.name], type=field.type)
            for field in schema
        ]
        return arrow.table(arrays, schema=schema)

    def _take(self, table: str, rows: Foreign) -> None:
        if len(rows):
            self._held[table].append(rows)
            self.rows[table] += len(rows)
            if sum(map(len, self._held[table])) >= GROUP:
                self._put(table)

    def _put(self, table: str) -> None:
        """Write a row group of what is held of a table."""
        held, self._held[table] = self._held[table], []
        if not held:
            return
        if table not in self._writers:
            name = f"{self._tag}-{table}.parquet"
            file = self._open.enter_context(self._place.write(f"{self._folder}/{name}", settle=False))
            self._writers[table] = library("pyarrow.parquet").ParquetWriter(file, schema_of(table), compression="zstd")
            self.names[table] = name
        self._writers[table].write_table(library("pyarrow").concat_tables(held))


def _of_flows(flows: FlowsTogether, start_ns: int) -> dict[str, Any]:
    """Return the columns of flows that only many points need."""
    arrow, facts = library("pyarrow"), flows.facts
    flow, ends = facts.flow, facts.ends
    columns: dict[str, Any] = {"first_at": flow["first_ns"].copy(), "last_at": flow["last_ns"].copy()}
    same: Any = SimpleNamespace(flow=flow, a=ends[0], b=ends[1])
    is_b = responder_is_b(same)
    columns["server"] = np.where(is_b, "b", "a").tolist()
    for side, end in zip("ab", ends, strict=True):
        halves = zip(flow[f"{side}_hi"].tolist(), flow[f"{side}_lo"].tolist(), strict=True)
        columns[f"host_{side}"] = [address_text(hi, lo) for hi, lo in halves]
        columns[f"port_{side}"] = flow[f"{side}_port"].astype(np.int64)
        columns[f"isn_{side}"] = arrow.array(end["iss"] & ISN, mask=end["syn_frame"] == 0)
        never = (end["segments"] == 0) | (end["last_ns"] < 0)
        columns[f"heard_{side}_s"] = arrow.array((end["last_ns"] - start_ns) / NS_PER_S, mask=never)
        columns[f"stack_{side}"] = [""] * len(flow)
        columns[f"software_{side}"] = [""] * len(flow)
    for at, judged in flows.told.items():
        for side in SIDES:
            settings = judged.settings(side)
            if settings is not None:
                columns[f"stack_{side}"][at] = settings.stack or ""
                columns[f"software_{side}"][at] = "; ".join(of_end(settings.families, opens=judged.record.opens(side)))
    return {
        name: arrow.chunked_array([each]) if isinstance(each, arrow.Array) else each for name, each in columns.items()
    }


def write_captures(
    place: Place, folder: str, tag: str, point: str, shard: int, captures: Iterable[CaptureSummary]
) -> str:
    """Write the table of a point's captures; return the file's name."""
    arrow, schema = library("pyarrow"), schema_of("captures")
    rows = [
        {
            "capture": at,
            "files": len(each.paths),
            "first_file": each.paths[0],
            "last_file": each.paths[-1],
            "format": each.format,
            "link_types": " ".join(each.link_types),
            "start_at": each.start_ns,
            "end_at": each.end_ns,
            "frames": each.frames,
            "tcp_segments": each.tcp_segments,
            "dropped": each.dropped,
            "warnings": "\n".join(each.warnings),
            "capture_point": point,
            "shard": shard,
        }
        for at, each in enumerate(captures)
    ]
    name = f"{tag}-captures.parquet"
    with place.write(f"{folder}/{name}", settle=False) as file:
        library("pyarrow.parquet").write_table(arrow.Table.from_pylist(rows, schema=schema), file, compression="zstd")
    return name
