"""The story of a flow as a whole."""

import re
import tomllib

import pytest

from analyzer import causes, explain
from analyzer.explain.story import CHANGE, EXPECTED, HAPPENED, LIMITS, LONG_TEXTS, SETTINGS, TIMELINE, WHY
from analyzer.findings import CODES
from analyzer.judge.verdict import Verdict
from tests.judging import CAPTURES, captured, scenario, texts, written
from tests.notation import SCENARIOS

NAMES = [entry["file"] for entry in tomllib.loads((CAPTURES / "captures.toml").read_text(encoding="utf-8"))["capture"]]
PATHS = sorted(SCENARIOS.glob("*.pkt"))


def founding():
    """Return the founding question's story."""
    (judged,), start_ns = captured("founding_go_fin60.pcap")
    return explain.story(judged, start_ns)


def line_with(words, heading):
    """Return the first line of the founding story under a heading that has these words."""
    return next(line for line in founding().section(heading).lines if words in line.text)


@pytest.mark.parametrize(
    ("heading", "words", "frames"),
    [
        (TIMELINE, "client opens the connection", (1, 2, 3)),
        (TIMELINE, "client sends 5 bytes of data", (4,)),
        (TIMELINE, "server sends 3 probes, every 5.120 s", (6, 7, 8, 9, 12, 13)),
        (TIMELINE, "client probes, after 15.177 s idle", (10, 11)),
        (SETTINGS, "The server: idle time 5 s", None),
        (HAPPENED, "The client sent FIN at +20.018", (14, 15)),
        (HAPPENED, "States derived from that: client FIN-WAIT-2, server CLOSE-WAIT", (14, 15)),
        (HAPPENED, "12 probes after the FIN", tuple(range(16, 39))),
        (HAPPENED, "The client's kernel answered the first 11", tuple(range(16, 39))),
        (HAPPENED, "The last probe drew a RST in under 1 ms, 61.463 s after the FIN", (38, 39)),
        (WHY, "does the peer's TCP still answer? It did.", tuple(range(16, 38))),
        (WHY, "keepalive will not get", tuple(range(16, 38))),
        (WHY, "fits Linux's limit of 60 s (net.ipv4.tcp_fin_timeout)", (15, 38, 39)),
        (WHY, "Only the next probe finds that there is no such connection", (38, 39)),
        (WHY, "IP ID 0", (17,)),
        (CHANGE, "read until end of file", (14, *range(16, 39, 2))),
        (CHANGE, "not in main", (14, *range(16, 39, 2))),
        (EXPECTED, "end of file at once from the FIN on", (14,)),
        (EXPECTED, "the next write fails (EPIPE)", (14, 39)),
        (LIMITS, "close(), exit and kill -9", (14,)),
        (LIMITS, "Which machine sent the RST", (39,)),
    ],
)
def test_the_founding_story_has_each_element_with_its_frames(heading, words, frames):
    """Everything that answers the founding question is said, with the frames that bear it out."""
    line = line_with(words, heading)

    assert line.frames if frames is None else frames == line.frames


def test_the_most_important_comes_first():
    """What happened, why and what to change stand before the timeline."""
    assert [HAPPENED, WHY, CHANGE, TIMELINE] == [section.heading for section in founding().sections][:4]


def test_the_killed_client_has_the_same_story():
    """A killed client's kernel sends the same FIN, so the same is told."""
    (judged,), start_ns = captured("founding_killed.pcap")
    story = explain.story(judged, start_ns)

    assert "The client closed, the server never did: 2 probes after the FIN, 1 answered" in story.headline
    assert "kill -9" in texts(story, LIMITS)


def test_the_title_names_the_ends():
    """The title says who opened the connection, to whom, and which letter each has in the JSON report."""
    (middle,) = scenario("midstream_live")

    assert "Flow 0: 127.0.0.1:59285 (client, a) to 127.0.0.1:4001 (server, b)" == founding().title
    assert "Flow 0: 192.0.2.1:40001 (endpoint a) and 198.51.100.2:80 (endpoint b)" == explain.story(middle, 0).title


def test_a_title_follows_the_syn_not_the_first_segment():
    """Where b opened the connection it is the client."""
    judged = written("+0 b > a S. 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\nend: +1")

    assert "192.0.2.1:40001 (client, b) to 198.51.100.2:80 (server, a)" in explain.story(judged, 0).title


@pytest.mark.parametrize("code", [*(verdict.value for verdict in Verdict), *CODES])
def test_every_verdict_and_finding_has_its_long_text(code):
    """`keepalive rules CODE` finds words for every verdict and finding."""
    assert explain.long_text(code).meaning


def test_an_unknown_code_has_no_long_text():
    """An unknown code is a KeyError for the command to turn into words."""
    with pytest.raises(KeyError):
        explain.long_text("no-such-code")
    assert set(LONG_TEXTS) == {*(verdict.value for verdict in Verdict), *CODES, *causes.CODES}


def stories():
    """Every story of the captures and scenarios, with its record."""
    for name in NAMES:
        flows, start_ns = captured(name)
        yield from ((judged, explain.story(judged, start_ns)) for judged in flows)
    for path in PATHS:
        yield from ((judged, explain.story(judged, judged.record.first_ns)) for judged in scenario(path.stem))


def test_every_statement_carries_its_frames():
    """No line of any story is without evidence."""
    bare = [
        (story.title, line.text)
        for _, story in stories()
        for section in story.sections
        for line in section.lines
        if not line.frames
    ]

    assert [] == bare


def test_evidence_is_within_the_flow():
    """Every frame that a story names is one of its flow's, of a witness, or the SYN of another connection."""
    for judged, story in stories():
        last = max([judged.record.last_frame, *(error.frame for error in judged.record.icmp_errors)])
        named = {frame for section in story.sections for line in section.lines for frame in line.frames}
        syn = judged.record.new_syn
        known = {*range(judged.record.first_frame, last + 1), *([syn.frame] if syn else [])}
        beside = {frame for witness in judged.witnesses for frame in witness.frames}
        beside |= {frame for cause in judged.causes for frame in cause.frames}
        assert named <= known | beside, story.title


def test_stories_are_plain_text():
    """No markup, no line breaks, no holes, no dashes in place of commas, and a full stop or a state at the end."""
    for _, story in stories():
        for text in [story.headline, *(line.text for section in story.sections for line in section.lines)]:
            assert not re.search(r"[\n\t\u2014\u2013*`]|None|\bnan\b| {2}|\{|\}", text), text
        for section in story.sections:
            if section.heading != TIMELINE:
                assert all(line.text.endswith(".") for line in section.lines), section
        assert story.headline.endswith(".")


def test_stories_are_short():
    """A story of one flow can be read in a terminal: some fifty lines at most, none longer than a few."""
    for _, story in stories():
        assert sum(len(section.lines) for section in story.sections) <= 50, story.title
        assert all(len(line.text) <= 400 for section in story.sections for line in section.lines), story.title


def test_only_the_timeline_has_times():
    """Offsets belong to the timeline, in order."""
    for _, story in stories():
        for section in story.sections:
            assert (section.heading == TIMELINE) == all(line.at_ns is not None for line in section.lines)
