"""What is known of an endpoint, rule by rule."""

import pytest

from analyzer.loops.loop import CACHE_LINE, records
from analyzer.segment import ACK, FIN, PSH, SYN
from analyzer.track import endpoint
from analyzer.track.endpoint import ENDPOINT
from analyzer.track.flow import FLOW
from tests.notation import follow, parse, plain

HANDSHAKE = """# A flow.
+0      a > b  S   0:0(0) <ws 7>
+.01    b > a  S.  0:0(0) ack 1 <ws 3>
+.00001 a > b  .   1:1(0) ack 1
"""


def ends_after(text, *, opening=HANDSHAKE):
    """Return the ENDPOINT records of a and b after hand-written lines."""
    scenario = parse((opening or "# A flow.\n") + text)
    (batch,) = follow([scenario.batch()])
    return batch.a[0], batch.b[0], scenario


def moves(end, scenario):
    """Return SND.NXT and SND.UNA of a, relative to its initial number."""
    base = int(scenario.rows[0]["seq"]) + (1 << 32)
    return int(end["snd_nxt"]) - base, int(end["snd_una"]) - base


@pytest.fixture
def end():
    """Return an endpoint of which nothing is known."""
    fresh = records(ENDPOINT, 1, jit=False)[0]
    endpoint.new_endpoint(fresh)
    return fresh


def row_of(line):
    """Return the SEGMENT record of one hand-written line as a dict."""
    return plain(parse(f"# A segment.\n{line}").rows[0])


def test_new_endpoint_sets_every_field(end):
    """Nothing of an earlier flow is left in an endpoint record that is used again."""
    used = dict.fromkeys(ENDPOINT.names, 12345)
    endpoint.new_endpoint(used)

    assert end == used


# ── numbers ──


def test_data_moves_snd_nxt_and_its_ack_snd_una():
    """SND.NXT follows what is sent, SND.UNA what is acknowledged, across the wrap."""
    a, _, scenario = ends_after("+1 a > b P. 1:11(10) ack 1\n+.01 b > a . 1:1(0) ack 6\n")

    assert (11, 6) == moves(a, scenario)
    assert 10 == a["payload"]


def test_syn_and_fin_count():
    """SYN and FIN take a number each."""
    a, _, scenario = ends_after("+1 a > b F. 1:1(0) ack 1\n+.01 b > a . 1:1(0) ack 2\n")

    assert (2, 2) == moves(a, scenario)
    assert (4, 5) == (a["fin_frame"], a["fin_acked_frame"])


def test_only_the_first_fin_counts():
    """A FIN that is sent again keeps its first frame, and counts as sent again."""
    a, _, _ = ends_after("+1 a > b F. 1:1(0) ack 1\n+1 a > b F. 1:1(0) ack 1\n")

    assert (4, 1, 5) == (a["fin_frame"], a["resent"], a["resent_frame"])


def test_an_ack_beyond_what_was_seen_raises_snd_nxt():
    """What the peer acknowledges was sent, although the capture missed it."""
    a, _, scenario = ends_after("+1 b > a . 1:1(0) ack 101\n")

    assert (101, 101) == moves(a, scenario)
    assert 1 == a["missed"]


def test_an_ack_of_a_waiting_probe_misses_nothing():
    """The answer to a probe in mid-stream acknowledges one more than was seen, and nothing was missed."""
    a, _, _ = ends_after("+0 a > b . 99:99(0) ack 50\n+.01 b > a . 50:50(0) ack 100\n", opening="")

    assert 0 == a["missed"]


def test_a_gap_shows_that_segments_were_missed():
    """Data ahead of SND.NXT shows that the capture missed some."""
    a, _, scenario = ends_after("+1 a > b P. 101:111(10) ack 1\n")

    assert 111 == moves(a, scenario)[0]
    assert (1, 10) == (a["missed"], a["payload"])


