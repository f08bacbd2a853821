"""Filters that select one flow, or the evidence of one finding, in Wireshark and tcpdump, ready to copy.

Wireshark's name frames, so that they are exact. tcpdump knows no frame numbers: its filter selects the flow, and of it
only SYN, FIN or RST where a finding rests on nothing else. Of a flow in a tunnel it can select no more than the tunnel,
and behind what a record does not know (PPPoE, VLAN 0) it does not look. Of a flow that was captured with a VLAN tag and
without, or with two, tcpdump's filter looks behind as many tags as either has; Wireshark shows all of it, because it
tells connections apart by addresses and ports.
Frame numbers are those of the capture; of rotated files, those of the files joined by ``mergecap -a``.

It must not judge: what the evidence is, the finding says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from operator import eq, itemgetter
from typing import TYPE_CHECKING, Final

from analyzer.track.flow import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.judge.facts import Facts
    from analyzer.judge.judged import Finding, JudgedFlow
    from analyzer.judge.record import FlowRecord, Names

    Filler = Callable[[tuple[object, ...]], str]

MOST_MEMBERS: Final = 20
"""A filter that names more frames and ranges than this, nobody would paste."""
FORMS: Final = 8192
"""Maximum number of forms of filters that are kept, by VLAN."""
_FRAMES: Final = " && frame.number >= {4} && frame.number <= {5}"
_PLACE: Final = re.compile(r"\{(\d)\}")
TUNNEL: Final = 1 << 62
"""Set in the tag of a flow in a tunnel; the kind of tunnel stands KIND bits up."""
KIND: Final = 56
TUNNELS: Final = {
    1: "ip proto 4 or ip proto 41 or ip6 proto 4 or ip6 proto 41",
    2: "ip proto 47 or ip6 proto 47",
    3: "udp port 4789",
    4: "udp port 6081",
    5: "udp port 2152",
    6: "ether proto 0x8847 or ether proto 0x8848",
    7: "ip proto 97 or ip6 proto 97",
    8: "ether proto 0x88e7",
}
"""What selects all of a kind of tunnel (``capture.tunnel``); no filter of libpcap looks for TCP inside each of them."""
TUNNEL_LEVEL: Final = 3
"""The bit of ``FlowRecord.levels`` of a tunnel, or of more VLANs than two."""
IPV6_FLAGS: Final = "ip6[53]"
"""Where TCP's flags are behind an IPv6 header without extensions; libpcap's ``tcp[...]`` knows IPv4 only."""


def to_copy(judged: JudgedFlow) -> list[tuple[str, str]]:
    """Return what each filter selects, and the filter: of the flow, then of each finding.

    A finding's filter for tcpdump is left out where it is the flow's.
    """
    record = judged.record
    found = [("Wireshark, this flow", wireshark(record)), ("tcpdump, this flow", tcpdump(record))]
    for finding in judged.findings:
        found.append((f"Wireshark, {finding.code}", finding_wireshark(record, finding)))
        if (capture_filter := finding_tcpdump(record, finding)) != tcpdump(record):
            found.append((f"tcpdump, {finding.code}", capture_filter))
    return list(dict.fromkeys(found))


def wireshark(record: FlowRecord) -> str:
    """Return a display filter for the flow and the ICMP errors that quote it.

    The frame numbers keep other uses of the same ports out.
    """
    last = max([record.last_frame, *(error.frame for error in record.icmp_errors)])
    return f"{_ends(record)} && frame.number >= {record.first_frame} && frame.number <= {last}"


def each(flows: Names) -> tuple[list[str], list[str]]:
    """Return ``wireshark`` and ``tcpdump`` of many flows: the same texts, of columns.

    What a filter looks like depends on few things, so that only addresses and numbers are put in flow by flow.
    """
    a, b, a_port, b_port = flows.a, flows.b, flows.a_port, flows.b_port
    ipv6 = [":" in address for address in a]
    kinds = list(zip(ipv6, map(eq, a, b), map(eq, a_port, b_port), flows.tag, flows.levels, strict=True))
    made = {kind: _fillers(*kind) for kind in set(kinds)}
    values = list(zip(a, b, a_port, b_port, flows.first_frame, flows.last_frame, strict=True))
    display = [made[kind][0](value) for kind, value in zip(kinds, values, strict=True)]
    return display, [made[kind][1](value) for kind, value in zip(kinds, values, strict=True)]


def tcpdump(record: FlowRecord) -> str:
    """Return a capture filter for the flow's addresses and ports, in either direction."""
    return _in_tag(record.tag, record.levels, _flow(record))


