"""What a capture cannot show: said in every story, for what its words rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain import why_so
from analyzer.explain.unseen import unseen_probes
from analyzer.findings import Told, kind_of
from analyzer.findings.kinds import foreign_reset, half_close
from analyzer.judge.record import other
from analyzer.judge.scene import holes_in
from analyzer.judge.verdict import Verdict
from analyzer.track.flow import SIDES
from analyzer.words import stations
from analyzer.words.fins import stub_line
from analyzer.words.holes import hole_words
from analyzer.words.model import Line
from analyzer.words.teller import count, lines, times

if TYPE_CHECKING:
    from analyzer.words.teller import Teller

ALWAYS: Final = (
    "What the programs called or got back. States are derived from the packets seen here; settings from their spacing."
)


def limits(t: Teller) -> list[Line]:
    """Return what this capture cannot show of this flow; what it shows of none, only where there is nothing else."""
    found = lines(
        *_of_holes(t),
        *_of_drops(t),
        *unseen_probes(t),
        *_of_fins(t),
        *_of_findings(t),
        *_of_reset(t),
        *_lacks(t),
        *_of_probes(t),
    )
    return found or [Line(ALWAYS, (t.record.first_frame, t.record.last_frame))]


def _of_findings(t: Teller) -> list[Line]:
    """What is unsure of the first finding that has something to say to this."""
    unsure = ((kind_of(finding.code).unsure, finding) for finding in t.judged.findings)
    return next((words(t, finding) for words, finding in unsure if words is not None), [])


def _lacks(t: Teller) -> list[Line]:
    kinds = [(kind_of(finding.code), finding) for finding in t.judged.findings]
    return [
        Line((kind.lacks or kind.detail)(t, finding), finding.frames)
        for kind, finding in kinds
        if kind.told_at(t.ending.verdict) is Told.LIMITS
    ]


def _of_holes(t: Teller) -> list[Line]:
    """What passed where the capture was not awake."""
    return [
        Line(
            f"{'Which packets are missing:' if hole.packets else 'What passed'} {hole_words(hole)}. Nothing is measured"
            " across it.",
            tuple(sorted({min(frame, t.record.last_frame) for frame in (hole.from_frame, hole.to_frame)})),
        )
        for hole in holes_in(t.record, t.ending)
    ]


def _of_drops(t: Teller) -> list[Line]:
    """What was dropped while capturing, where something rests on what is not there."""
    lost = t.record.lost
    missed = any(t.facts(side).missed for side in SIDES)
    unanswered = any(probe.answer is None for probe in t.record.probes) or any(
        probe.answer_frame is None for probe in t.record.zero_window_probes
    )
    absent = t.ending.verdict in {Verdict.SILENT, Verdict.UNDETERMINED} or t.ending.by == "between"
    if not lost or not (missed or unanswered or absent):
        return []
    text = (
        f"Which packets were dropped while capturing ({lost:,} of all hosts, at no known time): what seems unanswered"
        " or lost may be among them."
    )
    return [Line(text, (t.record.first_frame, t.record.last_frame))]


def _of_fins(t: Teller) -> list[Line]:
    if not t.record.fins_in_time or t.ending.verdict is Verdict.CLOSED:
        return []
    closer = t.first_closer
    fin = t.fin(closer)
    assert fin is not None
    calls = "close(), exit and kill -9" if stub_line(t, closer) else "close(), shutdown(), exit and kill -9"
    found = [Line(f"Why {t.the(closer)} sent FIN: {calls} send the same.", (fin.frame,))]
    if t.ending.verdict is Verdict.HALF_CLOSED and not t.find(half_close.IN_USE.code):
        text = f"Whether {t.the(other(closer))}'s program forgot to close, or is still at work on purpose."
        found.append(Line(text, (fin.frame,)))
    return found


def _of_reset(t: Teller) -> list[Line]:
    reset = t.reset
    if reset is None or t.ending.verdict is Verdict.TIMED_OUT:
        return []
    if t.ending.by == "between":
        between = t.find(foreign_reset.FROM_BETWEEN.code)
        if between is not None and "station" in between.data:
            text = "Why that machine sent the RST, and whether it was another that bore its MAC address."
            return [Line(text, (reset.frame,))]
        route = " A route that changed would change the TTL too." if "ttl" in reset.strange else ""
        return [Line(f"Which box it was.{route}", (reset.frame,))]
    if told := stations.unsure(t):
        return [] if why_so.replaced(t) else told
    if t.facts(reset.sender).ttl is None and reset.own_ttl is None and reset.ttl < 0:
        text = (
            "Which machine sent the RST: the text has no TTLs (tcpdump -v prints them), so a box between may have sent"
            " it in that name."
        )
        return [Line(text, (reset.frame,))]
    if t.ending.verdict in {Verdict.RESET_ON_PROBE, Verdict.ABORTED}:
        if reset.own_ttl is None:
            text = "Which machine sent the RST: no other packet of that end is here to compare it with."
            return [Line(text, (reset.frame,))]
        alike = reset.own_ttl[0] <= reset.ttl <= reset.own_ttl[1]
        seen = "it looks like the endpoint's other packets" if alike else "but for its TTL it looks like the endpoint's"
        text = f"Which machine sent the RST: {seen}, a hint and no proof."
        return [Line(text, (reset.frame,))]
    return []


def _of_probes(t: Teller) -> list[Line]:
    doubts = {
        doubt: tuple(probe.frame for probe in t.record.probes if probe.doubt == doubt)
        for doubt in ("missed", "zero_window", "unnumbered", "midstream")
    }
    undecided = [segment.frame for segment in t.record.not_probes if segment.is_ == "keepalive_or_zero_window_probe"]
    found = [Line(text, frames) for text, frames in _jumps(t)]
    if doubts["midstream"] and t.record.starts_with == "midstream":
        text = (
            "Whether these are certainly keepalive probes: they are probable, since what was sent before the capture"
            " began is not known."
        )
        found.append(Line(text, doubts["midstream"]))
    if doubts["missed"]:
        text = "What the capture missed: these probes are known only from what answered them."
        found.append(Line(text, doubts["missed"]))
    if doubts["unnumbered"]:
        text = (
            "Whether these are probes: the text has no numbers of segments without data, so they are known by"
            " when they came and what followed. tcpdump -vv prints the numbers, and -w keeps the packets."
        )
        found.append(Line(text, doubts["unnumbered"]))
    if doubts["zero_window"]:
        text = (
            "Under a closed window only spacing tells keepalive from window probes: these come evenly, as keepalive"
            " does."
        )
        found.append(Line(text, doubts["zero_window"]))
    if undecided:
        text = "Whether these are window probes or keepalive probes: under a closed window both look the same."
        found.append(Line(text, tuple(undecided)))
    if t.record.copies:
        were = "was" if t.record.copies == 1 else "were"
        text = f"{count(t.record.copies, 'packet')} of this flow {were} captured again; the first of each counts."
        found.append(Line(text, (t.record.first_frame, t.record.last_frame)))
    return found


def _jumps(t: Teller) -> list[tuple[str, tuple[int, ...]]]:
    """Where the numbers jump; after a start in mid-connection that says nothing."""
    if t.record.starts_with == "midstream":
        return []
    frames = (t.record.first_frame, t.record.last_frame)
    return [
        (
            (
                f"What is missing where {t.the(side)}'s numbers jump by one: most likely a FIN that was not captured."
                f" Then {t.the(side)} had closed, and the other end's program was to close too."
                if t.facts(side).unseen_fin
                else f"What is missing where {t.the(side)}'s numbers jump ({times(t.facts(side).missed)}): lost before"
                " this point, out of order, or not captured."
            ),
            frames,
        )
        for side in SIDES
        # of whom nothing was captured, that is said elsewhere, and so is what its peer still waits for
        if t.facts(side).missed and t.facts(side).segments and not t.facts(side).awaited_bytes
    ]
