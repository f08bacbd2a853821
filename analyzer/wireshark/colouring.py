"""Colouring rules for annotated copies: which of our comments Wireshark shows in which colour.

The filters rest on the words of ``comments`` alone, so that they say nothing of captures that were not annotated. The
first rule that fits wins. The text is that of Wireshark's own file ``colorfilters``, which makes a profile by itself.

It must not know packets, or where a system keeps its profiles beyond the words of the head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.values import dataclass
from analyzer.wireshark.comments import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

BLACK: Final[Colour] = (0, 0, 0)
WHITE: Final[Colour] = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Colouring:
    """One rule: what it colours, by which words of a comment, and how."""

    name: str
    words: str
    """A regular expression (PCRE, any case) of what follows the prefix in a comment; holds no ``@`` and no ``"``."""
    background: Colour
    foreground: Colour = BLACK

    @property
    def display_filter(self) -> str:
        """The display filter that selects its frames."""
        return f'frame.comment matches "^{PREFIX}{self.words}"'

    @property
    def line(self) -> str:
        """The rule as it stands in ``colorfilters``."""
        colours = "".join(
            f"[{','.join(str(part * 257) for part in one)}]" for one in (self.background, self.foreground)
        )
        return f"@keepalive: {self.name}@{self.display_filter}@{colours}"


# "probe 3" is a probe, and stands behind a colon or "probable"; "the probe in frame 3" is another frame's.
_PROBE: Final = "(.*[:;] )?(probable |suspected )?probe [0-9]+"

COLOURINGS: Final = (
    Colouring("ends the flow, RST", ".*RST.*ends it", (164, 0, 0), WHITE),
    Colouring("probe, answered by RST", f"{_PROBE}.*answered by RST", (206, 92, 0), WHITE),
    Colouring("probe, no answer", f"{_PROBE}.*no answer", (252, 175, 62)),
    Colouring("probe after a FIN", f"{_PROBE}, after", (173, 127, 168), WHITE),
    Colouring("probe", f"{_PROBE}", (114, 159, 207)),
    Colouring("zero-window probe or its answer", ".*zero-window probe", (233, 185, 110)),
    Colouring("answer to a probe", ".*answers the probe", (206, 224, 242)),
    Colouring("RST", ".*RST", (239, 41, 41), WHITE),
    Colouring("FIN", ".*FIN, (not )?acknowledged", (138, 226, 52)),
    Colouring(
        "no probe, but might be taken for one",
        ".*(second capture|an older ACK|in the form of a probe|a probe of the closed window|sent again, no probe)",
        (211, 215, 207),
        (85, 87, 83),
    ),
    Colouring("last frame of a flow here", ".*last frame of it here", (252, 233, 79)),
)
"""In Wireshark the first rule that fits wins."""

HEAD: Final = """\
# Wireshark's colouring rules for captures that `keepalive annotate IN OUT.pcapng` wrote.
# As a profile of its own (Linux, macOS; on Windows the folder is %APPDATA%\\Wireshark\\profiles\\keepalive):
#   mkdir -p ~/.config/wireshark/profiles/keepalive
#   keepalive rules --wireshark > ~/.config/wireshark/profiles/keepalive/colorfilters
#   wireshark -C keepalive OUT.pcapng
# Or beside the rules that are there: View > Coloring Rules > Import."""


def colorfilters() -> Iterator[str]:
    """Yield the lines of a ``colorfilters`` file."""
    yield from HEAD.splitlines()
    for rule in COLOURINGS:
        yield rule.line
