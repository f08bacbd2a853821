"""What shows who sent a RST, or answered probes, in an end's name: station (MAC address), distance and delay.

Another station alone shows no box: another first-hop router brings the same packets, another interface or machine may
have the address. Distance (TTL) and delay tell whether it came from as far.

It must not decide who sent it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.judge.nearness import answers_from_nearer, is_as_late, is_too_soon, opening_ns, reset_took_ns, soonest_ns
from analyzer.judge.verdict import Verdict
from analyzer.label.distance import hops
from analyzer.track.flow import SIDES
from analyzer.track.signs import OWN
from analyzer.words.model import Line
from analyzer.words.teller import count, duration, evidence

if TYPE_CHECKING:
    from analyzer.judge.events import Reset
    from analyzer.words.teller import Teller


def from_other_station(t: Teller) -> Reset | None:
    """Return the RST that ended the flow, if only another station, or that and the IP ID, sets it apart."""
    reset = t.reset
    if reset is None or t.ending.verdict is Verdict.TIMED_OUT or not t.ending.verdict.is_reset:
        return None
    return reset if "mac" in reset.strange and t.ending.by != "between" else None


def shown(t: Teller) -> list[Line]:
    """Return that the RST came from another station."""
    reset = from_other_station(t)
    if reset is None:
        return []
    return [Line(f"Its source MAC address is not that of {t.the(reset.sender)}'s other packets.", (reset.frame,))]


def unsure(t: Teller) -> list[Line]:
    """Return which machines may have sent it, and what would tell."""
    reset = from_other_station(t)
    if reset is None:
        return []
    owner, took_ns = t.the(reset.sender), reset_took_ns(t.record, reset)
    head = "Which machine sent the RST: its MAC address alone does not tell"
    if took_ns is not None and is_too_soon(t.record, reset.sender, took_ns, reset.frame):
        least = soonest_ns(t.record, reset.sender, reset.frame)
        assert least is not None
        text = (
            f"{head}, but it came within {duration(took_ns)}, and no answer of {owner} took less than"
            f" {duration(least[0])}: most likely something nearer sent it in {owner}'s name."
        )
    elif _is_on_link(t, reset):
        text = (
            f"{head}. Another machine may have the address now (failover), {owner} another interface, or a box on the"
            " link may answer in its name. A capture with ARP, or that machine's own, would tell."
        )
    else:
        alike = _alike(t, reset, took_ns)
        other = "Another first-hop router (ECMP, HSRP, VRRP) changes it too"
        if alike:
            text = f"{head}. {other}, and its {alike} of {owner}'s other packets: nothing speaks for a box between."
        else:
            text = f"{head}. {other}. A capture at {owner} would show whether it sent that RST."
    return [Line(text, (reset.frame,))]


def _is_on_link(t: Teller, reset: Reset) -> bool:
    beside = t.record.beside
    if beside is not None and beside["place"] == OWN:
        return True
    return reset.own_ttl is not None and min(reset.own_ttl) > 0 and not any(hops(ttl) for ttl in reset.own_ttl)


def _alike(t: Teller, reset: Reset, took_ns: int | None) -> str:
    """Return in what it is like its end's other packets."""
    ttl = reset.own_ttl is not None and reset.own_ttl[0] <= reset.ttl <= reset.own_ttl[1]
    late = took_ns is not None and is_as_late(t.record, reset.sender, took_ns, reset.frame)
    if ttl and late and took_ns is not None:
        return f"TTL ({reset.ttl}) and delay ({duration(took_ns)}) are those"
    if ttl:
        return f"TTL ({reset.ttl}) is that"
    return f"delay ({duration(took_ns)}) is that" if late and took_ns is not None else ""


def answers_nearer(t: Teller) -> list[Line]:
    """Return that probes were answered by something nearer than the peer, and what that says of it."""
    found = []
    for side in SIDES:
        probes, opening = answers_from_nearer(t.record, side), opening_ns(t.record, side)
        if not probes or opening is None:
            continue
        slowest = max(probe.answer_ns or 0 for probe in probes)
        text = (
            f"{count(len(probes), 'answer')} to probes took {duration(slowest)} at most, over another distance (TTL),"
            f" where {t.the(side)} took {duration(opening)} in the handshake: most likely something nearer answers in"
            f" {t.the(side)}'s name. So they do not show that {t.the(side)} is alive, or has the connection."
        )
        found.append(Line(text, evidence(probes)))
    return found
