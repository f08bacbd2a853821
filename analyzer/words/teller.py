"""The teller of one flow: what the endpoints are called, when things were, how numbers are said.

Every module of words goes through it, so that one flow is told in one voice.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.tolerances import ONE_RHYTHM, ONE_RHYTHM_NS
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_MS, format_duration, format_instant
from analyzer.words.hidden import NOT_CAPTURED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.judge.connection import State
    from analyzer.judge.events import EndpointFacts, Fin, Reset
    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.words.model import Line

FEW: Final = 4
"""Maximum number of ranges of frames that are listed; more are counted: ``23 of 16-38``."""
LABELLED: Final = 7
"""The same in prose, where there is more room than in a column."""
UNDER: Final = "under 1 ms"
PROPER: Final = frozenset({"Linux", "macOS", "Windows", "Wireshark", "Go", "Java"})
"""Words that keep their capital inside a sentence."""


def frames_text(frames: Sequence[int]) -> str:
    """Return frame numbers in short: ``14``, ``1-3, 5``, or ``23 of 16-38`` for many scattered ones."""
    ranges = _ranges(frames)
    if len(ranges) > FEW:
        return f"{_size(ranges)} of {ranges[0][0]}-{ranges[-1][1]}"
    return _listed(ranges)


def _listed(ranges: Sequence[Sequence[int]]) -> str:
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def frames_label(frames: Sequence[int]) -> str:
    """Return the same with the word before it, and a few more listed: ``frames 1-3, 5``, ``23 of frames 16-38``."""
    ranges = _ranges(frames)
    if len(ranges) > LABELLED:
        return f"{_size(ranges)} of frames {ranges[0][0]}-{ranges[-1][1]}"
    return f"{'frame' if _size(ranges) == 1 else 'frames'} {_listed(ranges)}"


def _size(ranges: Sequence[Sequence[int]]) -> int:
    return sum(high - low + 1 for low, high in ranges)


def _ranges(frames: Sequence[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    ordered = sorted(set(frames))
    if ordered and ordered[-1] - ordered[0] == len(ordered) - 1:  # of a flow with very many, most often
        return [[ordered[0], ordered[-1]]]
    for frame in ordered:
        if ranges and frame == ranges[-1][1] + 1:
            ranges[-1][1] = frame
        else:
            ranges.append([frame, frame])
    return ranges


def duration(ns: int) -> str:
    """Return a measured duration: ``5.120 s``; below a millisecond only that, as no advice depends on microseconds."""
    return UNDER if abs(ns) < NS_PER_MS else format_duration(ns)


def setting(ns: int) -> str:
    """Return a configured duration, without the zeros that a measured one has: ``5 s``."""
    return format_duration(ns).replace(".000 s", " s")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 probe``, ``12 probes``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def times(number: int) -> str:
    """Return ``once``, ``twice``, ``6 times``."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def spacing(gaps: Sequence[int]) -> str:
    """Return how far apart events were: ``every 5.120 s`` where even, else ``1.024 to 3.072 s apart``."""
    ordered = sorted(gaps)
    if not ordered:
        return ""
    if len(ordered) == 1:
        return f"{duration(ordered[0])} apart"
    if ordered[-1] - ordered[0] <= ordered[0] * ONE_RHYTHM + ONE_RHYTHM_NS:
        return f"every {duration(ordered[len(ordered) // 2])}"
    return f"{duration(ordered[0])} to {duration(ordered[-1])} apart"


def capital(text: str) -> str:
    """Return the text with its first letter large, the rest as it is; one that begins with an address as it is."""
    first = text.partition(" ")[0]
    return text if ":" in first.rstrip(":") else text[:1].upper() + text[1:]


def small(text: str) -> str:
    """Return a sentence as it goes on behind a colon: its first letter small, unless it is a name or an acronym."""
    first = text.partition(" ")[0].rstrip(".,:")
    return text if first in PROPER or (not first[1:].islower() and len(first) > 1) else text[:1].lower() + text[1:]


def gaps_of(probes: Sequence[Probe]) -> list[int]:
    """Return the times between successive probes, as far as the capture's clock was not set back between them."""
    return [late.ts_ns - early.ts_ns for early, late in pairwise(probes) if late.ts_ns >= early.ts_ns]


