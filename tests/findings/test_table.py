"""The third table: which findings a flow has."""

import ast
import gc
import itertools
import json
import re
import tomllib
import weakref
from pathlib import Path

import pytest

from analyzer.findings import CODES, FINDINGS, Columns, Scope, kind_of, search
from analyzer.judge import verdict
from tests.judging import CAPTURES, captured, codes, scenario, shown
from tests.notation import SCENARIOS, follow, parse

PACKAGE = Path(__file__).parents[2] / "analyzer"


def every_flow():
    """Every judged flow of the scenarios and the captures."""
    names = [
        entry["file"] for entry in tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]
    ]
    yield from itertools.chain.from_iterable(captured(name)[0] for name in names)
    yield from itertools.chain.from_iterable(scenario(path.stem) for path in sorted(SCENARIOS.glob("*.pkt")))


@pytest.mark.parametrize("code", CODES)
def test_every_finding_is_shown_by_a_scenario(code):
    """Each finding has a scenario that says that it is found there, and it is."""
    assert code in codes(shown(code))


def test_codes_are_slugs():
    """A code is lower-case words joined by hyphens, for scripts to rely on."""
    assert [] == [code for code in CODES if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)]


def test_a_code_is_spelt_in_its_record_alone():
    """No module but the one with its record has a finding's code as a string: the others ask the record for it."""
    spelt = {}
    for path in sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "judge" / "verdict.py"}):  # whose rows have names, too
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in CODES:
                spelt.setdefault(node.value, []).append(path.relative_to(PACKAGE).as_posix())

    assert set(CODES) == set(spelt)
    assert {} == {code: places for code, places in spelt.items() if len(places) > 1}


def test_a_kind_is_looked_up_by_its_code():
    """A code leads to its record, and an unknown one is a KeyError."""
    assert FINDINGS == tuple(kind_of(code) for code in CODES)
    assert len(set(CODES)) == len(CODES)
    with pytest.raises(KeyError):
        kind_of("no-such-code")


def test_evidence_lies_within_the_flow():
    """Every frame that a finding names is one of the flow's, or the SYN that discovered it; every finding names one."""
    for judged in every_flow():
        last = max([judged.record.last_frame, *(error.frame for error in judged.record.icmp_errors)])
        syn = judged.record.new_syn
        frames = {*range(judged.record.first_frame, last + 1), *([syn.frame] if syn else [])}
        for finding in judged.findings:
            assert finding.frames, finding
            assert set(finding.frames) <= frames, finding


def test_findings_are_plain_data():
    """A finding's data is JSON as it stands, integers and words, and every time ends in _ns."""
    for judged in every_flow():
        for finding in judged.findings:
            assert finding.data == json.loads(json.dumps(finding.data))
            assert all(isinstance(value, (int, str)) for value in finding.data.values())
            assert [] == [key for key in finding.data if key.endswith("_s")]


def test_findings_about_the_flow_name_no_endpoint():
    """Rows of scope FLOW are about neither end, the others about one."""
    about = {(kind.code, kind.scope is Scope.ENDPOINT) for kind in FINDINGS}
    for judged in every_flow():
        for finding in judged.findings:
            assert (finding.code, finding.about is not None) in about


def test_an_uneventful_flow_has_no_finding():
    """A plain close after a few probes has nothing to say."""
    (judged,), _ = captured("fixed_server.pcap")

    assert () == judged.findings


def test_a_search_leaves_no_ring_behind():
    """What was searched is let go at once, not when the collector of rings comes by, which it seldom does here."""
    (batch,) = follow([parse("# A probe.\n+0 a > b . 0:0(0) ack 1\n+.01 b > a . 1:1(0) ack 1\n").batch()])
    columns = Columns(batch, verdict.decide(batch))
    alive = weakref.ref(columns)
    gc.disable()
    try:
        search(columns)
        del columns

        assert alive() is None
    finally:
        gc.enable()
