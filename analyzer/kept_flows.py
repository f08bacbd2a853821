"""Flows that are kept: batches of them, and each flow, judged when somebody looks at it.

Flows stay columns until then. What leaves through the properties of a flow is plain: mappings and lists with the names
of the JSON report, time in seconds.

It must not know which flows are kept, or where they come from.
"""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from analyzer import causes, findings
from analyzer.judge import verdict
from analyzer.judge.verdict import VERDICTS
from analyzer.together import FlowsTogether
from analyzer.track.flow import Endpoint, endpoints_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from analyzer.judge.judged import JudgedFlow
    from analyzer.looking import Looking
    from analyzer.report.story_text import ToldStory
    from analyzer.track.batch import FlowBatch
    from analyzer.track.flow import Side

TOGETHER: Final = 8_192
"""So many flows are searched at once at most."""
AHEAD: Final = 32
"""This many flows of a batch are judged together by who goes through all."""
PLOT_SIZE_IN: Final = (9.6, 3.9)


class FlowsByFinding(dict[str, "list[Flow]"]):
    """Flows by the code of what was found in them; only codes that were found are keys, and the others have no flow."""

    def __missing__(self, code: str) -> list[Flow]:
        """Return no flow for a finding that was not found.

        Raises:
            KeyError: no finding has this code.
        """
        if code in findings.CODES:
            return []
        raise KeyError(f"no finding is called {code}; keepalive rules lists them")


def judged_ahead(rows: list[int], large: NDArray[np.bool_]) -> Iterator[tuple[int, list[int]]]:
    """Yield each row with those that are to be judged with it: itself and the next few; none with one that is large."""
    small = [row for row, is_large in zip(rows, large.tolist(), strict=True) if not is_large]
    at = 0
    for row, is_large in zip(rows, large.tolist(), strict=True):
        yield row, [] if is_large else small[at : at + AHEAD]
        at += not is_large


