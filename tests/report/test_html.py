"""The page as text: what it says, what it refuses to let through, that it needs nothing else."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.report.html import (
    MOST_ALIKE,
    MOST_ROWS,
    SLICE,
    Known,
    Page,
    embedded,
    excerpt,
    page,
    picture,
    rows,
    story_html,
)
from analyzer.report.shown import Report, ShownFlow, ShownService
from analyzer.report.sums import MOST_LISTED, lookalike_sum
from analyzer.survey import by_service, overview
from tests.explain.test_joint_beside import refused
from tests.hostile.floods import flood
from tests.vantages import World

FOUNDING = "founding_go_fin60.pcap"
REUSE = "lab/port_reuse.pcap"
HOSTILE = '/tmp/<script>alert("1")</script>&amp;<!--\u2028\u202e.pcap'


def page_of(analysis, *, pictures=False, captures=None, stories=None):
    """The page of an analysis, with all its flows told."""
    lines = overview.ranked(analysis.lines())
    flows = [analysis.flow(line) for line in lines]
    shown = [ShownFlow(flow.capture, analysis.start_ns(flow.capture), flow.judged) for flow in flows]
    services = [ShownService(service, shown[service.first]) for service in by_service.services(lines, 5)]
    report = Report(
        captures=captures or analysis.captures,
        totals=analysis.totals,
        notable=len(flows),
        flows=shown[:stories],
        services=services,
        all_services=len(services),
        findings=analysis.count_findings(notable=False).by_code(),
    )
    known = {(flow.capture, flow.number): Known("a headline", ("a-code",)) for flow in flows}
    return Page(report, lines, known, pictures=pictures)


def text_of(data):
    return "".join(page(data))


def data_in(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_summary_comes_first(analysis):
    """Summary, findings, the table of flows and the stories follow each other."""
    text = text_of(page_of(analysis(FOUNDING)))
    places = [text.index(f'<section id="{name}">') for name in ("summary", "findings", "flows", "stories")]

    assert sorted(places) == places
    assert "12 probes after the FIN, 11 answered" in text[places[0] : places[1]]
    assert "Read until end of file" in text[places[0] : places[1]]


def test_who_must_act_comes_first_in_what_to_do(tmp_path):
    """Where a cause says who must act, that stands before what findings advise in general, with a link to the flow."""
    made = World()
    refused(made)
    text = text_of(page_of(analyze(made.write(tmp_path)[0])))

    to_do = text[text.index("<h3>What to do</h3>") : text.index('<section id="findings">')]
    first, *others = re.findall(r"<li>(.*?)</li>", to_do)
    assert first.startswith("Whoever runs the packet filter at 192.0.2.254")
    assert '<a href="#flow-0-0">0</a>' in first
    assert others


def test_the_page_opens_with_a_picture(analysis):
    """One flow's picture stands before its words, and only there; of several flows, how they ended by service."""
    one = text_of(page_of(analysis(FOUNDING), pictures=True))
    several = text_of(page_of(analysis("lab/port_reuse.pcap"), pictures=True))

    assert 1 == one.count("<svg")
    assert one.index("<svg") < one.index("<h3>What happened</h3>")
    assert 1 + several.count("<figure><div") == 1 + several.count("<svg") >= 4
    assert several.index("How the flows ended") < several.index("<h3>What happened</h3>")


def test_a_story_has_its_evidence_and_filters(analysis):
    """A story brings the frames of its probes, and filters for Wireshark and tcpdump to copy."""
    text = unescape(text_of(page_of(analysis(FOUNDING))))

    assert re.search(r'<td class="number">38</td>.*keepalive probe.*<td>RST, frame 39 after', text)
    for label, code in (
        ("Wireshark, this flow", "ip.src == 127.0.0.1 && ip.dst == 127.0.0.1 && tcp.port == 59285 && tcp.port == 4001"),
        ("tcpdump, this flow", "tcp and src host 127.0.0.1 and dst host 127.0.0.1 and port 59285 and port 4001"),
        ("Wireshark, fin-wait-2-expired", "frame.number in {14..15, 38..39}"),
    ):
        assert f'<span class="label">{label}</span><code>{code}' in text


def test_the_page_needs_nothing_else(analysis):
    """Nothing is loaded from anywhere, and the policy in the page allows its one script and no other."""
    text = text_of(page_of(analysis(FOUNDING), pictures=True))
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = b64encode(sha256(script[0].encode()).digest()).decode()

    assert 1 == len(script)
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in unescape(text)
    assert set() == set(re.findall(r"<(?:link|img|iframe|object|embed|base)\b", text))
    assert [] == re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*["']""", text)
    assert [] == re.findall(r"<\w+[^>]* on\w+=", text)


def test_the_same_flows_give_the_same_bytes(analysis):
    """Nothing in the page depends on when or how often it was made."""
    data = page_of(analysis(FOUNDING), pictures=True)

    assert text_of(data) == text_of(data)


def test_a_hostile_name_is_text(analysis):
    """A file name with markup, a comment and line separators is shown as it is, spelled out where it cannot be."""
    loaded = analysis(FOUNDING)
    captures = [replace(loaded.captures[0], paths=[HOSTILE], warnings=["<b>bold</b> \x1b[31m"])]
    text = text_of(page_of(loaded, captures=captures))

    assert "<script>alert" not in text
    assert "<!--" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&amp;amp;&lt;!--\\u2028\\u202e.pcap" in text
    assert "Warning: " in text
    assert "\x1b" not in text


