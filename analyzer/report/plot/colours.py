"""The colours and settings of the pictures: themes for light and dark pages, states, endings.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart. Nothing that matters is told by colour
alone.

It must not know records or axes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import matplotlib as mpl

from analyzer.judge.connection import State
from analyzer.judge.verdict import Verdict
from analyzer.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8c959f"

TITLE_PT: Final = 10.0
FONT_PT: Final = 9.0
SMALL_PT: Final = 8.0


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours that depend on the page."""

    page: str
    """Of the background; ``none`` lets the page through."""
    ink: str
    """Words, outlines, FINs."""
    faint: str
    """Grid, guides, what is only context."""
    probe: str
    after_fin: str
    window_probe: str
    reset: str
    fill: float
    """Opacity of a state's band, to be multiplied by the state's weight."""
    shade: float
    """Opacity of what lies behind everything."""
    life: float
    """Opacity of a flow's bar in the overview."""
    band_ink: str
    """Words on a filled band."""


THEMES: Final[dict[str, Theme]] = {
    "light": Theme("white", "#1b1f24", "#aab1b9", BLUE, ORANGE, "#A6467B", VERMILLION, 0.30, 0.10, 0.33, "#1b1f24"),
    "dark": Theme("#0d1117", "#e6edf3", "#6b737d", SKY, ORANGE, PURPLE, "#FF7F2A", 0.42, 0.14, 0.46, "#ffffff"),
    # ink of about equal contrast (4.5 to 1) with white and with black, black words on bands that hide the page
    "transparent": Theme(
        "none", "#767b82", "#9a9fa6", "#2C8CC9", "#D99000", "#BC5F94", "#E0661A", 1.1, 0.12, 0.45, "#10141a"
    ),
}

BANDS: Final[dict[State, tuple[str, float]]] = {
    State.SYN_SENT: (GREY, 0.6),
    State.SYN_RECEIVED: (GREY, 0.6),
    State.ESTABLISHED: (GREEN, 0.75),
    State.FIN_WAIT_1: (ORANGE, 1.6),
    State.FIN_WAIT_2: (ORANGE, 1.6),
    State.CLOSE_WAIT: (ORANGE, 1.6),
    State.CLOSING: (GREY, 1.0),
    State.LAST_ACK: (GREY, 1.0),
    State.TIME_WAIT: (GREY, 1.0),
}
"""Colour of a state's band and how strong it is; half-closed is strongest. States not named have an outline only."""

ENDINGS: Final[dict[Verdict, tuple[str, str]]] = {
    Verdict.RESET_ON_PROBE: (VERMILLION, "X"),
    Verdict.TIMED_OUT: (ORANGE, "v"),
    Verdict.SILENT: (PURPLE, "s"),
    Verdict.HALF_CLOSED: (SKY, "D"),
    Verdict.ABORTED: ("#B0521A", "P"),
    Verdict.UNDETERMINED: (GREY, "*"),
    Verdict.OPEN: ("#2C8CC9", ">"),
    Verdict.CLOSING: ("#2C8CC9", "h"),
    Verdict.CLOSED: (GREEN, "8"),
    Verdict.UNESTABLISHED: (GREY, "d"),
}
"""Colour and marker of an ending; in the order in which a reader should meet them. Each stands out on a dark page."""

_HOUSE: Final = {
    "font.family": ["sans-serif"],
    # what everything is measured with is DejaVu; where the reader of an SVG lacks it, the others are no wider
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Segoe UI", "Helvetica", "Arial", "sans-serif"],
    "font.size": FONT_PT,
    "text.usetex": False,
    "axes.unicode_minus": False,
    "hatch.linewidth": 0.6,
    "legend.fancybox": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "keepalive",
    "pdf.fonttype": 42,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the settings of this package, whatever the caller's are, and put the caller's back."""
    with mpl.rc_context(_HOUSE):  # type: ignore[arg-type]
        yield


def themed(name: str) -> Theme:
    """Return the theme of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in THEMES:
        raise ValueError(f"no theme {name!r}; there are {', '.join(THEMES)}")
    return THEMES[name]
