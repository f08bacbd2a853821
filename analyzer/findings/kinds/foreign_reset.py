"""The RST that ended the flow is not of the endpoint in whose name it came: a box in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.data_limits import boxes_at, idle_limit_of
from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import NO_REMEDY, Advice, FindingKind, Lead, Remedy, Row
from analyzer.judge.nearness import soonest_ns
from analyzer.judge.record import other
from analyzer.judge.scene import Scene
from analyzer.judge.signatures import middleboxes_within
from analyzer.judge.tried import Tried, tried_before, tried_by_answer
from analyzer.judge.untaken import untaken
from analyzer.judge.verdict import BETWEEN
from analyzer.judge.witness import mac_text
from analyzer.label.distance import FULL_TTLS, hops
from analyzer.tolerances import SILENCE_LEAST_NS
from analyzer.units import NS_PER_S
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import capital, duration, lines, number, side_of

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.events import Reset
    from analyzer.judge.judged import Finding
    from analyzer.judge.probe import Probe
    from analyzer.words.teller import Teller


DRAWN_LEAST_NS: Final = 200_000_000
"""A RST that comes sooner behind a segment may have been drawn by it, however near its sender is."""
DRAWN: Final = 4
"""Or within so many times as long as the end beyond takes to answer."""
FIN_WAIT_LEAST_NS: Final = 1_000_000_000
"""No timeout of FIN-WAIT-2 is shorter (tcp_fin_timeout and TCP_LINGER2 are whole seconds)."""


def reset_from_between(f: Flows) -> Mask:
    """The RST that ended the flow came in its name, but from another distance, or it went on afterwards."""
    return f.own_reset & (f.by == BETWEEN)


def _evidence(case: Case) -> Evidence:
    """In what the RST differs from the endpoint's own packets, which machine sent it, and whether a limit ran out."""
    reset = case.own_reset
    assert reset is not None
    low, high = reset.own_ttl or (None, None)
    answered, passed_ns = _answered_before(case, reset)
    tried = tried_by_answer(case.record, answered) if answered else tried_before(case.record, reset.answers_probe)
    is_unasked = answered is not None and passed_ns >= _soon_ns(case, reset)
    if is_unasked:
        answered = None
        tried = Tried(passed_ns, tried.survived_ns) if tried else None
    return frames_of(reset.answers_probe, reset.frame), known(
        reset_frame=reset.frame,
        probe_frame=reset.answers_probe,
        answer_frame=answered.answer_frame if answered else None,
        differs=" ".join(reset.strange),
        ttl=reset.ttl,
        own_ttl_low=low,
        own_ttl_high=high,
        silence_ns=tried.silence_ns if tried else None,
        survived_ns=tried.survived_ns if tried else None,
        unasked=1 if tried and is_unasked else None,
        limit=("excluded" if tried.excludes_limit else "fits") if tried else None,
        **({} if tried else _ran_out(case, reset)),
        **_nearest(case, reset),
        **_half_closed(case, reset),
    )


def _half_closed(case: Case, reset: Reset) -> dict[str, int | str]:
    """Return since when the connection was half-closed, where only the end in whose name the RST came had sent FIN.

    And the longest silence since, if known boxes forget a half-closed connection in it.
    """
    fin, record = case.record.fin_of(case.side), case.record
    if fin is None or record.fin_of(case.peer) is not None or fin.frame > reset.frame:
        return {}
    found = known(fin_frame=fin.frame, fin_ns=reset.ts_ns - fin.ts_ns)
    since, to = record.silence_from, record.silence_to
    if since is None or to is None or not fin.frame <= since < to <= reset.frame:
        return found
    boxes = middleboxes_within(record.silence_ns, half_closed=True)
    least_s = min((box.idle_s for box in boxes if box.half_closed), default=None)
    return found | known(
        half_silence_ns=record.silence_ns,
        half_from=since,
        half_to=to,
        half_least_ns=least_s * NS_PER_S if least_s else None,
    )


def _ran_out(case: Case, reset: Reset) -> dict[str, int | str]:
    """Return how long nothing had passed before a RST that came unasked, where limits have such a time."""
    found = idle_limit_of(case) if reset.answers_probe is None else None
    if found is None:
        return {}
    quiet_ns, since, limit = found
    return known(quiet_ns=quiet_ns, quiet_from=since, limit_ns=limit, boxes=boxes_at(limit) or None)


