"""What words, reports and pictures take: a judged flow, and the findings in it.

It must not hold a sentence, a rounding, or a unit other than nanoseconds.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.record import FlowRecord
    from analyzer.judge.timers.settings import BothSettings, Settings
    from analyzer.judge.verdict import Ending
    from analyzer.track.flow import Side


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth knowing about a flow."""

    code: str
    """A stable slug that names the pattern found, never the remedy."""
    about: Side | None
    frames: tuple[int, ...]
    data: dict[str, int | str] = field(default_factory=dict)
    """What the words need: counts, ``*_ns``, ``*_frame``, names; JSON-ready but for the unit of time."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Something outside the flow's own segments that bears on how it ended or fell silent."""

    kind: str
    """``icmp``, ``arp``, ``ndp``, ``dhcp``, ``lldp``, ``stp``, ``link``, ``neighbour``, ``route``, ``life_sign``,
    ``fate_shared``, ``reconnect``, ``clock_restarted``, ``same_hop``, ``path`` or ``capture``."""
    about: str
    """``a``, ``b``, ``path`` or ``capture``."""
    frames: tuple[int, ...]
    ts_ns: int
    """When it began."""
    says: str
    """A word for what it says; ``words.witnesses`` has the sentence."""
    data: dict[str, int | str] = field(default_factory=dict)
    """What the words need, as in a Finding."""


class Certainty(Enum):
    """How sure a cause is, the surest first."""

    PROVEN = "proven"
    """Frames show it, and nobody off the path could have forged them."""
    LIKELY = "likely"
    """Inferred from frames; something else could look the same."""
    POSSIBLE = "possible"
    """It fits, and so do others."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a flow ended as it did, or fell silent."""

    code: str
    certainty: Certainty
    frames: tuple[int, ...]
    data: dict[str, int | str] = field(default_factory=dict)
    is_shown: bool = False
    """Whether frames of this very flow and time speak for it, and not only that nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class JudgedFlow:
    """A flow with everything that was concluded about it; what words, reports and pictures take."""

    record: FlowRecord
    ending: Ending
    inferred: BothSettings
    """What is inferred of the socket options of both endpoints."""
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...] = ()
    """What can have been the cause, the surest first; those that fit as well behind it."""
    witnesses: tuple[Witness, ...] = ()

    @property
    def cause(self) -> Cause | None:
        """The surest cause, or None if nothing says."""
        return self.causes[0] if self.causes else None

    def settings(self, side: Side) -> Settings | None:
        """Return what is inferred of one endpoint's socket options."""
        return self.inferred[0 if side == "a" else 1]

    def finding(self, code: str) -> Finding | None:
        """Return the first finding with this code, or None."""
        return next((finding for finding in self.findings if finding.code == code), None)
