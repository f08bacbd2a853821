"""Causes that concern this connection alone: dropped, forgotten, one probe lost, another way."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import dead_peer, idle, lapses, pauses
from analyzer.findings.pausing import overdue_ns
from analyzer.judge.judged import Certainty
from analyzer.judge.record import other
from analyzer.judge.signatures import middleboxes_within
from analyzer.judge.tried import Tried, tried_before
from analyzer.words.icmp import sent_to
from analyzer.words.model import LongText
from analyzer.words.teller import duration

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.events import IcmpError
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller


def nothing_by_icmp(s: Scene) -> bool:
    """No ICMP error says why."""
    return not s.errors


def no_other_flow_shares_it(s: Scene) -> bool:
    """No other flow of the asker fell silent in the same moment."""
    return s.beside("shared_peer") == 0 and s.beside("shared_other") == 0


def others_may_have_been_as_idle(s: Scene) -> bool:
    """None fell silent in the same moment with other hosts; those with its own may have been idle for too long, too."""
    return s.beside("shared_other") == 0 and (s.beside("shared_peer") == 0 or c.limit_may_explain_it(s))


def one_probe_unanswered(s: Scene) -> bool:
    """The prober gave up after a single unanswered probe."""
    gave_up = s.found(dead_peer.DEAD.code)
    return gave_up is not None and gave_up.data.get("unanswered") == 1 and not c.peer_was_heard(s)


def host_may_be_out_of_sight(s: Scene) -> bool:
    """No ARP or neighbour discovery asked for its host, or for the next hop, in vain."""
    return s.beside("asked") == 0 and s.beside("hop_asked") == 0


def host_was_heard_later(s: Scene) -> bool:
    """Its host was heard beside the flow, before the end or later."""
    return bool(s.sign_frames or s.later_frames)


def failed_after_long_silence(s: Scene) -> bool:
    """It failed after a silence longer than boxes on the way allow (idle-beyond-middlebox-limit)."""
    return s.found(idle.BEYOND_LIMIT.code) is not None


def nobody_had_stopped(s: Scene) -> bool:
    """No end had probed and stopped before that silence (probes-stopped)."""
    return s.found(lapses.STOPPED.code) is None


def broke_a_long_silence_in_vain(s: Scene) -> bool:
    """What broke a silence, longer than a known box on the way remembers such a flow, got no answer, or a RST."""
    known = bool(_limits_s(s, s.record.trial_ns))
    return (s.is_silent or s.reset is not None) and known and s.since_ns <= s.until_ns - s.record.trial_ns


def _limits_s(s: Scene, silence_ns: int) -> list[int]:
    """Return the limits of known boxes that forget such a flow in a silence and then do what was seen, in seconds."""
    record = s.record
    boxes = middleboxes_within(
        silence_ns,
        half_closed=bool(record.fins_in_time),
        survived_ns=record.outlived_ns,
        refused=s.reset is not None and s.reset.sender == s.quiet,
    )
    return sorted({box.idle_s for box in boxes if box.keepalive_helps})


def nobody_paused(s: Scene) -> bool:
    """It was no prober that broke the silence, though it had never waited half as long before (probes-paused)."""
    trial_ns, frame = s.record.trial_ns, s.record.trial_to
    own = next((p for p in s.record.probes if p.frame == frame), None)
    if s.found(pauses.PAUSED.code) is not None or own is None:
        return own is None
    sent = s.record.probes_from(own.sender)
    waits = [late.gap_ns for early, late in pairwise(sent) if early.answer == "ack" and late.frame != frame]
    waits += [probe.idle_ns for probe in sent if probe.first_of_train and probe.frame != frame]
    known = [ns for ns in waits if ns is not None]
    return not known or trial_ns <= overdue_ns(min(known))


def shorter_ones_survived_only(s: Scene) -> bool:
    """No silence of the flow was survived that was as long by two in a hundred, or a known limit lies between them."""
    return not Tried(s.record.trial_ns, s.record.survived_ns).excludes_limit


def came_another_way(s: Scene) -> bool:
    """Once, while it lived or later, its packets came by another station or with another TTL."""
    once = s.beside("ttl_turns") == 1 or (s.beside("mac_turns") == 1 and s.beside("moved_frame") == 0)
    return once and max(s.beside("ttl_ns"), s.beside("mac_ns")) > s.since_ns - s.beside("slack_ns")


def was_redirected(s: Scene) -> bool:
    """A router told the asker by ICMP to send to another router, and nothing that it sent after that was answered."""
    return bool(_redirects(s))


def _redirects(s: Scene) -> list[IcmpError]:
    """Return the redirects since the peer was last heard, or just before: the packet that drew one is passed on."""
    since_ns = s.since_ns - s.beside("slack_ns")
    return [error for error in s.record.redirects_of(s.asker) if error.ts_ns > since_ns]


def _dropped(s: Scene) -> Facts:
    throughout = (s.beside("last_frame"),) if s.is_heard_throughout else ()
    tried = tried_before(s.record, s.record.trial_to)
    known = tried is not None and tried.fits_known_limit and s.record.fellow_ns < tried.silence_ns
    return (*s.sign_frames, *throughout, *s.asked_frames), {
        "address": s.record.endpoint(s.quiet).address,
        "hop": s.hop or "",
        **({"silence_ns": tried.silence_ns, "survived_ns": tried.survived_ns} if tried is not None and known else {}),
    }


def _lost_once(s: Scene) -> Facts:
    return s.asked_frames, {"address": s.record.endpoint(s.quiet).address}


def _limit(s: Scene) -> Facts:
    finding = s.found(idle.BEYOND_LIMIT.code)
    frames = finding.frames if finding else (s.record.trial_from or 0, s.record.trial_to or 0)
    silence_ns = finding.data["silence_ns"] if finding else s.record.trial_ns
    assert isinstance(silence_ns, int)
    return frames, {
        "silence_ns": silence_ns,
        "limits": ", ".join(f"{limit_s:,} s" for limit_s in _limits_s(s, silence_ns)),
        **({"fellow_ns": s.record.fellow_ns, "fellow_flow": s.beside("fellow_flow")} if s.record.fellow_ns else {}),
    }


def _way(s: Scene) -> Facts:
    frames = (s.beside("ttl_frame"), s.beside("mac_frame"), *s.asked_frames[:1])
    data: dict[str, int | str] = {"address": s.record.endpoint(s.quiet).address}
    if redirects := _redirects(s):
        frames = (*frames, *(error.frame for error in redirects))
        data |= {"by": redirects[-1].source, "redirected_ns": redirects[-1].ts_ns, "asker": s.asker}
        data |= {"router": redirects[-1].router or ""}
    return frames, data


def _way_fits(t: Teller, cause: Cause) -> str:
    if "by" not in cause.data:
        return ""
    side: Side = "a" if cause.data["asker"] == "a" else "b"
    asker, peer = t.the(side), t.the(other(side))
    router = str(cause.data["router"])
    look = "Look at that router: does it pass these packets on?" if router else "Is it, and does it answer there?"
    return (
        f"{cause.data['by']} told {asker} at {t.at(int(cause.data['redirected_ns']))} to send"
        f" {sent_to(router, peer)} (ICMP redirect), and nothing that {asker} sent since was answered. {look}"
    )


def _limit_fits(t: Teller, cause: Cause) -> str:
    del t
    silence_ns = cause.data["silence_ns"]
    assert isinstance(silence_ns, int)
    passed = f"Nothing had passed for {duration(silence_ns)} before"
    text = f"{passed}; known boxes have forgotten a connection by then: {cause.data['limits']}."
    if "fellow_ns" in cause.data:
        survived = duration(int(cause.data["fellow_ns"]))
        text += f" Flow {cause.data['fellow_flow']}, of the same hosts and service, survived {survived}."
    return text


def _filter_headline(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"{cause.data['address']} is alive on this link but does not answer this connection: most likely a packet"
        " filter there drops it."
    )


def _filter_who(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"Whoever runs the host {cause.data['address']}: look at its own packet filter (nft list ruleset, iptables -L)"
        " and its connection tracking. No box is between. Other keepalive settings cannot keep the connection."
    )


def _forgotten_headline(t: Teller, cause: Cause) -> str:
    del t
    return (
        f"{cause.data['address']} is alive, and this connection alone got no answer: most likely something on the way"
        " forgot it or drops it."
    )


def _forgotten_fits(t: Teller, cause: Cause) -> str:
    """Return the silence that may have been too long for a box on the way; nothing where none can have been."""
    del t
    silence_ns, survived_ns = cause.data.get("silence_ns"), cause.data.get("survived_ns")
    if not isinstance(silence_ns, int):
        return ""
    survived = (
        f"the longest silence it survived was {duration(int(survived_ns))}"
        if survived_ns
        else "none before was as long"
    )
    return f"Nothing had passed for {duration(silence_ns)} before; {survived}: an idle limit may have run out."


def _forgotten_who(t: Teller, cause: Cause) -> str:
    del t
    hop = f", beginning with {cause.data['hop']}" if cause.data["hop"] else ""
    return (
        f"Whoever runs the boxes between that track connections (NAT, firewall, load balancer{hop}): did one delete"
        " this connection's entry, or did its idle timeout run out? Probe more often than that timeout, or raise it."
    )


def _lost_once_headline(t: Teller, cause: Cause) -> str:
    del t
    return f"One lost packet was enough: {cause.data['address']} was alive when a single probe stayed unanswered."


def _lost_once_who(t: Teller, cause: Cause) -> str:
    del cause
    asker = t.record.ending_reset.sender if t.record.ending_reset is not None else "a"
    return f"Whoever configures {t.the(asker)}: allow more than one unanswered probe (TCP_KEEPCNT)."


FILTER_DROPS: Final = CauseKind(
    code="filter-drops",
    needs=frozenset({Trait.SILENT}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.LIKELY, (c.fell_silent, c.is_on_link, c.host_was_heard, nothing_by_icmp)),
        CauseRow(
            Certainty.POSSIBLE,
            (c.fell_silent, nothing_by_icmp, host_may_be_out_of_sight, c.nothing_refused_a_probe),
        ),
    ),
    facts=_dropped,
    headline=_filter_headline,
    who=_filter_who,
    tells="Capture at the peer: does what was sent last arrive there? Then look at the counters of its packet filter.",
    text=LongText(
        title="A packet filter drops packets silently",
        meaning="The host is alive on the same link, and answers other things, but not this connection.",
        why="The host was not restarted: a kernel that has lost a connection answers with a RST.",
        change="Look at the host's own packet filter and connection tracking.",
        doubt="Loss on the link would look the same, but only if it hit this connection alone.",
        source="RFC 9293 3.10.7.1; netfilter DROP",
    ),
)
FORGOTTEN: Final = CauseKind(
    code="only-this-flow-forgotten",
    needs=frozenset({Trait.SILENT}),
    needs_question=True,
    rows=(
        CauseRow(
            Certainty.LIKELY,
            (c.fell_silent, c.is_behind_hop, c.host_was_heard, nothing_by_icmp, no_other_flow_shares_it),
        ),
        CauseRow(
            Certainty.POSSIBLE,
            (c.fell_silent, c.is_behind_hop, nothing_by_icmp, others_may_have_been_as_idle, host_may_be_out_of_sight),
        ),
    ),
    facts=_dropped,
    headline=_forgotten_headline,
    who=_forgotten_who,
    fits=_forgotten_fits,
    tells="Try a new connection to the same service, and look at the tables of the boxes between (conntrack -L).",
    text=LongText(
        title="Only this connection was forgotten on the way",
        meaning="The host is alive and heard here, but nothing answers this connection.",
        why="A box between that keeps connections has lost this one, or drops it.",
        change="Probe more often than the box's time limit, or raise that; look at what deleted the state.",
        doubt="A program or filter on the host that concerns this connection alone looks the same.",
        source="RFC 5382 REQ-5; netfilter conntrack",
    ),
)
LOST_ONCE: Final = CauseKind(
    code="probe-lost-once",
    needs=frozenset({dead_peer.DEAD.code}),
    rows=(
        CauseRow(Certainty.LIKELY, (one_probe_unanswered, host_was_heard_later)),
        CauseRow(Certainty.POSSIBLE, (one_probe_unanswered,)),
    ),
    facts=_lost_once,
    headline=_lost_once_headline,
    who=_lost_once_who,
    tells="Check whether the host sent anything else at that moment, or raise the count above 1.",
    text=LongText(
        title="One lost packet was enough",
        meaning="The prober gave up after one unanswered probe.",
        why="Every path loses a packet now and then.",
        change="Raise the count (TCP_KEEPCNT).",
        doubt="The peer may have been gone all the same.",
        source="tcp(7) TCP_KEEPCNT; RFC 1122 4.2.3.6",
    ),
)
IDLE_LIMIT: Final = CauseKind(
    code="idle-limit",
    needs=frozenset({Trait.TRIAL, idle.BEYOND_LIMIT.code}),
    rows=(
        CauseRow(Certainty.POSSIBLE, (failed_after_long_silence, shorter_ones_survived_only)),
        CauseRow(
            Certainty.POSSIBLE,
            (broke_a_long_silence_in_vain, nobody_paused, nobody_had_stopped, shorter_ones_survived_only),
        ),
    ),
    facts=_limit,
    fits=_limit_fits,
    tells="Compare the idle limits in the report's summary, and read the documentation of the boxes between.",
    text=LongText(
        title="A time limit for idle connections",
        meaning="The connection failed after a silence that is longer than boxes on the way usually allow.",
        why="Whatever is sent after the limit is dropped or refused.",
        change="See idle-beyond-middlebox-limit.",
        doubt="See idle-beyond-middlebox-limit.",
        source="field guide 6",
    ),
)
PATH_CHANGED: Final = CauseKind(
    code="path-changed",
    needs=frozenset({Trait.SILENT}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, was_redirected), is_shown=True),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, came_another_way)),
    ),
    facts=_way,
    fits=_way_fits,
    tells="Run traceroute in both directions, and read the routers' logs.",
    text=LongText(
        title="The path changed",
        meaning=(
            "The host's packets came by another station or with another TTL once, about when the flow failed; or a"
            " router told the other end by ICMP to send to another one."
        ),
        why="The new path may lead through a box that does not know the connection.",
        change="Look for routing changes at that time, and for stateful boxes on the new path.",
        doubt="It may be a coincidence.",
        source="RFC 2663",
    ),
)
