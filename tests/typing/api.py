"""An example of the public API that the type checker reads; it is not run."""

from pathlib import Path

import analyzer
from analyzer import Analysis, Flow


def sentences(path: Path) -> dict[str, str]:
    """Return what happened to each flow that keepalive held in CLOSE-WAIT."""
    analysis: Analysis = analyzer.analyze(path)
    held: list[Flow] = analysis.findings.get("close-wait-held-by-keepalive", [])
    return {f"{flow.a} to {flow.b}": flow.explain().headline for flow in held}


def first_gaps(flow: Flow) -> list[float | None]:
    """Return the first gaps between a flow's probes, in seconds."""
    gaps: list[float | None] = flow.probes["gap_s"][:5]
    return gaps


def words(flow: Flow) -> str:
    """Return a flow in one line."""
    idle = (flow.settings["b"] or {}).get("idle_s")
    states = f"{flow.states['a']}/{flow.states['b']}"
    return f"{flow.verdict} by {flow.ending['by']}, {states}, {idle}, {len(flow.findings)} findings: {flow.explain()}"


def tables(analysis: Analysis, folder: Path) -> list[Path]:
    """Write the tables, and return the files."""
    analysis.to_pandas("probes")
    analysis.to_polars("findings")
    return analysis.to_parquet(folder)