def _answered_before(case: Case, reset: Reset) -> tuple[Probe | None, int]:
    """Return the probe of the end in whose name the RST came whose answer came before it, and how long before.

    Right before it that answer drew it; where it came later than that, it came unasked.
    """
    probe = next((each for each in reversed(case.probes) if each.frame < reset.frame), None)
    if probe is None or probe.answer_ns is None or probe.answer_frame is None or reset.answers_probe is not None:
        return None, 0
    passed_ns = reset.ts_ns - probe.ts_ns - probe.answer_ns
    return (probe if probe.answer_frame < reset.frame and 0 <= passed_ns < SILENCE_LEAST_NS else None), passed_ns


def _soon_ns(case: Case, reset: Reset) -> int:
    """Return within how long after what drew it a RST of something on the way comes: hardly later than from its end."""
    known = soonest_ns(case.record, reset.sender, reset.frame)
    return SILENCE_LEAST_NS if known is None else min(SILENCE_LEAST_NS, max(DRAWN_LEAST_NS, DRAWN * known[0]))


def _nearest(case: Case, reset: Reset) -> dict[str, int | str]:
    """Return that the RST has passed no router here, unlike the endpoint's packets, and who bears its MAC address."""
    if reset.ttl not in FULL_TTLS or reset.own_ttl is None or not all(map(hops, reset.own_ttl)):
        return {}
    beside = case.record.beside
    mac = -1 if beside is None else beside["reset_mac"]
    brings = beside is not None and mac >= 0 and mac == beside["mac"]
    return known(
        on_link=1,
        station=mac_text(mac) or None,
        brings=1 if brings else None,
        hop=Scene(case.record, case.ending, ()).hop if brings else None,
    )


def _detail(t: Teller, f: Finding) -> str:
    return f"{_headline(t, f)} {' '.join(line.text for line in _differences(t, f))}"


def _headline(t: Teller, f: Finding) -> str:
    """Return a foreign RST in one line."""
    owner = t.the(side_of(f))
    what = " in answer to a probe" if "probe_frame" in f.data else ""
    if _only_went_on(f):
        return (
            f"A RST{what} ended the connection. It carries {owner}'s address, but {owner} went on sending: most likely"
            " a middlebox sent the RST."
        )
    if "went_on" in str(f.data["differs"]).split():
        reached = (
            f"closed {t.the(other(side_of(f)))}'s end" if t.record.reset_back is not None else "ended the connection"
        )
        return (
            f"A RST{what} in {owner}'s name {reached}. It does not look like {owner}'s packets, and {owner} went on"
            " sending: most likely a middlebox sent it."
        )
    return (
        f"A RST{what} ended the connection. It carries {owner}'s address, but does not look like {owner}'s packets:"
        f" most likely a middlebox sent it{_at_limit(f)}."
    )


def _at_limit(f: Finding) -> str:
    """Return that the RST came when an idle limit would run out."""
    return f", when an idle limit of {number(f, 'limit_ns') // NS_PER_S:,} s ran out" if "quiet_ns" in f.data else ""


def _only_went_on(f: Finding) -> bool:
    """Say whether a RST looks like its sender's own, which yet went on."""
    return not {"ttl", "mac"} & set(str(f.data["differs"]).split())


def _happened(t: Teller, f: Finding) -> list[Line]:
    """Return the RST and in what it differs."""
    owner = t.the(side_of(f))
    answers = ", in answer to the probe" if "probe_frame" in f.data else ""
    if "answer_frame" in f.data:
        answers = (
            f", right behind {t.the(other(side_of(f)))}'s answer to a probe (frame {f.data['answer_frame']}), which"
            " most likely drew it"
        )
    return lines(
        *probe_summary(t),
        Line(f"The RST came in {owner}'s name{answers}: the end.", f.frames),
        _half_line(t, f),
        *_differences(t, f),
    )


def _half_line(t: Teller, f: Finding) -> Line | None:
    """Return that the connection was half-closed, if it was."""
    if "fin_frame" not in f.data:
        return None
    text = (
        f"The connection was half-closed: {t.the(side_of(f))} had sent FIN {duration(number(f, 'fin_ns'))} before,"
        f" {t.the(other(side_of(f)))} none."
    )
    return Line(text, (number(f, "fin_frame"), number(f, "reset_frame")))


def _differences(t: Teller, f: Finding) -> list[Line]:
    """Return in what the RST differs from its endpoint's other packets."""
    owner = t.the(side_of(f))
    reset = number(f, "reset_frame")
    differs = str(f.data["differs"]).split()
    low, high = number(f, "own_ttl_low"), number(f, "own_ttl_high")
    came = number(f, "ttl")
    own = str(low) if low == high else f"{low} to {high}"
    ttl = f"Its TTL is {came}; {owner}'s other packets have {own}."
    if low < came < high:
        ttl = f"Its TTL is {came}; of {owner}'s other packets, from {own}, none came as far."
    mac = f"Its source MAC address is not that of {owner}'s other packets."
    went_on = (
        f"{t.start(side_of(f))} sent segments of this connection afterwards: its kernel had sent no such RST, or the"
        " connection would have been gone there."
    )
    return lines(
        Line(ttl, (reset,)) if "ttl" in differs else None,
        Line(mac, (reset,)) if "mac" in differs else None,
        Line(went_on, (reset,)) if "went_on" in differs else None,
    )


