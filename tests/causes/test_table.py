"""The fourth table as a whole."""

import pytest

from analyzer.causes import CAUSES, CODES, cause_kind, table
from analyzer.causes.kind import Holding, find
from analyzer.explain.story import LONG_TEXTS
from analyzer.judge.judged import Certainty
from analyzer.judge.scene import Scene
from analyzer.judge.witness import witnesses
from tests.causes.scenes import dead
from tests.judging import captured, scenario
from tests.tables import scenario_names


def test_codes_are_unique_slugs():
    """Each cause has a code of its own, of small letters and dashes."""
    assert len(set(CODES)) == len(CODES)
    assert all(code == code.lower() and code.replace("-", "").isalnum() for code in CODES)


@pytest.mark.parametrize("kind", CAUSES, ids=lambda kind: kind.code)
def test_every_cause_is_documented(kind):
    """Each cause has rows, the surest first, sources, counter-evidence and advice, and every condition a sentence."""
    order = list(Certainty)
    certainties = [order.index(row.certainty) for row in kind.rows]

    assert certainties == sorted(certainties)
    assert all(condition.__doc__.strip().endswith(".") for row in kind.rows for condition in row.conditions)
    assert all((kind.text.title, kind.text.meaning, kind.text.change, kind.text.doubt, kind.text.source))
    assert (kind.headline is None) == (kind.who is None)
    assert kind.code in LONG_TEXTS
    assert cause_kind(kind.code) is kind


def test_behind_a_proven_cause_nothing_remains():
    """Of causes only those of the best certainty are named, and of proven ones one."""
    made = dead()
    for at_s in (11, 12.5, 13.5):
        made.arp(at_s, 1, mac=0x020000000001)

    assert [cause.code for cause in made.judged().causes] == ["peer-off-link"]


def test_a_flow_that_closes_in_order_has_no_cause():
    """Nothing is to be explained about a flow that closed or goes on."""
    flows, _ = captured("fixed_server.pcap")

    assert [flow.cause for flow in flows] == [None] * len(flows)


def test_who_raises_no_question_has_no_cause_that_needs_one():
    """In no flow of the scenarios that raises none, and has no ICMP error, holds such a cause or is a witness."""
    asked = [kind for kind in CAUSES if kind.needs_question]
    flows = [judged for name in scenario_names() for judged in scenario(name)]
    scenes = [Scene(judged.record, judged.ending, judged.findings) for judged in flows]
    quiet = [scene for scene in scenes if not (scene.raises_question or scene.record.icmp_errors)]

    assert quiet
    assert not [find(kind, Holding(scene)) for scene in quiet for kind in asked if find(kind, Holding(scene))]
    assert not [witness for scene in quiet for witness in witnesses(scene)]


def test_no_cause_holds_of_who_has_none_of_its_traits():
    """In no flow of the scenarios, whatever noted beside it, holds a cause that is not tried because of its traits."""
    flows = [judged for name in scenario_names() for judged in scenario(name)]
    found = 0
    for judged in flows:
        holding = Holding(Scene(judged.record, judged.ending, judged.findings))
        tried = [cause for kind in CAUSES if (cause := find(kind, holding)) is not None]
        assert table._ranked(tried) == judged.causes
        found += len(tried)

    assert found
