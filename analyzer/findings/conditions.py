"""The conditions that several kinds of findings share: facts about one flow, seen from one endpoint.

Those of one kind alone stand beside its record. Each docstring is the sentence that ``keepalive rules`` prints. A
condition that cannot be sure answers no: a finding that is wrong once is not believed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.judge.verdict import Verdict
from analyzer.tolerances import ANSWER_RST_NS

if TYPE_CHECKING:
    from analyzer.findings.case import Case

LONG_NS: Final = 60_000_000_000
"""The shortest idle time after which some box on the way ends a connection (field guide 6); less is no news."""


def probes(case: Case) -> bool:
    """It sent a probe (certain or probable)."""
    return any(probe.certainty != "suspected" for probe in case.probes)


def sent_no_fin(case: Case) -> bool:
    """It sent no FIN."""
    return case.fin is None


def peer_sent_fin(case: Case) -> bool:
    """Its peer sent FIN."""
    return case.peer_fin is not None


def peer_sent_no_fin(case: Case) -> bool:
    """Its peer sent no FIN."""
    return case.peer_fin is None


def sent_no_data_since_peer_fin(case: Case) -> bool:
    """It sent no new data after its peer's FIN."""
    fin, sent_ns = case.peer_fin, case.facts.last_data_ns
    return fin is None or sent_ns is None or sent_ns <= fin.ts_ns


def verdict_half_closed(case: Case) -> bool:
    """The verdict is half_closed."""
    return case.ending.verdict is Verdict.HALF_CLOSED


def verdict_timed_out(case: Case) -> bool:
    """The verdict is timed_out: the prober reset after unanswered probes."""
    return case.ending.verdict is Verdict.TIMED_OUT


def verdict_reset_on_probe(case: Case) -> bool:
    """The verdict is reset_on_probe."""
    return case.ending.verdict is Verdict.RESET_ON_PROBE


def verdict_aborted(case: Case) -> bool:
    """The verdict is aborted."""
    return case.ending.verdict is Verdict.ABORTED


def silent_to_probes(case: Case) -> bool:
    """The verdict is silent, and it is probes that stayed unanswered."""
    return case.ending.rule == "probes-unanswered"


def verdict_silent(case: Case) -> bool:
    """The verdict is silent."""
    return case.ending.verdict is Verdict.SILENT


def reset_in_its_name(case: Case) -> bool:
    """The RST that ended the flow came in its name."""
    return case.own_reset is not None


def reset_by_itself(case: Case) -> bool:
    """The RST that ended the flow came in its name, and looks like its other packets."""
    return case.own_reset is not None and case.ending.by == case.side


def reset_answers_data(case: Case) -> bool:
    """That RST has no ACK and window 0, and came within 3 s of the peer's data, which was the peer's last segment."""
    reset, facts = case.own_reset, case.peer_facts
    if reset is None or reset.kind != "no_socket" or facts.last_ns is None:
        return False
    data_ns = max(facts.last_data_ns or -1, facts.resent_ns or -1)
    return data_ns == facts.last_ns and 0 <= reset.ts_ns - data_ns <= ANSWER_RST_NS


def last_probes_unanswered(case: Case) -> bool:
    """Its last probes were not answered."""
    return bool(case.trailing)


def clock_went_back(case: Case) -> bool:
    """The capture's clock went back within the flow."""
    return case.record.backwards > 0