def _why(t: Teller, f: Finding) -> list[Line]:
    """Return what kind of box does that, and what else it can be."""
    side, found = side_of(f), box_lines(t, f, knows=f" {_knows(t, f)}")
    fin = t.fin(side)
    if fin is None or "mac" in str(f.data["differs"]) or _only_went_on(f):
        return found
    own = (
        f"Or it is {t.the(side)}'s own after all: it had sent FIN before, and if the route changed since, the TTL"
        " did too."
    )
    if t.reset is not None and t.reset.ts_ns - fin.ts_ns >= FIN_WAIT_LEAST_NS:
        own += " Then its FIN-WAIT-2 had run out."
    return [*found, Line(own, (fin.frame, *f.frames))]


def box_lines(t: Teller, f: Finding, knows: str = "") -> list[Line]:
    """Return what kind of box sends such a RST, where it stands, and what the silence before says of its limits.

    With what the end in whose name it came ``knows`` of it.
    """
    side = side_of(f)
    resets = "resets it" if "unasked" in f.data else "answers"
    box = (
        "Inferred: a firewall, NAT or load balancer on the path has dropped the flow from its table or blocks it, and"
        f" {resets} in {t.the(side)}'s name.{knows}"
    )
    if _only_went_on(f):
        box = (
            "Inferred: something that sees the connection's numbers (a firewall, an intrusion prevention system, an"
            f" attacker) reset it in {t.the(side)}'s name. {t.start(other(side))}'s end has been gone since;"
            f" {t.the(side)} learns that from the answer to what it sends next."
        )
    return lines(Line(box, f.frames), _half_limit_line(t, f), _sender_line(t, f), _limit_line(f))


def _knows(t: Teller, f: Finding) -> str:
    """Return what the end in whose name the RST came knows of it, by the RST that its next packet drew."""
    side, back = side_of(f), t.record.reset_back
    if back is None:
        return f"{t.start(side)} itself probably does not know and still holds the connection."
    again_ns = untaken(t.record, side).get(back.frame)
    if again_ns is None:
        return (
            f"{t.start(side)} itself had probably not ended it, and learns of it from a RST in {t.the(other(side))}'s"
            f" name (frame {back.frame}), if that arrives and fits."
        )
    return (
        f"{t.start(side)} itself had not ended it, and its end was still open at {t.at(again_ns)}, when it sent again:"
        f" nor had the RST in {t.the(other(side))}'s name (frame {back.frame}) closed it. So that RST was lost or"
        f" refused on the way, as by a rule that stops {t.the(other(side))}'s packets."
    )


def _sender(f: Finding) -> str:
    """Return what is known of the machine that sent the RST: ``the next hop 10.0.0.1 (MAC 02:...)``."""
    mac = f"MAC {f.data['station']}" if "station" in f.data else ""
    if "brings" in f.data:
        return f"the next hop {f.data['hop']} ({mac})" if "hop" in f.data else f"the next hop ({mac})"
    return f"the machine on this link with {mac}" if mac else "a machine on this link"


def _sender_line(t: Teller, f: Finding) -> Line | None:
    """Return where the RST's sender stands, where its TTL tells."""
    if "on_link" not in f.data:
        return None
    owner = t.the(side_of(f))
    also = f", which brings {owner}'s packets too" if "brings" in f.data else ""
    text = (
        f"{number(f, 'ttl')} is a TTL that packets begin with: the RST passed no router up to here. So most likely"
        f" {_sender(f)} sent it{also}."
    )
    return Line(text, (number(f, "reset_frame"),))


