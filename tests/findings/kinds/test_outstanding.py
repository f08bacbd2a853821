"""What stays unacknowledged."""

from analyzer import explain
from tests.judging import captured, opened, scenario, texts, told


def finding(name, code):
    """Return a finding of a capture's only flow."""
    (judged,), _ = captured(name)
    return judged.finding(code)


def test_outstanding_fin_and_data_are_told_apart():
    """What is unacknowledged may be a FIN."""
    code = "data-unacknowledged-no-keepalive"

    assert "FIN" == scenario("fin_unanswered_is_silence")[0].finding(code).data["what"]
    assert "data" == finding("lab/dead_data_pending.pcap", code).data["what"]


def test_outstanding_data_keeps_keepalive_from_running():
    """While data is unacknowledged there are no probes, and its end sends no RST."""
    (judged,), start_ns = captured("lab/dead_data_pending.pcap")
    story = explain.story(judged, start_ns)

    assert "The server's data stayed unacknowledged for 11.457 s" in story.headline
    assert "Linux sends no probe while anything sent is unacknowledged" in texts(story, "Why")
    assert "TCP_USER_TIMEOUT" in texts(story, "What to change")


def test_an_outstanding_fin_is_called_one():
    """What is unacknowledged is named."""
    assert "The client's FIN stayed unacknowledged" in explain.headline(scenario("fin_unanswered_is_silence")[0], 0)


def test_a_fin_is_given_up_sooner_where_the_program_has_closed():
    """Of a FIN nobody says that its program reads or writes on; the kernel's limit for closed sockets is named."""
    fin = told(scenario("fin_unanswered_is_silence")[0])
    data = told(scenario("data_unanswered_is_silence")[0])

    assert "tcp_orphan_retries" in texts(fin, "Why")
    assert "tcp_orphan_retries" not in texts(data, "Why")
    assert "learns nothing if it has closed the socket" in texts(fin, "What the programs see (expected, not captured)")
    assert "read or write" not in texts(fin, "What the programs see (expected, not captured)")


def test_that_the_path_takes_no_such_size_is_said():
    """ICMP about the size of what stays unacknowledged is the reason, and is told as one."""
    story = told(scenario("packet_too_big_is_not_heeded")[0])

    assert "takes no packet of that size" in texts(story, "Why")


def test_a_peer_that_was_heard_after_the_data_is_told_so():
    """Data that was there before the peer was last heard is not told as sent after it."""
    again = "".join(f"+{wait} a > b P. 6:106(100) ack 1\n" for wait in (0.2, 0.4, 0.8, 1.6))
    judged = opened(
        f"+5 a > b P. 6:106(100) ack 1\n{again}+9 b > a . 0:0(0) ack 6\n"
        "+.001 a > b . 106:106(0) ack 1\n+1 a > b P. 6:106(100) ack 1\nend: +60\n"
    )
    happened = texts(told(judged), "What happened")

    assert "then sent data that nothing acknowledged" not in happened
    assert "was heard after that, but did not acknowledge all of it" in happened


def test_retransmissions_that_stop_tell_that_the_kernel_gave_up():
    """Where the next retransmission was due and did not come, its end is most likely closed, and that is said."""
    again = "".join(f"+{wait} a > b P. 6:106(100) ack 1\n" for wait in (0.2, 0.4, 0.8, 1.6))
    story = told(opened(f"+5 a > b P. 6:106(100) ack 1\n{again}end: +60\n"))

    assert "Most likely its kernel had given up within 6.200 s" in story.headline
    assert "client most likely CLOSED" in texts(story, "Timeline")
    assert "ETIMEDOUT (most likely)" in texts(story, "What the programs see (expected, not captured)")


def test_a_long_silence_without_probes_brings_advice_on_keepalive():
    """Where nobody probed in the longest silence of all, keepalive would have kept the connection or found it dead."""
    again = "".join(f"+{wait} a > b P. 6:106(100) ack 1\n" for wait in (0.2, 0.4, 0.8))
    story, soon = (told(opened(f"+{wait} a > b P. 6:106(100) ack 1\n{again}end: +60\n")) for wait in (65, 25))

    assert "Turn keepalive on, with a shorter idle time" in texts(story, "What to change")
    assert "nothing passed for 65.000 s" in texts(story, "What to change")
    assert "keepalive on" not in texts(soon, "What to change")


def test_a_fin_in_vain_leaves_nothing_to_set_where_it_was_sent():
    """Where only a FIN stays unacknowledged, it is the other end that may hold the connection, and needs keepalive."""
    again = "".join(f"+{wait} a > b F. 6:6(0) ack 1\n" for wait in (0.2, 0.4, 0.8, 1.6))
    change = texts(told(opened(f"+5 a > b F. 6:6(0) ack 1\n{again}")), "What to change")

    assert "There is nothing to set" in change or "there is nothing to set" in change
    assert "turn keepalive on there" in change
    assert "TCP_USER_TIMEOUT" not in change
