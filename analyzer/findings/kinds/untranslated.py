"""A RST, a FIN, data or an ACK passed a NAT untranslated: the peer does not know whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.findings.evidence import frames_of, known
from analyzer.findings.kind import Advice, FindingKind, Lead, Remedy, Row, Scope
from analyzer.judge.tried import Tried
from analyzer.judge.verdict import Verdict
from analyzer.track.trial import TRIAL_LEAST_NS
from analyzer.track.untranslated import RESET
from analyzer.words.model import Line, LongText
from analyzer.words.probes import probe_summary
from analyzer.words.teller import duration, number

if TYPE_CHECKING:
    from analyzer.findings.case import Case
    from analyzer.findings.flows import Flows, Mask
    from analyzer.findings.kind import Evidence
    from analyzer.judge.events import Reset
    from analyzer.judge.judged import Finding
    from analyzer.track.flow import Endpoint
    from analyzer.words.teller import Teller


def left_untranslated(f: Flows) -> Mask:
    """A RST from a NAT's inside address has the numbers of a connection that the peer has with another address."""
    return (f.flow("stray") > 0) & (f.flow("stray_what") == RESET)


def other_left_untranslated(f: Flows) -> Mask:
    """A FIN, data or an ACK from an inside address has both numbers of a connection that the peer has elsewhere."""
    return (f.flow("stray") > 0) & (f.flow("stray_what") != RESET)


WHAT: Final = {
    "rst": "a RST",
    "fin": "a FIN",
    "data": "data",
    "ack": "an ACK",
    "probe": "an ACK, by its number a keepalive probe,",
}


def _tried(case: Case) -> dict[str, int]:
    """Return how long nothing had passed on the connection before, and the longest silence that it survived."""
    left, record = case.record.untranslated, case.record
    if left is None or left.role != "outside" or left.ts_ns - record.last_ns < TRIAL_LEAST_NS:
        return {}
    return {"silence_ns": left.ts_ns - record.last_ns, "survived_ns": record.survived_ns}


def _leads(t: Teller, f: Finding) -> bool:
    """Say whether it tells the flow: a segment alone; or an open connection whose end was not heard since."""
    del f
    left = t.record.untranslated
    if left is None or left.role != "outside":
        return left is not None and left.role == "lone"
    heard_ns = t.facts(left.side).last_ns
    return t.ending.verdict is Verdict.OPEN and (heard_ns is None or heard_ns <= left.ts_ns)


def _headline(t: Teller, f: Finding) -> str:
    """Return what the segment is to this flow: the one that it is alone in, or the connection that it was meant for."""
    here, peer = _names(t, f)
    there, flow, what = f.data["address"], number(f, "flow"), WHAT[str(f.data["what"])]
    if f.data["role"] == "outside":
        since = f", after {duration(number(f, 'silence_ns'))} in which nothing passed" if "silence_ns" in f.data else ""
        return (
            f"{peer} still has this connection when the capture ends, and most likely alone: {what} of the other end"
            f" came to it untranslated, from {there} (flow {flow}){since}."
        )
    drew = f", and {peer} answered it with a RST" if _refused(t, f) is not None else ""
    return (
        f"Not a connection of its own: {what} of flow {flow} was most likely let pass by a NAT untranslated, as from"
        f" {here}{drew}."
    )


def _names(t: Teller, f: Finding) -> tuple[Endpoint, Endpoint]:
    """Return the end in whose name the segment came, and its peer."""
    both = (t.record.a, t.record.b)
    return both if f.data["side"] == "a" else both[::-1]


def _refused(t: Teller, f: Finding) -> Reset | None:
    """Return the RST with which the peer answered it, if it did."""
    return next((reset for reset in t.record.resets if reset.sender != f.data["side"]), None)


