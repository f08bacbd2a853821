"""Flows that both ends closed, and those still open when the capture ended."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.explain.reading import late_readers
from analyzer.explain.settings import skipped_at
from analyzer.findings.kinds import close_wait, half_close, lapses, pauses, window
from analyzer.findings.notable import LONG_CLOSED_NS, LONG_NS
from analyzer.judge.connection import State
from analyzer.judge.outlook import hurried, outlook
from analyzer.judge.record import other
from analyzer.judge.retransmitting import longest_row
from analyzer.judge.timers.anew import likely_anew
from analyzer.tolerances import UNEVEN
from analyzer.track.flow import SIDES
from analyzer.words.beats import clause
from analyzer.words.fins import late_fin, refused_fin
from analyzer.words.model import Line
from analyzer.words.probes import dropped_refusals, probe_summary
from analyzer.words.teller import count, duration, evidence, number, side_of, spacing, times
from analyzer.words.witnesses import moved_away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judge.events import Fin
    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.anew import Anew
    from analyzer.judge.timers.skipped import Skipped
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

LEAST_NS: Final = 1_000_000_000
"""Shorter silences are not worth a word."""


def crossed(t: Teller) -> bool:
    """Say whether both sent FIN before either had the other's."""
    return {change.side for change in t.record.changes if change.state is State.CLOSING} == {0, 1}


def closed_headline(t: Teller) -> str:
    """Return a close in one line, with what was notable before it."""
    first = t.first_closer
    probes = t.record.probes
    for finding in (t.find(half_close.IN_USE.code), t.find(close_wait.SLOW.code)):
        if finding is None:
            continue
        gap = duration(number(finding, "half_closed_ns"))
        between = count(number(finding, "probes"), "probe") if number(finding, "probes") else "no probe"
        if finding.code == half_close.IN_USE.code:
            return f"Closed by both ends after {gap} half-closed with data still flowing; {between} in that time."
        drew = "; its FIN drew a RST" if refused_fin(t) else ""
        return f"Closed by both ends, {t.the(side_of(finding))} {gap} after {t.the(first)}{drew}; {between} in between."
    order = "at the same time" if crossed(t) else f"in order, {t.the(first)} first"
    told = f"{count(len(probes), 'probe')}, {t.answered_text(probes)}" if probes else "no keepalive probes"
    if (beating := clause(t)) is not None:
        told = f"{beating}; {told}"
    refused = refused_fin(t)
    if refused is not None:
        order = f"{order}; {t.the(refused[0].sender)}'s FIN drew a RST"
    return f"Closed by both ends {order}; {told}{_shut(t)}."


def _shut(t: Teller) -> str:
    """Return that a window had been closed for long, if one was: the other end could send nothing meanwhile."""
    shut = t.find(window.CLOSED.code)
    if shut is None or number(shut, "longest_ns") < LONG_CLOSED_NS:
        return ""
    up_to = "up to " if number(shut, "closings") > 1 else ""
    lasted = duration(number(shut, "longest_ns"))
    return f"; {t.the(side_of(shut))}'s receive window was closed for {up_to}{lasted} before"


def closed(t: Teller) -> list[Line]:
    """Return the two FINs and what lay between them."""
    first, second = t.record.fins[:2]
    frames = (first.frame, second.frame)
    if crossed(t):
        at = [t.at(first.ts_ns), t.at(second.ts_ns)]
        found = [
            Line(
                f"Both sent FIN ({' and '.join(dict.fromkeys(at))}) before the other's FIN had reached them: a"
                " simultaneous close.",
                frames,
            )
        ]
    else:
        later = duration(second.ts_ns - first.ts_ns)
        text = f"{t.start(first.sender)} sent FIN at {t.at(first.ts_ns)}, {t.the(second.sender)} {later} later."
        refused = refused_fin(t)
        found = [Line(text if refused else f"{text} Both directions are closed.", frames)]
        if refused is not None:
            again = f", sent again {times(t.facts(second.sender).resent)}," if t.facts(second.sender).resent else ""
            text = (
                f"Nothing acknowledged that FIN{again} and it drew a RST: {t.the(first.sender)}'s kernel had no such"
                f" connection any more. {t.start(second.sender)}'s had one until then."
            )
            found.append(Line(text, (second.frame, refused[1].frame)))
    found += [line for fin in (first, second) for line in late_fin(t, fin)]
    found += own_timeout(t, first)
    used, slow = t.find(half_close.IN_USE.code), t.find(close_wait.SLOW.code)
    if used:
        probes = count(number(used, "probes"), "probe")
        text = (
            f"Between the two {t.the(second.sender)} sent data, and {t.the(first.sender)} took it, with {probes} in"
            " that time."
        )
        found.append(Line(text, used.frames))
    if slow:
        sent = f", and sent {count(number(slow, 'probes'), 'probe')} meanwhile" if number(slow, "probes") else ""
        gap = duration(number(slow, "half_closed_ns"))
        text = f"{t.start(side_of(slow))} was in CLOSE-WAIT (derived) for {gap}{sent}."
        found.append(Line(text, slow.frames))
    return [*found, *probe_summary(t)]


