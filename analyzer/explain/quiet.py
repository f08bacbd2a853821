"""Flows that nothing ended, that never began, or of which the capture cannot tell; and endings without a finding of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.closing import number, probe_summary, side_of
from analyzer.explain.model import Line
from analyzer.explain.teller import count, duration
from analyzer.flow import SIDES
from analyzer.record import other

if TYPE_CHECKING:
    from analyzer.explain.teller import Teller


def open_headline(t: Teller) -> str:
    """Return an open connection in one line."""
    probes = t.record.probes
    if not probes:
        idle = t.find("idle-without-probes")
        if idle:
            return f"Open when the capture ended; idle for {duration(number(idle, 'idle_ns'))}, and nobody probed."
        return "Open when the capture ended; no keepalive probes."
    answered = sum(probe.answer in {"ack", "data"} for probe in probes)
    lost = t.find("probes-lost-but-recovered")
    if lost:
        return f"Open when the capture ended; {number(lost, 'lost')} of {number(lost, 'probes')} probes unanswered, but later ones were answered."
    if answered == len(probes):
        return f"Open when the capture ended; keepalive works: {count(len(probes), 'probe')}, all answered."
    return f"Open when the capture ended; {answered} of {count(len(probes), 'probe')} answered, the last not yet."


def open_(t: Teller) -> list[Line]:
    """Return probes, losses and the state at the end."""
    found = probe_summary(t)
    lost = t.find("probes-lost-but-recovered")
    if lost:
        found.append(
            Line(
                f"{count(number(lost, 'lost'), 'probe')} of {t.the(side_of(lost))} got no answer here, at most {number(lost, 'longest_run')} in a row; an answer to a later one "
                f"set the count back to zero.",
                lost.frames,
            )
        )
    waiting = [probe for side in SIDES if (own := t.probes(side)) for probe in own[-1:] if probe.answer is None]
    if waiting:
        found.append(
            Line(
                f"The last had no answer when the capture ended {duration(t.record.end_ns - waiting[-1].ts_ns)} later: too soon to say anything.",
                tuple(probe.frame for probe in waiting),
            )
        )
    after = t.record.end_ns - t.record.last_ns
    found.append(
        Line(
            f"The flow's last segment came at {t.at(t.record.last_ns)}; the capture ended {duration(after)} later, with the connection open.",
            (t.record.last_frame,),
        )
    )
    return found


def open_why(t: Teller) -> list[Line]:
    """Return why there are no probes, if there are none."""
    if t.record.probes or t.record.idle_from is None:
        return []
    frames = tuple(frame for frame in (t.record.idle_from, t.record.idle_to) if frame)
    return [
        Line(
            f"In the longest silence, {duration(t.record.idle_ns)}, no probe passed: keepalive is off at both ends, or its idle time is longer than that.",
            frames,
        )
    ]


def unestablished_headline(t: Teller) -> str:
    """Return a failed handshake in one line."""
    if t.record.initiator is None:
        return "No handshake completed."
    facts = t.facts(t.record.initiator)
    refused = [reset for reset in t.record.resets if reset.sender != t.record.initiator]
    if refused:
        return f"{t.start(t.record.initiator)}'s SYN was refused with a RST: never established."
    return f"{t.start(t.record.initiator)} sent SYN {count(facts.syn_count, 'time')} and the handshake never completed."


def unestablished(t: Teller) -> list[Line]:
    """Return the SYNs and what came of them."""
    if t.record.initiator is None:
        return [Line("No handshake completed.", (t.record.first_frame,))]
    opener, called = t.record.initiator, other(t.record.initiator)
    facts = t.facts(opener)
    frames = tuple(sorted({frame for frame in (facts.syn_frame, t.record.last_frame) if frame}))
    refused = [reset for reset in t.record.resets if reset.sender == called]
    if refused:
        return [
            Line(
                f"{t.start(called)}'s address answered the SYN with a RST: nothing listens there, or a box in between refuses.",
                (*frames[:1], refused[0].frame),
            )
        ]
    if t.facts(called).syn_frame:
        return [Line(f"{t.start(called)} answered SYN,ACK, but no ACK of {t.the(opener)} follows.", frames)]
    return [Line(f"{t.start(opener)} sent SYN {count(facts.syn_count, 'time')}; no answer is in the capture.", frames)]


def unestablished_why(t: Teller) -> list[Line]:
    """Return that keepalive has no part in this."""
    return [
        Line(
            "Keepalive does not run before a connection is established; connection attempts have timers of their own.",
            (t.record.first_frame,),
        )
    ]


def undetermined_headline(t: Teller) -> str:
    """Return why the capture cannot tell, in one line."""
    if t.find("headers-cut") and not t.find("one-sided-capture"):
        return "Cannot be told: the snap length cut the TCP headers, only the ports are left."
    finding = t.find("one-sided-capture")
    if finding is None:
        return "Cannot be told from this capture."
    seen = t.the(other("a" if finding.data["unseen"] == "a" else "b"))
    probes = f"; {count(number(finding, 'probes'), 'suspected probe')}" if number(finding, "probes") else ""
    return f"Cannot be told: only packets of {seen} were captured, none of its peer{probes}."


def undetermined(t: Teller) -> list[Line]:
    """Return what is missing."""
    found = []
    cut = t.find("headers-cut")
    if cut:
        found.append(
            Line(
                f"Of {count(number(cut, 'segments'), 'segment')} the capture holds no more than the ports: no flags, no complete numbers.",
                cut.frames,
            )
        )
    if t.find("one-sided-capture"):
        found.append(
            Line(
                "With one direction missing nothing can be said to be unanswered, and a probe cannot be told from a repeated ACK but by its even spacing.",
                (t.record.first_frame, t.record.last_frame),
            )
        )
        if t.record.probes:
            found.append(
                Line(
                    f"{count(len(t.record.probes), 'segment')} come so evenly that they are suspected to be probes.",
                    tuple(p.frame for p in t.record.probes),
                )
            )
    return found or [Line("The capture shows too little of this flow.", (t.record.first_frame, t.record.last_frame))]


def nothing(t: Teller) -> list[Line]:
    """Return no further words."""
    del t
    return []


# ── endings that no finding explains ──


def reset_headline(t: Teller) -> str:
    """Return any other RST in one line."""
    reset = t.reset
    if reset is None:
        return "Ended."
    fin = t.fin(reset.sender)
    if reset.kind == "gave_up":
        return f"{t.start(reset.sender)} gave up on its peer and sent RST."
    if fin is not None:
        return f"{t.start(reset.sender)} sent FIN and {duration(reset.ts_ns - fin.ts_ns)} later a RST, which ended the connection."
    return f"A RST of {t.the(reset.sender)} ended the connection."


def reset(t: Teller) -> list[Line]:
    """Return any other RST."""
    reset_ = t.reset
    found = probe_summary(t)
    if reset_ is None:
        return found
    shape = "RST+ACK" if reset_.has_ack else "RST without ACK"
    found.append(
        Line(
            f"{t.start(reset_.sender)} sent {shape} at {t.at(reset_.ts_ns)}; that ended the connection.",
            (reset_.frame,),
        )
    )
    fin = t.fin(reset_.sender)
    if fin is not None:
        found.append(Line(f"It had sent FIN {duration(reset_.ts_ns - fin.ts_ns)} before.", (fin.frame,)))
    return found


def reset_why(t: Teller) -> list[Line]:
    """Return what a RST after a FIN, or a bare one, usually is."""
    reset_ = t.reset
    if reset_ is None:
        return []
    if t.fin(reset_.sender) is not None:
        return [
            Line(
                "A RST after the sender's own FIN usually means that its program had closed, and data came that nobody can take any more.",
                (reset_.frame,),
            )
        ]
    if not reset_.has_ack:
        return [
            Line(
                'A RST without ACK is the answer "no such connection"; which segment it answers is not clear here.',
                (reset_.frame,),
            )
        ]
    return []


def silent_headline(t: Teller) -> str:
    """Return any other silence in one line."""
    return f"Silence: what was sent last stayed unanswered for {duration(t.record.end_ns - t.record.last_ns)} to the capture's end."


def silent(t: Teller) -> list[Line]:
    """Return any other silence."""
    return [
        *probe_summary(t),
        Line(
            f"The flow's last segment, at {t.at(t.record.last_ns)}, was not answered, nor what was sent before it.",
            (t.record.last_frame,),
        ),
    ]
