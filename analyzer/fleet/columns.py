"""The columns of a fleet's tables beyond those of a report's, and what each means.

``flows``, ``probes`` and ``findings`` begin with the columns of ``report --parquet``; ``silences`` and ``captures`` are
a fleet's own. Instants are in UTC, so that tables of many points can be laid side by side.
"""

from __future__ import annotations

from typing import Final

from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS

POINT: Final = {
    "capture_point": "name of the capture point (`point` is a word of SQL)",
    "shard": "which shard followed the flow, from 0; numbers of flows count within it",
}
OF_FLOWS: Final = {
    "first_at": "instant of the first segment, UTC",
    "last_at": "instant of the last segment, UTC",
    "host_a": "address of a",
    "port_a": "port of a",
    "host_b": "address of b",
    "port_b": "port of b",
    "server": "which end was connected to: a or b; by the lower port where no SYN was seen",
    "isn_a": "initial sequence number of a, empty if its SYN was not seen",
    "isn_b": "initial sequence number of b",
    "heard_a_s": "when a was last heard, counted from the capture's first frame",
    "heard_b_s": "when b was last heard",
    "stack_a": "family of systems that the probes of a look like",
    "stack_b": "the same of b",
    "software_a": "families of programs whose timers fit those of a, separated by semicolons",
    "software_b": "the same of b",
}
OF_PROBES: Final = {"at": "instant of the probe, UTC", "host": "address that sent it"}
SILENCES: Final = {
    "capture": "index of the capture within its point, from 0",
    "flow": "number of the flow within its capture, from 0",
    "server_host": "address of the end that was connected to",
    "server_port": "its port",
    "client_host": "address of the other end",
    "half_closed": "1 if one end had closed before the silence",
    "died": "1 if nothing but a RST, or nothing at all, came behind it; 0 if both ends went on",
    "silence_s": "how long it was",
    "from_frame": "the frame before it",
    "to_frame": "the frame behind it, 0 if there is none",
    "ended_at": "when the flow was last heard, UTC",
}
CAPTURES: Final = {
    "capture": "index of the capture within its point, from 0",
    "files": "how many files it is made of",
    "first_file": "the first of them",
    "last_file": "the last of them",
    "format": "pcap or pcapng",
    "link_types": "separated by spaces",
    "start_at": "instant of its first frame, UTC",
    "end_at": "instant of its last frame, UTC",
    "frames": "frames of any kind",
    "tcp_segments": "TCP segments, copies included",
    "dropped": "packets dropped while capturing, as far as is known",
    "warnings": "what is wrong with it, a sentence a line",
}
TABLES: Final = {
    "flows": {**FLOW_COLUMNS, **OF_FLOWS, **POINT},
    "probes": {**PROBE_COLUMNS, **OF_PROBES, **POINT},
    "findings": {**FINDING_COLUMNS, **POINT},
    "silences": {**SILENCES, **POINT},
    "captures": {**CAPTURES, **POINT},
}
"""The tables that a fleet's questions are asked of."""