def own_timeout(t: Teller, first: Fin) -> list[Line]:
    """Return that an end closed out of a silence of a minute or more that nobody probed: its own timeout, it seems."""
    record = t.record
    if record.silence_to != first.frame or record.silence_ns < LONG_NS or record.probes or record.silence_from is None:
        return []
    text = (
        f"{t.start(first.sender)} closed after {duration(record.silence_ns)} without data: its program's own timeout,"
        " it seems, or it was done. Keepalive would not alter that."
    )
    return [Line(text, (record.silence_from, first.frame))]


def closed_why(t: Teller) -> list[Line]:
    """Return a word on a half-close; nothing for a plain close."""
    used, slow = t.find(half_close.IN_USE.code), t.find(close_wait.SLOW.code)
    if used:
        text = "A FIN closes one direction only. The other was in use, so probes after the FIN are normal."
        return [Line(text, used.frames)]
    if slow:
        late = t.the(side_of(slow))
        text = f"Why {late} took its time cannot be seen: its program was busy, or did not look for the end of file."
        return [Line(text, slow.frames)]
    return []


def open_headline(t: Teller) -> str:
    """Return an open connection in one line."""
    probes = t.record.probes
    stopped, lost = t.find(lapses.STOPPED.code), t.find(lapses.LOST.code)
    if stopped:
        silent, due = duration(number(stopped, "silent_ns")), duration(number(stopped, "due_ns"))
        when = f"the last {silent}"
        if "broke_frame" in stopped.data:
            when = f"the {silent} before {t.the(other(side_of(stopped)))}'s next packet, nor an answer to that"
        return f"{t.start(side_of(stopped))}'s probes stopped: none in {when}, though one was due after {due}."
    if lost:
        told = f"{number(lost, 'lost')} of {number(lost, 'probes')} probes unanswered, later ones answered"
    elif probes:
        told = f"{count(len(probes), 'probe')}, {t.answered_text(probes)}"
    elif undecided := sum(len(t.record.undecided_from(side)) for side in SIDES):
        told = f"{count(undecided, 'probe')} under a closed window: keepalive or window probes"
    else:
        told = "no keepalive probes"
        length, _ = _silence(t)
        if length >= LEAST_NS:
            told += f", longest silence {duration(length)}"
    if (beating := clause(t)) is not None:
        told = f"{beating}; {told}"
    for side in SIDES:
        settings = t.judged.settings(side)
        anew = likely_anew(settings, t.probes(side)) if settings is not None else None
        if anew is not None:
            told += f"; {t.the(side)} most likely set keepalive anew after {t.at(anew.until.ts_ns)}"
    told += "".join(f"; {who}'s program most likely read {duration(ns)} late" for who, ns in late_readers(t))
    for side in SIDES:
        if t.facts(side).unseen_fin and t.record.starts_with == "handshake":
            told += f"; a FIN of {t.the(side)} is most likely missing in this capture"
    if moved := moved_away(t):
        told += f"; then {moved[0].data['address']} moved to another machine"
    return f"Open when {t.its_end}; {told}."


