"""Witnesses in a timeline: what passed beside the flow, between the lanes or at the lane of the end it is about.

ICMP errors are the record's own, and stand with the segments.

It must not judge: what is drawn are facts beside the flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.report.plot import symbols
from analyzer.report.plot.lanes import LOW, MIDDLE, Stroke
from analyzer.track.flow import SIDES
from analyzer.words.witnesses import number

if TYPE_CHECKING:
    from analyzer.judge.judged import JudgedFlow, Witness
    from analyzer.report.plot.lanes import Drawing
    from analyzer.track.flow import Side

ALIVE: Final = frozenset({"heard", "throughout", "heard_later"})
SAID: Final = frozenset({"answered", "moved", "both", "announced"})


def collect_witnesses(drawing: Drawing, judged: JudgedFlow) -> None:
    """Add what ARP and neighbour discovery asked and said, signs of life of the host, and when it was heard last."""
    for witness in judged.witnesses:
        if witness.kind in {"arp", "ndp"} and witness.says == "unanswered":
            _questions(drawing, witness)
        elif witness.kind in {"arp", "ndp"} and witness.says in SAID:
            _mark(drawing, symbols.LINK_SAYS, witness.ts_ns, MIDDLE)
            drawing.say(witness.ts_ns, _lane(judged, witness), WORDS[witness.says], 4)
        elif (witness.kind, witness.says) in ANNOUNCED:
            _mark(drawing, symbols.LINK_SAYS, witness.ts_ns, MIDDLE)
            drawing.say(witness.ts_ns, _lane(judged, witness), ANNOUNCED[witness.kind, witness.says], 4)
        elif witness.kind == "life_sign":
            _life(drawing, judged, witness)


WORDS: Final = {
    "answered": ("heard by ARP", "ARP"),
    "moved": ("the address is elsewhere now", "moved"),
    "both": ("the address is at two stations", "two claim it"),
    "announced": ("announces itself", "announced"),
}


ANNOUNCED: Final = {
    ("dhcp", "given_back"): ("gives its address back", "released"),
    ("dhcp", "other_station"): ("the address is given to another", "leased"),
    ("dhcp", "other_address"): ("gets another address", "leased"),
    ("dhcp", "asked_anew"): ("asks for an address", "starts"),
    ("stp", "changed"): ("the bridges' topology changes", "topology"),
    ("lldp", "shut"): ("a port goes down", "port down"),
    ("lldp", "other_port"): ("another port", "port"),
}


def _questions(drawing: Drawing, witness: Witness) -> None:
    """Add the first and the last question that nobody answered, and a line between."""
    last_ns = witness.ts_ns + number(witness, "lasted_ns")
    for ts_ns in sorted({witness.ts_ns, last_ns}):
        _mark(drawing, symbols.QUESTION, ts_ns, MIDDLE)
    if witness.ts_ns < last_ns <= drawing.stop_ns:
        ends = [(drawing.x(ts_ns), MIDDLE) for ts_ns in (witness.ts_ns, last_ns)]
        drawing.lines[Stroke(drawing.theme.ink, 0.9, ":")].append(ends)


def _life(drawing: Drawing, judged: JudgedFlow, witness: Witness) -> None:
    """Add when the host was heard beside the flow, first and last; or when it was heard at all for the last time."""
    lane = _lane(judged, witness)
    y = LOW[lane] + 0.5
    if witness.says in ALIVE:
        since_ns = witness.ts_ns - number(witness, "after_ns")
        for ts_ns in sorted({witness.ts_ns, since_ns + number(witness, "last_after_ns")}):
            _mark(drawing, symbols.LIFE, ts_ns, y)
    elif witness.says in {"unheard", "only_resets"}:
        _mark(drawing, symbols.LAST_LIFE, witness.ts_ns, y)
    elif witness.says == "station" and number(witness, "own"):
        _mark(drawing, symbols.LIFE, witness.ts_ns, y)


def _lane(judged: JudgedFlow, witness: Witness) -> Side:
    """Return the lane of the end that a witness is about; of one on the path, that of the end in question."""
    beside = judged.record.beside
    quiet: Side = "b" if beside is None else SIDES[beside["side"]]
    return {"a": "a", "b": "b"}.get(witness.about, quiet)  # type: ignore[return-value]


def _mark(drawing: Drawing, meaning: str, ts_ns: int, y: float) -> None:
    """Add a mark, if it lies within the picture."""
    if ts_ns <= drawing.stop_ns:
        drawing.mark(meaning, ts_ns, y)
