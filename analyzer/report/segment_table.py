"""The segments of a flow that bear its story out, one row each with its frame number, for tables to look things up in.

It must not judge: what a row says is what the record says.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.judge.events import Fin, IcmpError, Resent, Reset
from analyzer.judge.probe import Probe, ZeroWindowProbe
from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.units import format_duration, format_instant
from analyzer.values import dataclass
from analyzer.words.probes import waited
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side
    from analyzer.words.probes import Waited

MOST_ROWS: Final = 40
"""Of more, only the first and last are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """A segment, or a gap between segments that are left out."""

    frame: int
    ts_ns: int
    at: str
    sender: str
    what: str
    answer: str = ""
    mark: str = ""
    """``probe``, ``unanswered``, ``fin``, ``reset`` or nothing; for the eye only."""


class Milestone(NamedTuple):
    """A segment of which a record has the frame and the time."""

    frame: int
    ts_ns: int
    sender: Side
    what: str


Listed = Probe | ZeroWindowProbe | Fin | IcmpError | Resent | Reset | Milestone
"""What has a row."""
_FRAME: Final = attrgetter("frame")


def evidence(judged: JudgedFlow, start_ns: int, most: int = MOST_ROWS) -> tuple[list[Row], int, list[Row]]:
    """Return the first rows, how many after them are left out, and the last rows; ``most`` of them together.

    Rows are made of what is returned only: a flow may have a million segments to list.
    """
    t = Teller(judged, start_ns)
    found = sorted(_listed(judged.record), key=_FRAME)
    half = len(found) if len(found) <= most else most // 2
    first, last = found[:half], found[max(half, len(found) - half) :]
    left_out = len(found) - len(first) - len(last)
    return [_row(t, one, start_ns) for one in first], left_out, [_row(t, one, start_ns) for one in last]


def _listed(record: FlowRecord) -> list[Listed]:
    """Return everything that has a row."""
    found: list[Listed] = [*record.probes, *record.zero_window_probes, *record.fins]
    found += [*record.icmp_errors, *record.resent, *record.resets]
    for side in SIDES:
        facts = record.facts(side)
        if facts.syn_frame and facts.syn_ns is not None:
            what = "SYN" if side == record.initiator else "SYN,ACK"
            found.append(Milestone(facts.syn_frame, facts.syn_ns, side, what))
        if facts.first_data_frame and facts.first_data_ns is not None:
            found.append(Milestone(facts.first_data_frame, facts.first_data_ns, side, "first data"))
        if facts.last_data_frame and facts.last_data_frame != facts.first_data_frame and facts.last_data_ns is not None:
            found.append(Milestone(facts.last_data_frame, facts.last_data_ns, side, "last data"))
    return found


def _row(t: Teller, segment: Listed, start_ns: int) -> Row:
    """Return the row of a segment."""
    side = segment.quotes if isinstance(segment, IcmpError) else segment.sender
    what, answer, mark = _words(t, segment)
    return Row(segment.frame, segment.ts_ns, format_instant(segment.ts_ns, start_ns), t.name(side), what, answer, mark)


def _words(t: Teller, segment: Listed) -> tuple[str, str, str]:
    """Return what a segment is, what answered it, and its mark."""
    match segment:
        case Probe():
            return _probe(t, segment)
        case ZeroWindowProbe():
            return "zero-window probe", _by(segment.answer_frame), ""
        case Fin():
            return "FIN", _by(segment.acked_frame), "fin"
        case IcmpError():
            return f"ICMP error, type {segment.type} code {segment.code}, quotes this", "", ""
        case Resent():
            return "data sent again", "", ""
        case Reset():
            what = "RST+ACK" if segment.has_ack else "RST"
            asked = "" if segment.answers_probe is None else f"answers frame {segment.answers_probe}"
            without = "" if segment.accepted_end else " (ended nothing)"
            return what + without, asked, "reset"
    return segment.what, "", ""


def _probe(t: Teller, probe: Probe) -> tuple[str, str, str]:
    sure = "" if probe.certainty == "certain" else f" ({probe.certainty})"
    peer = t.the(other(probe.sender))
    after = _waited(waited(t.record, probe), peer)
    fin = {None: "", "sent": ", after its own FIN", "received": f", after {peer}'s FIN"}.get(
        probe.after_fin, ", after both FINs"
    )
    if t.record.is_unseen(other(probe.sender)):
        answer = "not visible here"
    elif t.record.is_cut_off(probe):
        answer = "the capture ends"
    elif probe.answer is None:
        answer = "no answer"
    else:
        took = "" if probe.answer_ns is None else f" after {format_duration(probe.answer_ns)}"
        answer = f"{probe.answer.upper() if probe.answer != 'data' else 'data'}, frame {probe.answer_frame}{took}"
    return f"keepalive probe{sure}{after}{fin}", answer, "probe" if probe.answer else "unanswered"


def _waited(found: Waited | None, peer: str) -> str:
    """Return how long a probe had waited."""
    if found is None or not found.ns:
        return ""
    for_ns = format_duration(found.ns)
    return {
        "idle": f", after {for_ns} idle",
        "probe": f", {for_ns} after the one before",
        "packet": f", {for_ns} after {peer}'s last packet",
    }[found.since]


def _by(frame: int | None) -> str:
    return "" if frame is None else f"ACK, frame {frame}"
