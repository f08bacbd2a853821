"""The peer's address knows no such connection, and no FIN had come from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings import conditions as c
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import FindingKind, Lead, Row
from analyzer.judge.record import other
from analyzer.track.flow import SIDES
from analyzer.track.signs import OWN
from analyzer.words.away import away, in_vain
from analyzer.words.model import Line, LongText
from analyzer.words.teller import count, duration, evidence, lines, number, side_of, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.findings.case import Case
    from analyzer.findings.kind import Evidence
    from analyzer.judge.events import Challenge
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import Probe
    from analyzer.judge.record import FlowRecord
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

ASKED: Final = {"probe": "a probe", "data": "data", "window_probe": "a probe of its closed window"}
"""What may be answered with a RST."""
GIVES_UP: Final = 3
"""Data that was sent again so often and was never acknowledged may be given up (net.ipv4.tcp_retries2, RFC 1122)."""


def _answers_probe(case: Case) -> Evidence:
    """The RST and the probe that it answers."""
    assert case.own_reset is not None
    return _evidence(case, "probe", case.own_reset.answers_probe)


def _answers_data(case: Case) -> Evidence:
    """The RST and the data that it answers."""
    return _evidence(
        case, "data", case.peer_facts.resent_frame if case.peer_facts.resent else case.peer_facts.last_data_frame
    )


def _answers_window_probe(case: Case) -> Evidence:
    """The RST and the probe of its closed window that it answers."""
    asked = [probe.frame for probe in case.record.zero_window_probes if probe.sender == case.peer]
    return _evidence(case, "window_probe", asked[-1])


def _evidence(case: Case, what: str, asked: int | None) -> Evidence:
    reset = case.own_reset
    assert reset is not None
    heard_ns = case.facts.last_ns if case.facts.segments > 1 else None
    return frames_of(asked, reset.frame), known(
        what=what,
        asked_frame=asked,
        reset_frame=reset.frame,
        bare=int(not reset.has_ack),
        midstream=int(case.record.starts_with == "midstream"),
        on_link=1 if _on_link(case) and not reset.strange else None,
        unseen_fin=1 if case.facts.unseen_fin else None,
        **_in_vain(case),
        synacks_again=len(_never_completed(case.record, case.side)) or None,
        silent_ns=reset.ts_ns - heard_ns if heard_ns is not None else None,
    )


def _on_link(case: Case) -> bool:
    """Say whether ARP or neighbour discovery shows the host on the captured link itself."""
    beside = case.record.beside
    return beside is not None and SIDES[beside["side"]] == case.side and beside["place"] == OWN


def _in_vain(case: Case) -> dict[str, int]:
    """Return how often it had sent data again that was never acknowledged, if often enough to give up."""
    since_ns = case.facts.unacked_ns
    again = [r for r in case.record.resent if r.sender == case.side and since_ns is not None and r.ts_ns >= since_ns]
    if len(again) < GIVES_UP or since_ns is None or case.record.starts_with == "midstream":
        return {}
    return {"resent": len(again), "resent_frame": again[0].frame, "resent_ns": again[-1].ts_ns - since_ns}


def _headline(t: Teller, f: Finding) -> str:
    """Return a forgotten connection in one line."""
    peer = side_of(f)
    what = ASKED[str(f.data["what"])]
    if "synacks_again" in f.data:
        again = count(number(f, "synacks_again"), "more time")
        return (
            f"{t.start(peer)} never completed the handshake: it sent its SYN,ACK {again}, and answered {what} from"
            f" {t.the(other(peer))} with a RST (no such connection)."
        )
    if "resent" in f.data:
        return (
            f"{t.start(peer)}'s data was retransmitted {times(number(f, 'resent'))} and never acknowledged; then its"
            f" address answered {what} from {t.the(other(peer))} with a RST (no such connection): most likely its"
            " kernel had given up."
        )
    ending = "No FIN was captured." if f.data["midstream"] else "No FIN came before."
    if t.facts(peer).unseen_fin:
        ending = f"It had most likely closed before: a FIN of {t.the(peer)} is missing in this capture."
    return (
        f"{t.start(peer)}'s address answered {what} from {t.the(other(peer))} with a RST (no such connection). {ending}"
    )


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the last good word and the RST."""
    peer = side_of(f)
    good = [probe for probe in t.probes(other(peer)) if probe.answered]
    before = None
    if good:
        text = (
            f"{t.start(peer)} answered {count(len(good), 'probe')} from {t.the(other(peer))}, the last at"
            f" {t.at(good[-1].ts_ns)}."
        )
        before = Line(text, evidence(good))
    last = {"data": "The last data", "window_probe": "The last probe of its closed window"}
    what = last.get(str(f.data["what"])) or _what(t, peer, good)
    silent = f", {duration(number(f, 'silent_ns'))} after {t.the(peer)}'s last packet" if "silent_ns" in f.data else ""
    shape = None
    if f.data["bare"]:
        text = (
            "That RST has no ACK, and its sequence number equals the acknowledgement number of what it answers: the"
            ' form of "no such connection".'
        )
        shape = Line(text, (number(f, "reset_frame"),))
    again = _never_completed(t.record, peer)
    if again:
        text = (
            f"After the handshake's ACK {t.the(peer)} sent its SYN,ACK again {times(len(again))}; each drew an ACK,"
            " which it took no more than the first."
        )
        before = Line(text, tuple(sorted(frame for each in again for frame in (each.drawn_frame, each.frame))))
    if f.data["what"] == "data" and (vain := in_vain(t, peer)):
        what = f"Data from {t.the(other(peer))}, sent {times(len(vain))} before without an answer,"
    return lines(before, Line(f"{what} drew a RST{silent}: the end.", f.frames), shape)