def test_data_sent_again_is_no_new_data():
    """Octets count once; what overlaps counts as far as it is new."""
    a, _, _ = ends_after("+1 a > b P. 1:11(10) ack 1\n+1 a > b P. 1:11(10) ack 1\n+1 a > b P. 6:16(10) ack 1\n")

    assert (15, 1) == (a["payload"], a["resent"])


def test_an_octet_below_snd_una_is_not_sent_again():
    """A one-octet probe is no retransmission."""
    a, _, _ = ends_after("+1 a > b P. 1:11(10) ack 1\n+.01 b > a . 1:1(0) ack 11\n+60 a > b . 10:11(1) ack 1\n")

    assert 0 == a["resent_total"]


def test_something_new_acknowledged_clears_what_was_resent():
    """Retransmissions count since the peer last acknowledged something new; the total stays."""
    text = "+1 a > b P. 1:11(10) ack 1\n+1 a > b P. 1:11(10) ack 1\n+.01 b > a . 1:1(0) ack 11\n"
    a, _, _ = ends_after(text)

    assert (0, 1) == (a["resent"], a["resent_total"])
    assert -1 == a["unacked_ns"]


def test_a_partial_ack_restarts_what_is_outstanding():
    """Once part of it is acknowledged, what remains is outstanding since then."""
    a, _, scenario = ends_after("+1 a > b P. 1:11(10) ack 1\n+1 b > a . 1:1(0) ack 6\n")

    assert scenario.rows["ts_ns"][4] == a["unacked_ns"]
    assert 5 == a["unacked_frame"]


def test_numbers_that_no_window_reaches_are_not_believed():
    """A segment or an acknowledgement more than 2**30 ahead changes no number."""
    text = "+1 a > b P. 1500000000:1500000010(10) ack 1\n+1 b > a . 1:1(0) ack 1500000000\n"
    a, _, scenario = ends_after(text)

    assert (1, 1) == moves(a, scenario)
    assert 0 == a["payload"]


def test_a_window_is_that_of_the_newest_acknowledgement():
    """An overtaken ACK does not change the window; a closed one is known by its frame until it opens."""
    _, b, _ = ends_after(
        "+1 a > b P. 1:11(10) ack 1\n+.01 b > a . 1:1(0) ack 11 win 0\n+.01 b > a . 1:1(0) ack 6 win 9\n"
    )

    assert (0, 5) == (b["window"], b["window_shut_frame"])


def test_a_window_stays_shut_since_its_first_frame():
    """The frame that closed the window stays, while others repeat it, and goes once it opens."""
    shut = "+.01 b > a . 1:1(0) ack 1 win 0\n+.02 b > a . 1:1(0) ack 1 win 0 id 7\n"
    _, still, _ = ends_after(shut)
    _, opened, _ = ends_after(shut + "+.01 b > a . 1:1(0) ack 1 win 9\n")

    assert (4, 0) == (still["window_shut_frame"], opened["window_shut_frame"])


@pytest.mark.parametrize("ack", ["!5", "2", "-4"])
def test_in_syn_sent_only_an_ack_of_the_syn_counts(ack):
    """RFC 9293 3.10.7.3: an acknowledgement of anything but the SYN tells nothing of an endpoint in SYN-SENT."""
    a, _, _ = ends_after(f"+0 a > b S 0:0(0)\n+.01 b > a . 7:7(0) ack {ack}\n", opening="")

    assert -1 == a["snd_una"]


# ── incarnations ──


def flows_after(text):
    """Return how many flows hand-written lines make."""
    return sum(len(batch) for batch in follow([parse("# Flows.\n" + text).batch()]))


