"""Where timestamp clocks stood still, by their pace."""

import numpy as np
import pytest

from analyzer.judge import recording
from analyzer.judge.clocks import standing
from tests.notation import SCENARIOS, follow, load


def standstills(name):
    """Sender, frames at both ends and missing seconds of each standstill of the first flow of a scenario."""
    (batch,) = follow([load(SCENARIOS / f"{name}.pkt").batch()])
    found = recording.build(batch, 0).standstills
    return [(s.sender, s.from_frame, s.frame, round((s.passed_ns - s.counted_ns) / 1e9)) for s in found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("peer_slept_and_answers_again", [("b", 7, 14, 100)]),
        ("prober_clock_stood_still", [("a", 8, 10, 3596)]),
        ("clock_leaps_between_probes", []),
        ("clock_leaps_behind_a_probe", []),
        ("live_peer_answers", []),
    ],
)
def test_a_clock_stood_still_where_its_peers_ran_on(name, found):
    """A standstill is told with the rows around it; where both clocks stood, there is none."""
    assert found == standstills(name)


def test_of_no_rows_nothing_is_known():
    """Flows without notable segments have no standstills."""
    empty = np.empty(0, dtype=np.int64)

    assert 0 == len(standing(lambda _: empty, empty).at)
