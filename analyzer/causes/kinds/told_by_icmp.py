"""Causes that somebody on the path tells by ICMP: who rejects, who has no route, who cannot reach the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import dead_peer
from analyzer.judge.judged import Certainty
from analyzer.judge.nearness import Whence, errors_come_from
from analyzer.judge.record import other
from analyzer.judge.tried import Tried, tried_before
from analyzer.judge.verdict import Verdict
from analyzer.label.distance import hops
from analyzer.track.trial import TRIAL_LEAST_NS
from analyzer.words.icmp import icmp_text
from analyzer.words.model import Line, LongText
from analyzer.words.teller import capital, count, duration, setting

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.events import IcmpError
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

PROHIBITED: Final = frozenset({(4, 3, 9), (4, 3, 10), (4, 3, 13), (4, 3, 2), (4, 3, 3)}) | frozenset(
    {(6, 1, 1), (6, 1, 4), (6, 1, 5), (6, 1, 6)}
)
"""RFC 1812 5.2.7.1, RFC 4443 3.1; protocol and port unreachable too: TCP itself answers a closed port with RST."""
NO_ROUTE: Final = frozenset({(4, 3, 0), (4, 3, 5), (4, 3, 6), (4, 3, 8), (4, 3, 11), (4, 11, 0)}) | frozenset(
    {(6, 1, 0), (6, 1, 2), (6, 3, 0)}
)
"""RFC 792, RFC 4443 3.1 and 3.3: no route, or one that leads in a circle."""
HOST_UNREACHABLE: Final = frozenset({(4, 3, 1), (4, 3, 7), (4, 3, 12), (6, 1, 3)})
"""RFC 1812 5.2.7.1, RFC 4443 3.1: the last router got no answer by ARP or neighbour discovery.