def open_(t: Teller) -> list[Line]:
    """Return probes, losses and the state at the end."""
    found = [*probe_summary(t), *late_data(t)]
    for side in SIDES:
        gaps = _answered_gaps(t, side)
        settings = t.judged.settings(side)
        set_anew = settings is not None and bool(settings.changes)
        told = any(f.code == pauses.PAUSED.code and f.about == side for f in t.judged.findings)
        anew = likely_anew(settings, t.probes(side)) if settings is not None else None
        skipped = skipped_at(t, side)
        if anew is not None:
            found.append(Line(_set_anew(t, side, anew), evidence(t.probes(side))))
        elif skipped is not None:
            found.append(Line(_lost_elsewhere(t, side, skipped), evidence(skipped.shown_by)))
        elif (sooner := hurried(t.probes(side))) and not set_anew and not told:
            found.append(Line(_hurried(t, side, sooner), evidence(sooner)))
        elif len(gaps) > 1 and gaps[-1] > gaps[0] * UNEVEN and not set_anew and not told:
            lost = "some probes, or answers, may have been lost elsewhere than here"
            if all(late.echoes for early, late in pairwise(t.probes(side)) if early.answered):
                lost = "no answer was lost (the next probe echoes its timestamp), but some probes may have been lost"
            text = (
                f"{t.start(side)}'s answered probes are {spacing(gaps)}: {lost}, or its program set keepalive anew"
                " meanwhile."
            )
            found.append(Line(text, evidence(t.probes(side))))
    stopped = t.find(lapses.STOPPED.code)
    if stopped:
        silent, due = duration(number(stopped, "silent_ns")), duration(number(stopped, "due_ns"))
        text = (
            f"After frame {number(stopped, 'last_frame')} nothing came for {silent}, though"
            f" {t.the(side_of(stopped))} never waited longer than {due} before it probed."
        )
        if "broke_frame" in stopped.data:
            text += (
                f" Then {t.the(other(side_of(stopped)))} sent something (frame {number(stopped, 'broke_frame')}), to"
                " which no answer is here."
            )
        found.append(Line(text, stopped.frames))
    waiting = [
        own[-1]
        for side in SIDES
        if (own := t.probes(side)) and own[-1].answer is None and own[-1].ts_ns > (t.facts(other(side)).last_ns or 0)
    ]
    if waiting:
        after = duration(t.record.end_ns - waiting[-1].ts_ns)
        which = "The last probe" if len(waiting) == 1 else "The last probes"
        text = f"{which} had no answer when {t.its_end}, {after} later: too soon to tell."
        refused = [line for probe in waiting if (line := dropped_refusals(t, [probe]))]
        text = text.replace("no answer", "no answer that counts", 1) if refused else text
        found += [Line(text, tuple(probe.frame for probe in waiting)), *refused]
    after_ns = t.record.end_ns - t.record.last_ns
    ended = f"; {t.its_end} {duration(after_ns)} later." if after_ns > 0 else f", where the capture ended.{_due(t)}"
    found.append(Line(f"The last segment came at {t.at(t.record.last_ns)}{ended}", (t.record.last_frame,)))
    return found


def late_data(t: Teller) -> list[Line]:
    """Return whose data was acknowledged only after many retransmissions, each behind twice the wait before."""
    found = []
    for side in SIDES:
        row = longest_row(t.record, side)
        if row and t.facts(side).unacked_ns is None:
            text = (
                f"{t.start(side)} retransmitted data {times(len(row))} from {t.at(row[0].ts_ns)} to"
                f" {t.at(row[-1].ts_ns)}, waiting longer each time, before it was acknowledged: packets were lost, or"
                f" {t.the(other(side))} was out of reach meanwhile. While data is outstanding Linux sends no probe."
            )
            found.append(Line(text, tuple(each.frame for each in row)))
    return found


def _hurried(t: Teller, side: Side, sooner: Sequence[Probe]) -> str:
    """Return that a prober behaves as one that hears no answer, and what else would look so."""
    return (
        f"From {t.at(sooner[0].ts_ns)} on {t.the(side)}'s probes came every {duration(sooner[-1].gap_ns or 0)}, much"
        " sooner than before, although each is answered here. So probes a prober that hears no answer: they may have"
        f" been lost behind this point, on the way to {t.the(side)}; or its program set keepalive anew."
    )


def _due(t: Teller) -> str:
    """Return when the next probe was due, where a flow has the last frame of all: how long one listened is open."""
    expected = outlook(t.judged)
    if expected is None or expected.next_ns is None or not expected.last.answered:
        return ""
    prober = t.the(expected.prober)
    return (
        f" The next probe of {prober} was due at about {t.at(expected.next_ns)}: if capturing went on until then, the"
        " probes had ceased."
    )


