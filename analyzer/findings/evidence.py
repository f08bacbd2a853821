"""What a row of the third table brings along when it wins: the frames that show it, and the numbers its words need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from analyzer.findings.case import Case
from analyzer.findings.conditions import (
    due_after,
    forgetful,
    is_lookalike,
    quiet_at_the_end,
    reset_answers_data,
    silence,
    silence_before_the_end,
    trailing_gap,
)
from analyzer.judge.signatures import FIN_WAIT_2
from analyzer.units import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.judge.record import Probe
    from analyzer.judge.timers.inference import Settings

Evidence = tuple[tuple[int, ...], dict[str, int | str]]
Builder = Callable[[Case], Evidence]

_LINUX: Final = next(row for row in FIN_WAIT_2 if row.name == "Linux")
_DEFAULT_NS: Final = (nanoseconds(_LINUX.low_s), nanoseconds(_LINUX.high_s or _LINUX.low_s))
"""How long FIN-WAIT-2 lasts by default on Linux, with the lateness of its timer."""


def _frames(*parts: int | Iterable[int] | None) -> tuple[int, ...]:
    found: set[int] = set()
    for part in parts:
        if isinstance(part, int):
            found.add(part)
        elif part is not None:
            found.update(part)
    return tuple(sorted(found))


def _numbers(probes: Iterable[Probe]) -> tuple[int, ...]:
    return tuple(probe.frame for probe in probes)


def _answered(probes: Iterable[Probe]) -> int:
    return sum(probe.answer in {"ack", "data"} for probe in probes)


def _known(**values: int | str | None) -> dict[str, int | str]:
    return {key: value for key, value in values.items() if value is not None}


def _end_ns(case: Case) -> int:
    """Return when the flow ended, or the capture did."""
    return case.reset.ts_ns if case.reset is not None else case.record.end_ns


def close_wait(case: Case) -> Evidence:
    """After the peer's FIN: how long, and the probes."""
    fin, probes = case.peer_fin, case.after_peer_fin
    assert fin is not None
    return _frames(fin.frame, _numbers(probes)), _known(
        fin_frame=fin.frame,
        probes=len(probes),
        answered=_answered(probes),
        half_closed_ns=_end_ns(case) - fin.ts_ns,
    )


def fin_wait_2(case: Case) -> Evidence:
    """How long FIN-WAIT-2 was held: at least up to the last answer, at most up to the RST."""
    fin, reset = case.fin, case.own_reset
    assert fin is not None
    assert fin.acked_ns is not None
    assert reset is not None
    heard_ns = case.facts.last_ns
    low = max(heard_ns - fin.acked_ns, 0) if heard_ns is not None else 0
    high = reset.ts_ns - fin.acked_ns
    if high < _DEFAULT_NS[0]:
        fits = "shorter"
    elif low > _DEFAULT_NS[1]:
        fits = "longer"
    else:
        fits = "default"
    return _frames(fin.frame, fin.acked_frame, reset.answers_probe, reset.frame), _known(
        fin_frame=fin.frame,
        acked_frame=fin.acked_frame,
        reset_frame=reset.frame,
        probe_frame=reset.answers_probe,
        how="answer" if reset.answers_probe is not None else "unprompted",
        since_fin_ns=reset.ts_ns - fin.ts_ns,
        held_low_ns=low,
        held_high_ns=high,
        fits=fits,
    )


def half_close(case: Case) -> Evidence:
    """The peer's FIN and the data it still took."""
    fin = case.peer_fin
    assert fin is not None
    return _frames(fin.frame, case.facts.last_data_frame), _known(
        fin_frame=fin.frame,
        data_frame=case.facts.last_data_frame,
        half_closed_ns=(case.fin.ts_ns if case.fin else _end_ns(case)) - fin.ts_ns,
        probes=len(case.record.probes_after_fin),
    )


def slow_close(case: Case) -> Evidence:
    """Both FINs and the probes between."""
    fin, late = case.peer_fin, case.fin
    assert fin is not None
    assert late is not None
    probes = [probe for probe in case.probes if probe.after_fin == "received"]
    return _frames(fin.frame, _numbers(probes), late.frame), _known(
        fin_frame=fin.frame,
        own_fin_frame=late.frame,
        half_closed_ns=late.ts_ns - fin.ts_ns,
        probes=len(probes),
    )


def own_fin_probes(case: Case) -> Evidence:
    """Its FIN and its probes after it."""
    assert case.fin is not None
    probes = [probe for probe in case.probes if probe.after_fin == "sent"]
    return _frames(case.fin.frame, _numbers(probes)), _known(
        fin_frame=case.fin.frame, probes=len(probes), answered=_answered(probes)
    )


def late_data(case: Case) -> Evidence:
    """The peer's FIN, the data sent after it, and the RST."""
    fin, reset = case.peer_fin, case.reset
    assert fin is not None
    assert reset is not None
    return _frames(fin.frame, case.facts.last_data_frame, reset.frame), _known(
        fin_frame=fin.frame,
        data_frame=case.facts.last_data_frame,
        reset_frame=reset.frame,
        since_fin_ns=(case.facts.last_data_ns or fin.ts_ns) - fin.ts_ns,
    )


