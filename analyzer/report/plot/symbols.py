"""How each kind of segment is drawn, and what its mark means in the legend.

Told apart by shape: a probe is a triangle that points to its receiver, filled if it was answered, hollow if not, and
of the RST's colour if it drew one; after a FIN it is larger and has a dark rim. RST is a cross, FIN a stop sign.

It must not know axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.report.plot.colours import GREEN
from analyzer.values import dataclass

if TYPE_CHECKING:
    from analyzer.judge.probe import Probe, ZeroWindowProbe
    from analyzer.judge.record import FlowRecord
    from analyzer.report.plot.colours import Theme

CROWDED: Final = 0.6
"""Of marks smaller than this only the rim would be seen."""
HOLLOW: Final = "page"
"""Stands for the page's colour as the face of a mark."""
POINTING: Final = {"a": "v", "b": "^"}
"""Endpoint a is the upper lane of a timeline, so its probes go down."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker of matplotlib with its size in points, its colours, and its line in the legend."""

    meaning: str
    shape: str
    size: float
    face: str
    edge: str
    alpha: float = 1.0

    @property
    def is_stroke(self) -> bool:
        """Whether the marker is made of lines and has no face."""
        return self.shape in {"x", "|", "_"}


SYN: Final = "SYN"
DATA: Final = "first and last data"
RESENT: Final = "data sent again"
WINDOW_PROBE: Final = "zero-window probe"
UNDECIDED: Final = "keepalive or zero-window probe"
ANSWER: Final = "answer"
NO_ANSWER: Final = "no answer captured"
FIN: Final = "FIN"
RESET: Final = "RST"
ICMP: Final = "ICMP error"
QUESTION: Final = "ARP or neighbour discovery asks in vain"
BOTH_OPEN: Final = "state: open (ESTABLISHED)"
HALF_CLOSED: Final = "state: one end has closed (FIN-WAIT, CLOSE-WAIT)"
OPENING: Final = "state: opening or closing"
LINK_SAYS: Final = "announced beside it: by ARP, DHCP, LLDP ..."
LIFE: Final = "sign of life of the host, beside the flow"
LAST_LIFE: Final = "the host's last sign of life"
BEATS: Final = "heartbeats of a program"
UNANSWERED_BEATS: Final = "heartbeats, unanswered"
SHUT: Final = "window closed"
UNHEARD: Final = "does not answer"
UNSURE: Final = "state not known"
UNSEEN: Final = "not captured"
NOT_VISIBLE: Final = "answer not visible here"
"""What is said of a probe where nothing of its receiver was captured."""
CUT_OFF: Final = "with which the capture ends"
"""What is said of one where no answer could have come any more."""
BOUNDS: Final = "bounds of what was inferred"
THINNED: Final = "too many to draw: a mark stands for all at its place"

ORDER: Final = (
    SYN,
    DATA,
    RESENT,
    *(
        f"{sure}probe{when}, {what}"
        for sure in ("", "suspected ")
        for when in ("", " after a FIN")
        for what in ("answered", "drew a RST", "unanswered", CUT_OFF, NOT_VISIBLE)
    ),
    f"{WINDOW_PROBE}, answered",
    f"{WINDOW_PROBE}, unanswered",
    UNDECIDED,
    ANSWER,
    NO_ANSWER,
    FIN,
    RESET,
    ICMP,
    QUESTION,
    LINK_SAYS,
    LIFE,
    LAST_LIFE,
    BEATS,
    UNANSWERED_BEATS,
    SHUT,
    UNHEARD,
    UNSURE,
    UNSEEN,
    BOTH_OPEN,
    HALF_CLOSED,
    OPENING,
    BOUNDS,
    THINNED,
)
"""Of the legend."""
SPARED: Final = (BOTH_OPEN, HALF_CLOSED, OPENING, BOUNDS)
"""What a small picture's legend leaves out: the words in the bands say it too."""


def said_instead(record: FlowRecord, probe: Probe) -> str:
    """Return what is said of a probe in place of whether it was answered, empty where that is known."""
    if record.is_unseen(other(probe.sender)):
        return NOT_VISIBLE
    return CUT_OFF if record.is_cut_off(probe) else ""


def probe_meaning(probe: Probe, *, instead: str = "") -> str:
    """Return what the mark of a keepalive probe means; ``instead`` is from ``said_instead``."""
    sure = "suspected " if probe.certainty == "suspected" else ""
    when = " after a FIN" if probe.after_fin else ""
    what = "drew a RST" if probe.answer == "rst" else "answered" if probe.answer else "unanswered"
    return f"{sure}probe{when}, {instead or what}"


def probe_mark(probe: Probe, theme: Theme, scale: float = 1.0, *, instead: str = "") -> Mark:
    """Return the mark of a keepalive probe; ``instead`` is from ``said_instead``."""
    color = theme.reset if probe.answer == "rst" else theme.after_fin if probe.after_fin else theme.probe
    return Mark(
        probe_meaning(probe, instead=instead),
        POINTING[probe.sender],
        (9.0 if probe.after_fin else 7.0) * scale,
        color if probe.answer else HOLLOW,
        theme.ink if probe.after_fin and probe.answer and scale > CROWDED else color,
        0.5 if probe.certainty == "suspected" else 1.0,
    )


def window_probe_mark(probe: ZeroWindowProbe, theme: Theme, scale: float = 1.0) -> Mark:
    """Return the mark of a zero-window probe."""
    answered = probe.answer_frame is not None
    return Mark(
        f"{WINDOW_PROBE}, {'answered' if answered else 'unanswered'}",
        "D",
        6.0 * scale,
        theme.window_probe if answered else HOLLOW,
        theme.window_probe,
    )


def mark(meaning: str, theme: Theme, scale: float = 1.0) -> Mark:
    """Return the mark of any other kind of segment."""
    ink = theme.ink
    shape, size, face, edge = {
        SYN: ("|", 9.0, ink, ink),
        DATA: ("s", 5.5, ink, ink),
        RESENT: ("s", 5.0, HOLLOW, ink),
        UNDECIDED: ("d", 6.5, HOLLOW, theme.window_probe),
        ANSWER: ("o", 4.0 * scale, ink, ink),
        NO_ANSWER: ("x", 6.0 * scale, ink, ink),
        FIN: ("8", 10.0, ink, ink),
        RESET: ("X", 11.0, theme.reset, ink),
        ICMP: ("*", 11.0, HOLLOW, ink),
        QUESTION: ("$?$", 8.0, ink, ink),
        LINK_SAYS: ("h", 8.0, HOLLOW, ink),
        LIFE: ("P", 8.0, GREEN, ink),
        LAST_LIFE: ("P", 8.0, HOLLOW, ink),
    }[meaning]
    return Mark(meaning, shape, size, face, edge)