Packet filters (REJECT) and routes that are set to unreachable send the same.
"""
LOOKUP_NS: Final = 1_000_000_000
"""A router that waits for ARP or neighbour discovery in vain waits so long at the least (RFC 4861 10; Linux 3 s)."""


def prohibited_exactly(s: Scene) -> bool:
    """Since then an ICMP error says prohibited, or port or protocol unreachable, and quotes what had just been sent."""
    return bool(c.errors_of(PROHIBITED, exact=True)(s))


def prohibited(s: Scene) -> bool:
    """Since then an ICMP error says prohibited, or port or protocol unreachable, and quotes what could have been."""
    return bool(c.errors_of(PROHIBITED, exact=False)(s))


def no_route_exactly(s: Scene) -> bool:
    """Since then an ICMP error says that there is no route, or one in a circle, and quotes what had just been sent."""
    return bool(c.errors_of(NO_ROUTE, exact=True)(s))


def no_route(s: Scene) -> bool:
    """Since then an ICMP error says that there is no route, or one in a circle, and quotes what could have been."""
    return bool(c.errors_of(NO_ROUTE, exact=False)(s))


def unreachable(s: Scene) -> bool:
    """Since then an ICMP error says that a router cannot reach the host, and quotes what could have been."""
    return bool(c.errors_of(HOST_UNREACHABLE, exact=False)(s))


def comes_from_the_last_router(s: Scene) -> bool:
    """By TTL its sender may be the last router before the host: it is one router nearer, or nothing shows how far."""
    errors = c.errors_of(HOST_UNREACHABLE, exact=False)(s)
    own = s.record.facts(s.quiet).ttl
    if any(error.source == s.record.endpoint(s.quiet).address for error in errors):
        return False
    if own is None or min(own) < 0:
        return True
    nearest, farthest = sorted(hops(ttl) for ttl in own)
    known = [hops(error.ttl) for error in errors if error.ttl >= 0]
    return all(max(nearest - 1, 0) <= each <= max(farthest - 1, 0) for each in known)


def came_as_late_as_a_lookup(s: Scene) -> bool:
    """The first such error came a second or more after the first of what stayed unanswered, as behind a lookup."""
    errors = c.errors_of(HOST_UNREACHABLE, exact=False)(s)
    return bool(errors) and min(error.ts_ns for error in errors) - s.asked_ns >= LOOKUP_NS


def may_be_no_lookup(s: Scene) -> bool:
    """It came sooner than a lookup in vain takes, or not from the last router: a filter or a route may say so, too."""
    return not (comes_from_the_last_router(s) and came_as_late_as_a_lookup(s))


def _facts_of(kinds: frozenset[tuple[int, int, int]], s: Scene) -> Facts:
    errors = c.errors_of(kinds, exact=True)(s) or c.errors_of(kinds, exact=False)(s)
    if not errors:
        return (), {}
    data = _first(errors[-1], len(errors))
    peer = other(errors[-1].quotes)
    if errors[-1].source == s.record.endpoint(peer).address:
        alike = [error for error in errors if error.source == errors[-1].source]
        data["whence"] = errors_come_from(s.record, peer, alike).value
    return (*(e.frame for e in errors), *s.asked_frames[-1:]), data


def _first(error: IcmpError, number: int) -> dict[str, int | str]:
    what = icmp_text(error.version, error.type, error.code)
    return {"sender": error.source, "what": what, "count": number, "to": error.quotes}


def _rejects(s: Scene) -> Facts:
    """Add what the silence before the first refused packet says of an idle limit."""
    frames, data = _facts_of(PROHIBITED, s)
    if not frames:
        return _unreachable(s)
    errors = c.errors_of(PROHIBITED, exact=True)(s)
    tried = tried_before(s.record, _refused_first(s, errors[0])) if errors else None
    if tried is not None:
        data |= {
            "silence_ns": tried.silence_ns,
            "survived_ns": tried.survived_ns,
            "limit": "excluded" if tried.excludes_limit else "fits",
            "refused_frame": _refused_first(s, errors[0]) or 0,
        }
    return frames, data


def _refused_first(s: Scene, error: IcmpError) -> int | None:
    """Return the frame that the first error is about: a probe, or what broke the last silence just before it."""
    if error.quotes_probe is not None:
        in_vain = [probe.frame for probe in s.in_vain]
        return error.quotes_probe if in_vain[:1] == [error.quotes_probe] else None
    broke = s.record.trial_to
    return broke if broke is not None and broke < error.frame and not s.in_vain else None


def _routeless(s: Scene) -> Facts:
    found = _facts_of(NO_ROUTE, s)
    return found if found[0] else _unreachable(s)


def _unreachable(s: Scene) -> Facts:
    frames, data = _facts_of(HOST_UNREACHABLE, s)
    errors = c.errors_of(HOST_UNREACHABLE, exact=True)(s) or c.errors_of(HOST_UNREACHABLE, exact=False)(s)
    if errors:
        data |= {
            "host": s.record.endpoint(s.quiet).address,
            "waited_ns": max(min(error.ts_ns for error in errors) - s.asked_ns, 0),
            "near": 0 if comes_from_the_last_router(s) else 1,
        }
    return frames, data


def _asked(cause: Cause) -> Side:
    """Return the end that the packets were for that an ICMP error is about."""
    return "b" if cause.data["to"] == "a" else "a"


def _box(t: Teller, cause: Cause) -> str:
    """Return what the sender of an ICMP error is to the flow."""
    sender = str(cause.data["sender"])
    peer = _asked(cause)
    if sender == t.record.endpoint(peer).address:
        return WHO[str(cause.data["whence"])].format(peer=t.the(peer), address=sender)
    return sender


WHO: Final = {
    Whence.AS_FAR.value: "{peer}'s own host {address}",
    Whence.NEARER.value: "something nearer that answers as {address}",
    Whence.ELSEWHERE.value: "{peer}'s host, or something that answers as {address},",
    Whence.UNKNOWN.value: "{peer}'s host, or something that answers as {address},",
}
"""Who sends ICMP errors in the name of a peer's address, as far as distance and delay tell."""


def _rejects_headline(t: Teller, cause: Cause) -> str:
    return (
        f"{capital(_box(t, cause))} rejects this connection's packets: {cause.data['what']}"
        f" ({count(int(cause.data['count']), 'ICMP error')})."
    )


def _rejects_who(t: Teller, cause: Cause) -> str:
    """Return what to do at the filter; and at the prober, unless no idle limit can have run out."""
    head = f"Whoever runs the packet filter at {_box(t, cause).rstrip(',')}:"
    if t.ending.verdict is Verdict.UNESTABLISHED:
        return (
            f"{head} let new connections to {t.record.endpoint(_asked(cause))} pass, if that is meant. Keepalive has no"
            " part in this."
        )
    changed = "its rules changed then, or it was restarted"
    if cause.data.get("limit") == "fits":
        survived_ns = int(cause.data["survived_ns"])
        often = f"more often than every {duration(survived_ns)}" if survived_ns else "more often"
        side: Side = "a" if cause.data["to"] == "a" else "b"
        return (
            f"{head} either it forgot the connection while nothing passed; then raise its idle limit, or have"
            f" {t.the(side)} probe {often}, which would have kept it. Or {changed}: then let this connection pass, even"
            " when the filter has no state for it, for no keepalive setting keeps it."
        )
    if cause.data.get("limit") == "excluded":
        ran_out = _none_ran_out(cause) if cause.data["survived_ns"] else "no known box forgets so soon"
        return (
            f"{head} {ran_out}, so most likely {changed}. Let this connection pass, even when the filter has no state"
            " for it. Other keepalive settings cannot keep it."
        )
    return (
        f"{head} let this connection pass, even when the filter has no state for it. Whether an idle limit ran out does"
        " not show; if one did, probing more often than that keeps the connection. Otherwise keepalive settings only"
        " change how soon the loss is noticed."
    )


