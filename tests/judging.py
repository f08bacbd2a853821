"""Judged flows for tests: from the project's captures, from scenario files, from lines written in place."""

from functools import cache
from pathlib import Path

from analyzer import causes, explain, findings
from analyzer.analyzing import analyze
from analyzer.judge import recording, verdict
from tests.notation import SCENARIOS, follow, load, parse

CAPTURES = Path(__file__).parents[1] / "captures"

OPENING = """
+0   a > b  S   0:0(0)
+.01 b > a  S.  0:0(0) ack 1
+.01 a > b  .   1:1(0) ack 1
+.01 a > b  P.  1:6(5) ack 1
+.01 b > a  .   1:1(0) ack 6
"""
"""A handshake and five bytes from the client; numbers go on at a 6, b 1."""


@cache
def captured(name):
    """Return the judged flows of one of the project's captures, and where its time starts."""
    analysis = analyze(str(CAPTURES / name))
    return [flow.judged for flow in analysis.flows], analysis.start_ns()


@cache
def scenario(name):
    """Return the judged flows of one scenario file."""
    return judge(load(SCENARIOS / f"{name}.pkt"))


@cache
def written(text):
    """Return the first judged flow of lines in the notation."""
    return judge(parse(f"# Written in a test.\n{text.strip()}\n"))[0]


def opened(text):
    """Return the judged flow that begins with OPENING and goes on with these lines."""
    return written(OPENING + text)


def judge(scene):
    """Return the judged flows of a parsed scenario, in order."""
    return sorted(judge_batches(scene.dissected(follow([scene.batch()]))), key=lambda judged: judged.record.number)


def judge_batches(batches):
    """Return the judged flows of some batches, each batch by itself."""
    found = []
    for batch in batches:
        winners = verdict.decide(batch)
        hits = findings.search(findings.Columns(batch, winners))
        for index in range(len(batch)):
            ending = verdict.ending_of(batch, index, int(winners[index]))
            found.append(causes.explained(findings.judge(recording.build(batch, index), ending, hits.of(index))))
    return found


def codes(judged):
    """Return the codes of a flow's findings."""
    return [finding.code for finding in judged.findings]


def told(judged):
    """Return a flow's story, told from its first segment."""
    return explain.story(judged, judged.record.first_ns)


def texts(story, heading):
    """Return the lines under a heading as one text."""
    section = story.section(heading)
    return " ".join(line.text for line in section.lines) if section else ""


@cache
def shown(code):
    """Return a flow that shows a finding: that of the first scenario that says so (``finds:``)."""
    if code not in finders():
        raise LookupError(f"no scenario says that it finds {code}")
    name, flow = finders()[code]
    return scenario(name)[flow - 1]


@cache
def finders():
    """Return by finding the first scenario that says that it is found there, and in which flow: each is read once."""
    first = {}
    for path in sorted(SCENARIOS.glob("*.pkt")):
        for flow, found, _ in load(path).finds:
            first.setdefault(found, (path.stem, flow))
    return first
