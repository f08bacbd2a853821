"""``Analysis``: flows and what was concluded of them; what a notebook holds, and every report is made from.

Flows stay columns until somebody looks at them. What leaves through the properties below is plain: mappings and lists
with the names of the JSON report, time in seconds.

It must not know where flows come from.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from analyzer import findings
from analyzer.kept_beats import KeptBeats
from analyzer.kept_flows import Flow, FlowsByFinding
from analyzer.report.shown import Report, ShownFlow
from analyzer.survey import overview
from analyzer.units import Clock

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


Table = Literal["flows", "probes", "findings"]
Time = Literal["relative", "utc", "local"]

EXCERPT: Final = 12
"""This many flows a notebook shows of an analysis."""


class Analysis(KeptBeats):
    """The flows of one or more captures, and what was concluded about them."""

    @cached_property
    def findings(self) -> FlowsByFinding:
        """By code, the kept flows in which it was found, none for a code that nothing has."""
        found: dict[str, list[Flow]] = {code: [] for code in findings.CODES}
        for flow in self.flows:
            for code in flow.codes:
                found[code].append(flow)
        return FlowsByFinding((code, flows) for code, flows in found.items() if flows)

    @property
    def summary(self) -> dict[str, Any]:
        """What the captures add up to: the field ``summary`` of the JSON report."""
        from analyzer.report import objects

        found = Counter({code: len(flows) for code, flows in self.findings.items()})
        return objects.summary_object(self.totals, found, self.idle_limits(), self.settings_in_use())

    def columns(self, table: Table = "flows") -> dict[str, list[Any]]:
        """Return ``flows``, ``probes`` or ``findings`` as columns: lists of equal length, by name."""
        from analyzer.report import tabular

        return tabular.columns(table, self.together(), self.start_ns)

    def to_pandas(self, table: Table = "flows", *, time: Time | None = None) -> pd.DataFrame:
        """Return ``flows``, ``probes`` or ``findings`` as a pandas DataFrame.

        Instants are seconds from the capture's first frame (``first_s``, ``time_s``, ...). With ``time`` "utc" or
        "local" each has a date beside it (``first_at``, ``time_at``, ...; datetime64[ns] with its zone). The default is
        the analysis's own: what ``analyze`` was told, else "relative".
        """
        from analyzer.report import tabular

        data, clock = self._frame(table, time)
        frame: pd.DataFrame = tabular.to_pandas(data, clock)
        return frame

    def to_polars(self, table: Table = "flows", *, time: Time | None = None) -> pl.DataFrame:
        """Return ``flows``, ``probes`` or ``findings`` as a polars DataFrame; ``time`` is that of ``to_pandas``."""
        from analyzer.report import tabular

        data, clock = self._frame(table, time)
        frame: pl.DataFrame = tabular.to_polars(data, clock)
        return frame

    def _frame(self, table: Table, time: Time | None) -> tuple[dict[str, list[Any]], Clock]:
        """Return what a DataFrame is made from, and the clock of its dates."""
        from analyzer.report import tabular

        clock = self.clock if time is None else Clock(time)
        return tabular.columns(table, self.together(), self.start_ns, dated=clock is not Clock.RELATIVE), clock

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write ``flows.parquet``, ``probes.parquet`` and ``findings.parquet`` into a folder; return the files."""
        from analyzer.report import tabular

        return tabular.write_parquet(self.together(), self.start_ns, Path(folder))

    def __repr__(self) -> str:
        """Return what was read and how much of it, on one line."""
        names = ", ".join(capture.name for capture in self.captures)
        return f"<Analysis of {names}: {self.totals.flows} flows, {self.totals.probes} probes>"

    def _repr_html_(self) -> str:
        lines = overview.ranked(self.lines())
        lines = lines[(lines["notable"] == 1) & (lines["batch"] >= 0)]
        shown = [self.flow(line) for line in lines[:EXCERPT]]
        flows = [ShownFlow(flow.capture, self.start_ns(flow.capture), flow.judged) for flow in shown]
        from analyzer.report import html

        return html.excerpt(Report(self.captures, self.totals, len(lines), flows, left_out=self.left_out))