def _none_ran_out(cause: Cause) -> str:
    """Say that no idle limit ran out, as surely as the silences tell."""
    sure = Tried(int(cause.data["silence_ns"]), int(cause.data["survived_ns"])).proves_it
    return "no idle limit ran out" if sure else "most likely no idle limit ran out"


def _rejects_shows(t: Teller, cause: Cause) -> list[Line]:
    """Return how long nothing had passed before the first refused packet, and what was survived before."""
    if "limit" not in cause.data:
        return []
    silence_ns, survived_ns = int(cause.data["silence_ns"]), int(cause.data["survived_ns"])
    record, refused = t.record, int(cause.data["refused_frame"])
    passed = f"Nothing had passed for {duration(silence_ns)} before the first packet that was refused"
    if cause.data["limit"] == "excluded":
        if not survived_ns:
            return [Line(f"{passed}: no known box forgets a connection so soon.", (refused,))]
        text = f"{passed}; a silence of {duration(survived_ns)} was survived: {_none_ran_out(cause)}."
        return [Line(text, (refused,))]
    longest = (
        f"the longest silence it survived was {duration(survived_ns)}"
        if survived_ns
        else f"no earlier silence was as long as {setting(TRIAL_LEAST_NS)}"
    )
    frames = (record.trial_from, refused) if record.trial_from is not None else (refused,)
    return [
        Line(f"{passed}; {longest}. So the filter may have forgotten the connection (inferred).", tuple(sorted(frames)))
    ]


def _routeless_headline(t: Teller, cause: Cause) -> str:
    return f"{capital(_router(t, cause))} reports by ICMP that it cannot forward the packets: {cause.data['what']}."


def _routeless_who(t: Teller, cause: Cause) -> str:
    return f"Whoever runs {_router(t, cause)}: look at its routes to the peer, and at what changed them."


def _router(t: Teller, cause: Cause) -> str:
    """Return who cannot forward: a router, or what has the peer's address and passes on what is sent to that."""
    sender = str(cause.data["sender"])
    if sender == t.record.endpoint(_asked(cause)).address:
        return f"what answers as {sender} (most likely a load balancer or NAT, as a host has nothing to forward)"
    return f"the router {sender}"


def _unreachable_headline(t: Teller, cause: Cause) -> str:
    peer = t.record.endpoint("b" if cause.data["to"] == "a" else "a").address
    return (
        f"{capital(_box(t, cause))}, most likely the last router, reports that it cannot reach {peer} on its link:"
        f" {cause.data['what']}."
    )


def _unreachable_who(t: Teller, cause: Cause) -> str:
    peer = t.record.endpoint("b" if cause.data["to"] == "a" else "a").address
    return (
        f"Whoever runs the host {peer}: most likely it does not answer {_box(t, cause)} on their link. Then it is off,"
        f" its interface or cable is down, or its address moved. If it is up, look at {cause.data['sender']}: a packet"
        " filter (REJECT) or a route that is set to unreachable reports the same."
    )


def _unreachable_fits(t: Teller, cause: Cause) -> str:
    """Return who says that the host is out of reach, and what speaks against a lookup in vain."""
    del t
    if "waited_ns" not in cause.data:
        return ""
    says = f"{cause.data['sender']} says {cause.data['what']}."
    waited_ns = int(cause.data["waited_ns"])
    if waited_ns < LOOKUP_NS:
        says += (
            f" It did so {duration(waited_ns)} after the first packet that stayed unanswered; a router that gets no"
            " answer on the host's link takes a second or more (Linux 3 s)."
        )
    if cause.data["near"]:
        says += f" By its TTL it is not the last router before {cause.data['host']}"
        late = waited_ns >= LOOKUP_NS
        says += ": it may be the next hop on its way there that does not answer it." if late else "."
    return says


