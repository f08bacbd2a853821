"""Filters that select one flow in Wireshark and tcpdump, ready to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.record import FlowRecord


def wireshark(record: FlowRecord) -> str:
    """Return a display filter for the flow; the frame numbers keep other uses of the same ports out."""
    proto = "ipv6" if ":" in record.a.address else "ip"
    a, b = record.a, record.b
    return (
        f"{proto}.addr == {a.address} && {proto}.addr == {b.address} && tcp.port == {a.port} && tcp.port == {b.port}"
        f" && frame.number >= {record.first_frame} && frame.number <= {record.last_frame}"
    )


def tcpdump(record: FlowRecord) -> str:
    """Return a capture filter for the flow's addresses and ports, in either direction."""
    a, b = record.a, record.b
    return f"tcp and host {a.address} and host {b.address} and port {a.port} and port {b.port}"
