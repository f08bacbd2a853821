"""The headline of a connection that several points saw: who ended it, and what became of its probes.

It says no more than the lines below it: what is likely there is likely here, and of what nobody saw arrive it does not
say that it arrived.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer.explain.crossings import fate_words, likely, listed
from analyzer.explain.joint_beside import beside_headline
from analyzer.explain.joint_left import lost_close
from analyzer.explain.joint_own import own_headline
from analyzer.explain.joint_strays import anew_headline, stray_headline
from analyzer.explain.points import letter
from analyzer.judge.verdict import Verdict
from analyzer.segment import RST
from analyzer.vantage.joint import Fate, Why

if TYPE_CHECKING:
    from analyzer.explain.crossings import JointTeller
    from analyzer.vantage.joint import Crossing, JointProbe

VERDICTS: Final = {
    "closed": "Closed by both ends",
    "half_closed": "Half-closed when the captures ended",
    "closing": "Being closed when the captures ended",
    "silent": "Silent when the captures ended",
    "open": "Open when the captures ended",
    "unestablished": "Never established",
    "undetermined": "Undetermined",
}


def headline(t: JointTeller, *, own: bool = True) -> str:
    """Say who ended a connection, what became of its probes, and how many other packets were lost.

    With what its ends did by their ``own``, where that is known.
    """
    said = [*filter(None, [beside_headline(t)]), (own and own_headline(t)) or _ending_clause(t)]
    said += filter(None, [anew_headline(t)])
    if t.flow.probes:
        said.append(_probe_clause(t))
    told = [t.flow.ending.crossing]
    for probe in t.flow.probes:
        told += [probe.crossing, probe.answer]
    known = {id(crossing) for crossing in told}
    lost = [each for each in t.flow.notable if each.fate is Fate.LOST and id(each) not in known]
    if lost:
        said.append(_lost_clause(t, lost))
    if made := [each for each in t.flow.notable if each.fate is Fate.MADE and not each.flags & RST]:
        said.append(_made_clause(t, made))
    if t.one_host():
        first, last = (letter(t.flow.parts[at].point) for at in (0, -1))
        said.append(f"Points {first} and {last} are the two sides of one host.")
    return " ".join(said)


def _lost_clause(t: JointTeller, lost: list[Crossing]) -> str:
    """Count the packets that were lost and are named nowhere else in the headline."""
    what = f"{len(lost)} {'other ' if t.flow.probes else ''}{'packet was' if len(lost) == 1 else 'packets were'}"
    unsure = sum(not crossing.proven for crossing in lost)
    if unsure == len(lost):
        return f"{what} most likely lost."
    return f"{what} lost{f', {unsure} of them most likely' if unsure else ''}."


def _made_clause(t: JointTeller, made: list[Crossing]) -> str:
    """Say in whose name, and where, something else than an end sent packets that are no RSTs."""
    said = []
    for sender, place in dict.fromkeys((each.sender, t.place(each)) for each in made):
        some = [each for each in made if (each.sender, t.place(each)) == (sender, place)]
        what, them = ("1 packet", "it") if len(some) == 1 else (f"{len(some)} packets", "them")
        proven = any(each.proven for each in some)
        not_own = f", which did not send {them}" if proven else ""
        text = f"{likely(proven=proven)}something {place} sent {what} in the name of {t.name(sender)}{not_own}."
        said.append(f"{text[0].upper()}{text[1:]}")
    return " ".join(said)


def _ending_clause(t: JointTeller) -> str:
    ending, flow = t.flow.ending, t.flow
    crossing = ending.crossing
    if crossing is None:
        return lost_close(t) or VERDICTS.get(ending.verdict, ending.verdict) + "."
    sender = t.name(crossing.sender)
    if ending.stray is not None:
        return stray_headline(t, ending.stray)
    if ending.by == "between":
        maker = f"{likely(proven=ending.proven)}{_maker(t, crossing)}"
        both = _made_for_both(t, crossing)
        lead = f"{maker} reset the connection in the name of {'both ends' if both else sender}"
        denied = f"; {sender} did not send that RST" if ending.proven else ""
        if both and ending.proven:
            denied = "; neither end sent its RST" if both.proven else f"; {sender} did not send its RST"
        return f"{lead[0].upper()}{lead[1:]}{denied}."
    if crossing.why is Why.LINK:
        return (
            f"A RST in the name of {sender} ended the connection: whether {sender} or this host made it, is not known."
        )
    if ending.by is None and not _trigger_lost(t, crossing):
        maker = f"whether {sender} sent it, or something on the way made it, is not known"
        return f"A RST in the name of {sender} ended the connection: {maker}; it {fate_words(t, crossing)}."
    did = (
        "gave up"
        if ending.verdict == Verdict.TIMED_OUT.value
        else "reset the connection when a probe came"
        if "probe" in ending.verdict
        else "aborted it"
    )
    arrived = crossing.fate is Fate.BOTH
    if ending.proven:
        text = f"{sender} {did}: the RST is its own"
        text += f", and {fate_words(t, crossing)}" if flow.way and not arrived else ""
    elif asked := _trigger_lost(t, crossing):
        text = f"a RST in the name of {sender} answered a probe that was {asked}: whether {sender} sent it is not known"
        text += f"; it {fate_words(t, crossing)}" if flow.way and not arrived else ""
    else:
        text = f"most likely {sender} {did}"
        text += f"; its RST {fate_words(t, crossing)}" if flow.way and not arrived else ""
    return f"{text[0].upper()}{text[1:]}."


def _made_for_both(t: JointTeller, reset: Crossing) -> Crossing | None:
    """Return a RST in the other end's name that was made at the same place; None if there is none."""
    if reset.fate is not Fate.MADE or reset.between is None:
        return None
    made = (each for each in t.flow.resets if each.fate is Fate.MADE and each.sender != reset.sender)
    return next((each for each in made if each.between == reset.between[::-1]), None)