def _happened(t: Teller, f: Finding) -> list[Line]:
    here, peer = _names(t, f)
    there, flow, refused = f.data["address"], number(f, "flow"), _refused(t, f)
    if f.data["role"] == "outside":
        return [Line(_any_detail(t, f), f.frames), *(probe_summary(t) if t.record.probes else [])]
    found = [Line(_any_detail(t, f), f.frames)]
    if refused is not None:
        text = (
            f"{peer} answered with a RST: it has no connection with {here}. Where that RST arrives, it ends the"
            f" connection at {here} alone; {peer} keeps flow {flow}, with {there}, and is not told."
        )
        found.append(Line(text, (refused.frame,)))
    return found


def _why(t: Teller, f: Finding) -> list[Line]:
    del t
    text = (
        "Inferred: the NAT had no entry for the connection any more, or took the segment for invalid. Such packets it"
        " passes on as they are, or drops."
    )
    found = [Line(text, f.frames)]
    if "silence_ns" in f.data:
        tried = _silence(f)
        longest = (
            f"the longest silence it survived was {duration(tried.survived_ns)}"
            if tried.survived_ns
            else "none before was as long"
        )
        limit = "an idle limit of the NAT may have run out"
        if tried.excludes_limit:
            sure = "" if tried.proves_it else "most likely "
            limit = f"so {sure}no idle limit ran out"
            if not tried.survived_ns:
                limit = "no known box forgets a connection so soon"
        found.append(Line(f"Nothing had passed for {duration(tried.silence_ns)} before; {longest}: {limit}.", f.frames))
    return found


def _silence(f: Finding) -> Tried:
    return Tried(number(f, "silence_ns"), number(f, "survived_ns"))


def _any_detail(t: Teller, f: Finding) -> str:
    return (_detail if f.data["what"] == "rst" else _other_detail)(t, f)


def _change(f: Finding) -> str | None:
    """Return the advice, in numbers where an idle limit may have run out."""
    tried = _silence(f)
    if f.data["role"] != "outside" or tried.excludes_limit:
        return None
    survived = f"; one of {duration(tried.survived_ns)} was survived" if tried.survived_ns else ""
    return (
        f"Check the NAT: most likely its entry for the connection was gone after {duration(tried.silence_ns)} of"
        f" silence{survived}. Let it keep entries longer and drop what it does not know, or probe more often than its"
        " limit. The end that still has this connection needs keepalive of its own to find out."
    )


def _sees(t: Teller, f: Finding) -> list[Line]:
    here, peer = _names(t, f)
    if f.data["role"] != "lone" or _refused(t, f) is None:
        return []
    return [
        Line(f"The program at {here}, read or write once that RST arrives: ECONNRESET (read), EPIPE later.", f.frames),
        Line(f"The program at {peer}: nothing. It still has flow {number(f, 'flow')}.", f.frames),
    ]


LEAD: Final = Lead(_headline, _happened, _why, when=_leads)


def _evidence(case: Case) -> Evidence:
    """The RST, the other flow, the end in whose name it came, and that end's name there."""
    return _stray(case, "reset_frame")


def _other_evidence(case: Case) -> Evidence:
    """The segment, the other flow, and the end of this one in whose name it came."""
    return _stray(case, "left_frame")


def _stray(case: Case, named: str) -> Evidence:
    """Return that, with the segment's frame under this name.

    Where it is another flow's, the frame of the evidence is the last one that its end was heard in here.
    """
    left = case.record.untranslated
    assert left is not None
    shown = case.record.facts(left.side).active_frame if left.role == "outside" else left.frame
    frames, data = frames_of(shown), known(role=left.role, flow=left.flow, side=left.side, address=str(left.endpoint))
    return frames, data | known(what=left.is_, **{named: left.frame}, **_tried(case))