def finding_wireshark(record: FlowRecord, finding: Finding) -> str:
    """Return a display filter for the frames that a finding rests on.

    Very many are joined into ranges, in which other frames of the flow may lie, too.
    """
    if not finding.frames:
        return wireshark(record)
    selected, exact = frames_wireshark(finding.frames)
    return selected if exact else f"{selected} && {_ends(record)}"


def frames_wireshark(frames: Sequence[int]) -> tuple[str, bool]:
    """Return a display filter for frames, and whether it selects no other ones."""
    spans, exact = _spans(frames)
    if spans == [(frames[0], frames[0])]:
        return f"frame.number == {frames[0]}", True
    members = ", ".join(str(first) if first == last else f"{first}..{last}" for first, last in spans)
    return f"frame.number in {{{members}}}", exact


def with_flags(facts: Facts) -> set[int]:
    """Return the frames of flows by whose flags ``finding_tcpdump`` may select; there are others that it may not."""
    tables = (*(end.columns["syn_frame"] for end in facts.endpoints), facts.fins.columns["frame"])
    return {frame for column in (*tables, facts.resets.columns["frame"]) for frame in column.tolist()}


def finding_tcpdump(record: FlowRecord, finding: Finding) -> str:
    """Return a capture filter for the flow that a finding is about, narrowed to flags where it rests on these alone."""
    frames = set(finding.frames)
    selected = _flow(record)
    if flags := _flags(record, frames):
        where = IPV6_FLAGS if _is_ipv6(record) else "tcp[tcpflags]"
        selected += f" and {where} & ({'|'.join(flags)}) != 0"
    quoted = {(error.version, error.quotes) for error in record.icmp_errors if error.frame in frames}
    errors = [
        f"({'icmp6' if version == 6 else 'icmp'} and dst host {record.endpoint(side).address})"
        for version, side in sorted(quoted)
    ]
    if errors:
        selected = f"({' or '.join([f'({selected})', *errors])})"
    return _in_tag(record.tag, record.levels, selected)


@lru_cache(maxsize=FORMS)
def _fillers(is_ipv6: bool, same_address: bool, same_port: bool, tag: int, levels: int) -> tuple[Filler, Filler]:  # noqa: FBT001 - a key
    """Return what makes the filters for Wireshark and tcpdump of addresses, ports, and first and last frame."""
    display = _ends_form(is_ipv6, same_address, same_port, tag) + _FRAMES
    return _filler(display), _filler(_in_tag(tag, levels, _flow_form(same_address, same_port)))


def _filler(form: str) -> Filler:
    """Return what fills a form; by ``%``, which takes a third of the time of ``format``."""
    pieces = _PLACE.split(form)
    if len(pieces) == 1:
        return lambda _: form  # tcpdump cannot look into a tunnel: what selects it names no address
    text = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
    pick = itemgetter(*map(int, pieces[1::2]))
    return lambda values: text % pick(values)


def _ends(record: FlowRecord) -> str:
    """Return what a display filter says of both ends, and of VLANs."""
    a, b = record.a, record.b
    form = _ends_form(_is_ipv6(record), a.address == b.address, a.port == b.port, record.tag)
    return form.format(a.address, b.address, a.port, b.port)


