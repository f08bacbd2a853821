"""Flows that a RST ended without a FIN: the peer's address knows no such connection, a box in between, an abort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.explain.orderly import probe_summary
from analyzer.judge.record import other
from analyzer.words.model import Line
from analyzer.words.teller import answered_text, count, duration, evidence, lines, number, side_of, times

if TYPE_CHECKING:
    from analyzer.words.teller import Teller

FORGOT: Final = "peer-forgot-connection"
BETWEEN: Final = "reset-from-between"
ABORT: Final = "abort-without-fin"


# ── no such connection ──


def forgot_headline(t: Teller) -> str:
    """Return a forgotten connection in one line."""
    finding = t.need(FORGOT)
    peer = side_of(finding)
    what = "a probe" if finding.data["what"] == "probe" else "data"
    ending = "no FIN was captured" if finding.data["midstream"] else "without any FIN before"
    return (
        f"{t.start(peer)}'s address answered {what} of {t.the(other(peer))} with a RST, no such connection; {ending}."
    )


def forgot(t: Teller) -> list[Line]:
    """Return the last good word and the RST."""
    finding = t.need(FORGOT)
    peer = side_of(finding)
    good = [probe for probe in t.probes(other(peer)) if probe.answered]
    before = None
    if good:
        text = (
            f"{t.start(peer)} answered {count(len(good), 'probe')} of {t.the(other(peer))}, the last at"
            f" {t.at(good[-1].ts_ns)}."
        )
        before = Line(text, evidence(good))
    what = ("The next probe" if good else "The probe") if finding.data["what"] == "probe" else "The data sent last"
    silent = (
        f", {duration(number(finding, 'silent_ns'))} after {t.the(peer)}'s last word"
        if "silent_ns" in finding.data
        else ""
    )
    shape = None
    if finding.data["bare"]:
        text = (
            'That RST has no ACK, and its number is that of what it answers: the form of "no such connection" (RFC'
            " 9293 3.10.7.1)."
        )
        shape = Line(text, (number(finding, "reset_frame"),))
    return lines(before, Line(f"{what} drew a RST{silent}: the end.", finding.frames), shape)


def forgot_why(t: Teller) -> list[Line]:
    """Return what can make a host forget."""
    finding = t.need(FORGOT)
    peer = t.the(side_of(finding))
    if finding.data["midstream"]:
        text = (
            f"The capture began in mid-connection. So either {peer} had sent FIN before, and its FIN-WAIT-2 ran out"
            " (60 s on Linux); or its host restarted; or a box on the way forgot the flow and answers in its name."
            " This capture cannot tell which."
        )
    else:
        text = (
            f"No FIN of {peer} came before, so its program did not close in the ordinary way. Inferred causes: its"
            " host restarted or was replaced; its address moved to another host; a NAT or firewall forgot the flow"
            " and answers in its name."
        )
    return [Line(text, finding.frames)]


# ── somebody in between ──


def between_headline(t: Teller) -> str:
    """Return a foreign RST in one line."""
    finding = t.need(BETWEEN)
    owner = t.the(side_of(finding))
    what = " in answer to a probe" if "probe_frame" in finding.data else ""
    return (
        f"A RST{what} ended the connection in {owner}'s name, but does not look like {owner}'s packets: most likely"
        " a box in between."
    )


def between(t: Teller) -> list[Line]:
    """Return the RST and in what it differs."""
    finding = t.need(BETWEEN)
    owner = t.the(side_of(finding))
    answers = ", in answer to the probe" if "probe_frame" in finding.data else ""
    return [
        *probe_summary(t),
        Line(f"The RST came in {owner}'s name{answers}: the end.", finding.frames),
        *differences(t),
    ]


def differences(t: Teller) -> list[Line]:
    """Return in what the RST differs from its endpoint's other packets."""
    finding = t.need(BETWEEN)
    owner = t.the(side_of(finding))
    reset = number(finding, "reset_frame")
    differs = str(finding.data["differs"]).split()
    low, high = number(finding, "own_ttl_low"), number(finding, "own_ttl_high")
    own = str(low) if low == high else f"{low} to {high}"
    ttl = f"Its TTL is {number(finding, 'ttl')}, that of {owner}'s other packets {own}."
    mac = f"Its source MAC address is not that of {owner}'s other packets."
    return lines(
        Line(ttl, (reset,)) if "ttl" in differs else None,
        Line(mac, (reset,)) if "mac" in differs else None,
    )


def between_why(t: Teller) -> list[Line]:
    """Return what kind of box does that, and what else it can be."""
    finding = t.need(BETWEEN)
    side = side_of(finding)
    box = (
        "Inferred: a firewall, NAT or load balancer on the way has dropped the flow or forbids it, and answers in"
        f" {t.the(side)}'s name. {t.start(side)} itself probably knows nothing of it and still holds the"
        " connection."
    )
    fin = t.fin(side)
    if fin is None:
        return [Line(box, finding.frames)]
    own = (
        f"Or it is {t.the(side)}'s own after all: it had sent FIN before, and if the route changed since, the TTL"
        " did too. Then its FIN-WAIT-2 had run out."
    )
    return [Line(box, finding.frames), Line(own, (fin.frame, *finding.frames))]


# ── abort ──


def abort_headline(t: Teller) -> str:
    """Return an abort in one line."""
    finding = t.need(ABORT)
    probes = t.record.probes
    before = f"; {count(len(probes), 'probe')} before, {answered_text(probes)}" if probes else ""
    if number(finding, "resent"):
        before = f"; its data had stayed unacknowledged, sent again {times(number(finding, 'resent'))}"
    usual = {
        "possible": ", as a close or kill with unread data does",
        "impossible": ", as SO_LINGER 0 does",
    }.get(str(finding.data["unread"]), "")
    return f"{t.start(side_of(finding))} ended the connection with a RST in place of a FIN{usual}{before}."


def abort(t: Teller) -> list[Line]:
    """Return the RST and what came before."""
    finding = t.need(ABORT)
    reset = t.reset
    assert reset is not None
    text = (
        f"{t.start(side_of(finding))} sent RST+ACK at {t.at(reset.ts_ns)}, with no FIN before, asked by no probe:"
        " the end."
    )
    return [
        *probe_summary(t),
        Line(text, (reset.frame,)),
        Line("A RST ends the connection for both ends at once, so nothing is left to probe.", (reset.frame,)),
    ]


def abort_why(t: Teller) -> list[Line]:
    """Return the known causes of a RST in place of a FIN."""
    finding = t.need(ABORT)
    side = side_of(finding)
    reset = number(finding, "reset_frame")
    if finding.data["unread"] == "impossible":
        text = (
            f"{t.start(other(side))} sent no data, so none can have been unread: {t.the(side)}'s program most"
            " likely asked for the RST (SO_LINGER with time 0)."
        )
        return [Line(text, (reset,))]
    cause = Line(
        "A kernel sends RST in place of FIN when a socket is closed, or its process is killed, with received data"
        " still unread. Or the program asked for it (SO_LINGER with time 0).",
        (reset,),
    )
    given_up = None
    if number(finding, "resent"):
        given_up = Line(
            "Its own data was unacknowledged and sent again before: macOS ends that with such a RST too (by its"
            " source), Linux does not.",
            (reset,),
        )
    if finding.data["unread"] != "possible":
        return lines(cause, given_up)
    text = (
        f"{t.start(other(side))} had sent {count(number(finding, 'received_bytes'), 'byte')}; whether they were"
        " read, no capture shows."
    )
    return lines(cause, Line(text, (number(finding, "data_frame"),)), given_up)
