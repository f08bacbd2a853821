"""Judged flows for tests: from the project's captures, from scenario files, from lines written in place."""

from functools import cache
from pathlib import Path

from analyzer import explain, findings
from analyzer.analysis import analyze
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
    found = []
    for batch in follow([scene.batch()]):
        winners = verdict.decide(batch)
        for index in range(len(batch)):
            ending = verdict.ending_of(batch, index, int(winners[index]))
            found.append(findings.judge(recording.build(batch, index), ending))
    return sorted(found, key=lambda judged: judged.record.number)


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


def late_data():
    """Return a flow in which data answers a FIN and draws a RST."""
    return opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+6   b > a  P.  1:9(8) ack 7
+.01 a > b  R   7:7(0) win 0
""")


def slow_close():
    """Return a flow whose second FIN comes after a probe."""
    return opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+5   b > a  .   0:0(0) ack 7
+.01 a > b  .   7:7(0) ack 1
+1   b > a  F.  1:1(0) ack 7
+.01 a > b  .   7:7(0) ack 2
""")


SHOWN = {
    "fin-wait-2-expired": lambda: captured("founding_go_fin60.pcap")[0][0],
    "dead-peer-detected": lambda: captured("dead_peer_silence.pcap")[0][0],
    "answers-lost-behind-capture": lambda: captured("lab/pcapng_two_interfaces.pcapng")[0][0],
    "reset-from-between": lambda: captured("lab/fw_reject_rst.pcap")[0][0],
    "peer-forgot-connection": lambda: captured("peer_rebooted.pcap")[0][0],
    "data-after-peer-closed": late_data,
    "abort-without-fin": lambda: captured("founding_killed_unread.pcap")[0][0],
    "still-probing-at-end": lambda: scenario("silence_after_probes")[0],
    "probes-unanswered-then-none": lambda: scenario("half_close_silence")[0],
    "close-wait-held-by-keepalive": lambda: captured("capture_stops_early.pcap")[0][0],
    "close-wait-without-probes": lambda: opened("+1 a > b F. 6:6(0) ack 1\n+.01 b > a . 1:1(0) ack 7\nend: +90"),
    "half-close-in-use": lambda: captured("half_close_deliberate.pcap")[0][0],
    "slow-to-close": slow_close,
    "fin-sender-still-probes": lambda: scenario("probe_after_own_fin")[0],
    "data-unacknowledged-no-keepalive": lambda: captured("lab/dead_data_pending.pcap")[0][0],
    "idle-beyond-middlebox-limit": lambda: opened("+300 a > b . 5:5(0) ack 1\n+75 a > b . 5:5(0) ack 1\nend: +80"),
    "probes-stopped": lambda: scenario("answered_by_data")[0],
    "probes-lost-but-recovered": lambda: captured("lab/loss_acks.pcap")[0][0],
    "window-closed": lambda: captured("lab/zero_window_pending.pcap")[0][0],
    "icmp-errors-end-nothing": lambda: captured("lab/icmp_host_unreachable.pcap")[0][0],
    "reset-ignored": lambda: scenario("reset_outside_the_window_is_ignored")[0],
    "idle-without-probes": lambda: scenario("idle_without_keepalive")[0],
    "aggressive-probing": lambda: captured("founding_go_fin60.pcap")[0][0],
    "both-ends-probe": lambda: captured("lab/both_sides.pcap")[0][0],
    "not-keepalive-lookalikes": lambda: captured("lab/telnet_lost_byte.pcap")[0][0],
    "one-sided-capture": lambda: scenario("one_sided_even_spacing_is_suspected")[0],
    "headers-cut": lambda: captured("lab/snaplen_40.pcap")[0][0],
    "midstream-start": lambda: captured("lab/midstream_answered.pcap")[0][0],
    "clock-went-back": lambda: scenario("clock_steps_back")[0],
}
"""A flow that shows each finding."""
