"""What is inferred of each end's keepalive settings, in words."""

from __future__ import annotations

from bisect import bisect_right
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from analyzer.findings.kinds import unanswered
from analyzer.findings.pausing import standstills_of
from analyzer.judge.record import other
from analyzer.judge.signatures import of_end
from analyzer.judge.timers.anew import likely_anew
from analyzer.judge.timers.gaps import is_near
from analyzer.judge.timers.likely import likely_idle, whole_seconds
from analyzer.judge.timers.skipped import likely_skipped
from analyzer.judge.verdict import Verdict
from analyzer.tolerances import EARLY_NS, OPTION_LEAST_NS
from analyzer.track.flow import SIDES
from analyzer.words.model import Line
from analyzer.words.stacks import ILLUMOS, LINUX, TOLD_BY, has_user_timeout
from analyzer.words.teller import count, duration, setting

if TYPE_CHECKING:
    from analyzer.judge.probe import Probe
    from analyzer.judge.timers.anew import Anew
    from analyzer.judge.timers.changes import Change
    from analyzer.judge.timers.count import Count
    from analyzer.judge.timers.likely import Likely
    from analyzer.judge.timers.settings import Settings
    from analyzer.judge.timers.skipped import Skipped
    from analyzer.judge.timers.timer import Timer
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def settings_lines(t: Teller) -> list[Line]:
    """Return a line per end and setting."""
    return [line for side in SIDES for line in settings_of(t, side)]


def settings_of(t: Teller, side: Side) -> list[Line]:
    """Return what is inferred of one end's settings: a line, or none."""
    settings = t.judged.settings(side)
    if settings is None:
        return []
    parts: list[str] = []
    frames: set[int] = set()
    anew = {change.name: change for change in settings.changes}
    for name, title, timer in (("idle", "idle time", settings.idle), ("interval", "interval", settings.interval)):
        if timer is not None and not ("period" in anew and name not in anew):
            told = _change_text(t, anew[name]) if name in anew else timer_text(timer)
            if name == "idle":
                told = _most_likely(t, side, settings) or told
            parts.append(f"{title} {told}")
            frames.update(timer.frames)
    skipped = skipped_at(t, side) if settings.interval is None else None
    period = _period(t, side, settings, skipped)
    if period is not None:
        parts.append(period[0])
        frames.update(period[1])
    is_told = skipped is not None or bool(settings.changes) or bool(parts and "answered" in parts[-1])
    if settings.idle is not None and settings.interval is None and not is_told:
        parts.append(_interval_at_most(t, side, settings))
    if settings.count is not None:
        parts.append(count_text(settings.count, settings.stack))
        frames.update(settings.count.frames)
    elif parts and (endured := _endured(t, side)):
        parts.append(endured[0])
        frames.update(endured[1])
    found = []
    if parts:
        found.append(Line(f"{t.start(side)}: {'; '.join(parts)}.", tuple(sorted(frames))))
    if settings.stack is not None:
        probes = tuple(probe.frame for probe in t.probes(side))
        text = f"{t.start(side)}'s system: {TOLD_BY[settings.stack]}."
        found.append(Line(text, probes))
    if settings.families:
        fits = ", ".join(_families(t, side, settings.families))
        text = (
            f"{t.start(side)}'s settings are consistent with, among others: {fits} (families of programs, not proof)."
        )
        found += [Line(text, tuple(sorted(frames)))] if fits else []
    return found


def _period(t: Teller, side: Side, settings: Settings, skipped: Skipped | None) -> tuple[str, tuple[int, ...]] | None:
    """Return what the spacing of answered probes tells beside idle time and interval, with its frames."""
    period, anew = settings.period, {change.name: change for change in settings.changes}
    likely = likely_anew(settings, t.probes(side))
    if likely is not None:
        return _set_anew(t, side, settings, likely), tuple(probe.frame for probe in t.probes(side))
    if skipped is not None:
        return _skipped(t, side, settings, skipped), tuple(probe.frame for probe in skipped.shown_by)
    if period is not None and "period" in anew:
        return f"answered probes every {_change_text(t, anew['period'])}: set anew in mid-flow", period.frames
    if period is not None and _tells_more(settings, period):
        exact = f"answered probes every {setting(period.value_ns)}" if period.value_ns else ""
        longer = _longer_of_two(settings, _idle_of(t, side, settings))
        return f"{exact or f'timer of answered probes {timer_text(period)}'}{longer}", period.frames
    return None


