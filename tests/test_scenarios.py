"""Every file in ``scenarios/`` comes out as it says: kinds, answers, RSTs, verdict, and who is named."""

import importlib.util
import itertools

import numpy as np
import pytest

from analyzer.judge import recording, verdict
from analyzer.judge.facts import Facts
from analyzer.judge.probe import PROBE_KINDS
from analyzer.judge.verdict import VERDICTS
from analyzer.label import rules
from analyzer.label.outcome import Certainty, Doubt
from analyzer.label.reset import ResetKind
from analyzer.label.rules import RULES, Kind
from analyzer.label.unlike_sender import Stranger
from analyzer.track.flow import SIDES
from tests import judging
from tests.notation import SCENARIOS, Expected, FlowExpected, follow, load

CUTS = 20
"""Of a scenario of twice as many rows or more not every place is tried: what that takes grows with the square."""

TOGETHER = 40
"""Of so many scenarios the records are made together: what numpy costs is paid once."""

PATHS = sorted(SCENARIOS.glob("*.pkt"))
FILES = [pytest.param(path, id=path.stem) for path in PATHS]

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


def kinds_of(batches):
    """Return frame number to what was found there, for all frames that are something."""
    found = {}
    for batch in batches:
        for index in range(len(batch)):
            rows = batch.rows(index)
            for row, winner in zip(rows, rules.decide(rows), strict=True):
                if row["kind"] == Kind.OTHER:
                    continue
                found[int(row["frame"])] = Expected(
                    Kind(row["kind"]).name.lower(),
                    Certainty(row["certainty"]).name.lower(),
                    Doubt(row["doubt"]).name.lower(),
                    ResetKind(row["reset_kind"]).name.lower(),
                    tuple(bit.name.lower() for bit in Stranger if int(row["stranger"]) & bit),
                    answered_by(rows, row),
                    RULES[winner].name,
                )
    return found


def answered_by(rows, row):
    """Return the frame of the probe that a row answers, None if it answers none."""
    return int(rows[row["answers_row"]]["frame"]) if row["answers_row"] >= 0 else None


def flows_of(batches):
    """Return what was concluded of each flow, in order."""
    found = []
    for batch in batches:
        for index, winner in enumerate(verdict.decide(batch)):
            ending = verdict.ending_of(batch, index, int(winner))
            flow = recording.build(batch, index)
            found.append(
                (
                    flow.number,
                    FlowExpected(
                        ending.verdict.value,
                        ending.by,
                        VERDICTS[winner].name,
                        tuple(len(flow.probes_from(side)) for side in SIDES),
                        tuple(state.value for state in flow.states),
                        flow.initiator or "-",
                    ),
                )
            )
    return [flow for _, flow in sorted(found, key=lambda each: each[0])]


ALWAYS = {"kind", "verdict", "by"}


def in_words(what, expected):
    """Write down of ``what`` was found or expected as much as the scenario says."""
    said = [name for name in vars(what) if name in ALWAYS or getattr(expected, name, None) is not None]
    return " ".join(f"{name}={getattr(what, name)}" for name in said)


def transcript(found, expected):
    """Return two texts to compare, a line for each frame or flow: what was expected, and what was found."""
    places = sorted({*found, *expected})
    return tuple(
        "\n".join(f"{at}: {in_words(side[at], expected.get(at))}" for at in places if at in side)
        for side in (expected, found)
    )


def records_of(batches):
    """Return all that is known of each flow, in order: its record and its ending."""
    return records_of_each([batches])[0]


def records_of_each(runs):
    """Return the same of each of several runs, whose columns are made together: what numpy costs is paid once."""
    facts = Facts(*((batch, np.arange(len(batch))) for batches in runs for batch in batches))
    records = recording.records(facts)
    found = []
    for batches in runs:
        endings = [each for batch in batches for each in verdict.endings(batch, *numbered(verdict.decide(batch)))]
        these = itertools.islice(records, len(endings))
        found.append(sorted(zip(these, endings, strict=True), key=lambda each: each[0].number))
    return found


def numbered(winners):
    """Return what won each flow of a batch, behind the places of all flows."""
    return np.arange(len(winners)), winners


@pytest.mark.parametrize("path", FILES)
def test_comes_out_as_it_says(path):
    """The capture shows the kinds and endings that its lines expect, and nothing else."""
    scenario = load(path)
    batches = follow([scenario.batch()])
    expected_kinds, kinds = transcript(kinds_of(batches), scenario.expected)
    expected_flows, flows = transcript(dict(enumerate(flows_of(batches), 1)), dict(enumerate(scenario.flows, 1)))

    assert scenario.flows, "a scenario ends in the verdict of each flow"
    assert expected_kinds == kinds
    assert expected_flows == flows


@pytest.mark.parametrize("path", [path for path in FILES if load(path.values[0]).finds])
def test_finds_what_it_says(path):
    """The findings that a scenario names are found, about the endpoint that it names; it may have others."""
    flows = [{(found.code, found.about) for found in judged.findings} for judged in judging.scenario(path.stem)]

    assert [] == [(flow, code, about) for flow, code, about in load(path).finds if (code, about) not in flows[flow - 1]]


@pytest.mark.parametrize("path", FILES)
def test_cutting_into_batches_changes_nothing(path):
    """Records and endings are the same in batches of one, and in two cut anywhere, of long ones at some places."""
    scenario = load(path)
    count = len(scenario.rows)
    every = max(count // CUTS, 1)
    cuts = [[], list(range(1, count)), *([at] for at in range(1, count, every))]
    whole, *parts = records_of_each([follow(scenario.batches(*each)) for each in cuts])

    assert whole == records_of(follow([scenario.batch()]))
    assert [] == [f"cut before rows {each}" for each, part in zip(cuts[1:], parts, strict=True) if part != whole]


@pytest.fixture(scope="module")
def compiled():
    """Compile the loops once for this file."""
    pytest.importorskip("numba")
    follow([load(PATHS[0]).batch()], jit=True)


@needs_numba
@pytest.mark.parametrize("first", range(0, len(PATHS), TOGETHER))
def test_compiled_equals_plain(first, compiled):
    """The compiled loops give the records and endings that the plain ones give."""
    some = PATHS[first : first + TOGETHER]
    records = records_of_each([follow([load(path).batch()], jit=jit) for jit in (False, True) for path in some])
    plain, fast = records[: len(some)], records[len(some) :]

    assert [] == [path.stem for path, one, other in zip(some, plain, fast, strict=True) if one != other]


def test_probe_kinds_are_those_that_records_count():
    """The two kinds of probes that a record holds are the two that the table calls keepalive."""
    assert {Kind.KEEPALIVE_PROBE, Kind.KEEPALIVE_OCTET} == set(PROBE_KINDS)