def _detail(t: Teller, f: Finding) -> str:
    here = t.record.a if f.data["side"] == "a" else t.record.b
    peer = t.record.b if f.data["side"] == "a" else t.record.a
    there, flow = f.data["address"], number(f, "flow")
    if f.data["role"] == "outside":
        return (
            f"A RST from {there} (frame {number(f, 'reset_frame')}, flow {flow}) has the number that {here} would send"
            f" here: likely a NAT let it pass untranslated. {peer} has no connection with {there}, and keeps this one."
        )
    if f.data["role"] == "lone":
        return (
            f"The RST from {here} (frame {number(f, 'reset_frame')}) has the number that {there} would send in flow"
            f" {flow}: likely a NAT let it pass untranslated. {peer} has no connection with {here}, and keeps flow"
            f" {flow}."
        )
    return (
        f"The RST from {here} was captured again behind a router (frame {number(f, 'reset_frame')}), not as one from"
        f" {there}, which is its address in flow {flow}: likely the NAT let it pass untranslated. {peer} has no"
        f" connection with {here}, and keeps flow {flow}."
    )


LEFT_UNTRANSLATED: Final = FindingKind(
    code="reset-left-untranslated",
    rows=(Row((left_untranslated,), _evidence),),
    text=LongText(
        title="A RST left a NAT untranslated",
        meaning=(
            "A RST went to the peer from the inside address of a host whose connection the peer knows under a"
            " translated address. Its sequence number is the one this connection expects, or the connection was"
            " captured on both sides of the NAT."
        ),
        why=(
            "The peer finds no connection for it and ignores it. It holds the real connection until its own probes or"
            " retransmissions end it."
        ),
        change=(
            "Check the NAT: its entry for the connection had expired, or it considered the RST invalid. Let it"
            " drop such packets, keep entries longer than the connections are idle, or send probes more often."
        ),
        doubt=(
            "Who sent the RST is inferred from ports and numbers. Where the NAT also sent it translated outside the"
            " capture, nothing is lost."
        ),
        source="RFC 5382 REQ-5; Linux nf_conntrack (INVALID); field guide 8",
    ),
    detail=_detail,
    lead=LEAD,
    sees=_sees,
    change=_change,
    scope=Scope.FLOW,
    advice=Advice.READER,
    remedies=frozenset({Remedy.PASS_MORE_OFTEN, Remedy.LOOK_AT_THE_BOX}),
)


def _other_detail(t: Teller, f: Finding) -> str:
    here = t.record.a if f.data["side"] == "a" else t.record.b
    peer = t.record.b if f.data["side"] == "a" else t.record.a
    there, flow, frame = f.data["address"], number(f, "flow"), number(f, "left_frame")
    what = {"fin": "A FIN", "data": "Data", "ack": "An ACK", "probe": "A keepalive probe"}[str(f.data["what"])]
    has = "have" if f.data["what"] == "data" else "has"
    if f.data["role"] == "outside":
        return (
            f"{what} from {there} (frame {frame}, flow {flow}) {has} both numbers that {here} would send here: likely a"
            f" NAT let it pass untranslated. {peer} has no connection with {there}, and did not take it."
        )
    return (
        f"{what} from {here} (frame {frame}) {has} both numbers that {there} would send in flow {flow}: likely a NAT"
        f" let it pass untranslated. {peer} has no connection with {here}, and this flow is no connection of its own."
    )


OTHER_UNTRANSLATED: Final = FindingKind(
    code="segment-left-untranslated",
    rows=(Row((other_left_untranslated,), _other_evidence),),
    text=LongText(
        title="A FIN, data or an ACK left a NAT untranslated",
        meaning=(
            "A segment without SYN went to the peer from the inside address of a host whose connection the peer"
            " knows under a translated address. Its sequence and acknowledgement numbers are those that this"
            " connection expects."
        ),
        why=(
            "The peer finds no connection for it, and drops it or answers with RST, which the inside host may never"
            " see. What was sent does not arrive, and a FIN closes nothing."
        ),
        change=(
            "Check the NAT: its entry for the connection was gone, or it considered the segment invalid (late,"
            " outside its window). Let it drop such packets, or keep entries longer."
        ),
        doubt="Whose segment it is, is inferred from ports and numbers.",
        source="RFC 5382 REQ-5; Linux nf_conntrack (INVALID); field guide 8",
    ),
    detail=_other_detail,
    lead=LEAD,
    sees=_sees,
    change=_change,
    scope=Scope.FLOW,
    advice=Advice.READER,
)
