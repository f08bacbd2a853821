"""Segments that are too large for the path: ICMP says so, or all that was lost is large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.causes import conditions as c
from analyzer.causes.kind import CauseKind, CauseRow, Trait
from analyzer.findings.kinds import outstanding, path_mtu
from analyzer.judge.judged import Certainty
from analyzer.judge.nearness import soonest_ns
from analyzer.words.icmp import fits_at_most, fitting, icmp_text
from analyzer.words.model import LongText
from analyzer.words.teller import capital, times

if TYPE_CHECKING:
    from analyzer.causes.kind import Facts
    from analyzer.judge.events import Resent
    from analyzer.judge.judged import Cause
    from analyzer.judge.scene import Scene
    from analyzer.track.flow import Side
    from analyzer.words.teller import Teller

TOO_BIG: Final = frozenset({(4, 3, 4), (6, 2, 0)})
"""RFC 1191 4, RFC 4443 3.2."""


def too_big_exactly(s: Scene) -> bool:
    """An ICMP error says that what was sent does not fit the path, and quotes data that is still unacknowledged."""
    errors = c.errors_of(TOO_BIG, exact=True)(s)
    return any(s.record.facts(e.quotes).unacked_frame is not None for e in errors)


def large_segments_are_lost(s: Scene) -> bool:
    """A large segment was sent again and again in vain, while its receiver was heard (large-segments-lost)."""
    return s.found(path_mtu.LARGE_LOST.code) is not None


def only_large_segments_were_lost(s: Scene) -> bool:
    """All that was sent again in vain, 3 times or more, has 1,000 bytes or more, and nothing shows that such pass.

    Either it is the first data of its sender since the handshake; or the peer was heard so long after the
    first of it that it had come by then, but acknowledged nothing of it.
    """
    again, facts = _large_again(s), s.record.facts(s.asker)
    if len(again) < path_mtu.OFTEN or facts.unacked_ns is None:
        return False
    if s.record.starts_with == "handshake" and facts.unacked_frame == facts.first_data_frame:
        return True
    known = soonest_ns(s.record, s.quiet, again[0].frame)
    return s.since_ns - facts.unacked_ns > (known[0] if known is not None else 0)


def _large_again(s: Scene) -> tuple[Resent, ...]:
    """Return what the asker sent again in vain, if all of it is large."""
    since_ns = s.record.facts(s.asker).unacked_ns
    again = tuple(r for r in s.record.resent if r.sender == s.asker and since_ns is not None and r.ts_ns >= since_ns)
    return again if all(each.payload_len >= path_mtu.LARGE for each in again) else ()


def _errors(s: Scene) -> Facts:
    """Return the errors that say so, and what the last of them says."""
    errors = c.errors_of(TOO_BIG, exact=True)(s) or c.errors_of(TOO_BIG, exact=False)(s)
    if not errors:
        return (), {}
    last = errors[-1]
    what = icmp_text(last.version, last.type, last.code)
    data: dict[str, int | str] = {"sender": last.source, "what": what, "count": len(errors), "to": last.quotes}
    return (*(error.frame for error in errors), *s.asked_frames[-1:]), data


def _too_big(s: Scene) -> Facts:
    frames, data = _errors(s)
    finding = s.found(path_mtu.LARGE_LOST.code)
    if too_big_exactly(s):
        error = c.errors_of(TOO_BIG, exact=True)(s)[0]
        again = [r for r in s.record.resent if r.sender == error.quotes and r.ts_ns > error.ts_ns]
        data |= {
            "from": s.record.endpoint(error.quotes).address,
            "again": len(again),
            **({"mtu": smallest} if (smallest := fits_at_most(c.errors_of(TOO_BIG, exact=True)(s))) else {}),
            "bytes": max((each.payload_len for each in again), default=0),
        }
        frames = (*frames, *(each.frame for each in again))
    elif finding is None:
        again = list(_large_again(s))
        data |= {"vain": len(again), "least": min((each.payload_len for each in again), default=0)}
        frames = (*frames, *(each.frame for each in again))
    return (*frames, *(finding.frames if finding else ())), data


def _too_big_headline(t: Teller, cause: Cause) -> str:
    """Return who says that segments do not fit, and whether they were sent again; nothing where a finding tells it."""
    if "from" not in cause.data:
        return ""
    side: Side = "a" if cause.data["to"] == "a" else "b"
    says = f"{capital(t.the(side))}'s segments are too large for the path: {cause.data['sender']} says so by ICMP"
    again, size = int(cause.data["again"]), int(cause.data["bytes"])
    went_on = f"; up to {size:,} bytes were retransmitted {times(again)} after that" if again and size else ""
    return f"{says} ({cause.data['what']}{fitting(int(cause.data.get('mtu', 0)))}){went_on}."


def _too_big_fits(t: Teller, cause: Cause) -> str:
    """Return that all that was lost is large, where that is all that speaks for it."""
    del t
    if "vain" not in cause.data:
        return ""
    return (
        f"All that was retransmitted in vain is large: {int(cause.data['least']):,} bytes or more,"
        f" {times(int(cause.data['vain']))}; small segments had passed. So it may be the path's MTU."
    )


def _too_big_who(t: Teller, cause: Cause) -> str:
    """Return what to do: let the error through, or send less at once."""
    del t
    smallest = int(cause.data.get("mtu", 0))
    return (
        f"Whoever runs the host {cause.data['from']} and the filters before it: let ICMP {cause.data['what']} through"
        f" to that host; most likely it does not get there, or is not heeded. Or whoever runs {cause.data['sender']},"
        " or the tunnel behind it: clamp the segment size (MSS) there. Or set a smaller MTU"
        f"{f' (here {smallest:,})' if smallest else ''} on the host's interface or route. No keepalive setting helps:"
        " probes are small and pass."
    )


PATH_MTU: Final = CauseKind(
    code="path-mtu",
    needs=frozenset({Trait.ERRORS, Trait.SILENT, path_mtu.LARGE_LOST.code}),
    rows=(
        CauseRow(Certainty.PROVEN, (too_big_exactly,)),
        CauseRow(Certainty.LIKELY, (large_segments_are_lost,)),
        CauseRow(Certainty.POSSIBLE, (c.fell_silent, only_large_segments_were_lost)),
    ),
    facts=_too_big,
    headline=_too_big_headline,
    who=_too_big_who,
    fits=_too_big_fits,
    tells=(
        "From the sender's host, ping the other end with packets as large that may not be fragmented (Linux: ping -M do"
        " -s SIZE). Or capture at the other end, and see whether only small segments arrive there."
    ),
    overrules=frozenset({outstanding.OUTSTANDING.code}),
    text=LongText(
        title="Segments too large for the path",
        meaning="Large segments do not get through, small ones do.",
        why="Keepalive and handshakes look healthy while every large answer hangs.",
        change=(
            "Let ICMP fragmentation-needed and packet-too-big through to the sender, clamp the segment size (MSS) at"
            " the tunnel, or set a smaller MTU; see large-segments-lost."
        ),
        doubt="See large-segments-lost; an ICMP error that quotes the lost data proves it.",
        source="RFC 2923 2.1; RFC 1191; RFC 4821",
    ),
)
