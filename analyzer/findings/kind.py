"""What a kind of finding is: one record with its conditions, its evidence, its words, and where these are told.

A record stands in one module of ``kinds`` and in one line of ``table``; nothing else names its code. How to add one:
docs/adding-a-finding.md. Rows are asked when a flow is judged; words are made only when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from analyzer.findings.case import Case
from analyzer.findings.flows import Flows, Mask
from analyzer.judge.judged import Finding
from analyzer.values import dataclass
from analyzer.words.model import Line, LongText
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analyzer.judge.facts import Facts
    from analyzer.judge.table import Table
    from analyzer.judge.verdict import Verdict

Condition = Callable[[Flows], Mask]
"""A fact of flows seen from one end, of all of a batch at once; its docstring is what ``keepalive rules`` prints."""
Evidence = tuple[tuple[int, ...], dict[str, int | str]]
"""The frames that show a finding, in order, and the numbers its words need (``Finding.data``)."""
Builder = Callable[[Case], Evidence]
ManyBuilder = Callable[["Facts", "Table", "NDArray[np.int64]"], list[Evidence]]
"""What brings the evidence of many flows at once, of their facts and endings as columns: of those at these places."""
Sentence = Callable[[Teller, Finding], str]
Words = Callable[[Teller, Finding], list[Line]]


class Scope(Enum):
    """What a finding is about."""

    ENDPOINT = "endpoint"
    """One end: its rows are tried for both."""
    FLOW = "flow"
    """The flow as a whole: its rows are tried once, ``Finding.about`` is None."""


class Told(Enum):
    """Where in a flow's story a finding is told that does not lead it."""

    ALSO = "also"
    """By its ``detail``, under "Also"."""
    LIMITS = "limits"
    """By its ``detail``, among what the capture cannot show."""
    STORY = "story"
    """By the words of the verdicts that it occurs with (``explain``)."""


class Advice(Enum):
    """Whose the advice is: who must act on ``LongText.change``."""

    OWN = "own"
    """The endpoint that the finding is about: the advice names it."""
    READER = "reader"
    """Whoever reads it (look there, capture longer): no endpoint is named."""
    MINOR = "minor"
    """Nobody in particular: left out of a story, last in a list of changes; ``keepalive rules`` has it."""
    NONE = "none"
    """Nobody: there is nothing to change."""


class Remedy(Enum):
    """What an advice comes down to: a story gives each once."""

    PASS_MORE_OFTEN = auto()
    """Let something pass before a limit on the way runs out, keepalive or heartbeats."""
    BEAT_MORE_OFTEN = auto()
    """Let the heartbeats that there are come sooner."""
    LOOK_AT_THE_BOX = auto()
    """Look at the box on the way that has the limit: raise it there."""
    BOUND_THE_WAIT = auto()
    """Bound how long what was sent may wait for an answer."""
    STAY_AWAKE = auto()
    """Find out what slept or was paused."""


NO_REMEDY: Final[frozenset[Remedy]] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """Conditions that make the finding if all hold, and the frames and numbers it then brings."""

    conditions: tuple[Condition, ...]
    evidence: Builder
    of_many: ManyBuilder | None = None
    """The same evidence, where columns have it: no record is made of a flow that has nothing else, if there are
    ``FindingKind.words``."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads a flow's story: the finding tells what ended the flow, in place of the verdict's own words."""

    headline: Sentence
    happened: Words
    why: Words
    overrules: bool = False
    """It leads even if a finding before it in the table could."""
    when: Callable[[Teller, Finding], bool] | None = None
    """It leads only where this holds; None: always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """Everything about one kind of finding."""

    code: str
    """A stable slug that names the pattern found, never the remedy."""
    rows: tuple[Row, ...]
    """It is found wherever one of these holds; each may bring evidence of its own."""
    text: LongText
    """What ``keepalive rules CODE`` prints, with the advice, the doubt and the sources."""
    detail: Sentence
    """One or two sentences with the flow's own names and numbers: ``detail`` of the JSON report."""
    words: Callable[[Finding], str] | None = None
    """The same as ``detail``, where the finding itself is all that these need."""
    scope: Scope = Scope.ENDPOINT
    lead: Lead | None = None
    """Its words, if it can tell how a flow ended. Of several findings the first in the table leads."""
    told: Told = Told.ALSO
    """Where it is told if it has no such words."""
    told_by: frozenset[Verdict] = frozenset()
    """With these verdicts it is told by their words, wherever it is told else."""
    advice: Advice = Advice.OWN
    change: Callable[[Finding], str | None] | None = None
    """Advice in place of ``text.change`` where the finding's data knows better, or None."""
    remedies: Callable[[Finding], frozenset[Remedy]] | frozenset[Remedy] = NO_REMEDY
    """What the advice comes down to; it is left out where the advice of findings before it does so as well."""
    remark: Callable[[Teller], str | None] | None = None
    """One more sentence after all advice, or None."""
    remark_remedies: frozenset[Remedy] = NO_REMEDY
    """The same of that sentence."""
    sees: Words | None = None
    """What the programs' calls return, as expectation. Of several the first in the table speaks."""
    lacks: Sentence | None = None
    """What a story says among what the capture cannot show, where it tells the rest elsewhere; else ``detail``."""
    unsure: Words | None = None
    """What of it the capture cannot show. Of several the first in the table speaks."""

    def advice_of(self, finding: Finding) -> str:
        """Return what to change in the case of this finding."""
        special = self.change(finding) if self.change is not None else None
        return special or self.text.change

    def remedies_of(self, finding: Finding) -> frozenset[Remedy]:
        """Return what the advice in the case of this finding comes down to."""
        return self.remedies if isinstance(self.remedies, frozenset) else self.remedies(finding)

    def told_at(self, verdict: Verdict) -> Told:
        """Return where this kind is told in a flow with this verdict."""
        return Told.STORY if self.lead is not None or verdict in self.told_by else self.told
