"""Probes of all flows of a batch as columns."""

from itertools import pairwise

import numpy as np

from analyzer.judge.probe_facts import ProbeFacts
from analyzer.segment import NONE
from tests.judging import captured
from tests.tables import scenario_flows


def facts(name):
    """The probes of a scenario."""
    (batch,) = scenario_flows()[name]
    return ProbeFacts((batch, np.arange(len(batch))))


def test_columns_have_none_where_a_record_has():
    """The last probe of a dead peer has no answer."""
    probes = facts("dead_peer_gave_up").probes

    assert NONE == probes.columns["answer_frame"][-1]
    assert probes.values("answer_frame")[-1] is None


def test_a_train_has_one_first_probe():
    """Of each train of a prober exactly one probe is the first."""
    for name in ("dead_peer_gave_up", "half_close_held_by_keepalive", "lost_probes_recovered"):
        probes = facts(name).probes.columns
        trains = {(sender, train) for sender, train in zip(probes["sender"], probes["train"], strict=True)}

        assert len(trains) == probes["first_of_train"].sum() > 0


def test_an_echo_shows_that_an_answer_arrived():
    """The probe behind an answer that came echoes its timestamp, whatever was lost before."""
    (judged,), _ = captured("lab/loss_acks.pcap")
    behind = {late.frame: late.echoes for early, late in pairwise(judged.record.probes_from("b")) if early.answered}

    assert {13: True, 20: True, 24: True, 29: True, 33: True, 35: True, 37: True} == behind