def test_many_captures_are_folded_away(analysis):
    """What was found is on the first screen, however many files were named; each is listed under what all are."""
    loaded = analysis(FOUNDING)
    captures = [replace(loaded.captures[0], paths=[f"<b>/{at}.pcap"]) for at in range(MOST_LISTED + 1)]
    text, few = (text_of(page_of(loaded, captures=some)) for some in (captures, captures[1:]))

    assert '<details class="captures"><summary>9 captures in &lt;b&gt;: ' in text
    assert 9 == text.partition("</header>")[0].count('<p class="capture">')
    assert '<details class="captures">' not in few


@pytest.mark.parametrize("value", ["</script>", "<!--<script>", "\u2028\u2029", "&lt;", "\ud800"])
def test_json_in_a_script_cannot_end_it(value):
    """What JSON holds has no character that HTML or JavaScript would act on, and reads back the same."""
    text = embedded({"name": value})

    assert not set("<>&\u2028\u2029") & set(text)
    assert {"name": value} == json.loads(text)


def test_the_table_has_every_flow(analysis):
    """Every flow is a row, with its ends, numbers and findings, and says whether its story is in the page."""
    loaded = analysis(REUSE)
    found = data_in(text_of(page_of(loaded, stories=1)))

    assert SLICE == found["slice"]
    assert [0, 1, 2] == sorted(row[1] for row in found["rows"])
    assert 1 == sum(row[12] for row in found["rows"])
    assert {("a-code", "a headline")} == {(row[10], row[11]) for row in found["rows"]}


def test_flows_that_are_not_told_are_named_as_such(analysis):
    """The page says how many flows with something to say it does not tell of."""
    text = text_of(page_of(analysis(REUSE), stories=1))

    assert "Told are 1 of the 3 flows" in text


def test_a_table_too_long_is_cut_and_says_so(analysis):
    """Beyond MOST_ROWS the least important flows are left out, and counted."""
    data = page_of(analysis(FOUNDING))
    many = replace(data, lines=np.repeat(data.lines, MOST_ROWS + 7))
    text = text_of(many)

    assert MOST_ROWS == len(data_in(text)["rows"])
    assert "The 7 least important flows are not in this table" in text


def test_a_capture_without_anything_to_say(analysis):
    """An analysis without notable flows makes a page that says so."""
    loaded = analysis(FOUNDING)
    report = Report(loaded.captures, loaded.totals, 0)
    text = text_of(Page(report, loaded.lines()[:0]))

    assert "Nothing to report." in text
    assert '<section id="stories">' not in text


@pytest.mark.parametrize("told", [True, False], ids=["with flows", "nothing to report"])
def test_segments_that_only_look_like_probes_are_counted(analysis, told):
    """What has the form of a probe and is none is counted by what it is, also where there is nothing to report."""
    loaded = analysis("lab/telnet_lost_byte.pcap")
    data = page_of(loaded) if told else Page(Report(loaded.captures, loaded.totals, 0), loaded.lines()[:0])

    assert f"<p>{lookalike_sum(loaded.totals)}.</p>" in text_of(data)
    assert "12 segments have the form of a probe but are not probes" in text_of(data)


def test_nothing_is_said_of_segments_that_look_like_probes_where_there_are_none(analysis):
    """A capture in which everything in the form of a probe is one has no such line."""
    assert "the form of a probe" not in text_of(page_of(analysis("lab/windows_like_answered.pcap")))


def test_addresses_of_version_6_stand_in_brackets(analysis):
    """An IPv6 endpoint reads as everywhere else in the project."""
    lines = analysis("lab/ipv6_graceful.pcap").lines()

    assert all(re.fullmatch(r"\[[0-9a-f:]+\]:\d+", row[2]) for row in rows(lines, {}, set()))


def test_pictures_have_ids_of_their_own(analysis, flow):
    """Two pictures in one page share no id, and hold no metadata."""
    first, second = (picture(*flow(FOUNDING), prefix) for prefix in ("one-", "two-"))
    ids = [set(re.findall(r'\bid="([^"]+)"', markup)) for markup in (first, second)]

    assert ids[0]
    assert set() == ids[0] & ids[1]
    assert "<metadata>" not in first
    assert first.startswith("<svg")


def test_what_a_notebook_shows(analysis, flow):
    """A notebook shows sums and headlines of an analysis, and headline and picture of a flow."""
    loaded = analysis(FOUNDING)
    shown = [ShownFlow(0, loaded.start_ns(), loaded.flows[0].judged)]
    text = excerpt(Report(loaded.captures, loaded.totals, 3, shown))

    assert "12 probes after the FIN" in text
    assert "2 more flows with something to say" in text
    assert "<svg" in story_html(*flow(FOUNDING), "x")
    assert "What to change" in story_html(*flow(FOUNDING), "x", pictures=False)


def test_flows_that_look_the_same_share_some_pictures(tmp_path):
    """Of a flood a few flows have a picture, and the others name the first of these."""
    path = tmp_path / "resets.pcap"
    path.write_bytes(flood("a RST of each flow", 10))
    text = text_of(page_of(analyze(path, jit=False), pictures=True))

    assert MOST_ALIKE == text.count("<figure><div") - 1
    assert 10 - MOST_ALIKE == text.count('would look like that of <a href="#flow-0-')