SYN_A = "+0 a > b S 0:0(0)\n"
MIDSTREAM = "+0 a > b P. 9:19(10) ack 1\n+.01 b > a . 1:1(0) ack 19\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SYN_A + SYN_A, 1),
        (SYN_A + "+1 a > b S 1000:1000(0)\n", 2),
        (SYN_A + "+.01 b > a S. 0:0(0) ack 1\n", 1),
        (SYN_A + "+.01 b > a S 0:0(0)\n", 1),
        (SYN_A + "+.01 b > a R. 0:0(0) ack 1\n" + SYN_A, 1),
        (SYN_A + "+.01 b > a R. 0:0(0) ack 1\n" + "+1 b > a S 0:0(0)\n", 2),
        (SYN_A + "+.01 a > b . 1:1(0) ack 1\n+1 b > a S 0:0(0)\n", 2),
        (SYN_A + "+.01 b > a . 5:5(0) ack !9\n+1 b > a S. 900:900(0) ack 1\n", 1),
        (SYN_A + "+.01 b > a . 5:5(0) ack !9\n+1 b > a S. 900:900(0) ack 2000000\n", 2),
        (SYN_A + "+.01 b > a S. 5:5(0) ack 1\n+.01 a > b R 1:1(0)\n" + SYN_A + "+.01 b > a S. 900:900(0) ack 1\n", 1),
        (SYN_A + "+.01 b > a S. 5:5(0) ack 1\n+.01 a > b . 1:1(0) ack 6\n+1 b > a S. 900:900(0) ack 1\n", 2),
        (SYN_A + "+.01 a > b R 1:1(0)\n+1 b > a S 0:0(0)\n", 2),
        ("+0 a > b P. 9:19(10) ack 1\n" + SYN_A, 2),
        (MIDSTREAM + SYN_A, 2),
        (MIDSTREAM + "+1 b > a S. 7:7(0) ack 1\n", 2),
        ("+0 a > b P. 9:19(10) ack 1\n+1 b > a S. 7:7(0) ack 1\n", 1),
    ],
    ids=[
        "the same SYN again",
        "another number",
        "SYN,ACK of a SYN",
        "simultaneous open",
        "the same SYN after it was refused",
        "a SYN the other way after a RST",
        "a SYN the other way once the first end went on",
        "SYN,ACK of a SYN behind a challenge ACK",
        "SYN,ACK of something else behind a challenge ACK",
        "SYN,ACK with another number behind one that was reset",
        "SYN,ACK with another number behind the first one's ACK",
        "a SYN the other way after the first end's RST",
        "SYN behind a single segment",
        "SYN in mid-stream",
        "SYN,ACK in mid-stream",
        "SYN,ACK of an end not seen yet",
    ],
)
def test_which_syn_begins_another_connection(text, expected):
    """A SYN begins another connection unless it belongs to the one at hand."""
    assert expected == flows_after(text)


# ── headers and clocks ──


def test_the_newest_timestamp_is_kept():
    """An overtaken timestamp does not set the clock back; one past the wrap sets it forward."""
    stamps = [4294967290, 5, 4294967295]
    text = "".join(f"+1 a > b P. {1 + 10 * at}:{11 + 10 * at}(10) ack 1 <ts {v} 1>\n" for at, v in enumerate(stamps))
    a, _, _ = ends_after(text)

    assert 5 == a["tsval"]


def test_segments_without_the_usual_timestamps_are_counted():
    """On a connection with timestamps a segment without them is counted, unless the snap length cut them."""
    text = "+1 a > b . 1:1(0) ack 1 <ts 1 1>\n+1 a > b . 0:0(0) ack 1\n+1 a > b . 1:1(0) ack 1 optcut\n"
    a, _, _ = ends_after(text)

    assert (1, 1) == (a["timestamps_on"], a["short_header_frames"])


def test_the_range_of_ttls_is_kept():
    """The lowest and the highest TTL are kept, those of RSTs left out."""
    text = "+1 a > b . 1:1(0) ack 1 ttl 60\n+1 a > b . 1:1(0) ack 1 ttl 70\n+1 a > b R 1:1(0) ttl 9\n"
    a, _, _ = ends_after(text)

    assert (60, 70) == (a["ttl_low"], a["ttl_high"])


