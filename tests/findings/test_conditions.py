"""The conditions of the third table."""

import inspect

from analyzer.findings import FINDINGS
from tests.judging import codes, scenario


def test_every_condition_is_one_sentence():
    """A condition's docstring is the one sentence that `keepalive rules` prints."""
    used = {condition for kind in FINDINGS for row in kind.rows for condition in row.conditions}

    assert [] == [c.__name__ for c in used if not inspect.getdoc(c) or "\n" in inspect.getdoc(c)]


def test_suspected_probes_are_no_ground_for_a_finding():
    """A probe that only its even spacing speaks for is not counted as one."""
    (judged,) = scenario("one_sided_even_spacing_is_suspected")

    assert judged.record.probes
    assert not {"both-ends-probe", "idle-beyond-middlebox-limit"} & set(codes(judged))
