"""One connection as a test asks about it: verdict, probes, FINs and RSTs, and assertions whose message is its story.

It must not know how its packets were captured.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Self, TypeVar

from analyzer import explain
from analyzer.findings import CODES
from analyzer.judge.verdict import Verdict
from analyzer.report.screen import Screen
from analyzer.report.story_text import story as story_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.judge.events import Fin, Reset
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.probe import Probe
    from analyzer.kept_flows import Flow as AnalysisFlow
    from analyzer.track.flow import Side

SCREEN: Final = Screen(width=110)


class Word(str):
    """A verdict that can tell the story of its flow, for when a comparison with it fails."""

    __slots__ = ("flow",)
    flow: CapturedFlow

    def __new__(cls, text: str, flow: CapturedFlow) -> Self:
        """Return the word, with its flow."""
        word = super().__new__(cls, text)
        word.flow = flow
        return word


class ToldError(AssertionError):
    """What was expected of a flow is not so; the message ends with the story of it, which need not be told again."""

    def __init__(self, message: str, told: Iterable[CapturedFlow]) -> None:
        """Keep what is wrong, and the flows whose stories the message has."""
        super().__init__(message)
        self.told = frozenset(flow.number for flow in told)


Frame = TypeVar("Frame", bound="Probe | Fin | Reset")


class Counted(tuple[Frame, ...]):
    """Some probes, FINs or RSTs of a flow; as text, how many they are and where.

    Beside a number it is compared as how many it has: ``flow.probes_after_fin == 0`` holds where there are none.
    """

    __slots__ = ()
    name = "frame"
    names = "frames"

    def __repr__(self) -> str:
        """Say how many, and their frames."""
        if not self:
            return f"<no {self.names}>"
        frames = ", ".join(str(each.frame) for each in self[:8])
        return (
            f"<{len(self)} {self.name if len(self) == 1 else self.names}: frame {frames}{' ...' if self[8:] else ''}>"
        )

    def __eq__(self, other: object) -> bool:
        """Compare with a number, or with others of its kind."""
        return len(self) == other if isinstance(other, int) else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        """Say whether it is not equal."""
        return not self == other

    def __hash__(self) -> int:
        """Return what a tuple has."""
        return super().__hash__()

    def __lt__(self, other: object) -> bool:
        """Compare with a number: fewer than so many."""
        return len(self) < _number(other)

    def __le__(self, other: object) -> bool:
        """Compare with a number: so many at most."""
        return len(self) <= _number(other)

    def __gt__(self, other: object) -> bool:
        """Compare with a number: more than so many."""
        return len(self) > _number(other)

    def __ge__(self, other: object) -> bool:
        """Compare with a number: so many at least."""
        return len(self) >= _number(other)


def _number(other: object) -> int:
    """Return what some frames are compared with.

    Raises:
        TypeError: it is no number of frames.
    """
    if isinstance(other, int):
        return other
    if isinstance(other, Counted):
        return len(other)
    raise TypeError(f"how many frames there are is compared with a number, not with {other!r}")


class Probes(Counted["Probe"]):
    """Some probes of a flow."""

    __slots__ = ()
    name, names = "probe", "probes"


class Fins(Counted["Fin"]):
    """The FINs of a flow."""

    __slots__ = ()
    name, names = "FIN", "FINs"


class Resets(Counted["Reset"]):
    """The RSTs of a flow."""

    __slots__ = ()
    name, names = "RST", "RSTs"


class CapturedFlow:
    """One connection, as a test asks about it."""

    def __init__(self, flow: AnalysisFlow) -> None:
        """Take a flow of an analysis."""
        self._flow = flow

    def __repr__(self) -> str:
        """Name the flow and its verdict."""
        record = self.judged.record
        return f"<flow {record.number} {record.a} - {record.b}: {self._flow.verdict}>"

    @cached_property
    def judged(self) -> JudgedFlow:
        """Everything there is to know of it."""
        return self._flow.judged

    @property
    def number(self) -> int:
        """Its number among the flows of the capture, from 0."""
        return self._flow.number

    @property
    def verdict(self) -> str:
        """How it ended: one of the words of ``keepalive rules``, such as ``closed`` or ``half_closed``."""
        return Word(self._flow.verdict, self)

    @property
    def ended_by(self) -> str | None:
        """Who ended it: ``client``, ``server``, ``a`` or ``b`` if no handshake was seen, ``between``, or None."""
        by = self.judged.ending.by
        return self._role(by) if by in ("a", "b") else by

    @property
    def probes(self) -> Probes:
        """All keepalive probes."""
        return Probes(self.judged.record.probes)

    @property
    def probes_after_fin(self) -> Probes:
        """The probes that came after a FIN: keepalive that keeps a half-closed connection."""
        return Probes(self.judged.record.probes_after_fin)

    @property
    def unanswered_probes(self) -> Probes:
        """The probes that nothing answered."""
        return Probes(probe for probe in self.judged.record.probes if probe.answer is None)

    @property
    def fins(self) -> Fins:
        """The FINs."""
        return Fins(self.judged.record.fins)

    @property
    def resets(self) -> Resets:
        """The RSTs."""
        return Resets(self.judged.record.resets)

    @property
    def findings(self) -> tuple[str, ...]:
        """The codes of what was found, such as ``close-wait-held-by-keepalive``."""
        return tuple(finding.code for finding in self.judged.findings)

    @property
    def states(self) -> dict[str, str]:
        """The derived states, by role: ``{"client": "FIN-WAIT-2", "server": "CLOSE-WAIT"}``."""
        a, b = self.judged.record.states
        return {self._role("a"): a.value, self._role("b"): b.value}

    @property
    def headline(self) -> str:
        """What happened, in a sentence."""
        return explain.headline(self.judged, self._start_ns)

    @property
    def story(self) -> str:
        """What happened, in words, with frame numbers."""
        return "\n".join(story_lines(self.judged, self._start_ns, SCREEN, live=True)).rstrip()

    def assert_verdict(self, *words: str) -> None:
        """Fail with the story unless the flow ended in one of these ways.

        Raises:
            ValueError: a word is no verdict.
            AssertionError: it ended otherwise.
        """
        __tracebackhide__ = True
        known = [verdict.value for verdict in Verdict]
        if unknown := [word for word in words if word not in known]:
            raise ValueError(f"no verdict is called {' or '.join(unknown)}; the verdicts are {', '.join(known)}")
        if self._flow.verdict not in words:
            raise self._told(f"the flow is {self._flow.verdict}, not {' or '.join(words)}")

    def assert_closed(self) -> None:
        """Fail with the story unless both ends sent FIN."""
        __tracebackhide__ = True
        self.assert_verdict("closed")

    def assert_no_probes_after_fin(self) -> None:
        """Fail with the story if keepalive went on after one end had closed."""
        __tracebackhide__ = True
        if probes := self.probes_after_fin:
            raise self._told(f"{probes!r} after a FIN")

    def assert_probes(self, *, at_least: int = 1) -> None:
        """Fail with the story if keepalive was not seen to work, with answered probes."""
        __tracebackhide__ = True
        answered = len(self.probes) - len(self.unanswered_probes)
        if answered < at_least:
            raise self._told(f"{answered} answered probes, expected at least {at_least}")

    def assert_no_finding(self, *codes: str) -> None:
        """Fail with the story if something of these was found; without codes, if anything was.

        Raises:
            ValueError: a code is no finding's.
            AssertionError: something was found.
        """
        __tracebackhide__ = True
        if unknown := [code for code in codes if code not in CODES]:
            raise ValueError(f"no finding is called {' or '.join(unknown)}; keepalive rules lists them")
        if met := [code for code in self.findings if not codes or code in codes]:
            raise self._told(f"found {', '.join(met)}")

    def _told(self, what: str) -> ToldError:
        """Return the error that says what is wrong, and tells the story."""
        return ToldError(f"{what}\n\n{self.story}", [self])

    def has_port(self, port: int | None) -> bool:
        """Say whether one end has this port; None is any."""
        record = self.judged.record
        return port is None or port in (record.a.port, record.b.port)

    @property
    def _start_ns(self) -> int:
        return self._flow.analysis.start_ns(self._flow.capture)

    def _role(self, side: Side | str) -> str:
        initiator = self.judged.record.initiator
        if initiator is None:
            return side
        return "client" if side == initiator else "server"


EVENTS: Final[dict[str, Callable[[CapturedFlow], int]]] = {
    "flow": lambda flow: 1,  # noqa: ARG005
    "established": lambda flow: all(end.ack_frame for end in (flow.judged.record.facts_a, flow.judged.record.facts_b)),
    "data": lambda flow: flow.judged.record.facts_a.payload_bytes + flow.judged.record.facts_b.payload_bytes > 0,
    "probe": lambda flow: len(flow.probes),
    "answer": lambda flow: len(flow.probes) - len(flow.unanswered_probes),
    "probe_after_fin": lambda flow: len(flow.probes_after_fin),
    "fin": lambda flow: len(flow.fins),
    "rst": lambda flow: len(flow.resets),
    "reset": lambda flow: len(flow.resets),
}
"""What ``wait_for`` knows by name, besides the verdicts; each counts how often it happened in a flow."""
