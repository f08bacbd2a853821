"""The words in a picture of one flow, and the stretch of time that it is about: labels, no sentences.

It must not change a verdict: it reads the ending as decided, and counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.report.plot.times import brief
from analyzer.track.flow import SIDES
from analyzer.units import NS_PER_S
from analyzer.values import dataclass
from analyzer.words.teller import count

if TYPE_CHECKING:
    from analyzer.judge.events import Reset
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side

TAIL: Final = 0.6
"""How much of a picture's time may go to what follows the last segment, as a part of the flow's own."""
CLOSE_UP_FROM: Final = 3
"""Probes that are worth a close-up."""
CROWDED: Final = 0.14
"""Part of the picture below which they need one."""
LANE_LETTERS: Final = 24
"""Of a line that names a lane."""
FOREIGN: Final = {"ttl", "mac", "went_on"}
"""What shows that a RST is not of the endpoint in whose name it comes (as in ``verdict``)."""
MOMENT_NS: Final = 1000
"""A flow shorter than this is drawn as if it took a second."""
WORTH: Final = 0.04
"""Part of the picture that a stretch must cover to be bracketed."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """A stretch of time worth measuring."""

    begin_ns: int
    end_ns: int
    begin_side: Side | None
    """Whose segment begins it; None if it is not a segment."""
    end_side: Side | None
    wordings: tuple[str, ...]
    """Longest first."""


def reach_ns(judged: JudgedFlow) -> int:
    """Return until when a flow is drawn: its last segment, or the capture's end where nothing ended it before.

    Of a capture that goes on for long after the last segment only a part is drawn, lest all the rest be squeezed; as
    much as it takes to show who was asked for in vain.
    """
    record = judged.record
    life_ns = record.last_ns - record.first_ns
    if life_ns < MOMENT_NS:
        return record.first_ns + NS_PER_S
    if judged.ending.verdict.is_over:
        return record.last_ns
    asked_ns = 0 if record.beside is None else max(record.beside["asked_last_ns"], record.beside["hop_asked_last_ns"])
    return min(max(record.end_ns, record.last_ns), max(record.last_ns + round(life_ns * TAIL), asked_ns))


def with_margin(judged: JudgedFlow) -> tuple[int, int]:
    """Return the ends of the time axis of a whole flow."""
    first_ns, stop_ns = judged.record.first_ns, reach_ns(judged)
    margin_ns = (stop_ns - first_ns) // 50
    return first_ns - margin_ns, stop_ns + margin_ns


def close_up(judged: JudgedFlow) -> tuple[int, int] | None:
    """Return the stretch of time to show enlarged: unanswered last probes, too close together in the whole.

    Two hours of idle time, then nine probes in eleven minutes: that is what a system's defaults look like.
    """
    record = judged.record
    drawn_ns = reach_ns(judged) - record.first_ns
    for side in SIDES:
        lost = record.trailing(side)
        if len(lost) < CLOSE_UP_FROM:
            continue
        begin_ns, reset = lost[0].ts_ns, record.ending_reset
        end_ns = max(lost[-1].ts_ns, begin_ns if reset is None else reset.ts_ns)
        took_ns = end_ns - begin_ns
        if 0 < took_ns < CROWDED * drawn_ns:
            return begin_ns - took_ns // 6, end_ns + took_ns // 12
    return None


def lane_words(record: FlowRecord, side: Side) -> str:
    """Return what names an endpoint's lane, in short lines."""
    endpoint = record.endpoint(side)
    address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    lines = [f"{address}:{endpoint.port}"]
    if len(lines[0]) > LANE_LETTERS:
        cut = address.rindex(":", 0, len(address) // 2 + 3) + 1
        lines = [lines[0][:cut], lines[0][cut:]]
    lines.append(side if record.initiator is None else f"{record.role(side)} ({side})")
    return "\n".join(lines)


def the(record: FlowRecord, side: Side) -> str:
    """Return the name with its article: ``the client``, or ``a``."""
    return side if record.initiator is None else f"the {record.role(side)}"


def ending_words(judged: JudgedFlow, reach: int) -> tuple[int, tuple[str, ...]]:
    """Return where in time a flow's ending is shown, and in what words, longest first."""
    record, ending = judged.record, judged.ending
    reset = record.ending_reset
    at_ns = ending.ts_ns if ending.ts_ns is not None and ending.verdict.is_over else reach
    until = " when the capture ends"
    if record.end_ns > reach:
        until = f", with nothing more for {brief(record.end_ns - record.last_ns)}"
    if reset is not None and ending.verdict.is_reset:
        return at_ns, _reset_words(judged, reset)
    words: tuple[str, ...]
    match ending.verdict:
        case Verdict.CLOSED:
            words = ("closed: FIN both ways", "closed")
        case Verdict.HALF_CLOSED:
            stayed = record.role(other("a" if ending.by == "a" else "b"))
            words = (f"{stayed} has not closed{until}", f"{stayed} has not closed", "half-closed")
        case Verdict.CLOSING:
            words = ("closing when the capture ends", "closing")
        case Verdict.SILENT:
            words = (f"unanswered{until}", "unanswered")
        case Verdict.UNESTABLISHED:
            words = ("no handshake completed", "no handshake")
        case Verdict.OPEN:
            words = (f"open{until}", "open")
        case _:
            words = ("the capture cannot tell the end", "undetermined")
    return at_ns, words


def _reset_words(judged: JudgedFlow, reset: Reset) -> tuple[str, ...]:
    """Return who reset, and why as far as the segment itself says."""
    side, verdict = reset.sender, judged.ending.verdict
    who = judged.record.role(side)
    if judged.ending.by == "between":
        return f"RST in {the(judged.record, side)}'s name, but not its own", "RST of neither end", "RST"
    if verdict is Verdict.TIMED_OUT:
        lost = len(judged.record.trailing(side))
        return (
            f"{who} gives up after {count(lost, 'unanswered probe')}: RST",
            f"{who} gives up: RST",
            "RST",
        )
    if verdict is Verdict.RESET_ON_PROBE:
        return f"{who} answers the probe with RST", "RST answers the probe", "RST"
    if reset.kind == "no_socket":
        return f"{who} has no such socket: RST", "RST"
    return f"{who} resets the connection", "RST"


def bracket(judged: JudgedFlow) -> Bracket | None:
    """Return the stretch of time that tells how the flow ended; None if there is none worth showing."""
    record = judged.record
    found = _stretch(judged)
    if found is None:
        return None
    drawn_ns = reach_ns(judged) - record.first_ns
    return found if found.end_ns - found.begin_ns >= WORTH * drawn_ns else None


def _stretch(judged: JudgedFlow) -> Bracket | None:
    record, ending = judged.record, judged.ending
    fin = record.fins[0] if record.fins else None
    reset = record.ending_reset
    verdict = ending.verdict
    if verdict is Verdict.TIMED_OUT and reset is not None:
        return _since_heard(record, other(reset.sender), reset.ts_ns, reset.sender)
    if verdict.is_reset and reset is not None:
        if fin is not None:
            long = f"RST {brief(reset.ts_ns - fin.ts_ns)} after the FIN"
            return Bracket(
                fin.ts_ns,
                reset.ts_ns,
                fin.sender,
                reset.sender,
                _with_probes(record, fin.ts_ns, reset.ts_ns, long),
            )
        answers = verdict is Verdict.RESET_ON_PROBE
        return _since_heard(record, reset.sender, reset.ts_ns, reset.sender) if answers else None
    if verdict is Verdict.SILENT:
        deaf = _unheard(record)
        return None if deaf is None else _since_heard(record, deaf, reach_ns(judged), None)
    if verdict is Verdict.HALF_CLOSED and fin is not None:
        stop_ns = reach_ns(judged)
        long = f"half-closed for {brief(record.end_ns - fin.ts_ns)}"
        return Bracket(fin.ts_ns, stop_ns, fin.sender, None, _with_probes(record, fin.ts_ns, stop_ns, long))
    if verdict is Verdict.CLOSED and len(record.fins) > 1:
        last = record.fins[-1]
        assert fin is not None
        long = f"half-closed for {brief(last.ts_ns - fin.ts_ns)}"
        return Bracket(
            fin.ts_ns, last.ts_ns, fin.sender, last.sender, _with_probes(record, fin.ts_ns, last.ts_ns, long)
        )
    return None


def _since_heard(record: FlowRecord, silent: Side, end_ns: int, end_side: Side | None) -> Bracket | None:
    """Return the stretch from an endpoint's last segment (a RST aside) to an end."""
    begin_ns = record.facts(silent).last_ns
    if begin_ns is None or begin_ns >= end_ns:
        return None
    if end_side is None:
        long = f"{the(record, silent)} not heard for {brief(record.end_ns - begin_ns)}"
    else:
        answered = any(
            probe.answer_ns is not None and probe.ts_ns + probe.answer_ns == begin_ns for probe in record.probes
        )
        long = (
            f"RST {brief(end_ns - begin_ns)} after {the(record, silent)}'s last {'answer' if answered else 'segment'}"
        )
    wordings = _with_probes(record, begin_ns, end_ns, long)
    if silent == end_side:
        wordings = wordings[-2:]  # the RST's own probe needs no counting
    return Bracket(begin_ns, end_ns, silent, end_side, wordings)


def _with_probes(record: FlowRecord, begin_ns: int, end_ns: int, long: str) -> tuple[str, ...]:
    """Return wordings of a stretch: with the number of probes in it, without, and the bare duration."""
    inside = [probe for probe in record.probes if begin_ns < probe.ts_ns <= end_ns]
    lost = sum(probe.answer is None for probe in inside)
    wordings = [long, brief(end_ns - begin_ns)]
    if inside:
        what = f"{count(len(inside), 'probe')} between" if lost < len(inside) else count(lost, "probe") + " unanswered"
        wordings.insert(0, f"{long}, {what}")
    return tuple(wordings)


def _unheard(record: FlowRecord) -> Side | None:
    return next((side for side in SIDES if unheard_since(record, side) is not None), None)


def unheard_since(record: FlowRecord, side: Side) -> int | None:
    """Return since when an endpoint has left probes or data of the other unanswered; None if it has not."""
    peer = other(side)
    last_ns = record.facts(side).last_ns
    since_ns = record.first_ns if last_ns is None else last_ns
    if any(reset.sender == side and reset.ts_ns > since_ns for reset in record.resets):
        return None
    window_probed = any(
        probe.sender == peer and probe.answer_frame is None and probe.ts_ns > since_ns
        for probe in record.zero_window_probes
    )
    waits = bool(record.trailing(peer)) or window_probed or record.facts(peer).unacked_ns is not None
    unseen = last_ns is None and record.facts(peer).syn_count > 0
    return since_ns if waits or unseen else None


def is_foreign(reset: Reset) -> bool:
    """Say whether a RST came from something between the endpoints."""
    return bool(FOREIGN & set(reset.strange))