@lru_cache(maxsize=FORMS)
def _ends_form(is_ipv6: bool, same_address: bool, same_port: bool, tag: int) -> str:  # noqa: FBT001 - a key
    """Return that for addresses and ports to be put in."""
    ip = "ipv6" if is_ipv6 else "ip"
    vlans = [f"vlan.id == {number}" for number in _vlans(tag)]
    return " && ".join(
        [
            *_both(ip, ("addr", "src", "dst"), "{0}", "{0}" if same_address else "{1}"),
            *_both("tcp", ("port", "srcport", "dstport"), "{2}", "{2}" if same_port else "{3}"),
            *vlans,
        ]
    )


def _both(protocol: str, fields: Sequence[str], one: str, other: str) -> list[str]:
    """Return what selects two values, whichever is the source's; equal ones have to be both."""
    either, source, destination = (f"{protocol}.{field}" for field in fields)
    if one == other:
        return [f"{source} == {one}", f"{destination} == {one}"]
    return [f"{either} == {one}", f"{either} == {other}"]


def _flow(record: FlowRecord) -> str:
    a, b = record.a, record.b
    form = _flow_form(a.address == b.address, a.port == b.port)
    return form.format(a.address, b.address, a.port, b.port)


@lru_cache
def _flow_form(same_address: bool, same_port: bool) -> str:  # noqa: FBT001 - a key
    hosts = "src host {0} and dst host {0}" if same_address else "host {0} and host {1}"
    ports = "src port {2} and dst port {2}" if same_port else "port {2} and port {3}"
    return f"tcp and {hosts} and {ports}"


def _in_tag(tag: int, levels: int, selected: str) -> str:
    """Return a capture filter for what is selected on a VLAN; of a tunnel, all of it.

    ``vlan`` has libpcap look behind one more tag in all that follows: so what has fewer tags is asked for first, and of
    a flow with two tags each only by how many VLANs it has.
    """
    if levels:
        return _at_levels(levels, selected)
    if not tag:
        return selected
    if tag & TUNNEL:
        whole = TUNNELS[(tag ^ TUNNEL) >> KIND]
        return f"{whole} or (vlan and ({whole}))"
    return " and ".join([*(f"vlan {number}" for number in _vlans(tag)), selected])


def _at_levels(levels: int, selected: str) -> str:
    """Return a capture filter for what is selected behind as many VLANs as ``levels`` has bits for."""
    wanted = [depth for depth in range(TUNNEL_LEVEL) if levels >> depth & 1]
    if not wanted:
        return selected
    text = ""
    for depth in reversed(range(max(wanted) + 1)):
        here = [f"({selected})"] if depth in wanted else []
        parts = [*here, f"(vlan and {text})"] if text else here
        text = parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
    return text


def _vlans(tag: int) -> list[int]:
    """Return the VLANs of a flow that is in no tunnel, outermost first."""
    if tag & TUNNEL:
        return []
    found: list[int] = []
    while tag:
        found.insert(0, tag % 4096)
        tag //= 4096
    return found


def _flags(record: FlowRecord, frames: set[int]) -> list[str]:
    """Return the names of flags that all these frames carry one of, or nothing if there is another frame."""
    carriers: dict[str, set[int | None]] = {
        "tcp-syn": {record.facts(side).syn_frame for side in SIDES},
        "tcp-fin": {fin.frame for fin in record.fins},
        "tcp-rst": {reset.frame for reset in record.resets},
    }
    if not frames <= set().union(*carriers.values()):
        return []
    return [flag for flag, carrying in carriers.items() if frames & carrying]


def _spans(frames: Iterable[int]) -> tuple[list[tuple[int, int]], bool]:
    """Return frames as ranges, MOST_MEMBERS at most, and whether these hold no other frame."""
    ordered = sorted(set(frames))
    gaps = [late - early for early, late in pairwise(ordered)]
    widest = sorted((gap for gap in gaps if gap > 1), reverse=True)[MOST_MEMBERS - 1 :]
    join = widest[0] if widest else 1
    spans = [(ordered[0], ordered[0])]
    for gap, frame in zip(gaps, ordered[1:], strict=True):
        if gap <= join:
            spans[-1] = (spans[-1][0], frame)
        else:
            spans.append((frame, frame))
    return spans, not widest


def _is_ipv6(record: FlowRecord) -> bool:
    return ":" in record.a.address