def _likely(t: Teller, side: Side, settings: Settings) -> Likely | None:
    """Return the idle time that is most likely, where the gaps tell no value."""
    if t.record.starts_with != "handshake" or t.record.backwards or not (probes := t.probes(side)):
        return None
    return likely_idle(settings, probes)


def _idle_of(t: Teller, side: Side, settings: Settings) -> int | None:
    """Return the idle time, known or most likely."""
    if settings.idle is not None and settings.idle.value_ns is not None:
        return settings.idle.value_ns
    likely = _likely(t, side, settings)
    return None if likely is None else likely.value_ns


def _most_likely(t: Teller, side: Side, settings: Settings) -> str:
    """Return which idle time is most likely, where only bounds are sure, then these, and what would make it another.

    Who reads a line takes the first number for what was set, so that comes first.
    """
    likely = _likely(t, side, settings)
    if likely is None or settings.idle is None:
        return ""
    return (
        f"{setting(likely.value_ns)}, most likely: the first probe came {duration(likely.gap_ns)} after"
        f" {t.the(other(side))}'s last packet (less only if keepalive was set up after that packet; proven is"
        f" {timer_text(settings.idle)})"
    )


def _families(t: Teller, side: Side, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the programs that fit, but for those that are never at this end of a connection."""
    return of_end(names, opens=t.record.opens(side))


def _tells_more(settings: Settings, period: Timer) -> bool:
    """Say whether the spacing of answered probes tells what idle time and interval do not."""
    idle = settings.idle
    if idle is None or not period.value_ns or idle.value_ns is None:
        return idle is None or bool(period.value_ns)
    return settings.interval is None and period.value_ns != idle.value_ns


def _interval_at_most(t: Teller, side: Side, settings: Settings) -> str:
    """Return what answered probes tell of the interval: on Linux they come at the longer of it and the idle time.

    Unanswered ones with packets of the peer between them tell it on Linux alone, where these restart no timer.
    """
    stirred = _stirred(t, side)
    if stirred and settings.stack is None:
        most = f"interval at most {setting(min(stirred))} on Linux"
        return f"{most}, else not visible (packets from {t.the(other(side))} came between these probes)"
    if settings.backs_off and settings.stack != ILLUMOS:
        return (
            "no interval, each unanswered probe waits longer than the one before, as retransmissions do: keepalive of"
            " Linux, Windows, macOS and BSD comes evenly"
        )
    if settings.stack == ILLUMOS:
        return "no interval, each unanswered probe waits about twice as long as the one before"
    if not _probes_in_a_row(t, side):
        return "interval not visible (no probe directly followed another)"
    period = settings.period or settings.idle
    if period is None or settings.stack not in {None, LINUX}:
        return "interval not visible while probes are answered"
    most = f"interval at most {setting(period.value_ns or period.high_ns)}"
    return most if settings.stack == LINUX else f"{most} on Linux, else not visible"


def _probes_in_a_row(t: Teller, side: Side) -> bool:
    """Say whether a probe followed another with nothing but an answer between: else no wait but the idle time shows."""
    return any(not probe.first_of_train for probe in t.probes(side))


def _stirred(t: Teller, side: Side) -> list[int]:
    """Return how far apart unanswered probes are between which the peer sent a probe or a RST."""
    probes = t.probes(side)
    theirs = [probe.frame for probe in t.probes(other(side))]
    theirs += [reset.frame for reset in t.record.resets if reset.sender != side]
    theirs.sort()
    return [
        late.ts_ns - early.ts_ns
        for early, late in pairwise(probes)
        if early.answer is None and bisect_right(theirs, early.frame) < bisect_right(theirs, late.frame)
    ]


def _endured(t: Teller, side: Side) -> tuple[str, tuple[int, ...]] | None:
    """Return how many unanswered probes in a row did not make this end give up, with their frames."""
    longest: list[Probe] = []
    for answered, together in groupby(t.probes(side), key=lambda probe: probe.answer is not None):
        run = [] if answered else [probe for probe in together if not t.record.is_cut_off(probe)]
        longest = max(longest, run, key=len)
    if not longest:
        return "count not visible (no probe stayed unanswered)", ()
    if t.ending.verdict is Verdict.UNDETERMINED or t.record.lost or t.record.holes:
        return None  # answers may have come that are not in the capture
    had = "had not given up" if longest[-1] is t.probes(side)[-1] else "did not give up"
    text = f"{had} after {count(len(longest), 'unanswered probe')}"
    ceased = t.find(unanswered.THEN_NONE.code)
    if ceased is not None and longest[-1] is t.probes(side)[-1]:
        many = f"count {len(longest)} or more (later probes" if unanswered.asks_on(t, ceased) else ""
        text = f"{many} could not leave its host)" if many else f"may have given up after {len(longest)} (no more came)"
    later = next((probe for probe in t.probes(side) if probe.frame > longest[-1].frame), None)
    if later is not None and not later.first_of_train:  # the timer ran out once more, and found the count not reached
        text = f"count {len(longest) + 1} or more ({text})"
    return text, tuple(probe.frame for probe in longest)


def timer_text(timer: Timer) -> str:
    """Return a setting as a value, or as bounds."""
    if timer.value_ns is not None:
        return setting(timer.value_ns)
    low, high = setting(timer.low_ns), setting(timer.high_ns)
    if low == high:
        return f"about {low}"
    # less than the least that can be set is no bound
    return f"at most {high}" if timer.low_ns <= OPTION_LEAST_NS else f"between {low} and {high}"


def _change_text(t: Teller, change: Change) -> str:
    """Return a timer that was set anew, and until when the old one was in force."""
    until = max(probe.ts_ns for probe in t.record.probes if probe.frame <= change.until_frame)
    return f"{timer_text(change.before)} until {t.at(until)}, then {timer_text(change.after)}"


def _set_anew(t: Teller, side: Side, settings: Settings, found: Anew) -> str:
    """Return two rhythms of answered probes; and the idle time at first, where the first probe came after the same."""
    before, after = (setting(rhythm.value_ns or rhythm.gap_ns) for rhythm in (found.before, found.after))
    first = t.probes(side)[0]
    at_first = ""
    if t.record.starts_with == "handshake" and first.idle_ns is not None and settings.idle is None:
        waited_ns = whole_seconds(first.idle_ns + EARLY_NS, first.idle_ns)
        if waited_ns is not None and waited_ns == found.before.value_ns:
            at_first = (
                f"idle time {before} at first, most likely (the first probe came {duration(first.idle_ns)} after"
                f" {t.the(other(side))}'s last packet); "
            )
    return (
        f"{at_first}answered probes every {before} until {t.at(found.until.ts_ns)}, then every {after}"
        f"{_longer_of_two(settings, None)}: most likely set anew in mid-flow"
    )


def skipped_at(t: Teller, side: Side) -> Skipped | None:
    """Return what most likely was lost between a prober and this point, and the settings that show by it."""
    settings, ttl = t.judged.settings(side), t.facts(side).ttl
    if settings is None or t.record.lost or t.record.holes or t.record.backwards or ttl is None or is_near(*ttl):
        return None
    if standstills_of(t.record, side):
        return None  # its host slept: its waits are not its settings'
    return likely_skipped(settings, t.probes(side), stamped=t.facts(side).timestamps)


def _skipped(t: Teller, side: Side, settings: Settings, found: Skipped) -> str:
    """Return period and interval as they show by what was lost; the period as idle time where the first wait is it."""
    period = setting(found.period_value_ns or found.period_ns)
    interval = setting(found.interval_value_ns or found.interval_ns)
    first = t.probes(side)[0]
    waited_ns = first.idle_ns if t.record.starts_with == "handshake" else None
    is_idle = waited_ns is not None and whole_seconds(waited_ns + EARLY_NS, waited_ns) == found.period_value_ns
    told = f"idle time {period}, most likely; " if is_idle and settings.idle is None else ""
    if not told and settings.idle is None:
        told = f"answered probes every {period}{_longer_of_two(settings, None)}; "
    return f"{told}interval {interval}, most likely (the wait after a lost probe or answer)"


def _longer_of_two(settings: Settings, idle_ns: int | None) -> str:
    """Say what the spacing of answered probes is on Linux, where it may be that, and which if the idle time tells."""
    if settings.stack not in {None, LINUX}:
        return ""
    period = settings.period
    shown = idle_ns is not None and period is not None and period.value_ns is not None and period.value_ns > idle_ns
    return f" (on Linux the longer of idle time and interval{': here the interval' if shown else ''})"


def count_text(found: Count, stack: str | None = None) -> str:
    """Return after how many probes a prober gave up, as what it is: evidence."""
    gave_up = f"gave up after {count(found.gave_up_after, 'probe')}"
    if found.value is not None and has_user_timeout(stack):
        return f"count most likely {found.value} ({gave_up}; a TCP_USER_TIMEOUT can do the same)"
    if found.value is not None:
        return f"count {found.value} ({gave_up})"
    return f"{gave_up}: its count, or its TCP_USER_TIMEOUT" if has_user_timeout(stack) else gave_up
