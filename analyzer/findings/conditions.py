"""The conditions that several kinds of findings share: facts about flows, seen from one endpoint.

Those of one kind alone stand beside its record. Each docstring is the sentence that ``keepalive rules`` prints. A
condition that cannot be sure answers no: a finding that is wrong once is not believed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.verdict import Verdict
from analyzer.label.outcome import Answer
from analyzer.label.reset import ResetKind
from analyzer.label.rules import Kind
from analyzer.tolerances import ANSWER_RST_NS

if TYPE_CHECKING:
    from analyzer.findings.flows import Flows, Mask

HABIT: Final = 3
"""This many probes in vain, and trains that the peer was heard after, before a habit is called one."""
IDLE_CLOSE_NS: Final = 1_000_000_000
"""No idle timeout of a program is shorter."""
CROSSED_NS: Final = 1_000_000_000
"""A FIN takes no longer to arrive."""


def probes(f: Flows) -> Mask:
    """It sent a probe (certain or probable)."""
    return f.any_row(f.probing & f.sure)


def sent_no_fin(f: Flows) -> Mask:
    """It sent no FIN."""
    return f.own("fin_frame") == 0


def peer_sent_fin(f: Flows) -> Mask:
    """Its peer sent FIN."""
    return f.peer("fin_frame") > 0


def peer_sent_no_fin(f: Flows) -> Mask:
    """Its peer sent no FIN."""
    return f.peer("fin_frame") == 0


def sent_no_data_since_peer_fin(f: Flows) -> Mask:
    """It sent no new data after its peer's FIN."""
    return (f.peer("fin_frame") == 0) | (f.own("data_ns") <= f.peer("fin_ns"))


def verdict_half_closed(f: Flows) -> Mask:
    """The verdict is half_closed."""
    return f.verdict_in(Verdict.HALF_CLOSED)


def verdict_timed_out(f: Flows) -> Mask:
    """The verdict is timed_out: the prober reset after unanswered probes."""
    return f.verdict_in(Verdict.TIMED_OUT)


def verdict_reset_on_probe(f: Flows) -> Mask:
    """The verdict is reset_on_probe."""
    return f.verdict_in(Verdict.RESET_ON_PROBE)


def verdict_aborted(f: Flows) -> Mask:
    """The verdict is aborted."""
    return f.verdict_in(Verdict.ABORTED)


def silent_to_probes(f: Flows) -> Mask:
    """The verdict is silent, and it is probes that stayed unanswered."""
    return f.rule_is("probes-unanswered")


def verdict_silent(f: Flows) -> Mask:
    """The verdict is silent."""
    return f.verdict_in(Verdict.SILENT)


def reset_in_its_name(f: Flows) -> Mask:
    """The RST that ended the flow came in its name."""
    return f.own_reset


def reset_by_itself(f: Flows) -> Mask:
    """The RST that ended the flow came in its name, and looks like its other packets."""
    return f.own_reset & (f.by == f.side)


def reset_answers_data(f: Flows) -> Mask:
    """That RST has no ACK and window 0, and came within 3 s of the peer's data, which was the peer's last segment."""
    data_ns = np.maximum(f.peer("data_ns"), f.peer("resent_ns"))
    after_ns = f.ending("reset_ns") - data_ns
    refuses = f.own_reset & (f.ending("reset_kind") == ResetKind.NO_SOCKET) & (f.peer("last_ns") >= 0)
    return refuses & (data_ns == f.peer("last_ns")) & (after_ns >= 0) & (after_ns <= ANSWER_RST_NS)


def reset_answers_window_probe(f: Flows) -> Mask:
    """That RST has no ACK and window 0, and came within 3 s of its peer's probe of its closed window, the last."""
    asked_ns = f.value_at(f.last_of(f.from_peer.mine & f.kind_in(Kind.ZERO_WINDOW_PROBE)), "ts_ns")
    after_ns = f.ending("reset_ns") - asked_ns
    refuses = f.own_reset & (f.ending("reset_kind") == ResetKind.NO_SOCKET) & (asked_ns >= 0)
    return refuses & (asked_ns == f.peer("last_ns")) & (after_ns >= 0) & (after_ns <= ANSWER_RST_NS)


def peer_reset_answers_data(f: Flows) -> Mask:
    """The RST that ended the flow came from its peer, without ACK, right behind data of its own, its last segment."""
    return (f.by == 1 - f.side) & reset_answers_data(f.from_peer)


def peer_refused_data(f: Flows) -> Mask:
    """The RST that ended the flow came from its peer, without ACK, within 3 s of its last data."""
    after_ns = f.ending("reset_ns") - f.own("data_ns")
    refused = f.from_peer.own_reset & (f.by == 1 - f.side) & (f.ending("reset_kind") == ResetKind.NO_SOCKET)
    return refused & (f.own("data_ns") >= 0) & (after_ns >= 0) & (after_ns <= ANSWER_RST_NS)


def data_crossed_peer_fin(f: Flows) -> Mask:
    """Its last data came within a second of its peer's FIN, and did not acknowledge it: the two crossed on the way."""
    acked, after_ns = f.peer("fin_acked_frame"), f.own("data_ns") - f.peer("fin_ns")
    sent = (f.peer("fin_frame") > 0) & (f.own("data_ns") >= 0)
    return sent & ((acked == 0) | (acked > f.own("data_frame"))) & (after_ns >= 0) & (after_ns <= CROSSED_NS)


def idle_before_peer_fin(f: Flows) -> Mask:
    """Before that FIN the connection was idle for a second or more, longer than ever before."""
    told = (f.peer("fin_frame") > 0) & (f.flow("silence_to") == f.peer("fin_frame"))
    return told & (f.flow("silence_ns") >= IDLE_CLOSE_NS)


def last_probes_unanswered(f: Flows) -> Mask:
    """Its last probes were not answered."""
    return f.run("trailing") > 0


def peer_probes_meanwhile(f: Flows) -> Mask:
    """Its peer sent probes of its own since the first of these."""
    theirs = f.from_peer.probing & f.sure & (f.seen("ts_ns") > f.of_row(f.run("trailing_ns")))
    return (f.run("trailing") > 0) & f.any_row(theirs)


def peer_is_silent(f: Flows) -> Mask:
    """Its peer sent no probe of its own since the first of these."""
    return ~peer_probes_meanwhile(f)


def peer_answers_no_probe(f: Flows) -> Mask:
    """It sent 3 probes or more, all sure, none was answered, and its peer was heard again after 3 trains of them."""
    unlike = f.any_row(f.probing & ((f.seen("answer") != Answer.NONE) | ~f.sure))
    after_last = f.peer("last_ns") > f.value_at(f.last_of(f.probing), "ts_ns")
    return (f.run("probes") >= HABIT) & ~unlike & (f.run("trains") - 1 + after_last >= HABIT)


def peer_may_answer_probes(f: Flows) -> Mask:
    """Nothing shows that its peer answers no probe, dead or alive."""
    return ~peer_answers_no_probe(f)


def clock_went_back(f: Flows) -> Mask:
    """The capture's clock went back within the flow."""
    return f.flow("backwards") > 0


def nobody_probes(f: Flows) -> Mask:
    """No probe was captured."""
    return sum(f.run(name) + f.peer_run(name) for name in ("probes", "zero_window")) == 0