class Kept:
    """Flows that can be looked at: a batch, with the rows of VERDICTS that won, and what was found in them."""

    def __init__(
        self, capture: int, batch: FlowBatch, winners: NDArray[np.int8], hits: findings.Hits | None = None
    ) -> None:
        """Take the flows of a capture; what has them is looked for when somebody asks, unless it is known."""
        self.capture = capture
        self.batch = batch
        self.winners = winners
        self._hits = hits
        self._ahead: dict[int, JudgedFlow] = {}

    def sizes(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many notable segments flows have."""
        at = np.asarray(rows, dtype=np.int64)
        found: NDArray[np.int64] = self.batch.start[at + 1] - self.batch.start[at]
        return found

    @property
    def hits(self) -> findings.Hits:
        """What was found in these flows."""
        if self._hits is None:
            self._hits = findings.search(findings.Columns(self.batch, self.winners))
        return self._hits

    @property
    def is_searched(self) -> bool:
        """Whether it is known what was found in these flows."""
        return self._hits is not None

    def take_hits(self, hits: findings.Hits) -> None:
        """Note what was found in these flows."""
        self._hits = hits

    def search_again(self) -> None:
        """Forget what was found and judged: what is known of a flow has changed."""
        self._hits = None
        self._ahead = {}

    def judged(self, row: int, rows: Sequence[int]) -> JudgedFlow:
        """Return a flow with everything that was concluded about it; those in the ``rows`` will be asked for next."""
        if row not in self._ahead:
            if len(rows) == 1:
                return next(self.judge(rows))
            self._ahead = dict(zip(rows, self.judge(rows), strict=True))
        return self._ahead.pop(row)

    def judge(self, rows: Sequence[int]) -> Iterator[JudgedFlow]:
        """Yield flows with everything that was concluded about them."""
        from analyzer.judge.recording import build_each

        picked = np.array(rows, dtype=np.int64)
        endings = verdict.endings(self.batch, picked, self.winners[picked])
        for row, record, ending in zip(rows, build_each(self.batch, rows), endings, strict=True):
            yield causes.explained(findings.judge(record, ending, self.hits.of(row)))


def search_together(several: Sequence[Kept]) -> None:
    """Look for what was found in the flows of several, as far as it is not known: of few flows at once it is faster."""
    unknown = [kept for kept in several if not kept.is_searched]
    if not unknown or sum(len(kept.batch) for kept in unknown) > TOGETHER:
        return
    first, *more = ((kept.batch, kept.winners, np.arange(len(kept.batch))) for kept in unknown)
    whole, start = findings.search(findings.Columns(*first, more=more)), 0
    for kept in unknown:
        kept.take_hits(whole.take(np.arange(start, start + len(kept.batch))))
        start += len(kept.batch)


class Flow:
    """One flow of an analysis; the record, verdict and findings are made on first use."""

    def __init__(self, analysis: Looking, kept: Kept, row: int, ahead: Sequence[int] = ()) -> None:
        """Point at a row of a batch; cheap, because there may be a million.

        Who goes through many names the rows ``ahead``, this one first: they are judged together.
        """
        self.analysis = analysis
        self.capture = kept.capture
        self.number = int(kept.batch.flow[row]["number"])
        self._kept = kept
        self._row = row
        self._rows_ahead = ahead or (row,)

    @property
    def verdict(self) -> str:
        """The verdict word, without judging further."""
        return VERDICTS[self._kept.winners[self._row]].verdict.value

    @property
    def codes(self) -> list[str]:
        """The codes of what was found in it, each once, in the order of the table; without judging further."""
        return list(dict.fromkeys(findings.ROWS[row][0].code for row, _ in self._kept.hits.of(self._row)))

    @property
    def causes(self) -> list[str]:
        """The codes of what can have been the cause, the surest first; judges the flow."""
        return [cause.code for cause in self.judged.causes]

    @cached_property
    def judged(self) -> JudgedFlow:
        """The flow with its facts, ending, settings and findings."""
        return self._kept.judged(self._row, self._rows_ahead)

    # for notebooks ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def a(self) -> Endpoint:
        """The endpoint that sent the first segment seen."""
        return endpoints_of(self._kept.batch.flow[self._row])[0]

    @property
    def b(self) -> Endpoint:
        """The other endpoint."""
        return endpoints_of(self._kept.batch.flow[self._row])[1]

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The flow as the JSON report has it: all that is known of it, time in seconds."""
        from analyzer.report import objects

        return objects.flow_object(self.judged, self._start_ns)

    @property
    def states(self) -> dict[Side, str]:
        """The derived states of both ends at the end (RFC 9293), by ``a`` and ``b``."""
        return cast("dict[Side, str]", self.fields["states"])

    @property
    def settings(self) -> dict[Side, dict[str, Any] | None]:
        """What is inferred of both ends' socket options, with bounds; None where nothing is."""
        return cast("dict[Side, dict[str, Any] | None]", self.fields["settings"])

    @property
    def ending(self) -> dict[str, Any]:
        """How it ended: ``verdict``, ``by``, ``frame``, ``time_s``, ``rule``."""
        return cast("dict[str, Any]", self.fields["ending"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found: ``code``, ``about``, ``frames``, ``detail``, ``data``."""
        return cast("list[dict[str, Any]]", self.fields["findings"])

    @cached_property
    def probes(self) -> dict[str, list[Any]]:
        """The keepalive probes as columns: lists of equal length by name, as in the table of probes."""
        from analyzer.report import tabular

        piece = self._kept.batch, self._kept.winners, np.array([self._row])
        return tabular.columns("probes", [(FlowsTogether(self.capture, [piece]), None)], self.analysis.start_ns)

    def explain(self) -> ToldStory:
        """Return the flow's story; ``print`` it, or take its title, headline and sections."""
        from analyzer.report.story_text import told_story

        return told_story(self.judged, self._start_ns)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the flow's timeline into ``ax``, and return it.

        Without one a figure is made: by pyplot, if the caller has imported that, so that a notebook shows it.
        """
        from analyzer.report.plot import flow_timeline

        pyplot = sys.modules.get("matplotlib.pyplot")
        if ax is None and pyplot is not None:
            ax = pyplot.figure(figsize=PLOT_SIZE_IN, layout="constrained").add_subplot()
        return flow_timeline(self.judged, self._start_ns, ax)

    def __repr__(self) -> str:
        """Return the number, the endpoints and the verdict."""
        return f"<Flow {self.number}: {self.a} and {self.b}, {self.verdict}>"

    def _repr_html_(self) -> str:
        from analyzer.report import html

        return html.story_html(self.judged, self._start_ns, f"n{self.capture}-{self.number}-")

    @property
    def _start_ns(self) -> int:
        return self.analysis.start_ns(self.capture)
