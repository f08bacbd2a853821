"""Causes that lie with the host, or with all hosts."""

import struct

import pytest

from analyzer import explain
from tests.causes.scenes import Shown, cause_of, dead
from tests.judging import scenario, texts, told, written
from tests.track.test_beside import ACK, IP_A, IP_C, MAC_A, RST, SYN


def clock(value):
    """TCP timestamps."""
    return b"\1\1\x08\x0a" + struct.pack("!II", value, 0)


def forgotten(*, on_link=True):
    """A probe that draws a RST without a FIN before it; the host's handshakes before bear clocks that agree."""
    made = Shown()
    if on_link:
        made.arp(0, 2, sender=made.ip_b, target=bytes([10, 0, 0, 1]), mac=made.mac_b)
    for at_s, port, value in ((0.1, 40001, 1_000_000), (0.6, 40000, 1_000_500)):
        made.a(at_s, SYN, 0, 0, port=port)
        made.b(at_s + 0.001, SYN | ACK, 0, 1, port=port, options=clock(value))
        made.a(at_s + 0.002, port=port)
    made.a(10, seq=0)
    made.b(10.001, RST, seq=1, ack=0)
    return made


def judged_flow(made):
    """Code and certainty of the cause of the flow that was probed."""
    judged = made.judged(1)
    return judged.cause.code, judged.cause.certainty.value


def test_a_clock_that_starts_anew():
    """A later handshake whose clock does not go on shows that the host was restarted."""
    made = forgotten()
    made.a(20, SYN, 0, 0, port=40003)
    made.b(20.001, SYN | ACK, 0, 1, port=40003, options=clock(500))

    assert judged_flow(made) == ("host-restarted", "likely")


def test_behind_a_balancer_clocks_differ():
    """Beyond the link one address may be many machines: a clock that does not go on is then no more than possible."""
    made = forgotten(on_link=False)
    made.a(20, SYN, 0, 0, port=40003)
    made.b(20.001, SYN | ACK, 0, 1, port=40003, options=clock(500))

    assert judged_flow(made) == ("host-restarted", "possible")


def test_a_clock_that_goes_on_shows_no_restart():
    """A later handshake whose clock goes on says that the host was not restarted."""
    made = forgotten()
    made.a(20, SYN, 0, 0, port=40003)
    made.b(20.001, SYN | ACK, 0, 1, port=40003, options=clock(1_020_000))

    assert judged_flow(made) == ("peer-forgot-connection", "possible")


def test_a_service_that_was_down():
    """New connections that are refused, and later accepted, show that the service was down."""
    made = forgotten()
    made.a(20, SYN, 0, 0, port=40003)
    made.b(20.001, RST | ACK, 0, 1, port=40003)
    made.a(30, SYN, 0, 0, port=40004)
    made.b(30.001, SYN | ACK, 0, 1, port=40004, options=clock(1_030_000))

    assert judged_flow(made) == ("service-restarted", "likely")


def test_two_flows_with_one_host():
    """Flows with the same host that fall silent in the same moment, and nothing else of it, have one cause."""
    made = Shown()
    for port in (40000, 40001):
        made.opened(1, port=port)
    made.in_vain(10, 12, 14)
    made.in_vain(10.5, 12.5, 14.5, port=40001)

    assert cause_of(made)[:2] == ("all-silent-together", "likely")


def test_flows_that_were_all_idle_for_long_may_have_met_a_limit():
    """Where each of several flows broke a long silence in vain, an idle limit fits as well as a host that is gone."""
    made = Shown()
    for port in (40000, 40001):
        made.opened(1, port=port)
    made.in_vain(311, 313, 315)
    made.in_vain(311.5, 313.5, 315.5, port=40001)
    code, certainty, *others = cause_of(made)

    assert certainty == "possible"
    assert {"all-silent-together", "only-this-flow-forgotten"} <= {code, *others}


def test_nothing_more_of_a_host_alone():
    """Where nothing but silence is there, several causes remain, and what would tell them apart is said."""
    made = dead()

    assert cause_of(made)[:2] == ("host-silent", "possible")
    assert "filter-drops" in cause_of(made)
    assert made.headline().startswith("Nothing answered") or "10.0.0.2" not in made.headline()
    assert "To find out" in made.section("What it may be, and how to find out")


def test_a_host_that_is_heard_again_when_all_is_over():
    """A host that was silent until the prober had given up, and is there again, may have been asleep."""
    made = dead()
    made.a(16, RST | ACK, seq=1)
    made.b(40, seq=1)

    assert "host-silent" in cause_of(made)


def test_resets_in_its_name_are_told_as_what_they_are():
    """Where nothing but RSTs came in a host's name, no sentence says that nothing came, nor that a SYN was refused."""
    made = Shown()
    made.opened(1)
    made.b(1.5, data=bytes(1000))
    made.a(1.51, ack=1001)
    made.a(5, seq=0, ack=1001)
    made.b(5.001, seq=1001)
    for at_s in (10, 12, 14, 16):
        made.a(at_s, seq=0, ack=1001)
        made.b(at_s + 0.01, RST | ACK, seq=0, ack=1)

    evidence = made.section("Evidence")

    assert "Nothing but RSTs came in the name of 10.0.0.2" in evidence
    assert "refused" not in evidence