def _set_anew(t: Teller, side: Side, anew: Anew) -> str:
    """Return that a prober's rhythm changed, why that was most likely its program, and what else would look so."""
    return (
        f"{t.start(side)}'s answered probes came every {duration(anew.before.gap_ns)} until"
        f" {t.at(anew.until.ts_ns)}, then every {duration(anew.after.gap_ns)}: most likely its program set keepalive"
        " anew in between (setsockopt). Each probe echoes the timestamp of the answer before, so no answer was lost;"
        " only probes lost in an even rhythm before this point would look the same."
    )


def _lost_elsewhere(t: Teller, side: Side, skipped: Skipped) -> str:
    """Return what most likely was lost between a prober and this point, and what shows it."""
    prober, period, interval = t.start(side), duration(skipped.period_ns), duration(skipped.interval_ns)
    lost = []
    if skipped.probes_lost:
        lost.append(
            f"{count(skipped.probes_lost, 'probe')} before this point (longer waits, though {t.the(side)} had got the"
            " answer before, whose timestamp it echoes)"
        )
    if skipped.answers_lost:
        lost.append(
            f"{count(skipped.answers_lost, 'answer')} behind it (the next probe came sooner, and echoes no timestamp of"
            " that answer)"
        )
    return (
        f"{prober} probes every {period} while it gets answers. Most likely the path lost {', and '.join(lost)}; after"
        f" a loss the next probe comes {interval} later."
    )


def _prober_heard(t: Teller, prober: Side) -> Line | None:
    """Return what it means that a prober's host was heard beside the flow long after its next probe was due."""
    beside, stopped = t.record.beside, t.need(lapses.STOPPED.code)
    if beside is None or SIDES[beside["side"]] == prober or not beside["asker_heard_frame"]:
        return None
    if beside["asker_heard_ns"] < (t.facts(prober).last_ns or 0) + number(stopped, "due_ns"):
        return None
    frame = beside["asker_heard_frame"]
    text = (
        f"{t.record.endpoint(prober).address} was heard outside this flow at {t.at(beside['asker_heard_ns'])} (frame"
        f" {frame}), so most likely {t.the(prober)}'s host was alive. Inferred: its program switched keepalive off, or"
        " let the connection go, and its FIN or RST did not get here; or it has data outstanding that does not get"
        " here; or something on the way drops what it sends on this connection alone. An end that only answers never"
        " notices."
    )
    return Line(text, (*stopped.frames, frame))


def open_why(t: Teller) -> list[Line]:
    """Return why probes stopped, or why there are none."""
    stopped = t.find(lapses.STOPPED.code)
    if stopped:
        prober = t.the(side_of(stopped))
        if (heard := _prober_heard(t, side_of(stopped))) is not None:
            return [heard]
        return [
            Line(
                f"Inferred: {prober}, or the path between it and this capture point, is gone; or it has data"
                " outstanding that does not get here. An end that only answers never notices.",
                stopped.frames,
            )
        ]
    length, frames = _silence(t)
    if t.record.probes or length < LEAST_NS or {each.frame for each in t.record.resent} & set(frames):
        return []
    if any(t.facts(side).unacked_ns is not None for side in SIDES):
        text = "Something sent was still unacknowledged, and while that is so Linux does not probe."
        return [Line(text, (t.record.last_frame,))]
    text = (
        f"No probe reached this point in a silence of {duration(length)}: at both ends keepalive is off, or its idle"
        " time is longer, or the probes were lost before this point."
    )
    return [Line(text, frames)]


def _silence(t: Teller) -> tuple[int, tuple[int, ...]]:
    """Return the longest silence, up to the capture's end, and the frames at its ends."""
    record = t.record
    tail = record.end_ns - record.last_ns
    if tail > record.silence_ns:
        return tail, (record.last_frame,)
    return record.silence_ns, tuple(frame for frame in (record.silence_from, record.silence_to) if frame)


def _answered_gaps(t: Teller, side: Side) -> list[int]:
    probes = t.probes(side)
    return sorted(
        late.gap_ns
        for early, late in pairwise(probes)
        if early.answer == "ack"
        and late.answer == "ack"
        and not late.first_of_train
        and late.gap_ns is not None
        and t.record.is_awake(early.frame, late.frame)
    )
