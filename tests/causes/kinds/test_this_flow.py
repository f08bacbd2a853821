"""Causes that concern one connection alone."""

from tests.capture.craft import ethernet, ipv4, udp
from tests.causes.scenes import Shown, cause_of, dead
from tests.judging import scenario
from tests.track.test_beside import ACK, IP_B, IP_C, SYN


def test_a_host_on_the_link_that_answers_other_things():
    """A host on the same link that is heard meanwhile drops this connection itself."""
    made = dead()
    made.put(11, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=made.mac_b))

    assert cause_of(made) == ("filter-drops", "likely")
    assert "packet filter" in made.section("Who must act")


def test_a_host_behind_a_router_that_answers_other_things():
    """A host behind a router that is heard meanwhile has lost, or something on the way, this connection alone."""
    made = dead(router=True, host_b=IP_C)
    made.put(11, ethernet(ipv4(udp(b"", 53), 17, src=IP_C), src=made.mac_b))

    assert cause_of(made) == ("only-this-flow-forgotten", "likely")
    assert "10.0.0.254" in made.section("Who must act")


def test_a_sign_of_life_before_the_question_is_none():
    """A host that was last heard before the first probe that stayed unanswered may have died since."""
    made = dead(router=True, host_b=IP_C)
    made.put(8, ethernet(ipv4(udp(b"", 53), 17, src=IP_C), src=made.mac_b))

    assert cause_of(made)[1] == "possible"
    assert "is alive" not in made.headline()
    assert "was last heard outside this flow at +8.000, before an answer was due" in made.section("Evidence")


def test_a_sign_of_life_as_soon_as_the_probe_is_none():
    """What comes sooner behind an unanswered probe than an answer could was sent before the probe arrived."""
    made = Shown(router=True, host_b=IP_C)
    made.a(1, SYN, 0, 0)
    made.b(1.2, SYN | ACK, 0, 1)
    made.a(1.201)
    made.in_vain(10, 12, 14)
    made.put(10.1, ethernet(ipv4(udp(b"", 53), 17, src=IP_C), src=made.mac_b))

    assert cause_of(made)[1] == "possible"


def test_one_probe_that_was_lost():
    """A prober that gives up after one probe, while the host is heard, gave up too soon."""
    made = Shown()
    made.opened(1)
    made.a(5, seq=0)
    made.b(5.001)
    made.a(10, seq=0)
    made.put(11.5, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=made.mac_b))
    made.a(15, 0x14, seq=1)

    assert cause_of(made)[:2] == ("probe-lost-once", "likely")
    assert "TCP_KEEPCNT" in made.section("Who must act")
    assert made.judged().ending.verdict.value == "timed_out"
    assert ACK == 0x10


def test_a_long_silence_that_was_broken_in_vain():
    """Data behind a silence that known boxes do not allow may have met a limit of idle time, told in numbers."""
    made = dead()
    made.frames = made.frames[:5]
    for at_s in (3600, 3600.3, 3601, 3602.4, 3605):
        made.a(at_s, data=b"request")

    assert cause_of(made)[:2] == ("idle-limit", "possible")
    assert (
        "Nothing had passed for 59 min 59 s before; known boxes have forgotten a connection by then: 240 s, 350 s,"
        in made.section("What it may be, and how to find out")
    )


def test_a_silence_as_long_that_was_survived_speaks_against_a_limit():
    """Where the flow went on behind a silence as long before, no limit of idle time cut it."""
    made = dead()
    made.frames = made.frames[:5]
    made.a(2000, data=b"request")
    made.b(2000.001, ack=8)
    for at_s in (3900, 3900.3, 3901, 3902.4, 3905):
        made.a(at_s, seq=8, data=b"request")

    assert "idle-limit" not in cause_of(made)


def test_what_the_length_of_the_silence_speaks_for_comes_first():
    """Of causes that fit alike, one for which a longer silence than all that were survived speaks is told first."""
    made = dead(router=True, host_b=IP_C)
    made.frames = made.frames[:5]
    for at_s in (100, 100.3, 101, 102.4, 105):
        made.a(at_s, data=b"request")

    told = made.section("What it may be, and how to find out")
    assert told.startswith("Only this connection was forgotten on the way")
    assert "none before was as long: an idle limit may have run out" in told


def test_no_limit_is_offered_for_a_silence_that_no_known_box_forgets_in():
    """A silence of seconds is shorter than the shortest limit of a known box, and speaks for no limit."""
    told = dead(router=True, host_b=IP_C).section("What it may be, and how to find out")

    assert "Only this connection was forgotten on the way" in told
    assert "may have run out" not in told


def test_who_is_heard_only_after_the_last_vain_packet_may_have_come_back():
    """A host that is heard long after all probes were sent in vain need not have been alive meanwhile."""
    made = dead()
    made.put(25, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=made.mac_b))
    alive = dead()
    alive.put(13, ethernet(ipv4(udp(b"", 53), 17, src=IP_B), src=alive.mac_b))

    assert cause_of(made)[1] == "possible"
    assert "that it was alive before does not show" in made.section("Evidence")
    assert "is alive on this link but does not answer" not in made.headline()
    assert cause_of(alive) == ("filter-drops", "likely")


def test_a_refused_syn_is_no_sign_of_life():
    """A RST that refuses a new connection may be of a box: it is told, and does not make the host alive."""
    made = dead()
    made.a(13, 0x02, 0, 0, port=40009)
    made.b(13.001, 0x14, seq=0, ack=1, port=40009)
    made.a(13.5, seq=0)

    assert cause_of(made)[1] == "possible"
    assert "refused a new connection" in made.section("Evidence")
    assert "IP protocol" not in made.section("Evidence")


def test_who_is_heard_between_long_silences_is_not_heard_throughout():
    """A host heard elsewhere only behind the last retransmission may have been away, however long it is captured."""
    judged = scenario("host_heard_again_only_behind_the_retransmissions")[0]

    assert {cause.certainty.value for cause in judged.causes} == {"possible"}
    assert next(cause.code for cause in judged.causes) == "host-silent"
    assert {"heard_later"} == {w.says for w in judged.witnesses if w.kind == "life_sign"}
