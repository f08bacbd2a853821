"""What every story with probes in it says: how many there were, who answered, when an end was last heard."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import islice, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.teller import count, evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def probe_summary(t: Teller) -> list[Line]:
    """Return a line per prober: how many probes, how many answered."""
    found = []
    for side in SIDES:
        probes = t.probes(side)
        if probes:
            text = f"{t.start(side)} sent {count(len(probes), 'keepalive probe')}, {_how_answered(t, probes)}."
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


def dropped_refusals(t: Teller, probes: Sequence[Probe]) -> Line | None:
    """Say that RSTs answered some of these probes, which the prober's kernel drops, or None if none did."""
    asked = {probe.frame for probe in probes}
    drawn = [reset for reset in t.record.resets if reset.kind == "ignored" and reset.answers_probe in asked]
    if not drawn:
        return None
    prober = probes[0].sender
    which = "Each of them" if len(drawn) == len(asked) > 1 else f"{len(drawn)} of them" if len(asked) > 1 else "It"
    one = len(drawn) == 1
    text = (
        f"{which} drew a RST in {t.the(other(prober))}'s name, with {'a number' if one else 'numbers'} that"
        f" {t.the(prober)}'s kernel drops: something answers there, but knows no such connection, and {t.the(prober)}"
        " does not learn of it."
    )
    return Line(text, tuple(reset.frame for reset in drawn))


def _how_answered(t: Teller, probes: tuple[Probe, ...]) -> str:
    """Return how many were answered, and when the last was, if it was: until then the peer's kernel was alive."""
    told, last = t.answered_text(probes), probes[-1]
    if len(probes) == 1 or not last.answered:
        return told
    if all(probe.answered for probe in probes):
        return f"{told}, the last at {t.at(last.ts_ns)}"
    return f"{told}; the last, at {t.at(last.ts_ns)}, was answered"


def in_all(t: Teller, told: str) -> str | None:
    """Return how many probes there were and what became of them, or None if that number is told, or there were none."""
    probes = t.record.probes
    # beside window probes they need their name
    total = count(len(probes), "keepalive probe" if t.record.zero_window_probes else "probe")
    told_already = rf"(?<![\d,.]){len(probes):,} (?:suspected |keepalive )?probes?\b"
    if not probes or re.search(told_already, told):
        return None
    kinds = {
        "answered": sum(probe.answered for probe in probes),
        "drew a RST": sum(probe.answer == "rst" for probe in probes),
        "got no answer": sum(probe.answer is None and not t.record.is_cut_off(probe) for probe in probes),
        "sent when the capture ended": sum(map(t.record.is_cut_off, probes)),
    }
    parts = [(what, how_many) for what, how_many in kinds.items() if how_many]
    if len(parts) == 1:
        told_too = parts[0][0] == "drew a RST" and "RST" in told and "probe" in told
        return f"{total} in all." if told_too else f"{total} in all, {_each(t, probes)}."
    return f"{total} in all: {', '.join(f'{how_many:,} {what}' for what, how_many in parts)}."


def _each(t: Teller, probes: tuple[Probe, ...]) -> str:
    """Return what became of probes that all have the same fate."""
    return t.answered_text(probes) if len(probes) == 1 or not probes[0].answered else "each answered"


def last_heard(t: Teller, side: Side) -> Line | None:
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


class Waited(NamedTuple):
    """How long there had been nothing before a probe, and since what."""

    since: str
    """``idle``: the peer's last segment that was not keepalive; ``probe``: its sender's probe before; ``packet``: the
    peer's last packet, behind the end of the connection, where nothing is idle any more."""
    ns: int


def waited(record: FlowRecord, probe: Probe) -> Waited | None:
    """Return how long a probe had waited, and since what; None where that was not captured."""
    return _waited(record, probe, _before(record, probe))


def each_waited(record: FlowRecord, side: Side) -> list[Waited | None]:
    """Return the same of all probes that an end sent, in order."""
    own = record.probes_from(side)
    return [_waited(record, probe, before) for before, probe in zip((None, *own), own, strict=False)]


def _waited(record: FlowRecord, probe: Probe, before: Probe | None) -> Waited | None:
    since_ns = None if before is None else probe.ts_ns - before.ts_ns
    reset = record.ending_reset
    if reset is not None and probe.frame > reset.frame:
        if since_ns is not None:
            return Waited("probe", since_ns)
        return None if probe.idle_ns is None else Waited("packet", probe.ts_ns - _last_packet(record, probe))
    if _starts_anew(record, probe, before):
        if probe.idle_ns is None:
            return None
        if before is None or before.ts_ns < probe.ts_ns - probe.idle_ns or before.answer == "rst":
            return Waited("idle", probe.idle_ns)
        if before.answer_ns is None:
            return Waited("probe", probe.ts_ns - before.ts_ns)
        # a train that something else cut in two waited since the last answer, as within it
        return Waited("idle", probe.ts_ns - before.ts_ns - before.answer_ns)
    return None if since_ns is None else Waited("probe", since_ns)


def _last_packet(record: FlowRecord, probe: Probe) -> int:
    """Return when the peer of a prober was last heard before a probe, with anything at all."""
    peer = other(probe.sender)
    sent = [each.ts_ns for each in record.probes_from(peer)]
    sent += [each.ts_ns for each in record.resets if each.sender == peer]
    answers = [each.ts_ns + each.answer_ns for each in record.probes_from(probe.sender) if each.answer_ns is not None]
    base_ns = probe.ts_ns - (probe.idle_ns or 0)
    return max([base_ns, *(ts_ns for ts_ns in (*sent, *answers) if ts_ns < probe.ts_ns)])


def starts_anew(record: FlowRecord, probe: Probe) -> bool:
    """Say whether a probe is the first of a train: nothing but a RST without effect after the one before is no end."""
    return _starts_anew(record, probe, _before(record, probe) if probe.first_of_train else None)


def _starts_anew(record: FlowRecord, probe: Probe, before: Probe | None) -> bool:
    if (
        not probe.first_of_train
        or before is None
        or before.answer is not None
        or probe.idle_frame is None
        or probe.idle_frame > before.frame
    ):
        return probe.first_of_train
    at = bisect_left(record.resets, before.frame, key=attrgetter("frame"))
    between = takewhile(lambda reset: reset.frame < probe.frame, islice(record.resets, at, None))
    return not any(reset.kind == "ignored" for reset in between)


def _before(record: FlowRecord, probe: Probe) -> Probe | None:
    own = record.probes_from(probe.sender)
    at = bisect_left(own, probe.frame, key=attrgetter("frame"))
    return own[at - 1] if at else None


def turned_back(t: Teller, prober: Side) -> bool:
    """Say whether each of an end's last unanswered probes is quoted by an ICMP error: none of them was lost."""
    asked = {probe.frame for probe in t.record.trailing(prober)}
    return bool(asked) and asked <= {error.quotes_probe for error in t.record.errors_about(prober)}