def _settings(settings: Settings | None) -> dict[str, int | str]:
    """Return the values inferred, where there are any."""
    if settings is None:
        return {}
    idle = settings.idle or settings.period
    return _known(
        idle_ns=idle.value_ns if idle else None,
        interval_ns=settings.interval.value_ns if settings.interval else None,
    )


def dead_peer(case: Case) -> Evidence:
    """The unanswered probes, when the peer was last heard, and the RST."""
    trailing, reset = case.trailing, case.own_reset
    assert reset is not None
    heard_ns = case.peer_facts.last_ns
    known, first = _settings(case.settings), trailing[0]
    if not first.first_of_train and case.settings and case.settings.period and case.settings.period.value_ns:
        # after an answered probe the wait is max(idle, interval) on Linux
        known["wait_ns"] = case.settings.period.value_ns
    elif "idle_ns" in known:
        known["wait_ns"] = known["idle_ns"]
    return _frames(_numbers(trailing), reset.frame), _known(
        unanswered=len(trailing),
        reset_frame=reset.frame,
        detection_ns=reset.ts_ns - heard_ns if heard_ns is not None else None,
        **known,
    )


def lost_answers(case: Case) -> Evidence:
    """The answers that the capture shows and the prober's RST belies."""
    reset = case.own_reset
    assert reset is not None
    last = [probe for probe in case.probes if probe.train == case.probes[-1].train and probe.answer in {"ack", "data"}]
    return _frames(_numbers(last), (p.answer_frame for p in last if p.answer_frame), reset.frame), _known(
        answered=len(last), reset_frame=reset.frame
    )


def still_probing(case: Case) -> Evidence:
    """The unanswered probes so far, their spacing, and how long the capture went on."""
    trailing = case.trailing
    interval = case.settings.interval if case.settings else None
    heard_ns = case.peer_facts.last_ns
    return _frames(_numbers(trailing)), _known(
        unanswered=len(trailing),
        first_frame=trailing[0].frame,
        first_ns=trailing[0].ts_ns,
        gap_ns=trailing_gap(case),
        interval_ns=interval.value_ns if interval else None,
        silent_ns=case.record.end_ns - heard_ns if heard_ns is not None else None,
        waited_ns=case.record.end_ns - trailing[-1].ts_ns,
    )


def forgot(case: Case) -> Evidence:
    """The RST and what it answers."""
    reset = case.own_reset
    assert reset is not None
    by_data = reset_answers_data(case)
    asked = case.peer_facts.resent_frame if case.peer_facts.resent else case.peer_facts.last_data_frame
    heard_ns = case.facts.last_ns if case.facts.segments > 1 else None
    return _frames(reset.answers_probe, asked if by_data else None, reset.frame), _known(
        what="data" if by_data else "probe",
        asked_frame=asked if by_data else reset.answers_probe,
        reset_frame=reset.frame,
        bare=int(not reset.has_ack),
        midstream=int(case.record.starts_with == "midstream"),
        silent_ns=reset.ts_ns - heard_ns if heard_ns is not None else None,
    )


def between(case: Case) -> Evidence:
    """In what the RST differs from the endpoint's own packets."""
    reset = case.own_reset
    assert reset is not None
    low, high = reset.own_ttl or (None, None)
    return _frames(reset.answers_probe, reset.frame), _known(
        reset_frame=reset.frame,
        probe_frame=reset.answers_probe,
        differs=" ".join(reset.strange),
        ttl=reset.ttl,
        own_ttl_low=low,
        own_ttl_high=high,
    )


def abort(case: Case) -> Evidence:
    """The RST, and whether data can have lain unread."""
    reset = case.own_reset
    assert reset is not None
    sent, resent = case.peer_facts.payload_bytes, case.facts.resent if case.facts.unacked_ns is not None else 0
    if sent:
        unread = "possible"
    elif resent or case.record.starts_with == "midstream":
        unread = "unknown"
    else:
        unread = "impossible"
    return _frames(case.peer_facts.last_data_frame if sent else None, reset.frame), _known(
        reset_frame=reset.frame,
        unread=unread,
        received_bytes=sent,
        resent=resent,
        data_frame=case.peer_facts.last_data_frame if sent else None,
    )


def lost_probes(case: Case) -> Evidence:
    """The probes without answer, and how many of all."""
    lost, probes = case.lost, case.probes
    longest = run = 0
    for probe in probes:
        run = run + 1 if probe in lost else 0
        longest = max(longest, run)
    return _frames(_numbers(lost)), _known(lost=len(lost), probes=len(probes), longest_run=longest)


