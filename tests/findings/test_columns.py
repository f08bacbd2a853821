"""The third table over columns says what the table says flow by flow."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.analysis import Analysis, read_flows
from analyzer.errors import AnalyzerError
from analyzer.findings import CODES, Case, judge
from analyzer.findings.columns import EXACT, TWINS, Columns, Flows, suspects
from analyzer.judge import recording, verdict
from analyzer.track.flow import SIDES
from tests.notation import SCENARIOS, follow, load

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
OURS = sorted((ROOT / "captures").glob("**/*.pcap*"))
THEIRS = [path for folder in ("lab", "corpus/files", "hunt") for path in sorted((SHARED / folder).glob("*cap*"))]

MOST: int = 2000
"""So many flows of a batch are compared."""


def batches_of(path):
    """The finished flows of a capture, in batches."""
    return [batch for _, batch in read_flows([str(path)], Analysis()) if batch is not None and len(batch)]


def differences(batches):
    """Where a twin, or the codes that twins lead to, say anything but what the table says."""
    found = []
    for batch in batches:
        winners = verdict.decide(batch)
        columns = Columns(batch, winners, np.arange(len(batch)))
        both = Flows(columns, 0), Flows(columns, 1)
        masks = {(side, c): TWINS[c].mask(both[side]) for c in TWINS for side in (0, 1)}
        suspected = suspects(columns)
        for index in range(min(len(batch), MOST)):
            record = recording.build(batch, index)
            judged = judge(record, verdict.ending_of(batch, index, int(winners[index])))
            for (side, condition), mask in masks.items():
                says = condition(Case(record, judged.ending, SIDES[side], judged.settings(SIDES[side])))
                if mask[index] != says and (says or TWINS[condition].exact):
                    found.append((record.first_frame, SIDES[side], condition.__name__, says))
            codes = {finding.code for finding in judged.findings}
            may = {code for code in CODES if code in suspected and suspected[code][index]}
            if not codes <= may or (may - codes) & EXACT:
                found.append((record.first_frame, codes - may, (may - codes) & EXACT))
    return found


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.pkt")), ids=lambda path: path.stem)
def test_twins_agree_with_the_table_on_scenarios(path):
    """On every scenario the columns say what the conditions say of each flow."""
    assert [] == differences(follow([load(path).batch()]))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_twins_agree_with_the_table_on_our_captures(path):
    """On every capture of the project the columns say what the conditions say of each flow."""
    assert [] == differences(batches_of(path))


@pytest.mark.slow
@pytest.mark.skipif(not THEIRS, reason="there are no captures beside the project")
def test_twins_agree_with_the_table_on_captures_beside_the_project():
    """On every capture of lab, corpus and hunt the columns say what the conditions say of each flow."""
    found = {}
    for path in THEIRS:
        try:
            wrong = differences(batches_of(path))
        except AnalyzerError:
            continue
        if wrong:
            found[path.name] = wrong[:3]

    assert {} == found


def test_only_some_flows_of_a_batch():
    """Flows that are picked out of a batch are told as in the whole batch, in the order asked for."""
    batch = batches_of(ROOT / "captures" / "lab" / "port_reuse.pcap")[0]
    winners = verdict.decide(batch)
    whole = suspects(Columns(batch, winners, np.arange(len(batch))))
    picked = np.arange(len(batch))[::-2]
    part = suspects(Columns(batch, winners, picked))

    assert len(batch) > 1
    assert {code: mask[picked].tolist() for code, mask in whole.items() if mask[picked].any()} == {
        code: mask.tolist() for code, mask in part.items()
    }


def test_a_finding_is_exact_if_all_its_conditions_are():
    """A condition that has no twin, or one that only bounds it, makes a record necessary."""
    assert {"close-wait-held-by-keepalive", "idle-without-probes"} <= EXACT
    assert {"still-probing-at-end", "peer-forgot-connection"} & EXACT == set()
