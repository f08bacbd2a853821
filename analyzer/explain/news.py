"""News of a flow that goes on: each event in one line, once, as it happens.

server probes after the client's FIN: answered in 27 us
client sends FIN -> client FIN-WAIT-1, server CLOSE-WAIT
reset_on_probe: A RST answered the server's 12th probe ...
"""

from __future__ import annotations

from dataclasses import field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from analyzer.explain.storylines import storyline_of
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.values import dataclass
from analyzer.words.fins import may_have_closed_before
from analyzer.words.icmp import fitting, icmp_text, sent_to
from analyzer.words.probes import waited
from analyzer.words.teller import Teller, capital, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.judge.events import IcmpError, Reset
    from analyzer.judge.judged import JudgedFlow
    from analyzer.judge.probe import Probe
    from analyzer.track.flow import Side

PATIENCE_NS: Final = 200_000_000
"""A probe is told with its answer, if that comes within this."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that happened."""

    event: str
    """``flow``, ``probe``, ``answer``, ``fin``, ``reset``, ``zero_window_probe``, ``icmp`` or ``verdict``."""
    ts_ns: int
    frame: int | None
    sender: Side | None
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    """For programs; times in nanoseconds (``*_ns``)."""


class News:
    """What of one flow was told."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._told: set[tuple[str, int]] = set()
        self._verdict: Verdict | None = None

    def of(self, judged: JudgedFlow, start_ns: int, now_ns: int) -> list[Item]:
        """Return what is new, in order of time."""
        t = Teller(judged, start_ns)
        items = sorted(self._events(t, now_ns), key=lambda item: item.ts_ns)
        if judged.ending.verdict is not self._verdict:
            items += _verdict(t, now_ns, before=self._verdict)
            self._verdict = judged.ending.verdict
        return items

    def _is_new(self, event: str, frame: int) -> bool:
        if (event, frame) in self._told:
            return False
        self._told.add((event, frame))
        return True

    def _events(self, t: Teller, now_ns: int) -> Iterator[Item]:
        record = t.record
        if self._is_new("flow", 0):
            yield _opening(t)
        for probe in record.probes:
            ready = probe.answer is not None or now_ns - probe.ts_ns >= PATIENCE_NS
            if ready and self._is_new("probe", probe.frame):
                if probe.answer_frame is not None:
                    self._told.add(("answer", probe.frame))
                yield _probe(t, probe)
            elif probe.answer_frame is not None and self._is_new("answer", probe.frame):
                yield _late_answer(t, probe)
        for window_probe in record.zero_window_probes:
            if self._is_new("zero_window_probe", window_probe.frame):
                text = (
                    f"{t.name(window_probe.sender)} asks whether {t.the(other(window_probe.sender))}'s window is open"
                )
                yield Item("zero_window_probe", window_probe.ts_ns, window_probe.frame, window_probe.sender, text)
        for fin in record.fins:
            if self._is_new("fin", fin.frame):
                text = f"{t.name(fin.sender)} sends FIN"
                yield Item("fin", fin.ts_ns, fin.frame, fin.sender, _with_states(t, text, fin.frame))
        for reset in record.resets:
            if self._is_new("reset", reset.frame):
                yield _reset(t, reset)
        for error in record.icmp_errors:
            if self._is_new("icmp", error.frame):
                yield Item("icmp", error.ts_ns, error.frame, None, _icmp(t, error))


def _icmp(t: Teller, error: IcmpError) -> str:
    to = t.the(error.quotes)
    if error.is_redirect:
        return f"ICMP to {to}: redirect, {sent_to(error.router, t.the(other(error.quotes)))}"
    return f"ICMP error to {to}: {icmp_text(error.version, error.type, error.code)}{fitting(error.mtu)}"


def _opening(t: Teller) -> Item:
    record = t.record
    if record.initiator is None:
        text = f"{record.a} (endpoint a) and {record.b} (endpoint b), already connected"
    else:
        text = f"{record.endpoint(record.initiator)} (client) to {record.endpoint(other(record.initiator))} (server)"
    return Item("flow", record.first_ns, record.first_frame, None, text, {"a": str(record.a), "b": str(record.b)})


def _probe(t: Teller, probe: Probe) -> Item:
    text = f"{t.name(probe.sender)} probes"
    if probe.certainty != "certain":
        text += f" ({probe.certainty})"
    before = waited(t.record, probe)
    if before is not None and before.since == "idle":
        text += f", after {duration(before.ns)} idle"
    peer = t.the(other(probe.sender))
    text += {"received": f", after {peer}'s FIN", "sent": ", after its own FIN", "both": ", after both FINs"}.get(
        probe.after_fin or "", ""
    )
    if probe.answer is None:
        sent = [each for each in t.probes(probe.sender) if each.frame <= probe.frame]
        row = sum(1 for _ in takewhile(lambda each: each.answer is None, reversed(sent)))
        text += ": no answer" if row == 1 else f": no answer, {row} in a row"
    elif probe.answer_ns is not None:
        by = {"ack": "answered", "data": "answered by data", "rst": "answered by RST"}[probe.answer]
        text += f": {by} in {duration(probe.answer_ns)}"
    data = {
        "certainty": probe.certainty,
        "after_fin": probe.after_fin,
        "answer": probe.answer,
        "answer_frame": probe.answer_frame,
        "answer_ns": probe.answer_ns,
    }
    return Item("probe", probe.ts_ns, probe.frame, probe.sender, text, data)


def _late_answer(t: Teller, probe: Probe) -> Item:
    wait_ns = probe.answer_ns or 0
    text = f"{t.name(other(probe.sender))} answers the probe after {duration(wait_ns)}"
    data = {"probe": probe.frame, "answer": probe.answer, "answer_ns": wait_ns}
    return Item("answer", probe.ts_ns + wait_ns, probe.answer_frame, other(probe.sender), text, data)


def _reset(t: Teller, reset: Reset) -> Item:
    text = f"RST{'+ACK' if reset.has_ack else ''} from {t.the(reset.sender)}"
    if reset.answers_probe is not None:
        text += " in answer to the probe"
    elif reset.kind == "gave_up":
        text += ": it gives up"
    if reset.kind == "ignored":
        text += "; without effect"
    data = {"kind": reset.kind, "answers_probe": reset.answers_probe}
    return Item("reset", reset.ts_ns, reset.frame, reset.sender, _with_states(t, text, reset.frame), data)


def _verdict(t: Teller, now_ns: int, *, before: Verdict | None) -> list[Item]:
    """Return the verdict as it stands; that a flow is open goes without saying, unless it was something else.

    Of a flow that is not over the words are its own here, not those for a capture that ended.
    """
    ending = t.ending
    if ending.verdict is Verdict.OPEN and before is None:
        return []
    if ending.verdict.is_over:
        text = capital(storyline_of(t).headline(t))
    elif ending.verdict is Verdict.HALF_CLOSED:
        late = other(t.first_closer)
        text = f"{t.the(t.first_closer)} has closed its side, {t.the(late)} has not"
        if may_have_closed_before(t, late):
            text += " since the capture began"
    elif ending.verdict is Verdict.CLOSING:
        text = f"{t.the(t.first_closer)} has closed its side just now"
    elif ending.verdict is Verdict.SILENT:
        text = "no answer for longer than one expected interval"
    elif ending.verdict is Verdict.OPEN:
        text = "answers come again"
    else:
        text = "so far"
    data = {"verdict": ending.verdict.value, "by": ending.by}
    return [Item("verdict", now_ns, ending.frame, None, f"{ending.verdict.value}: {text}", data)]


def _with_states(t: Teller, text: str, frame: int) -> str:
    states = t.states_text([frame])
    return f"{text} -> {states}" if states else text
