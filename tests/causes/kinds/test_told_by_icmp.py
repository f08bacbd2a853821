"""Causes that somebody on the path tells by ICMP."""

import struct

import pytest

from analyzer import explain
from tests.capture.craft import IP_A, IP_B, ethernet, icmp, ipv4
from tests.causes.scenes import Shown, dead
from tests.judging import scenario, texts, written
from tests.notation import SCENARIOS
from tests.track.test_beside import ACK, RST, SYN

ROUTER = bytes([10, 0, 0, 254])


def told(kind, code, *, seq=0, sender=ROUTER, at_s=14.1):
    """A flow that falls silent, and an error that quotes the last probe's number, or another."""
    made = dead()
    error(made, at_s, kind, code, seq=seq, sender=sender)
    return made


def error(made, at_s, kind, code, *, seq=0, sender=ROUTER, ttl=64):
    """An error to a that quotes a segment with that number."""
    segment = struct.pack("!HHIIBBHHH", 40000, 80, seq, 1, 0x50, 0x10, 500, 0, 0)
    quoted = ipv4(segment, src=IP_A, dst=IP_B)
    made.put(at_s, ethernet(ipv4(icmp(quoted, kind, code), 1, src=sender, dst=IP_A, ttl=ttl), src=0x020000000009))


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        (3, 13, "filter-rejects"),
        (3, 3, "filter-rejects"),
        (3, 0, "no-route"),
        (11, 0, "no-route"),
    ],
)
def test_who_says_what(kind, code, expected):
    """An error that quotes the very number of a probe proves what it says, and names who says it."""
    judged = told(kind, code).judged()

    assert (expected, "proven") == (judged.cause.code, judged.cause.certainty.value)
    assert judged.cause.data["sender"] == "10.0.0.254"
    assert 9 in judged.cause.frames


def unreachable(took_s, *, host_ttl=63, ttl=64):
    """A host behind routers that falls silent, and "host unreachable" so long after each probe."""
    made = Shown()
    made.a(0, SYN, 0, 0)
    made.b(0.001, SYN | ACK, 0, 1, ttl=host_ttl)
    made.a(0.002)
    for at_s in (10, 20, 30):
        made.a(at_s, seq=0)
        error(made, at_s + took_s, 3, 1, ttl=ttl)
    made.put(60, ethernet(b"", 0x88CC, src=9))
    return made


def test_a_router_that_cannot_reach_the_host():
    """That a host does not answer on its link is likely at most where its last router says so after a lookup's time."""
    made = unreachable(3)

    assert [("host-down-says-last-router", "likely")] == [
        (cause.code, cause.certainty.value) for cause in made.judged().causes
    ]
    assert made.headline().startswith("10.0.0.254, most likely the last router, reports that it cannot reach 10.0.0.2")
    assert "If it is up, look at 10.0.0.254: a packet filter (REJECT)" in made.section("Who must act")


@pytest.mark.parametrize(
    ("made", "because"),
    [
        (unreachable(0.001), "after the first packet that stayed unanswered; a router that gets no answer"),
        (unreachable(3, host_ttl=61), "not the last router before 10.0.0.2: it may be the next hop on its way there"),
        (unreachable(3, ttl=62), "By its TTL it is not the last router before 10.0.0.2"),
        (unreachable(3, host_ttl=64, ttl=255), None),
    ],
    ids=["at once", "too near", "too far", "captured at the last router"],
)
def test_a_filter_or_a_route_says_the_same(made, because):
    """What comes sooner than a lookup takes, or not from the last router, may be of a filter or of a route."""
    causes = [(cause.code, cause.certainty.value) for cause in made.judged().causes]

    if because is None:
        assert causes == [("host-down-says-last-router", "likely")]
        return
    assert causes[:3] == [(code, "possible") for code in ("filter-rejects", "no-route", "host-down-says-last-router")]
    assert because in made.section("What it may be, and how to find out")
    assert "It is off" not in made.section("Who must act")


def test_what_nobody_sent_is_no_cause():
    """An error that quotes a number which nobody had sent may be forged, and is no cause."""
    judged = told(3, 13, seq=70_000).judged()

    assert "filter-rejects" not in [cause.code for cause in judged.causes]
    assert judged.witnesses[-1].data["quotes"] == "" or any(w.data.get("quotes") == "" for w in judged.witnesses)


def test_an_error_before_the_last_word_is_no_cause():
    """What was told before the peer was last heard did not end the flow."""
    judged = told(3, 13, at_s=1.0005).judged()

    assert "filter-rejects" not in [cause.code for cause in judged.causes]


def test_the_host_itself_rejects():
    """Where the peer's own address sends the error, its own host is named."""
    made = told(3, 3, sender=IP_B)

    assert "own host 10.0.0.2" in made.headline()
    assert "10.0.0.2" in made.section("Who must act")


@pytest.mark.parametrize(
    ("took_s", "who"),
    [(0.0005, "Something nearer that answers as 10.0.0.2 rejects"), (0.03, "The server's own host 10.0.0.2 rejects")],
    ids=["sooner than anything from there", "as late as its answers"],
)
def test_delay_tells_whether_the_host_itself_rejects(took_s, who):
    """An error in the peer's name that came much sooner than all its answers was sent by something nearer."""
    made = Shown()
    made.a(0, SYN, 0, 0)
    made.b(0.03, SYN | ACK, 0, 1)
    made.a(0.031)
    made.a(5, seq=0)
    made.b(5.03)
    for at_s in (10, 12, 14):
        made.a(at_s, seq=0)
        error(made, at_s + took_s, 3, 3, sender=IP_B)
    made.put(30, ethernet(b"", 0x88CC, src=9))

    assert made.headline().startswith(who)
    assert ("came sooner than anything from there can" in made.section("Evidence")) == (took_s < 0.01)
    assert ("was heard outside this flow" in made.section("Evidence")) == (took_s > 0.01)


