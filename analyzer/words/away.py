"""What stayed unanswered before a RST that says that its sender knows no such connection: nobody was there meanwhile.

It must not decide why the RST was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.words.model import Line
from analyzer.words.teller import duration
from analyzer.words.witnesses import shows_life

if TYPE_CHECKING:
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

LEAST: Final = 2
"""One packet may be lost by itself."""


def in_vain(t: Teller, peer: Side) -> list[tuple[int, int]]:
    """Return what the other end sent since the peer was last heard, before what drew the RST: time and frame of each.

    Probes without an answer, and data that was sent and then sent again; the last transmission drew the RST.
    """
    reset, asker = t.record.ending_reset, other(peer)
    heard_ns, facts = t.facts(peer).last_ns, t.facts(asker)
    if reset is None or reset.sender != peer or heard_ns is None:
        return []
    sent = [(probe.ts_ns, probe.frame) for probe in t.probes(asker) if probe.answer is None]
    again = [(each.ts_ns, each.frame) for each in t.record.resent if each.sender == asker]
    if again and facts.unacked_ns is not None and facts.unacked_frame is not None:
        sent += [(facts.unacked_ns, facts.unacked_frame), *again[:-1]]
    return sorted({each for each in sent if heard_ns < each[0] and each[1] < reset.frame})


def away(t: Teller, peer: Side, *, on_link: bool) -> Line | None:
    """Return what it means that nothing answered for a while before that RST.

    None where too little was sent, or something of its host was heard meanwhile.
    """
    sent, reset = in_vain(t, peer), t.record.ending_reset
    if len(sent) < LEAST or reset is None or shows_life(t.judged):
        return None
    box = "" if on_link else ", or a box on the way,"
    text = (
        f"In the {duration(reset.ts_ns - sent[0][0])} before that RST {len(sent)} packets got no answer. So most likely"
        f" {t.the(peer)}'s host{box} was down in that time, and came back without the connection (inferred)."
    )
    return Line(text, (*(frame for _, frame in sent), reset.frame))
