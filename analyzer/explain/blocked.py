"""SYNs that were answered by ACKs of an older connection, which their receiver still holds: challenge ACKs.

Where the numbers are far apart such ACKs belong to the older flow, which tells it (``findings.kinds.half_open``); here
they are near, and so in the flow of the SYNs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.findings.kinds import half_open
from analyzer.judge.record import other
from analyzer.words.model import Line
from analyzer.words.teller import count, times

if TYPE_CHECKING:
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def acks(t: Teller) -> tuple[int, ...]:
    """Return the first and the last frame of what the called end answered SYNs with: ACKs and nothing else; or ()."""
    opener = t.record.initiator
    if opener is None or t.facts(opener).ack_frame:
        return ()
    facts = t.facts(other(opener))
    if (
        facts.syn_frame
        or facts.ack_frame is None
        or facts.payload_bytes
        or t.record.fins
        or facts.segments > t.facts(opener).syn_count
    ):
        return ()
    last = t.record.last_frame if facts.last_ns == t.record.last_ns else facts.ack_frame
    return tuple(sorted({facts.ack_frame, last}))


def happened(t: Teller, opener: Side, shown: tuple[int, ...]) -> list[Line]:
    """Return what ACKs mean that answer SYNs: the receiver has an older connection that its peer lost."""
    called, facts = other(opener), t.facts(opener)
    first, last = shown[0], shown[-1]
    among = f"frame {first:,}" if first == last else f"frames {first:,} to {last:,}"
    segments = count(t.facts(called).segments, "segment")
    refusals = [reset.frame for reset in t.record.resets if reset.sender == opener]
    drew = (
        f"{t.start(opener)} answered with a RST (frame {refusals[0]:,})."
        if refusals
        else f"A RST of {t.the(opener)} in answer to that is not in the capture: that ACK did not reach it, or its RST"
        " did not pass. A firewall or NAT that takes such an ACK for invalid does that (inferred)."
    )
    return [
        Line(
            f"{t.start(opener)} sent SYN {times(facts.syn_count)}; {t.the(called)} answered with ACK and not with"
            f" SYN,ACK: {segments}, {among}.",
            tuple(sorted({facts.syn_frame or first, *shown})),
        ),
        Line(
            f"That is a challenge ACK, which bears the numbers of a connection that {t.the(called)} still holds and"
            f" {t.the(opener)} has lost (inferred). While it is held, no new one opens on these addresses and ports.",
            shown,
        ),
        Line(drew, tuple(sorted({*shown, *refusals[:1]}))),
    ]


def advice(t: Teller) -> list[Line]:
    """Return what to do where a SYN met an older connection; nothing where none did."""
    shown = acks(t)
    return [Line(half_open.BLOCKED.text.change, shown)] if shown else []
