"""The segments of a flow that bear its story out, one row each with its frame number, for tables to look things up in.

It must not judge: what a row says is what the record says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.units import format_duration, format_instant
from analyzer.words.teller import Teller

if TYPE_CHECKING:
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.record import Probe
    from analyzer.track.flow import Side

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


def evidence(judged: JudgedFlow, start_ns: int) -> tuple[list[Row], int, list[Row]]:
    """Return the first rows, how many after them are left out, and the last rows."""
    found = rows(judged, start_ns)
    if len(found) <= MOST_ROWS:
        return found, 0, []
    half = MOST_ROWS // 2
    return found[:half], len(found) - 2 * half, found[-half:]


def rows(judged: JudgedFlow, start_ns: int) -> list[Row]:
    """Return all rows of a flow in order of their frames."""
    t = Teller(judged, start_ns)
    record = judged.record

    def row(frame: int, ts_ns: int, side: Side, what: str, answer: str = "", mark: str = "") -> Row:
        return Row(frame, ts_ns, format_instant(ts_ns, start_ns), t.name(side), what, answer, mark)

    found = [
        *(_probe(t, probe, start_ns) for probe in record.probes),
        *(
            row(probe.frame, probe.ts_ns, probe.sender, "zero-window probe", _by(probe.answer_frame))
            for probe in record.zero_window_probes
        ),
        *(row(fin.frame, fin.ts_ns, fin.sender, "FIN", _by(fin.acked_frame), "fin") for fin in record.fins),
        *(
            row(error.frame, error.ts_ns, error.quotes, f"ICMP error, type {error.type} code {error.code}, quotes this")
            for error in record.icmp_errors
        ),
        *(row(again.frame, again.ts_ns, again.sender, "data sent again") for again in record.resent),
    ]
    for reset in record.resets:
        what = "RST+ACK" if reset.has_ack else "RST"
        asked = "" if reset.answers_probe is None else f"answers frame {reset.answers_probe}"
        without = "" if reset.accepted_end else " (ended nothing)"
        found.append(row(reset.frame, reset.ts_ns, reset.sender, what + without, asked, "reset"))
    for side in SIDES:
        facts = record.facts(side)
        if facts.syn_frame and facts.syn_ns is not None:
            found.append(row(facts.syn_frame, facts.syn_ns, side, "SYN" if side == record.initiator else "SYN,ACK"))
        if facts.first_data_frame and facts.first_data_ns is not None:
            found.append(row(facts.first_data_frame, facts.first_data_ns, side, "first data"))
        if facts.last_data_frame and facts.last_data_frame != facts.first_data_frame and facts.last_data_ns is not None:
            found.append(row(facts.last_data_frame, facts.last_data_ns, side, "last data"))
    return sorted(found, key=lambda one: one.frame)


def _probe(t: Teller, probe: Probe, start_ns: int) -> Row:
    sure = "" if probe.certainty == "certain" else f" ({probe.certainty})"
    after = (
        f", {format_duration(probe.gap_ns)} after the one before" if probe.gap_ns and not probe.first_of_train else ""
    )
    idle = f", after {format_duration(probe.idle_ns)} idle" if probe.first_of_train and probe.idle_ns else ""
    fin = {None: "", "sent": ", after its own FIN", "received": f", after the {t.name(other(probe.sender))}'s FIN"}.get(
        probe.after_fin, ", after both FINs"
    )
    if probe.answer is None:
        answer = "no answer"
    else:
        took = "" if probe.answer_ns is None else f" after {format_duration(probe.answer_ns)}"
        answer = f"{probe.answer.upper() if probe.answer != 'data' else 'data'}, frame {probe.answer_frame}{took}"
    return Row(
        probe.frame,
        probe.ts_ns,
        format_instant(probe.ts_ns, start_ns),
        t.name(probe.sender),
        f"keepalive probe{sure}{after}{idle}{fin}",
        answer,
        "probe" if probe.answer else "unanswered",
    )


def _by(frame: int | None) -> str:
    return "" if frame is None else f"ACK, frame {frame}"
