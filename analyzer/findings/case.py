"""What conditions and evidence are functions of: one flow, seen from one endpoint.

It must not hold a sentence, a rounding, or a unit other than nanoseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.record import other
from analyzer.tolerances import RATE_LIMIT_NS
from analyzer.track.flow import SIDES
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.events import EndpointFacts, Fin, Reset
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.settings import BothSettings, Settings
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side


@dataclass(frozen=True, slots=True)
class Case:
    """One flow, looked at from one endpoint: what every condition and every row's evidence is a function of."""

    record: FlowRecord
    ending: Ending
    side: Side
    inferred: BothSettings
    """What is inferred of the socket options of both endpoints."""

    @property
    def peer(self) -> Side:
        """The other endpoint."""
        return other(self.side)

    @property
    def settings(self) -> Settings | None:
        """What is inferred of this endpoint's socket options."""
        return self.inferred[SIDES.index(self.side)]

    @property
    def facts(self) -> EndpointFacts:
        """What was seen of this endpoint."""
        return self.record.facts(self.side)

    @property
    def peer_facts(self) -> EndpointFacts:
        """What was seen of the other endpoint."""
        return self.record.facts(self.peer)

    @property
    def probes(self) -> tuple[Probe, ...]:
        """This endpoint's probes."""
        return self.record.probes_from(self.side)

    @property
    def fin(self) -> Fin | None:
        """This endpoint's FIN, if it came before the end."""
        return self.record.fin_of(self.side)

    @property
    def peer_fin(self) -> Fin | None:
        """The other endpoint's FIN, if it came before the end."""
        return self.record.fin_of(self.peer)

    @property
    def reset(self) -> Reset | None:
        """The RST that ended the flow, whoever sent it."""
        return self.record.ending_reset

    @property
    def own_reset(self) -> Reset | None:
        """The RST that ended the flow, if it came in this endpoint's name."""
        reset = self.reset
        return reset if reset is not None and reset.sender == self.side else None

    @property
    def after_peer_fin(self) -> tuple[Probe, ...]:
        """This endpoint's probes after the other's FIN: sent in CLOSE-WAIT, or later."""
        return tuple(probe for probe in self.probes if probe.after_peer_fin)

    @property
    def trailing(self) -> tuple[Probe, ...]:
        """Its unanswered probes since the peer was last heard."""
        return self.record.trailing(self.side)

    @property
    def lost(self) -> tuple[Probe, ...]:
        """Its unanswered probes before a later answered one, while the capture was awake, beyond the rate limit."""
        probes = self.probes
        answered = [probe.frame for probe in probes if probe.answered]
        last = max(answered, default=0)
        return tuple(
            probe
            for at, probe in enumerate(probes)
            if probe.answer is None
            and probe.certainty != "suspected"
            and probe.frame < last
            and probes[at + 1].ts_ns - probe.ts_ns >= RATE_LIMIT_NS
            and self.record.is_awake(probe.frame, probes[at + 1].frame)
        )

    @property
    def answered_gaps(self) -> tuple[int, ...]:
        """Spacings of its probes within a train where the earlier one was answered, in order of size."""
        pairs = zip(self.probes, self.probes[1:], strict=False)
        return tuple(
            sorted(
                late.gap_ns
                for early, late in pairs
                if early.answer == "ack" and not late.first_of_train and late.gap_ns is not None
            )
        )
