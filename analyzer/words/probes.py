"""What every story with probes in it says: how many there were, who answered, when an end was last heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import answered_text, count, evidence

if TYPE_CHECKING:
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def probe_summary(t: Teller) -> list[Line]:
    """Return a line per prober: how many probes, how many answered."""
    found = []
    for side in SIDES:
        probes = t.probes(side)
        if probes:
            text = f"{t.start(side)} sent {count(len(probes), 'keepalive probe')}, {answered_text(probes)}."
            found.append(Line(text, evidence(probes)))
    for side in SIDES:
        undecided = t.record.undecided_from(side)
        if undecided:
            text = (
                f"{t.start(side)} sent {count(len(undecided), 'probe')} under a closed window; the capture does not"
                " tell whether they are keepalive or window probes."
            )
            found.append(Line(text, tuple(each.frame for each in undecided)))
    return found or [Line("No keepalive probe was captured.", (t.record.first_frame, t.record.last_frame))]


def last_word(t: Teller, side: Side) -> Line | None:
    """Return when an endpoint was last heard."""
    facts = t.facts(side)
    if facts.last_ns is None:
        return None
    answers = [probe.answer_frame for probe in t.probes(other(side)) if probe.answered]
    answers += [probe.answer_frame for probe in t.record.zero_window_probes if probe.sender == other(side)]
    # what an end sent after the RST that ended the flow is no part of it
    own = [probe.frame for probe in t.probes(side) if probe.ts_ns <= facts.last_ns]
    frame = max([frame for frame in (*answers, *own, facts.active_frame) if frame], default=0)
    return Line(f"{t.start(side)} was last heard at {t.at(facts.last_ns)}.", (frame,) if frame else ())