def refused(*answered, last_s):
    """Probes that are answered, and one that is refused, with the advice and the evidence of it."""
    made = Shown()
    made.opened(1)
    for at_s in answered:
        made.a(at_s, seq=0)
        made.b(at_s + 0.001)
    for at_s in (last_s, last_s + 1, last_s + 2):
        made.a(at_s, seq=0)
        error(made, at_s + 0.001, 3, 3)
    made.a(last_s + 3, RST | ACK)
    made.put(last_s + 20, ethernet(b"", 0x88B5, src=9))
    return made.section("Who must act"), made.section("Evidence"), made.section("What to change")


def test_a_filter_may_have_forgotten_the_connection():
    """Refused after a silence longer than all that were survived: to probe more often may have kept it."""
    who, evidence, change = refused(5, last_s=12)

    assert "have the client probe more often than every 3.998 s, which would have kept it" in who
    assert "Nothing had passed for 6.999 s before the first packet that was refused" in evidence
    assert "the longest silence it survived was 3.998 s" in evidence
    assert not change


def test_a_filter_that_forgot_nothing():
    """Refused after a silence that was survived before: no idle limit ran out, and no setting helps."""
    who, evidence, _ = refused(8, last_s=12)

    assert "no idle limit ran out, so most likely its rules changed" in who
    assert "a silence of 6.998 s was survived" in evidence


def test_segments_that_do_not_fit_lead_the_story():
    """Where ICMP says that segments do not fit, that is the headline, and the advice is about the path's MTU."""
    (judged,) = scenario("packet_too_big_is_not_heeded")
    story = explain.story(judged, judged.record.first_ns)

    assert ("path-mtu", "proven") == (judged.cause.code, judged.cause.certainty.value)
    assert story.headline.startswith("The client's segments are too large for the path: ")
    assert "up to 1,428 bytes were retransmitted 3 times after that" in story.headline
    advice = texts(story, "Who must act")
    assert "let ICMP packet too big through" in advice
    assert "clamp the segment size (MSS)" in advice
    assert "smaller MTU" in advice
    assert "TCP_USER_TIMEOUT" not in texts(story, "What to change")
    assert "Cause: path-mtu, proven by these frames." in texts(story, "Evidence")


def test_a_proven_cause_leaves_nothing_open():
    """Where a router says why nothing comes back, the story does not offer other reasons beside it."""
    made = told(3, 13)
    story = explain.story(made.judged(), made.judged().record.first_ns)

    assert "Either" not in texts(story, "Why")
    assert "nobody was there" not in texts(story, "What this capture cannot show")
    assert "nobody was there" in dead().section("What this capture cannot show")


def test_a_redirect_refuses_nothing():
    """A redirect is told as a change of the way, and neither as an error nor as the reason of what it quotes."""
    dead_flow, well = (scenario(f"redirected_and_{name}")[0] for name in ("then_unanswered", "all_is_well"))
    story = explain.story(dead_flow, dead_flow.record.first_ns)

    assert "path-changed" == dead_flow.causes[0].code
    told = "told the client at +5.011 to send to the router 203.0.113.7 instead (ICMP redirect for the host"
    assert told in texts(story, "Evidence")
    assert "Look at that router" in texts(story, "What it may be, and how to find out")
    assert "ICMP error" not in texts(story, "What happened") + texts(story, "Timeline")
    assert "icmp-errors-end-nothing" not in [found.code for found in (*dead_flow.findings, *well.findings)]
    assert not well.causes


@pytest.mark.parametrize(
    ("router", "told"),
    [("router fe80::7", "to the router fe80::7 instead"), ("", "straight to the server, which it says is on the link")],
)
def test_a_redirect_of_icmpv6(router, told):
    """A redirect of ICMPv6 is told as one of ICMP, or that it says that the other end is on the link."""
    lines = (SCENARIOS / "redirected_and_then_unanswered.pkt").read_text(encoding="utf-8")
    lines = lines.replace("icmp 5/1 0:0(0) router 203.0.113.7", f"icmp 6:137/0 0:0(0) {router}")
    flow = written("ip: 6\n" + lines.partition("verdict:")[0])
    story = explain.story(flow, flow.record.first_ns)

    assert "path-changed" == flow.causes[0].code
    for section in ("Evidence", "What it may be, and how to find out", "Timeline"):
        assert told in texts(story, section)
    assert "ICMP error" not in str(story)


def test_a_redirect_before_what_was_answered_changed_nothing():
    """Where packets that were sent after a redirect were answered, the way that it names leads there."""
    lines = (SCENARIOS / "redirected_and_then_unanswered.pkt").read_text(encoding="utf-8")
    opening, answer, rest = lines.partition("#= answer to 4\n")
    on = "+5 a > b . 0:0(0) ack 1\n+.01 b > a . 1:1(0) ack 1\n"
    later = written((opening + answer + on + rest).partition("verdict:")[0])

    assert "timed_out" == later.ending.verdict.value
    assert "path-changed" not in [cause.code for cause in later.causes]


def test_who_cannot_forward_though_it_has_the_peers_address_is_no_host():
    """A load balancer answers for the address of a service: its words fit the sentences that they stand in."""
    judged = told(3, 0, sender=IP_B).judged()

    story = explain.story(judged, judged.record.first_ns)
    who = texts(story, "Who must act")

    assert "no-route" == judged.cause.code
    assert story.headline.startswith("What answers as 10.0.0.2 (most likely a load balancer or NAT")
    assert "reports by ICMP that it cannot forward the packets" in story.headline
    assert who.startswith("Whoever runs what answers as 10.0.0.2 (")
    assert ",:" not in who
