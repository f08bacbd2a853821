"""RSTs that a box in between sent."""

from analyzer import explain
from tests.judging import OPENING, captured, opened, scenario, texts, told, written


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_a_foreign_reset_comes_with_both_ttls():
    """The TTL of the RST stands beside those of the endpoint's own packets."""
    data = finding("lab/fw_reject_rst.pcap", "reset-from-between").data

    assert (64, 63, 63) == (data["ttl"], data["own_ttl_low"], data["own_ttl_high"])


def test_a_reset_from_between_shows_its_ttl():
    """The box is inferred from the TTL, and its supposed sender not called closed."""
    (judged,), start_ns = captured("lab/fw_reject_rst.pcap")
    story = explain.story(judged, start_ns)

    assert "most likely a middlebox sent it" in story.headline
    assert "Its TTL is 64; the server's other packets have 63." in texts(story, "What happened")
    assert "Inferred: a firewall, NAT or load balancer" in texts(story, "Why")
    assert "learns nothing of it" in texts(story, "What the programs see (expected, not captured)")


def test_a_foreign_mac_address_is_shown():
    """A RST from another MAC address is told by it."""
    assert "Its source MAC address is not that of" in texts(
        told(scenario("reset_with_foreign_mac")[0]), "What happened"
    )


def test_after_a_fin_a_foreign_ttl_may_be_a_new_route():
    """Where the supposed sender had closed, its own expired FIN-WAIT-2 is named as the other reading."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1 ttl 60
+.01 b > a  .   1:1(0) ack 7
+45  b > a  .   0:0(0) ack 7
+.01 a > b  R   7:7(0) win 0 ttl 120
""")

    assert "Then its FIN-WAIT-2 had run out." in texts(told(judged), "Why")


ANSWERED = "+4 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6 ttl 127\n"
FORGED = "+{} a > b . 5:5(0) ack 1\n+.01 b > a R 1:1(0) win 0 ttl {} id 0\n"


def forged(wait, ttl, answered=2):
    """Probes that are answered from afar, and one that draws a RST with this TTL."""
    opening = OPENING.replace("ack 1\n+.01 a > b  .", "ack 1 ttl 127\n+.01 a > b  .").replace(
        "ack 6\n", "ack 6 ttl 127\n"
    )
    return told(written(opening + answered * ANSWERED + FORGED.format(wait, ttl)))


def test_a_full_ttl_shows_that_its_sender_is_on_this_link():
    """A RST that has passed no router came from a machine on this link, where its end's packets come from afar."""
    near, far = forged(4, 64), forged(4, 60)

    assert "64 is a TTL that packets begin with: the RST passed no router" in texts(near, "Why")
    assert "passed no router" not in texts(far, "Why")


def test_a_silence_that_was_survived_excludes_an_idle_timeout():
    """Who dropped the flow after a silence as long as one before did not forget it, and nothing else is advised."""
    same, longer = forged(4, 64), forged(9, 64)

    assert "no idle timeout ran out" in texts(same, "Why")
    assert "No idle timeout ran out, so other keepalive settings do not help." in texts(same, "What to change")
    assert "30 to 45 s would be enough" not in texts(same, "Also")
    assert "an idle timeout may have run out" in texts(longer, "Why")
    assert "probing more often than every 4.000 s helps" in texts(longer, "What to change")


def test_an_end_that_goes_on_behind_both_resets_is_still_open():
    """A box resets the peer in the prober's name and keeps the peer's RST from the prober, which probes on."""
    answered, refused = (
        f"+4 a > b . 5:5(0) ack 1\n+.01 b > a {answer}\n" for answer in (". 1:1(0) ack 6", "R 1:1(0) win 0")
    )
    flow = OPENING + 3 * answered + "+.0001 a > b R 6:6(0) win 0 ttl 64 id 0\n" + 2 * refused
    far = [line if "ttl" in line else f"{line} ttl 254" if "a > b" in line else line for line in flow.splitlines()]
    story = told(written("\n".join(far)))

    assert "A RST in the client's name closed the server's end." in story.headline
    assert "right behind the server's answer to a probe (frame 11), which most likely drew it" in texts(
        story, "What happened"
    )
    assert "its end was still open at +20" in texts(story, "Why")
    assert "a silence of 4.010 s was survived: no idle timeout ran out" in texts(story, "Why")
    assert "server CLOSED, client still ESTABLISHED" in texts(story, "Timeline")
    assert "the client did not take it" in texts(story, "Timeline")
    assert "whether it closed the client is unknown: the one before did not" in texts(story, "Timeline")
    assert "still blocked at +" in texts(story, "What the programs see (expected, not captured)")


def test_no_known_box_is_not_no_box():
    """Where no silence as long was survived, only known boxes are spoken of."""
    early = forged(2, 64, answered=0)

    assert "no known box forgets a connection so soon" in texts(early, "Why")
    assert "No known box forgets a connection so soon" in texts(early, "What to change")


def test_a_box_that_resets_both_ends_at_its_limit_is_told_with_the_limit():
    """The silence before the RSTs fits a limit of an hour, which headline, reason and advice name as most likely."""
    opening = "".join(f"{line} ttl 63\n" for line in OPENING.strip().splitlines())
    both = "+3600.4 a > b R. 6:6(0) ack 1 ttl 255\n+.001 b > a R. 1:1(0) ack 6 ttl 255\n"
    story = told(written(opening + both))

    assert "when an idle limit of 3,600 s ran out" in story.headline
    assert "Nothing had passed for 3,600.4" in texts(story, "Why")
    assert "Cisco ASA" in texts(story, "Why")
    assert "an idle timeout of 3,600 s most likely ran out" in texts(story, "What to change")


def test_a_reset_long_behind_an_answer_came_unasked():
    """What comes 0.7 s behind an answer, where the end beyond answers in 10 ms, was not drawn by that."""
    answered = "+4 a > b . 5:5(0) ack 1\n+.01 b > a . 1:1(0) ack 6\n"
    flow = OPENING + 3 * answered + "+.7 a > b R 6:6(0) win 0 ttl 64 id 0\n"
    far = [line if "ttl" in line else f"{line} ttl 254" if "a > b" in line else line for line in flow.splitlines()]
    story = told(written("\n".join(far)))

    assert "drew it" not in texts(story, "What happened")
    assert "resets it in the client's name" in texts(story, "Why")
    assert "Nothing had passed for 700 ms before the RST, which came unasked" in texts(story, "Why")
    assert "no idle timeout ran out" in texts(story, "Why")


def test_a_half_closed_connection_that_a_box_resets():
    """Where only one end had sent FIN, it is told how long nothing passed since, and that boxes forget such sooner."""
    story = told(scenario("half_closed_and_reset_by_a_box")[0])

    assert "The connection was half-closed: the client had sent FIN 62.004 s before" in texts(story, "What happened")
    assert "known limits begin at 60 s" in texts(story, "Why")