def _filter_fits(t: Teller, cause: Cause) -> str:
    """Return which box may reject, where another cause fits its ICMP errors as well."""
    del t
    if "waited_ns" not in cause.data:
        return ""
    return f"{cause.data['sender']} says {cause.data['what']}: a filter's REJECT can be told to say so."


def _route_fits(t: Teller, cause: Cause) -> str:
    """Return which router may have such a route, where another cause fits its ICMP errors as well."""
    del t
    if "waited_ns" not in cause.data:
        return ""
    return f"{cause.data['sender']} says {cause.data['what']}: a route that is set to unreachable says so."


FILTER_REJECTS: Final = CauseKind(
    code="filter-rejects",
    needs=frozenset({Trait.ERRORS}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.PROVEN, (c.fell_silent, prohibited_exactly)),
        CauseRow(Certainty.LIKELY, (c.silent_or_never_opened, prohibited)),
        CauseRow(Certainty.POSSIBLE, (c.silent_or_never_opened, unreachable, may_be_no_lookup)),
    ),
    facts=_rejects,
    headline=_rejects_headline,
    who=_rejects_who,
    fits=_filter_fits,
    tells="Look at the packet filter of the box that sent the ICMP errors (nft list ruleset, iptables -L).",
    shows=_rejects_shows,
    overrules=frozenset({dead_peer.DEAD.code}),
    text=LongText(
        title="A packet filter rejects",
        meaning="A box on the path, or the peer's host, refuses the packets and says so by ICMP.",
        why="The peer may be fine: packets do not reach it. ICMP ends no established connection (RFC 5927).",
        change=(
            "Let the connection pass at the box that sent the ICMP error; its address is named. Where that box forgot"
            " the connection in a silence, probe more often than its idle limit, or raise that."
        ),
        doubt=(
            "An ICMP error can be forged; it is called proven only if it quotes the very number that had been sent,"
            " which nobody off the path knows."
        ),
        source="RFC 1812 5.2.7.1; RFC 4443 3.1; RFC 5927 4.1",
    ),
)
NO_ROUTE_CAUSE: Final = CauseKind(
    code="no-route",
    needs=frozenset({Trait.ERRORS}),
    needs_question=True,
    rows=(
        CauseRow(Certainty.PROVEN, (c.fell_silent, no_route_exactly)),
        CauseRow(Certainty.LIKELY, (c.silent_or_never_opened, no_route)),
        CauseRow(Certainty.POSSIBLE, (c.silent_or_never_opened, unreachable, may_be_no_lookup)),
    ),
    facts=_routeless,
    headline=_routeless_headline,
    who=_routeless_who,
    fits=_route_fits,
    tells="Look at the routes of the box that sent the ICMP errors (ip route get ADDRESS).",
    text=LongText(
        title="A router cannot forward the packets",
        meaning="A router on the path says by ICMP that it has no route to the peer, or that packets loop.",
        why="The peer may be fine: packets do not reach it.",
        change="Look at the routes of the router that sent the ICMP error; its address is named.",
        doubt="An ICMP error can be forged (see filter-rejects).",
        source="RFC 792; RFC 1812 5.2.7.1; RFC 4443 3.1, 3.3",
    ),
)
HOST_DOWN: Final = CauseKind(
    code="host-down-says-last-router",
    needs=frozenset({Trait.ERRORS}),
    needs_question=True,
    rows=(
        CauseRow(
            Certainty.LIKELY,
            (c.silent_or_never_opened, unreachable, comes_from_the_last_router, came_as_late_as_a_lookup),
        ),
        CauseRow(Certainty.POSSIBLE, (c.silent_or_never_opened, unreachable)),
    ),
    facts=_unreachable,
    headline=_unreachable_headline,
    who=_unreachable_who,
    fits=_unreachable_fits,
    tells="Check whether the host is up, and look at the neighbour table of the last router (ip neigh).",
    text=LongText(
        title="The last router cannot reach the host",
        meaning=(
            "The last router before the peer says by ICMP that the host does not answer on its link: off, disconnected,"
            " or no longer at that address."
        ),
        why="The path up to that router works.",
        change="Look at the peer's host and its link, behind the router that is named.",
        doubt=(
            "An ICMP error can be forged (see filter-rejects). Packet filters and unreachable routes send this type,"
            " too, from any router and at once; a lookup in vain takes a second or more. So it is likely at most."
        ),
        source="RFC 1812 5.2.7.1, 4.3.3.1; RFC 4443 3.1; RFC 4861 10; Linux arp_error_report",
    ),
)
