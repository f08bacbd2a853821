"""Sentences that several kinds of findings share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.protocols import beat_of, noun_of, patience_of
from analyzer.words.teller import duration

if TYPE_CHECKING:
    from analyzer.judge.judged import Finding

from analyzer.words import calls

CLOSE_IT: Final = (
    "Read until end of file (read returns 0, b'', io.EOF), then close the connection in the code that handles it"
    f"{calls.CLOSE_IN_GO}."
)
"""What to change where an end does not close."""
CALM_DOWN: Final = (
    "Let both ends agree. In gRPC raise the keepalive time of the end that pings to what the other permits (5"
    " min by default, and none without calls), or lower the server's: MinTime and PermitWithoutStream in Go,"
    " GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS elsewhere."
)
"""What to change where an end refuses the other's heartbeats as too many."""
LOST_OR_GONE: Final = "Whether these probes, or their answers, were lost, or nobody was there to answer."
"""What a capture cannot show of silence."""


def agreed_on(finding: Finding, which: int) -> str:
    """Return what the ends agreed on, if that is known, and after how long an end may give up, or should have.

    ``which`` is the place in the ``patience`` of a protocol.
    """
    limit_ns = finding.data.get("limit_ns")
    if not isinstance(limit_ns, int) or limit_ns == 0:
        return ""
    protocol = finding.data.get("protocol")
    halves = patience_of(str(protocol) if protocol is not None else None)[which]
    told = f" The ends agreed on {duration(limit_ns)}"
    times = {3: "one and a half times", 4: "two times"}.get(halves)
    if times is None:
        return f"{told}."
    return f"{told}; after {times} that, {duration(limit_ns * halves // 2)}, an end may give the other up."


def by_what(finding: Finding) -> str:
    """Return what the heartbeats of a finding are, or how they are known."""
    return beat_of(str(finding.data["protocol"])) if "protocol" in finding.data else "by their form"


def what_is_sent(finding: Finding) -> str:
    """Return what one message of a train is called."""
    return noun_of(str(finding.data.get("protocol")))
