"""Runs of probes in the timeline: a train is one line, and so are many trains that are alike.

It must not know of other events.
"""

from __future__ import annotations

from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.judge.timers.anew import likely_anew
from analyzer.words.model import Line
from analyzer.words.probes import starts_anew, waited
from analyzer.words.teller import duration, evidence, gaps_of, spacing, times

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

FEW: Final = 3
"""So many trains that are alike have lines of their own."""


def train_lines(t: Teller, side: Side) -> list[Line]:
    """Return the lines of an endpoint's probes."""
    found = []
    for alike, together in groupby(runs(t, side), key=lambda run: _likeness(t, run)):
        group = list(together)
        if alike is not None and len(group) > FEW:
            found.append(_line(t, _group_text(t, side, group), [probe for run in group for probe in run]))
        else:
            found += [_line(t, run_text(t, side, run), run) for run in group]
    return found


def _line(t: Teller, text: str, probes: list[Probe]) -> Line:
    return Line(text, evidence(probes), probes[0].ts_ns - t.start_ns)


def _likeness(t: Teller, run: list[Probe]) -> Hashable:
    """Return how many probes trains that are alike have, all sure and answered, after idle time; None of others."""
    found = waited(t.record, run[0])
    is_behind = t.reset is not None and run[0].frame > t.reset.frame
    plain = all(probe.answered and probe.certainty == "certain" for probe in run)
    return len(run) if plain and not is_behind and found is not None and found.since == "idle" else None


def _group_text(t: Teller, side: Side, group: list[list[Probe]]) -> str:
    """Return many trains that are alike in words."""
    each, last = len(group[0]), f"the last time at {t.at(group[-1][0].ts_ns)}"
    idle = _range([found.ns for run in group if (found := waited(t.record, run[0])) is not None])
    if each == 1:
        return f"{t.name(side)} probes {times(len(group))}, each after {idle} idle, {last}: all answered"
    apart = spacing([gap for run in group for gap in gaps_of(run)])
    how = f"sends {each} probes {times(len(group))}, {apart}, the first each time after {idle} idle"
    return f"{t.name(side)} {how}, {last}: all answered"


def _range(lengths: Iterable[int]) -> str:
    """Return the shortest and the longest of some durations."""
    ordered = sorted(lengths)
    low, high = duration(ordered[0]), duration(ordered[-1])
    return low if low == high else f"{low} to {high}"


def runs(t: Teller, side: Side) -> list[list[Probe]]:
    """Return an endpoint's probes in runs: a train each, its unanswered tail apart, and what is of another rhythm."""
    found = []
    probes = t.probes(side)
    begin = _new_rhythms(t, side)
    trains = accumulate(starts_anew(t.record, probe) or probe.frame in begin for probe in probes)
    for _, together in groupby(zip(trains, probes, strict=True), key=itemgetter(0)):
        train = [probe for _, probe in together]
        tail = len(train)
        while tail and train[tail - 1].answer is None:
            tail -= 1
        found += [part for part in (train[:tail], train[tail:]) if part]
    return found


def _new_rhythms(t: Teller, side: Side) -> frozenset[int]:
    """Return the frames of the probes with which a timer's new rhythm begins, where it was set anew in mid-flow."""
    settings, probes = t.judged.settings(side), t.probes(side)
    if settings is None:
        return frozenset()
    anew = likely_anew(settings, probes)
    if anew is not None:
        return frozenset({anew.since.frame})
    ends = {change.until_frame for change in settings.changes}
    return frozenset(late.frame for early, late in pairwise(probes) if early.frame in ends)


def run_text(t: Teller, side: Side, run: list[Probe]) -> str:
    """Return one run of probes in words: how many, how far apart, what answered."""
    peer = t.name(other(side))
    first = run[0]
    sure = "" if first.certainty == "certain" else f"{first.certainty} "
    is_behind = t.reset is not None and first.frame > t.reset.frame
    who = f"{t.name(side)} still" if is_behind else t.name(side)
    if len(run) == 1:
        text = f"{who} sends a {sure}probe" if sure else f"{who} probes"
    else:
        text = f"{who} sends {len(run)} {sure}probes, {spacing(gaps_of(run))}"
    text += _waited(t, run, is_behind=is_behind)
    answered = sum(probe.answered for probe in run)
    drew = sum(probe.answer == "rst" for probe in run)
    refused = run[-1].answer == "rst"
    if answered == len(run):
        return f"{text}: answered" if answered == 1 else f"{text}: all answered"
    if refused and answered == len(run) - 1:
        if not answered:
            return f"{text}: answered by RST"
        part = "first" if answered == 1 else f"first {answered}"
        return f"{text}: the {part} answered, the last by RST"
    if t.record.is_cut_off(run[-1]) and not t.record.is_unseen(other(side)):
        before = run_of(answered, drew, len(run) - 1)
        return f"{text}: {before}the capture ends {'with it' if len(run) == 1 else 'with the last'}"
    if t.record.is_unseen(other(side)):
        return f"{text}: {t.answered_text(run)}"
    if not answered and not drew:
        return f"{text}: no answer" + {1: "", 2: " to either"}.get(len(run), " to any")
    unanswered = len(run) - answered - drew
    if drew == 1 and refused:
        return f"{text}: {answered} answered, {unanswered} not, the last drew a RST from the {peer}"
    parts = [f"{answered} answered", f"{unanswered} not" if unanswered else ""]
    return f"{text}: {', '.join(filter(None, parts))}" + (f", {drew} drew a RST from the {peer}" if drew else "")


def run_of(answered: int, drew: int, count: int) -> str:
    """Return what became of a run of probes but its last; nothing where it has no more."""
    if not count:
        return ""
    if answered == count:
        return "all before answered, " if count > 1 else "the first answered, "
    if not answered and not drew:
        return "no answer to the first, " if count == 1 else f"no answer to the first {count}, "
    parts = [f"{answered} answered" if answered else "", f"{count - answered - drew} not", f"{drew} drew a RST"]
    return "".join(f"{part}, " for part in parts if part and not part.startswith("0 "))


def _waited(t: Teller, run: list[Probe], *, is_behind: bool) -> str:
    """Return how long a prober had waited before a run; behind the end of the connection nothing is idle any more."""
    found = waited(t.record, run[0])
    lead = ", " if len(run) == 1 else ", the first "
    if found is None or (found.since == "probe" and not is_behind):
        return ""
    for_ns = duration(found.ns)
    return (
        lead
        + {
            "idle": f"after {for_ns} idle",
            "probe": f"{for_ns} after its previous probe",
            "packet": f"{for_ns} after {t.the(other(run[0].sender))}'s last packet",
        }[found.since]
    )
