"""A receive window that was closed, probed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import FindingKind, Row
from analyzer.judge.record import other
from analyzer.judge.verdict import Verdict
from analyzer.words.model import LongText
from analyzer.words.teller import duration, number, side_of, times

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.judged import Finding
    from analyzer.words.teller import Teller


def probed_closed_window(case: Case) -> bool:
    """Its peer probed its closed window."""
    return any(probe.sender == case.peer for probe in case.record.zero_window_probes)


def window_stays_closed(case: Case) -> bool:
    """Its window is closed at the capture's end, its peer can still send, and sent no window probe."""
    unprobed = all(probe.sender != case.peer for probe in case.record.zero_window_probes)
    going_on = case.ending.verdict in {Verdict.OPEN, Verdict.SILENT, Verdict.HALF_CLOSED}
    return case.facts.window_shut_frame is not None and unprobed and going_on and case.peer_fin is None


def _probed_evidence(case: Case) -> Evidence:
    """The window probes of the peer."""
    probes = [probe for probe in case.record.zero_window_probes if probe.sender == case.peer]
    shut = [w.frame for w in case.record.windows if w.sender == case.side and w.shut and w.frame < probes[0].frame]
    opened = [
        w.frame for w in case.record.windows if w.sender == case.side and not w.shut and w.frame > probes[-1].frame
    ]
    return frames_of(shut[-1:], (probe.frame for probe in probes), opened[:1]), known(
        probes=len(probes),
        shut_frame=shut[-1] if shut else None,
        opened_frame=opened[0] if opened else None,
        span_ns=probes[-1].ts_ns - probes[0].ts_ns,
    )


def _shut_evidence(case: Case) -> Evidence:
    """Since when the window is closed."""
    return frames_of(case.facts.window_shut_frame), known(probes=0, shut_frame=case.facts.window_shut_frame)


def _detail(t: Teller, f: Finding) -> str:
    receiver = side_of(f)
    if not number(f, "probes"):
        return f"{t.start(receiver)}'s receive window stayed closed; its peer sent no window probe."
    text = f"{t.start(other(receiver))} probed {t.the(receiver)}'s closed window {times(number(f, 'probes'))}"
    if number(f, "span_ns"):
        text += f" within {duration(number(f, 'span_ns'))}"
    return text + ("; it opened again." if "opened_frame" in f.data else ".")


CLOSED: Final = FindingKind(
    code="window-closed",
    rows=(
        Row((probed_closed_window,), _probed_evidence),
        Row((window_stays_closed,), _shut_evidence),
    ),
    text=LongText(
        title="The receive window was closed",
        meaning=(
            "This end advertised window 0. A peer with data to send asks from time to time whether it has opened;"
            " such probes look like keepalive and are none."
        ),
        why=(
            "The program at this end does not read, or not fast enough. A kernel whose window is closed still"
            " answers, so this can last for ever."
        ),
        change=(
            "Read, or close, in the program whose window it is. At the other end bound the wait (TCP_USER_TIMEOUT,"
            " a timeout on write)."
        ),
        doubt=(
            "On Linux window probes and keepalive probes are the same segment; the closed window and the doubling"
            " of the gaps tell them apart."
        ),
        source="RFC 9293 3.8.6.1; Linux tcp_send_probe0; field guide 2.6",
    ),
    detail=_detail,
)