def unacknowledged(case: Case) -> Evidence:
    """Since when something is outstanding, and how often it was sent again."""
    facts = case.facts
    assert facts.unacked_ns is not None
    first = _numbers(case.probes)[-1:] if case.probes else ()
    return _frames(facts.unacked_frame, facts.resent_frame, first), _known(
        what="FIN" if case.fin is not None and case.fin.frame == facts.unacked_frame else "data",
        since_frame=facts.unacked_frame,
        last_frame=facts.resent_frame,
        unacked_ns=case.record.end_ns - facts.unacked_ns,
        resent=facts.resent,
        probed_before=len(case.probes),
    )


def unprobed(case: Case) -> Evidence:
    """The silence and its two ends."""
    span = silence(case)
    assert span is not None
    length, before, after = span
    return _frames(before, after), _known(idle_ns=length, from_frame=before, to_frame=after)


def close_wait_unprobed(case: Case) -> Evidence:
    """The FIN, and how long the other end has not closed."""
    fin = case.peer_fin
    assert fin is not None
    return (fin.frame,), _known(fin_frame=fin.frame, half_closed_ns=_end_ns(case) - fin.ts_ns)


def middlebox(case: Case) -> Evidence:
    """The silence before the probe that failed."""
    found = silence_before_the_end(case)
    assert found is not None
    limits = forgetful(found[0])
    return _frames(found[1]), _known(
        silence_ns=found[0], probe_frame=found[1], limits=", ".join(f"{row.name} {row.idle_s} s" for row in limits)
    )


def overdue(case: Case) -> Evidence:
    """The probes there were, the last segment, and the silence since."""
    return _frames(_numbers(case.probes), case.record.last_frame), _known(
        last_frame=case.record.last_frame, silent_ns=quiet_at_the_end(case), due_ns=due_after(case)
    )


def window_shut(case: Case) -> Evidence:
    """Since when the window is closed."""
    return _frames(case.facts.window_shut_frame), _known(probes=0, shut_frame=case.facts.window_shut_frame)


def often(case: Case) -> Evidence:
    """The rhythm of the answered probes."""
    gaps = case.answered_gaps
    middle = gaps[len(gaps) // 2]
    return _frames(_numbers(case.probes)), _known(gap_ns=middle, observations=len(gaps), probes=len(case.probes))


def both_probe(case: Case) -> Evidence:
    """How many probes each end sent."""
    own, peers = case.probes, case.record.probes_from(case.peer)
    return _frames(_numbers(own), _numbers(peers)), _known(probes_a=len(own), probes_b=len(peers))


def lookalikes(case: Case) -> Evidence:
    """The segments and what they are, counted by kind."""
    found = [segment for segment in case.record.not_probes if is_lookalike(segment, case.side)]
    counts = Counter(segment.is_ for segment in found)
    return _frames(segment.frame for segment in found), {kind: counts[kind] for kind in sorted(counts)}


def closed_window(case: Case) -> Evidence:
    """The window probes of the peer."""
    probes = [probe for probe in case.record.zero_window_probes if probe.sender == case.peer]
    shut = [w.frame for w in case.record.windows if w.sender == case.side and w.shut and w.frame < probes[0].frame]
    opened = [
        w.frame for w in case.record.windows if w.sender == case.side and not w.shut and w.frame > probes[-1].frame
    ]
    return _frames(shut[-1:], (probe.frame for probe in probes), opened[:1]), _known(
        probes=len(probes),
        shut_frame=shut[-1] if shut else None,
        opened_frame=opened[0] if opened else None,
        span_ns=probes[-1].ts_ns - probes[0].ts_ns,
    )


def icmp(case: Case) -> Evidence:
    """The errors, and which of them quote a probe."""
    errors = [error for error in case.record.icmp_errors if error.quotes == case.side]
    kinds = {(error.version, error.type, error.code) for error in errors}
    one = next(iter(kinds)) if len(kinds) == 1 else None
    return _frames(error.frame for error in errors), _known(
        errors=len(errors),
        quote_probes=sum(error.quotes_probe is not None for error in errors),
        version=one[0] if one else None,
        type=one[1] if one else None,
        code=one[2] if one else None,
    )


def ignored(case: Case) -> Evidence:
    """The RSTs without effect."""
    resets = [reset for reset in case.record.resets if reset.sender == case.side and reset.kind == "ignored"]
    return _frames(reset.frame for reset in resets), _known(resets=len(resets))


def first_frame(case: Case) -> Evidence:
    """The flow's first frame."""
    return (case.record.first_frame,), {}


def one_sided(case: Case) -> Evidence:
    """The flow's ends, and which endpoint is missing."""
    record = case.record
    unseen = "a" if record.facts_a.segments == 0 else "b"
    return _frames(record.first_frame, record.last_frame), _known(unseen=unseen, probes=len(record.probes))


def backwards(case: Case) -> Evidence:
    """How often the clock went back."""
    return _frames(case.record.first_frame, case.record.last_frame), _known(times=case.record.backwards)


def cut(case: Case) -> Evidence:
    """How many headers are missing."""
    return _frames(case.record.first_frame, case.record.last_frame), _known(segments=case.record.cut)
