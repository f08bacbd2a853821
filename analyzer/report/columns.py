"""The columns of the CSV tables, and what each means; light, because ``--help`` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOW_COLUMNS: Final = {
    "capture": "index of the capture, from 0",
    "flow": "number of the flow within its capture, from 0",
    "a": "endpoint that sent the first segment seen",
    "b": "the other",
    "initiator": "a, b, or empty where no SYN was seen",
    "starts_with": "handshake or midstream",
    "first_frame": "its first segment, counted from 1 as in Wireshark",
    "last_frame": "its last segment",
    "first_s": "when, in seconds from the capture's first frame",
    "last_s": "the same for its last segment",
    "segments_a": "segments that a sent",
    "segments_b": "segments that b sent",
    "payload_bytes_a": "bytes of new data from a",
    "payload_bytes_b": "bytes of new data from b",
    "probes_a": "keepalive probes from a, of every certainty",
    "probes_b": "keepalive probes from b",
    "probes_answered": "of both, by an ACK or data",
    "probes_after_fin": "of both, sent after a FIN of either end",
    "zero_window_probes": "of both; these are not keepalives",
    "idle_a_s": "inferred TCP_KEEPIDLE of a, empty if unknown",
    "interval_a_s": "inferred TCP_KEEPINTVL of a",
    "count_a": "inferred TCP_KEEPCNT of a",
    "idle_b_s": "inferred TCP_KEEPIDLE of b",
    "interval_b_s": "inferred TCP_KEEPINTVL of b",
    "count_b": "inferred TCP_KEEPCNT of b",
    "fin_a_s": "when a sent FIN",
    "fin_b_s": "when b sent FIN",
    "state_a": "derived state of a at the end, RFC 9293",
    "state_b": "derived state of b at the end",
    "verdict": "how the flow ended",
    "by": "who brought it about: a, b, between, or empty",
    "ending_frame": "the frame that shows it",
    "ending_s": "when",
    "findings": "codes, separated by spaces",
    "cause": "why it ended so; keepalive rules CODE explains it",
    "cause_certainty": "proven, likely or possible",
    "cause_instead": "codes of causes that fit as well, separated by spaces",
}
"""The columns of ``--csv``, and what each means."""

PROBE_COLUMNS: Final = {
    "capture": "index of the capture, from 0",
    "flow": "number of the flow within its capture, from 0",
    "frame": "the probe, counted from 1 as in Wireshark",
    "time_s": "seconds from the capture's first frame",
    "from": "a or b",
    "sender": "its endpoint",
    "receiver": "the other endpoint",
    "payload_len": "0, or 1 for a probe that carries a byte",
    "certainty": "certain, probable or suspected",
    "doubt": "why not certain",
    "gap_s": "since its train's previous probe (first: since any segment)",
    "idle_s": "since the peer's last segment that was not keepalive",
    "train": "number of the train among the sender's, from 0",
    "after_fin": "FINs the prober had sent or received: sent, received, both",
    "answer": "ack, rst, data, or empty",
    "answer_frame": "the answer",
    "answer_s": "how long the answer took",
}
"""The columns of ``--csv --table probes``, and what each means."""

FINDING_COLUMNS: Final = {
    "capture": "index of the capture, from 0",
    "flow": "number of the flow within its capture, from 0",
    "code": "what was found; keepalive rules CODE explains it",
    "about": "the endpoint it is about: a, b, or empty",
    "frames": "the frames that bear it out, separated by spaces",
    "detail": "one or two sentences",
}
"""The columns of the table of findings (Parquet and DataFrames), and what each means."""

INSTANTS: Final = {
    "first_s": "first_at",
    "last_s": "last_at",
    "fin_a_s": "fin_a_at",
    "fin_b_s": "fin_b_at",
    "ending_s": "ending_at",
    "time_s": "time_at",
}
"""Columns of seconds since the capture's first frame, and what the same instants are called as dates (DataFrames)."""


def described(columns: dict[str, str]) -> Iterator[str]:
    """Yield a line for each column: its name and what it means."""
    width = max(map(len, columns))
    for name, meaning in columns.items():
        yield f"  {name:<{width}}  {meaning}"