def _what(t: Teller, peer: Side, good: Sequence[Probe]) -> str:
    """Return which probe drew the RST, after those before it that got no answer."""
    if not good:
        return "The probe"
    later = [probe for probe in t.probes(other(peer)) if probe.ts_ns > good[-1].ts_ns]
    missed = next((at for at, probe in enumerate(later) if probe.answer == "rst"), 0)
    if not missed:
        return "The next probe"
    return f"The next {count(missed, 'probe')} got no answer; the one after {'that' if missed == 1 else 'those'}"


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what can make a host forget."""
    peer = t.the(side_of(f))
    if t.facts(side_of(f)).unseen_fin:
        text = (
            f"No FIN from {peer} was captured, but its numbers are one further than what was: most likely a FIN that is"
            f" missing here. Then {peer} had closed, and its FIN-WAIT-2 ran out (60 s on Linux), or its program had"
            " ended. A single byte of data that is missing would look the same."
        )
    elif "synacks_again" in f.data:
        text = (
            f"Inferred: {peer} never took the ACK of the handshake, so it was in SYN-RECEIVED, not ESTABLISHED, and its"
            " program never got the connection. Either its queue of connections to accept was full (Linux then drops"
            " that ACK); or it waits for data before it accepts (TCP_DEFER_ACCEPT); or those ACKs were lost behind this"
            " point. Then it gave up its SYN,ACK (tcp_synack_retries, 5 by default), and knows no such connection."
        )
    elif "resent" in f.data:
        text = (
            f"Inferred: {peer}'s kernel gave up on data that was never acknowledged, no sooner than"
            f" {duration(number(f, 'resent_ns'))} after first sending it (net.ipv4.tcp_retries2, or"
            " TCP_USER_TIMEOUT). Linux does so without a word, and answers what comes next with a RST. A restart of its"
            " host would look the same."
        )
    elif f.data["midstream"]:
        text = (
            f"The capture began in mid-connection. So either {peer} had sent FIN before, and its FIN-WAIT-2 ran out"
            " (60 s on Linux); or its host restarted; or a middlebox forgot the flow and answers in its name."
            " This capture cannot tell which."
        )
    elif _is_on_link(t):
        text = (
            f"No FIN from {peer} came before, so its program did not close in the ordinary way. Inferred causes:"
            f" {_restarted(t, 'its host or container restarted; ')}its program was killed or aborted it (data unread,"
            " SO_LINGER 0), or its kernel gave it up (retransmissions, or TCP_USER_TIMEOUT), and no RST of that got"
            " here. That host is on this link, so a NAT or firewall between is unlikely."
        )
    else:
        text = (
            f"No FIN from {peer} came before, so its program did not close in the ordinary way. Inferred causes:"
            f" {_restarted(t, 'its host restarted or was replaced; ')}its address moved to another host; a NAT or"
            " firewall forgot the flow and answers in its name; its program was killed or aborted it (data unread,"
            " SO_LINGER 0), or its kernel gave it up (retransmissions, or TCP_USER_TIMEOUT), and no RST of that got"
            " here."
        )
    kept = _kept_clock(t, side_of(f))
    went_on = f"{t.start(side_of(f))}'s host has not restarted: its timestamp clock went on in a later handshake."
    was_away = None
    if not kept and not {"resent", "synacks_again", "unseen_fin"} & f.data.keys():
        was_away = away(t, side_of(f), on_link=_is_on_link(t))
    return lines(Line(text, f.frames), was_away, Line(went_on, (kept,)) if kept else None)


def _restarted(t: Teller, text: str) -> str:
    """Return the words for a restart of the peer's host, or none if its clock refutes it."""
    beside = t.record.beside
    return "" if beside is not None and beside["kept_frame"] else text