def test_when_the_ip_id_fell_to_zero():
    """The first frame since which the IP ID stays 0 is kept, until it counts again."""
    zero = "+1 a > b . 1:1(0) ack 1 id 0\n+1 a > b . 1:1(0) ack 1 id 0\n"
    a, _, _ = ends_after(zero)
    again, _, _ = ends_after(zero + "+1 a > b . 1:1(0) ack 1 id 9\n")

    assert (4, 0) == (a["id_zero_frame"], again["id_zero_frame"])


def test_longest_idle_time_and_its_frames():
    """The longest silence between segments that are not keepalive is kept with the frames at its ends."""
    scenario = parse(HANDSHAKE + "+9 a > b P. 1:3(2) ack 1\n+62 b > a P. 1:3(2) ack 3\n+2 a > b . 3:3(0) ack 3\n")
    (batch,) = follow([scenario.batch()])
    flow = batch.flow[0]

    assert (62, 4, 5) == (flow["silence_ns"] // 10**9, flow["silence_from"], flow["silence_to"])


def test_steps_back_of_the_clock_are_counted():
    """Each time that a flow's clock goes back is counted."""
    scenario = parse(HANDSHAKE + "+-5 a > b P. 1:2(1) ack 1\n+1 b > a . 1:1(0) ack 2\n")
    (batch,) = follow([scenario.batch()])

    assert 1 == batch.flow[0]["backwards"]


def test_learn_time_leaves_activity_alone_for_keepalive(end):
    """What looks like keepalive moves the flow's last time, not its activity."""
    flow = records(FLOW, 1, jit=False)[0] | {"active_ns": -1}
    endpoint.learn_time(flow, end, {"ts_ns": 5, "frame": 2}, 1)

    assert (5, 2, -1, -1) == (flow["last_ns"], flow["last_frame"], flow["active_ns"], end["active_ns"])


@pytest.mark.parametrize(
    ("flags", "frame"), [(PSH, 0), (ACK, 7), (ACK | FIN, 7), (SYN | ACK, 0)], ids=["PSH", "ACK", "FIN", "SYN,ACK"]
)
def test_first_ack_is_one_without_syn(end, flags, frame):
    """The first segment with ACK and without SYN is kept."""
    peer = dict(end)
    row = row_of("+0 a > b . 0:0(0) ack 1") | {"flags": flags, "frame": 7}
    endpoint.learn_numbers({"odd_kind": 0}, end, peer, 0, row, 100, 100)

    assert frame == end["ack_frame"]


@pytest.mark.parametrize(
    ("segments", "payload", "missed"),
    [
        ("+.1 a > b P. 11:21(10) ack 1\n+.001 a > b P. 1:11(10) ack 1\n", 20, 0),
        ("+.1 a > b P. 11:21(10) ack 1\n+.001 a > b P. 1:6(5) ack 1\n+.001 a > b P. 6:11(5) ack 1\n", 20, 0),
        ("+.1 a > b P. 11:21(10) ack 1\n+.001 a > b P. 6:11(5) ack 1\n", 15, 1),
        ("+.1 a > b P. 1:11(10) ack 1\n+.001 a > b P. 1:11(10) ack 1\n", 10, 0),
        ("+.1 a > b P. 11:21(10) ack 1\n+.001 a > b P. 11:21(10) ack 1\n", 10, 1),
    ],
    ids=["one behind another", "two behind one", "a part only", "sent again", "sent again behind a gap"],
)
def test_octets_out_of_order_count(segments, payload, missed):
    """What fills a gap is data that was not counted yet, and what lies beside it is not."""
    a, _, _ = ends_after(segments)

    assert (payload, missed) == (a["payload"], a["missed"])


def test_a_record_fills_cache_lines_to_the_end():
    """A field that does not fit makes each end a line longer, and no record begins with one any more."""
    assert ENDPOINT.itemsize % CACHE_LINE == 0
