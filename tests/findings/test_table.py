"""The third table: which findings a flow has."""

import itertools
import json
import re
import tomllib

import pytest

from analyzer.findings import CODES, FINDINGS, Scope
from tests.judging import CAPTURES, SHOWN, captured, codes, scenario
from tests.notation import SCENARIOS


def every_flow():
    """Every judged flow of the scenarios and the captures."""
    names = [
        entry["file"] for entry in tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]
    ]
    yield from itertools.chain.from_iterable(captured(name)[0] for name in names)
    yield from itertools.chain.from_iterable(scenario(path.stem) for path in sorted(SCENARIOS.glob("*.pkt")))


@pytest.mark.parametrize("code", CODES)
def test_every_finding_is_shown_by_a_flow(code):
    """Each row of the table is won by at least one flow."""
    assert code in codes(SHOWN[code]())


def test_codes_are_slugs():
    """A code is lower-case words joined by hyphens, for scripts to rely on."""
    assert [] == [code for code in CODES if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)]


def test_every_row_has_conditions():
    """No finding is made of every flow."""
    assert [] == [rule.code for rule in FINDINGS if not rule.conditions]


def test_evidence_lies_within_the_flow():
    """Every frame that a finding names is one of the flow's, and every finding names one."""
    for judged in every_flow():
        last = max([judged.record.last_frame, *(error.frame for error in judged.record.icmp_errors)])
        frames = range(judged.record.first_frame, last + 1)
        for finding in judged.findings:
            assert finding.frames, finding
            assert set(finding.frames) <= set(frames), finding


def test_findings_are_plain_data():
    """A finding's data is JSON as it stands, integers and words, and every time ends in _ns."""
    for judged in every_flow():
        for finding in judged.findings:
            assert finding.data == json.loads(json.dumps(finding.data))
            assert all(isinstance(value, (int, str)) for value in finding.data.values())
            assert [] == [key for key in finding.data if key.endswith("_s")]


def test_findings_about_the_flow_name_no_endpoint():
    """Rows of scope FLOW are about neither end, the others about one."""
    about = {(rule.code, rule.scope is Scope.ENDPOINT) for rule in FINDINGS}
    for judged in every_flow():
        for finding in judged.findings:
            assert (finding.code, finding.about is not None) in about


def test_an_uneventful_flow_has_no_finding():
    """A plain close after a few probes has nothing to say."""
    (judged,), _ = captured("fixed_server.pcap")

    assert () == judged.findings


def test_a_leak_is_not_found_where_the_server_closes():
    """The fixed server is not accused of what the other does."""
    (leaking,), _ = captured("founding_go_fin60.pcap")
    (fixed,), _ = captured("fixed_server.pcap")

    assert "close-wait-held-by-keepalive" in codes(leaking)
    assert "close-wait-held-by-keepalive" not in codes(fixed)


def test_one_unanswered_probe_is_not_death():
    """RFC 9293 MUST-29: one unanswered probe makes no finding of a dead peer."""
    found = codes(scenario("one_unanswered_probe_is_not_death")[0])

    assert not {"dead-peer-detected", "still-probing-at-end"} & set(found)