def test_a_reset_like_the_hosts_own_packets_is_told():
    """A RST with the station and TTL of a host on the link is its own: no router or NAT is between."""
    evidence = forgotten().judged(1).witnesses

    (said,) = [witness for witness in evidence if witness.kind == "same_hop"]
    assert (said.says, said.data["on_link"], said.data["ttl"]) == ("alike", 1, 64)
    assert "no router or NAT is between" in explain.story(forgotten().judged(1), 0).section("Evidence").lines[-1].text


def test_the_other_side_of_a_router_is_no_other_flow():
    """A connection that a trunk carries twice, VLAN to VLAN, is told as one, and is not its own witness."""
    first, second = scenario("routed_between_vlans")

    for judged in (first, second):
        assert "all-silent-together" not in [cause.code for cause in judged.causes]
        assert "fate_shared" not in [witness.kind for witness in judged.witnesses]
    assert "on both sides of a router, in two VLANs: flow 1 is the same connection" in texts(
        told(first), "What this capture cannot show"
    )
    assert (first.record.translation.is_first, second.record.translation.is_first) == (False, True)


def reopened():
    """A flow whose client is silent, and sends a new SYN that the server answers with an ACK of the old numbers."""
    return written("""
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
+30     b > a  .   0:0(0) ack 1
+.01    a > b  .   1:1(0) ack 1
+30     b > a  .   0:0(0) ack 1
isn: a 70000000
+5      a > b  S   0:0(0)
isn: a 4294967292
+.001   b > a  .   1:1(0) ack 1
+5      b > a  .   0:0(0) ack 1
+10     b > a  .   0:0(0) ack 1
+10     b > a  R.  1:1(0) ack 1
""")


def test_a_new_syn_of_a_silent_host_is_a_sign_of_life():
    """A host that opens a new connection from the same port is alive, and has lost the old one."""
    judged = reopened()
    story = told(judged)

    assert (judged.ending.verdict.value, judged.cause.code) == ("timed_out", "host-restarted")
    assert "is alive, but has lost this connection" in story.headline
    assert "cannot tell a dead host" not in texts(story, "Why")
    assert "But its host was alive: at +65." in texts(story, "What happened")
    assert "client, or a NAT before it, had lost this connection" in texts(story, "Timeline")
    assert "connect() waits" in texts(story, "What the programs see (expected, not captured)")


@pytest.mark.parametrize(("value", "restarted"), [(1_020_000, False), (77, True)], ids=["goes on", "starts anew"])
def test_a_clock_that_goes_on_refutes_a_restart(value, restarted):
    """A host whose timestamp clock goes on in a later connection has not restarted since it lost this one."""
    made = Shown()
    made.a(0, SYN, 0, 0, options=clock(1_000_000))
    made.b(0.001, SYN | ACK, 0, 1)
    made.a(0.002)
    made.b(10, seq=0)
    made.a(10.001)
    made.a(20, SYN, 0, 0, port=40001, options=clock(value))
    made.b(20.001, SYN | ACK, 0, 1, port=40001)
    made.a(20.002, port=40001)
    made.b(40, seq=0)
    made.a(40.001, RST, seq=1, ack=0)

    why = made.section("Why")
    assert ("its host restarted or" in why) == restarted
    assert ("has not restarted: its timestamp clock went on" in why) != restarted
    assert ("goes on from before" in made.section("Evidence")) != restarted
    assert "its kernel gave it up" in why


def test_flows_of_one_outage_have_one_cause():
    """Flows that a host answered last at different times, before all asked in vain, fell silent together."""
    made = Shown(router=True, host_b=IP_C)
    made.opened(1)
    made.opened(2, port=40001)
    made.a(30, seq=0, port=40001)
    made.b(30.001, port=40001)
    made.in_vain(60, 62, 64)
    made.in_vain(90, 92, 94, port=40001)

    for number in (0, 1):
        assert [cause.code for cause in made.judged(number).causes] == ["all-silent-together"]
    assert "alive" not in made.headline()


def off_the_link(*, questions):
    """A flow of which a asks for b in vain so often, between its probes, before b answers one with RST."""
    made = dead()
    for nth in range(questions):
        made.arp(14.5 + nth, 1, mac=MAC_A, target=made.ip_b)
    made.arp(29, 2, sender=made.ip_b, target=IP_A, mac=made.mac_b)
    made.a(30, seq=0)
    made.b(30.001, RST, seq=1, ack=0)
    return made


def test_a_host_that_was_off_the_link_comes_back_without_the_connection():
    """Who was asked for on the link in vain, and then knows no such connection, was most likely restarted."""
    assert cause_of(off_the_link(questions=3))[:2] == ("host-restarted", "likely")
    assert "host-restarted" not in (cause_of(off_the_link(questions=1)) or ())