class Teller:
    """One judged flow, and the instant from which its times count."""

    def __init__(self, judged: JudgedFlow, start_ns: int) -> None:
        """Take a flow to tell."""
        self.judged = judged
        self.record = judged.record
        self.ending = judged.ending
        self.start_ns = start_ns

    # ── who ──

    def name(self, side: Side) -> str:
        """Return ``client`` for who opened the connection and ``server`` for who was called, else ``endpoint a``."""
        if self.record.initiator is None:
            return f"endpoint {side}"
        return "client" if side == self.record.initiator else "server"

    def the(self, side: Side) -> str:
        """Return ``the client``, or ``endpoint a``."""
        name = self.name(side)
        return name if name.startswith("endpoint") else f"the {name}"

    def start(self, side: Side) -> str:
        """Return the same for the start of a sentence."""
        return capital(self.the(side))

    # ── when ──

    def at(self, ts_ns: int) -> str:
        """Return an instant as an offset from the capture's start, ``+20.018``, or as its zero's clock says."""
        return format_instant(ts_ns, self.start_ns)

    # ── what ──

    def facts(self, side: Side) -> EndpointFacts:
        """Return what was seen of an endpoint."""
        return self.record.facts(side)

    def find(self, code: str) -> Finding | None:
        """Return the first finding with this code."""
        return self.judged.finding(code)

    @property
    def cause_is_told(self) -> bool:
        """Whether a cause is proven or likely."""
        cause = self.judged.cause
        return cause is not None and cause.certainty is not Certainty.POSSIBLE

    def need(self, code: str) -> Finding:
        """Return the first finding with this code, which must be there."""
        finding = self.find(code)
        assert finding is not None, code
        return finding

    @property
    def first_closer(self) -> Side:
        """Who sent FIN first."""
        return min(self.record.fins_in_time, key=lambda fin: fin.frame).sender

    def fin(self, side: Side) -> Fin | None:
        """Return an endpoint's FIN, if it came before the end."""
        return self.record.fin_of(side)

    def probes(self, side: Side) -> tuple[Probe, ...]:
        """Return an endpoint's probes."""
        return self.record.probes_from(side)

    def probes_after_fin_of(self, side: Side) -> tuple[Probe, ...]:
        """Return the other endpoint's probes after this one's FIN."""
        return tuple(p for p in self.probes(other(side)) if p.after_peer_fin)

    def answered_text(self, probes: Sequence[Probe]) -> str:
        """Return how many probes were answered (by ACK or data): ``answered``, ``all answered``, ``3 answered``.

        Where answers passed elsewhere none can be called unanswered: ``answers not visible here`` where nothing of the
        peer was captured, ``no answer captured`` where something else shows that it was heard.
        """
        answered = sum(probe.answered for probe in probes)
        if probes and self.record.is_unseen(other(probes[0].sender)):
            return "answers not visible here"
        if not answered and self.ending.rule in NOT_CAPTURED:
            return "no answer captured"
        refused = sum(probe.answer == "rst" for probe in probes)
        cut_off = bool(probes) and self.record.is_cut_off(probes[-1])
        if cut_off and len(probes) == 1:
            return "with which the capture ends"
        if cut_off and answered == len(probes) - 1:
            return f"{answered} answered, the capture ends with the last"
        if len(probes) == 1:
            return "answered" if answered else "which drew a RST" if refused else "not answered"
        if answered == len(probes):
            return "all answered"
        drew = {0: "", 1: ", 1 drew a RST"}.get(refused, f", {refused} drew a RST")
        return f"{answered} answered{drew}" if answered or refused else "none answered"

    @property
    def reset(self) -> Reset | None:
        """The RST that ended the flow."""
        return self.record.ending_reset

    @property
    def its_end(self) -> str:
        """What ended what is seen of a flow that no segment of its own ended."""
        if self.record.reused_ns is None:
            return "the capture ended"
        return "another connection took its addresses and ports"

    @property
    def end_ns(self) -> int:
        """When the flow ended by RST, else when the capture did."""
        return self.reset.ts_ns if self.reset else self.record.end_ns

    def states_from(self, frame: int) -> list[tuple[Side, State]]:
        """Return the derived states that begin with this frame."""
        return [(SIDES[change.side], change.state) for change in self.record.changes if change.frame == frame]

    def states_text(self, frames: Iterable[int]) -> str:
        """Return the states derived from these frames: ``client FIN-WAIT-2, server CLOSE-WAIT``, or nothing."""
        states: dict[Side, State] = {}
        for frame in frames:
            states.update(self.states_from(frame))
        if len(states) == len(SIDES) and len(set(states.values())) == 1:
            return f"both {states['a'].value}"
        return ", ".join(f"{self.name(side)} {states[side].value}" for side in SIDES if side in states)


def evidence(probes: Iterable[Probe]) -> tuple[int, ...]:
    """Return the frames of probes and of their answers, in order."""
    found: set[int] = set()
    for probe in probes:
        found.add(probe.frame)
        if probe.answer_frame is not None:
            found.add(probe.answer_frame)
    return tuple(sorted(found))


def number(finding: Finding, key: str) -> int:
    """Return a number of a finding's data, 0 if it is not there."""
    value = finding.data.get(key, 0)
    return value if isinstance(value, int) else 0


def side_of(finding: Finding) -> Side:
    """Return the endpoint a finding is about."""
    assert finding.about is not None
    return finding.about


def lines(*parts: Line | None) -> list[Line]:
    """Return the lines that are there."""
    return [part for part in parts if part is not None]