def _limit_line(f: Finding) -> Line | None:
    """Return what the silence before the probe says of an idle limit."""
    if "quiet_ns" in f.data:
        limit = f"{number(f, 'limit_ns') // NS_PER_S:,} s"
        boxes = f" Known boxes with this limit: {f.data['boxes']}." if "boxes" in f.data else ""
        text = (
            f"Nothing had passed for {number(f, 'quiet_ns') / NS_PER_S:,.3f} s before the RST, which came unasked. So"
            f" an idle limit of {limit} most likely ran out (inferred).{boxes}"
        )
        return Line(text, tuple(sorted({number(f, "quiet_from"), *f.frames})))
    if "limit" not in f.data:
        return None
    silence_ns, survived_ns = number(f, "silence_ns"), number(f, "survived_ns")
    what = "the probe whose answer drew the RST" if "answer_frame" in f.data else "the probe that drew the RST"
    what = "the RST, which came unasked" if "unasked" in f.data else what
    passed = f"Nothing had passed for {duration(silence_ns)} before {what}"
    if f.data["limit"] == "fits":
        longest = f"the longest silence survived was {duration(survived_ns)}" if survived_ns else "none before was long"
        text = f"{passed}; {longest}. So an idle timeout may have run out (inferred)."
    elif survived_ns:
        text = f"{passed}, and a silence of {duration(survived_ns)} was survived: {_none_ran_out(f)}."
    else:
        text = f"{passed}: no known box forgets a connection so soon."
    return Line(text, f.frames)


def _half_limit_line(t: Teller, f: Finding) -> Line | None:
    """Return that known boxes forget a half-closed connection in the silence that there was since the FIN."""
    if "half_least_ns" not in f.data:
        return None
    text = (
        f"Nothing had passed for {duration(number(f, 'half_silence_ns'))} on the half-closed connection, and boxes"
        f" forget such sooner than open ones: known limits begin at {number(f, 'half_least_ns') // NS_PER_S} s. So one"
        f" may have forgotten it while {t.the(side_of(f))} still waited (inferred)."
    )
    return Line(text, (number(f, "half_from"), number(f, "half_to")))


def _none_ran_out(f: Finding) -> str:
    """Say that no idle limit ran out, as surely as the silences tell."""
    sure = Tried(number(f, "silence_ns"), number(f, "survived_ns")).proves_it
    return "no idle timeout ran out" if sure else "most likely no idle timeout ran out"


def _change(f: Finding) -> str | None:
    """Return who must act, and what fits the silence before the RST."""
    if {"limit", "on_link", "quiet_ns"}.isdisjoint(f.data):
        return None
    where = _sender(f) if "on_link" in f.data else "the firewalls, NAT and load balancers on the path"
    survived_ns = number(f, "survived_ns")
    if f.data.get("limit") == "excluded":
        return f"Check {where}: a new rule, a policy, a restart." + (
            f" {capital(_none_ran_out(f))}, so other keepalive settings do not help."
            if survived_ns
            else " No known box forgets a connection so soon, so other keepalive settings hardly help."
        )
    if "quiet_ns" in f.data:
        limit = f"{number(f, 'limit_ns') // NS_PER_S:,} s"
        return (
            f"Check {where}: an idle timeout of {limit} most likely ran out. Raise it, or probe more often. Else a"
            " restart, or a new rule."
        )
    often = f"probing more often than every {duration(survived_ns)}" if survived_ns else "probing more often"
    return f"Check {where}: an idle timeout, a restart, a new rule. If it was an idle timeout, {often} helps."


def _remedies(f: Finding) -> frozenset[Remedy]:
    """Return what the advice comes down to where a limit is told."""
    return frozenset({Remedy.PASS_MORE_OFTEN, Remedy.LOOK_AT_THE_BOX}) if "limit_ns" in f.data else NO_REMEDY


OF_SILENCE: Final = frozenset({
    "limit", "limit_ns", "survived_ns", "silence_ns", "quiet_ns", "quiet_from", "boxes",
    "half_least_ns", "half_silence_ns", "half_from", "half_to",
})  # fmt: skip
"""What is known of the silence before: so much is so only if nothing passed elsewhere meanwhile."""
FROM_BETWEEN: Final = FindingKind(
    code="reset-from-between",
    rows=(Row((reset_from_between,), _evidence),),
    text=LongText(
        title="A middlebox sent the RST",
        meaning=(
            "The RST carries this endpoint's address, but it came over a different distance (TTL) than the endpoint's"
            " other packets, often from a different station (MAC address), too; or the endpoint carried on as if it"
            " had sent none."
        ),
        why=(
            "Neither program nor either kernel ended the connection. The endpoint in whose name it came most likely"
            " still holds it."
        ),
        change=(
            "Check the firewalls, NAT and load balancers on the path: an idle timeout, a restart, a new rule."
            " If it was an idle timeout, keepalive with an idle time below it keeps the flow in their tables."
        ),
        doubt=(
            "A route change also changes the TTL. A different station alone shows no box: another first-hop router,"
            " interface or machine at the address changes it, too. Systems that send RSTs with a different initial TTL"
            " are allowed for, and so is the endpoint's own station on its own link."
        ),
        source="field guide 6, 8, 9.5",
    ),
    detail=_detail,
    change=_change,
    lead=Lead(_headline, _happened, _why, overrules=True),
    advice=Advice.READER,
    remedies=_remedies,
)
