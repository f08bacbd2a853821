"""Segments in the form of a probe that are none: how many of which kind, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.words.teller import count

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOKS: Final = {
    "retransmission": ("retransmitted byte", "retransmitted bytes"),
    "stale_ack": ("overtaken ACK", "overtaken ACKs"),
    "not_idle": ("segment in the middle of activity", "segments in the middle of activity"),
    "keepalive_or_zero_window_probe": ("undecided probe of a closed window", "undecided probes of a closed window"),
    "duplicate_copy": ("duplicate of a packet", "duplicates of packets"),
    "unproven": ("that nothing in the capture proves", "that nothing in the capture proves"),
}
"""By the word of the JSON report, one and several."""
UNDECIDED: Final = frozenset({"keepalive_or_zero_window_probe", "unproven"})
"""Of these some may be probes: they are not called none."""


def lookalikes_text(counts: Mapping[str, int]) -> str:
    """Return how many of each kind: ``2 overtaken ACKs, 1 octet sent again``."""
    return ", ".join(count(counts[kind], *words) for kind, words in LOOKS.items() if counts.get(kind))


def may_be_probes(counts: Mapping[str, int]) -> bool:
    """Say whether some of these may be probes, which nothing in the capture decides."""
    return any(counts.get(kind) for kind in UNDECIDED)
