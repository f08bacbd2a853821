"""What a cause is: one record with its conditions by certainty, its frames and its words.

It must not name any cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

from analyzer.judge.judged import Cause, Certainty
from analyzer.judge.scene import Scene
from analyzer.judge.signatures import MIDDLEBOXES
from analyzer.judge.verdict import Verdict
from analyzer.units import NS_PER_S
from analyzer.values import dataclass
from analyzer.words.model import Line, LongText
from analyzer.words.teller import Teller

Condition = Callable[[Scene], bool]
"""A fact of a scene; its docstring is what ``keepalive rules`` prints."""
Facts = tuple[Sequence[int], dict[str, int | str]]
Sentence = Callable[[Teller, Cause], str]
Lines = Callable[[Teller, Cause], list[Line]]


SILENT_ENDS: Final = frozenset({Verdict.TIMED_OUT, Verdict.SILENT})
"""Verdicts of flows that ended in silence."""
TRIAL_LEAST_NS: Final = min(box.idle_s for box in MIDDLEBOXES if box.keepalive_helps) * NS_PER_S
"""No known box forgets a flow in a shorter silence."""


class Trait(Enum):
    """What is known of a flow without a look at it; beside the codes of what was found in it."""

    SILENT = auto()
    """It ended in silence (``Scene.is_silent``)."""
    RESET = auto()
    """Another RST than that of who gave up ended it."""
    UNDETERMINED = auto()
    """The verdict says that the capture cannot tell."""
    ERRORS = auto()
    """ICMP errors are about it."""
    TRIAL = auto()
    """What broke a silence, as long as a known box allows, ended it, or got no answer."""


Traits = frozenset[Trait | str]
"""Those of a flow, and the codes of what was found in it."""


def traits(verdict: Verdict, *, errors: bool, trial_ns: int) -> Traits:
    """Return the traits of a flow, but for what was found in it."""
    silent, reset = verdict in SILENT_ENDS, verdict.is_reset and verdict not in SILENT_ENDS
    there = {
        Trait.SILENT: silent,
        Trait.RESET: reset,
        Trait.UNDETERMINED: verdict is Verdict.UNDETERMINED,
        Trait.ERRORS: errors,
        Trait.TRIAL: (silent or reset) and trial_ns >= TRIAL_LEAST_NS,
    }
    return frozenset([trait for trait, is_there in there.items() if is_there])


@dataclass(frozen=True, slots=True)
class CauseRow:
    """Conditions under which a cause has this certainty."""

    certainty: Certainty
    conditions: tuple[Condition, ...]
    is_shown: bool = False
    """Whether frames of this very flow and time speak for it: then it is named before others that only fit as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseKind:
    """Everything about one cause."""

    code: str
    """A stable slug."""
    rows: tuple[CauseRow, ...]
    """The surest first; the first that holds counts."""
    text: LongText
    """What ``keepalive rules CODE`` prints: with the advice, the counter-evidence (doubt) and the sources."""
    facts: Callable[[Scene], Facts]
    """The frames that show it, and what its words need."""
    headline: Sentence | None = None
    """One sentence that leads the story; None, or empty, where a finding leads it already."""
    who: Sentence | None = None
    """Who must act, naming the machine, and what they should do; None where a finding says so already."""
    shows: Lines | None = None
    """What else in the flow itself bears on it: lines of evidence, with their frames."""
    fits: Sentence | None = None
    """What speaks for it in this flow, where others fit as well."""
    why: Lines | None = None
    """Why what is seen is so, in place of what the verdict or a finding says of it; no lines: as they say."""
    sees: Lines | None = None
    """What the programs see, in the same way."""
    overrules: frozenset[str] = frozenset()
    """Findings whose advice does not hold where it leads: with lines of its ``why``, if it has that."""
    replaces: frozenset[str] = frozenset()
    """Findings that do not lead the story where it does: they would name others."""
    tells: str = ""
    """What would tell whether it is this, where others fit as well."""
    needs: Traits
    """It never holds of a flow that has none of these traits and findings."""
    needs_question: bool = False
    """Whether it never holds of a flow whose end raises no question and that no ICMP error is about."""

    @property
    def leads(self) -> bool:
        """Whether it has words of its own for a story."""
        return self.headline is not None


class Holding(dict[Condition, bool]):
    """Which conditions hold in a scene: each is asked once, however many rows have it, and not before one needs it."""

    def __init__(self, scene: Scene) -> None:
        """Know nothing yet."""
        super().__init__()
        self.scene = scene

    def __missing__(self, condition: Condition) -> bool:
        """Ask."""
        self[condition] = holds = bool(condition(self.scene))
        return holds


def find(kind: CauseKind, holding: Holding) -> Cause | None:
    """Return the cause if a row of it holds, with that row's certainty."""
    for row in kind.rows:
        if all(map(holding.__getitem__, row.conditions)):
            frames, data = kind.facts(holding.scene)
            shown = tuple(sorted({frame for frame in frames if frame}))
            return Cause(kind.code, row.certainty, shown, data, is_shown=row.is_shown)
    return None


def evidence(t: Teller, cause: Cause) -> list[Line]:
    """Return the line that says in which frames of the flow itself the cause shows."""
    del t
    return [Line(str(cause.data["shown"]), cause.frames)] if "shown" in cause.data else []