def _maker(t: JointTeller, reset: Crossing) -> str:
    """Say what made a RST that is not its sender's: between the points where it was made, or beyond the first."""
    if reset.fate is Fate.MADE:
        return f"something {t.place(reset)}"
    if not t.flow.way:
        return "something on the way"
    host = "this host or " if t.one_host() else ""
    return f"{host}something beyond {letter(reset.first.point)}"


def _trigger_lost(t: JointTeller, reset: Crossing) -> str:
    """Say where the probe that a RST answers was lost: then its receiver had no reason to send that; else nothing."""
    probe = next((probe.crossing for probe in t.flow.probes if probe.answer is reset), None)
    if probe is None or probe.fate is not Fate.LOST:
        return ""
    return f"{likely(proven=probe.proven)}lost {t.place(probe)}"


def _probe_clause(t: JointTeller) -> str:
    """Sum up the probes."""
    found = Counter(_outcome(t, probe) for probe in t.flow.probes)
    parts = [f"{count} {outcome}" for outcome, count in found.items()]
    many = len(t.flow.probes)
    return f"{many} {'probe' if many == 1 else 'probes'}: {', '.join(parts)}."


def _outcome(t: JointTeller, probe: JointProbe) -> str:
    """Say in a few words what became of a probe and its answer."""
    crossing, answer = probe.crossing, probe.answer
    if probe.outcome == "answered":
        return "answered"
    if probe.outcome == "answer_lost" and answer is not None:
        return f"arrived, but the answer was {likely(proven=answer.proven)}lost {t.place(answer)}"
    if crossing.fate in (Fate.LOST, Fate.MADE, Fate.UNPROVEN):
        done = "" if crossing.fate is Fate.UNPROVEN else f"{likely(proven=crossing.proven)}{crossing.fate.value} "
        fate = f"{done}{t.place(crossing)}" if done else "of unproven fate"
        return f"{fate}, but answered with a RST" if probe.outcome == "reset" else fate
    if probe.outcome == "reset":
        return "answered with a RST"
    if probe.outcome == "unproven":
        return "with an answer that may not have come back"
    if probe.outcome == "not_captured":
        return _not_captured(t, answer or crossing, is_answer=answer is not None)
    missed = listed([letter(point) for point in crossing.missed_at]) if crossing.missed_at else ""
    if missed:
        return f"passed {missed} and got no answer that was captured"
    last = crossing.seen[-1].point
    where = f"reached {letter(last)}" if len(crossing.seen) > 1 else "passed all points"
    return f"{where} and got no answer that was captured"


def _not_captured(t: JointTeller, crossing: Crossing, *, is_answer: bool) -> str:
    """Say at which points a probe, or its answer, may have passed: their captures did not run."""
    unseen = t.flow.unseen_at(crossing)
    whose = "whose capture" if len(unseen) == 1 else "whose captures"
    ran = f"{whose} had {'ended' if crossing.why is Why.ENDED else 'not begun'}"
    what = "answered, the answer not captured" if is_answer else "not captured"
    return f"{what} at {listed([letter(point) for point in unseen])}, {ran}"