def _kept_clock(t: Teller, peer: Side) -> int:
    """Return the frame of a later handshake of the peer's host in which its timestamp clock goes on; 0 without one."""
    beside = t.record.beside
    return beside["kept_frame"] if beside is not None and SIDES[beside["side"]] == peer else 0


def _never_completed(record: FlowRecord, peer: Side) -> tuple[Challenge, ...]:
    """Return what drew a challenge ACK where the peer was called, and never completed the handshake."""
    return record.synacks_again if record.responder == peer else ()


def _is_on_link(t: Teller) -> bool:
    """Say whether the RST came from the peer's own station on this link."""
    return any(w.kind == "same_hop" and w.says == "alike" and w.data["on_link"] for w in t.judged.witnesses)


def _change(finding: Finding) -> str | None:
    """Where data brought it to light, nobody probed in time: more seldom silence is what helps."""
    if "unseen_fin" in finding.data:
        return (
            "Most likely it closed in order, and the program at the other end is to close when it reads end of file. A"
            " capture that lacks no packet shows it."
        )
    if "synacks_again" in finding.data:
        return (
            "Look at the queue of connections to accept (ss -ltn; nstat -az TcpExtListenOverflows), at the backlog of"
            " listen() and net.core.somaxconn, at whether the program accepts in time, and at TCP_DEFER_ACCEPT."
        )
    if "resent" in finding.data:
        return (
            "Find out why what it sent was not acknowledged: a packet filter, a route, loss, or the path's MTU if only"
            " large segments are lost. A capture at the other end shows what arrives there. Keepalive does not run"
            " while data is unacknowledged (Linux); TCP_USER_TIMEOUT bounds the wait."
        )
    if finding.data["midstream"] and finding.data["what"] == "probe":
        return (
            "If it had closed before the capture began, the program at the other end is to close when it reads end of"
            " file. Else check whether this host or container restarted, a failover moved its address, or a NAT or load"
            " balancer dropped the flow from its table."
        )
    if "on_link" in finding.data:
        return (
            "Check whether this host or container restarted, or a failover moved its address. It is on this link: no"
            " NAT or load balancer is between. Probing more often finds it sooner."
        )
    if finding.data["what"] == "probe":
        return None
    return (
        "Check whether the host or container restarted, a failover moved the address, or a NAT or load balancer dropped"
        " the flow from its table. If it was the NAT or load balancer: set keepalive's idle time below its limit, or"
        " close idle connections before that limit."
    )


FORGOTTEN: Final = FindingKind(
    code="peer-forgot-connection",
    rows=(
        Row((c.reset_by_itself, c.verdict_reset_on_probe, c.sent_no_fin, c.peer_sent_no_fin), _answers_probe),
        Row(
            (c.reset_by_itself, c.verdict_aborted, c.reset_answers_data, c.sent_no_fin, c.peer_sent_no_fin),
            _answers_data,
        ),
        Row(
            (c.reset_by_itself, c.verdict_aborted, c.reset_answers_window_probe, c.sent_no_fin, c.peer_sent_no_fin),
            _answers_window_probe,
        ),
    ),
    text=LongText(
        title="The peer's address knows no such connection",
        meaning=(
            "A RST answered a probe (or data), and no FIN had come from that end: it forgot the connection without"
            " closing it."
        ),
        why=("The other end held a connection that was dead for an unknown time; keepalive (or data) revealed it."),
        change=(
            "Check whether this host or container restarted, a failover moved its address, or a NAT or load"
            " balancer dropped the flow from its table. Probing more often finds it sooner."
        ),
        doubt=(
            "If the capture began in mid-connection, a FIN may have come before it: then this is"
            " fin-wait-2-expired. A box that imitates the peer's TTL and MAC address cannot be told from the"
            " peer."
        ),
        source="RFC 9293 3.5.1, 3.10.7.1; field guide 7.1, 9.5",
    ),
    detail=_headline,
    change=_change,
    lead=Lead(_headline, _happened, _why),
)
