"""RSTs: what they say, what they answer, whether they count, and whether they look like their sender's own."""

import pytest

from analyzer.label.reset import ENDING, ID_FAR, ResetKind, Stranger, acceptable, strangeness
from analyzer.label.rules import Kind
from tests.notation import follow, parse

HANDSHAKE = """# A flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
"""
PROBE = "+5 a > b . 0:0(0) ack 1\n"
GAVE_UP = "+2 a > b R. 1:1(0) ack 1\n"


def batch_of(text, *, opening=HANDSHAKE):
    """Return the finished flow of hand-written lines."""
    (batch,) = follow([parse((opening or "# A flow.\n") + text).batch()])
    return batch


def resets_of(text, **fields):
    """Return the SEEN rows of the RSTs."""
    seen = batch_of(text, **fields).seen
    return seen[seen["kind"] == Kind.RESET]


def kinds_of(text, **fields):
    """Return the kinds of the RSTs."""
    return [ResetKind(row["reset_kind"]) for row in resets_of(text, **fields)]


def ending_of(text, **fields):
    """Return the ENDING of the flow as a dict."""
    ending = batch_of(text, **fields).ending[0]
    return {name: int(ending[name]) for name in ENDING.names}


# ── what it says ──


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+1 b > a R 1:1(0) win 0\n", ResetKind.NO_SOCKET),
        ("+1 b > a R 1:1(0) win 9\n", ResetKind.ABORT),
        ("+1 b > a R. 1:1(0) ack 1 win 0\n", ResetKind.ABORT),
        (PROBE + "+.5 a > b R. 1:1(0) ack 1\n", ResetKind.GAVE_UP),
        (PROBE + "+.499 a > b R. 1:1(0) ack 1\n", ResetKind.ABORT),
        (PROBE + "+2 a > b R 1:1(0) win 0\n", ResetKind.NO_SOCKET),
        (PROBE + "+2 a > b R. 0:0(0) ack 1\n", ResetKind.ABORT),
        (PROBE + "+.01 b > a . 1:1(0) ack 1\n" + GAVE_UP, ResetKind.ABORT),
        (PROBE + "+1 a > b P. 1:6(5) ack 1\n+2 a > b R. 6:6(0) ack 1\n", ResetKind.ABORT),
    ],
    ids=[
        "bare",
        "bare with a window",
        "with ACK",
        "prober after an interval",
        "prober too soon",
        "prober's address without a socket",
        "prober at another number",
        "prober after an answer",
        "prober after data",
    ],
)
def test_what_a_reset_says(text, kind):
    """Form, sender and time tell an address without a socket, a prober that gave up, and an abort apart."""
    assert [kind] == kinds_of(text)


def test_giving_up_between_answers_to_the_peers_probes():
    """A prober that only answered its peer's probes since its own still gives up on that."""
    answered = "+.5 b > a . 0:0(0) ack 1\n+.01 a > b . 1:1(0) ack 1\n"

    assert [ResetKind.GAVE_UP] == kinds_of(PROBE + answered + answered + GAVE_UP)


@pytest.mark.parametrize(
    ("gaps", "last", "kind"),
    [
        ((10, 10, 2, 2), 2, ResetKind.GAVE_UP),
        ((10, 10, 2, 2), 1.5, ResetKind.ABORT),
        ((10, 10, 10), 10, ResetKind.ABORT),
        ((10,), 10, ResetKind.ABORT),
    ],
    ids=["in the pace of the interval", "out of pace", "in the pace of the idle time", "without any pace"],
)
def test_answers_that_did_not_arrive_show_in_the_pace(gaps, last, kind):
    """A prober whose pace fell from idle time to interval did not get the answers that the capture shows."""
    text = "".join(f"+{gap} a > b . 0:0(0) ack 1\n+.00001 b > a . 1:1(0) ack 1\n" for gap in gaps)

    assert [kind] == kinds_of(text + f"+{last} a > b R. 1:1(0) ack 1\n")


def test_the_pace_of_octet_probes():
    """Probes with an octet have a pace like empty ones."""
    one = "+{} a > b . 0:1(1) ack 1 octet 00\n+.00001 b > a . 1:1(0) ack 1\n"
    text = "".join(one.format(gap) for gap in (10, 10, 2, 2))

    assert [ResetKind.GAVE_UP] == kinds_of(text + "+2 a > b R. 1:1(0) ack 1\n")


def test_the_pace_counts_unanswered_probes_too():
    """The pace of a prober is that of all its probes, answered or not."""
    probe, answer = "+{} a > b . 0:0(0) ack 1\n", "+.00001 b > a . 1:1(0) ack 1\n"
    text = "".join(probe.format(gap) + answer * answered for gap, answered in ((10, 1), (10, 1), (2, 0), (2, 1)))

    assert [ResetKind.GAVE_UP] == kinds_of(text + "+2 a > b R. 1:1(0) ack 1\n")


# ── whether it counts ──


@pytest.mark.parametrize(
    ("una", "nxt", "seq", "expected"),
    [
        (-1, -1, 7, 1),
        (100, 100, 100, 1),
        (100, 100, 99, 1),
        (100, 100, 98, 0),
        (100, 100, 101, 0),
        (100, 150, 125, 1),
        (100, 150, 150, 1),
        (100, 150, 151, 0),
    ],
)
def test_which_numbers_a_receiver_takes(una, nxt, seq, expected):
    """A RST is taken where RCV.NXT can be: from one below SND.UNA to SND.NXT; anywhere if nothing is known."""
    assert expected == acceptable({"snd_una": una, "snd_nxt": nxt, "seq": seq})


ON = "+.1 a > b P. 1:6(5) ack 1\n+.01 b > a . 1:1(0) ack 6\n"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("+1 b > a R 9000:9000(0) win 0\n", [ResetKind.NO_SOCKET]),
        ("+1 b > a R 9000:9000(0) win 0\n" + ON, [ResetKind.IGNORED]),
        ("+1 b > a R 1:1(0) win 0\n" + ON, [ResetKind.NO_SOCKET]),
        ("+1 b > a R 1:1(0) win 0\n+1.1 b > a P. 1:6(5) ack 1\n", [ResetKind.IGNORED]),
        ("+1 b > a R 1:1(0) win 0\n+.9 b > a P. 1:6(5) ack 1\n", [ResetKind.NO_SOCKET]),
        ("+1 b > a R 9000:9000(0) win 0\n+1 b > a R 1:1(0) win 0\n", [ResetKind.NO_SOCKET] * 2),
        ("+1 b > a R 9000:9000(0) win 0\n" + PROBE + GAVE_UP, [ResetKind.IGNORED, ResetKind.GAVE_UP]),
    ],
    ids=[
        "outside, and nothing follows",
        "outside, and the connection goes on",
        "at the right number, with stragglers",
        "its sender goes on",
        "its sender's segments were under way",
        "outside, and another follows",
        "outside, and the peer probes",
    ],
)
def test_a_reset_that_is_ignored(text, kinds):
    """A RST outside the window counts only if nothing follows; one whose sender goes on was not its own."""
    assert kinds == kinds_of(text)


def test_the_first_accepted_reset_is_the_ending():
    """Ignored RSTs are counted, the first accepted one ends the flow, later ones change nothing."""
    outside = "+1 b > a R 9000:9000(0) win 0\n"
    ending = ending_of(outside + PROBE + "+.01 b > a R 1:1(0) win 0\n+.1 b > a R. 1:1(0) ack 1\n")

    assert (1, 6, 1, ResetKind.NO_SOCKET) == tuple(
        ending[name] for name in ("ignored", "reset_frame", "reset_side", "reset_kind")
    )


def test_a_flow_without_resets_has_no_ending():
    """Where no RST passed, nothing is its row."""
    ending = ending_of(PROBE)

    assert (-1, -1, 0) == (ending["reset_row"], ending["answers_row"], ending["ignored"])


def test_icmp_errors_are_counted_and_end_nothing():
    """ICMP errors are counted beside RSTs."""
    ending = ending_of(PROBE + "+.01 a > b icmp 3/1 0:0(0)\n+.01 a > b icmp 3/3 0:0(0)\n")

    assert (2, -1) == (ending["icmp_errors"], ending["reset_row"])


# ── what it answers ──


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (PROBE + "+.01 b > a R 1:1(0) win 0\n", True),
        (PROBE + "+3 b > a R 1:1(0) win 0\n", True),
        (PROBE + "+3.001 b > a R 1:1(0) win 0\n", False),
        (PROBE + "+.01 b > a R. 1:1(0) ack 1 win 0\n", True),
        (PROBE + "+.01 b > a R. 1:1(0) ack 0 win 0\n", False),
        (PROBE + "+.01 b > a R 0:0(0) win 0\n", False),
        (PROBE + "+.01 a > b P. 1:6(5) ack 1\n+.01 b > a R 1:1(0) win 0\n", False),
        (PROBE + "+.01 b > a . 1:1(0) ack 1\n+.01 b > a R 1:1(0) win 0\n", False),
        ("+5 a > b P. 1:6(5) ack 1\n+.01 b > a R 1:1(0) win 0\n", False),
        (PROBE + GAVE_UP, False),
    ],
    ids=[
        "bare, its number the probe's acknowledgement",
        "three seconds later",
        "later still",
        "with ACK of the probe",
        "with ACK of something else",
        "bare, at another number",
        "behind data",
        "behind an answer",
        "to data alone",
        "the prober's own",
    ],
)
def test_which_reset_answers_a_probe(text, answers):
    """A RST answers a probe if it comes right behind it with the numbers of RFC 9293 3.5.2."""
    (row,) = resets_of(text)

    assert answers == (row["answers_row"] >= 0)
    assert answers == (ending_of(text)["answers_row"] >= 0)


# ── whether it looks like its sender's own ──


def odd(**fields):
    """Return the Stranger bits of a RST of an endpoint whose packets are known."""
    usual = {"ttl_low": 60, "ttl_high": 64, "ttl": 62, "own_mac": 5, "src_mac": 5, "own_ip_id": 1000, "ip_id": 1001}
    return {bit for bit in Stranger if strangeness(usual | fields) & bit}


@pytest.mark.parametrize(
    ("fields", "bits"),
    [
        ({}, set()),
        ({"ttl": 58}, set()),
        ({"ttl": 57}, {Stranger.TTL}),
        ({"ttl": 65}, {Stranger.TTL}),
        ({"ttl": 255, "ttl_low": -1, "ttl_high": -1}, set()),
        ({"src_mac": 6}, {Stranger.MAC}),
        ({"src_mac": -1}, set()),
        ({"own_mac": -1}, set()),
        ({"ip_id": 1000 + ID_FAR}, set()),
        ({"ip_id": 1001 + ID_FAR}, {Stranger.IP_ID}),
        ({"ip_id": 1000 - 65}, {Stranger.IP_ID}),
        ({"ip_id": 1000 - 64}, set()),
        ({"ip_id": 0}, set()),
        ({"own_ip_id": 0, "ip_id": 40000}, set()),
        ({"own_ip_id": 65530, "ip_id": 3}, set()),
        ({"ttl": 1, "src_mac": 6, "ip_id": 50000}, set(Stranger)),
    ],
)
def test_how_a_reset_can_differ(fields, bits):
    """TTL outside the range seen, another station, an IP ID far from the counter; unknown is never strange."""
    assert bits == odd(**fields)


def test_a_reset_of_an_unseen_endpoint_is_not_strange():
    """Where nothing else of its sender was captured, a RST cannot be strange."""
    (row,) = resets_of("+0 a > b P. 9:19(10) ack 1\n+.01 b > a R 1:1(0) win 0 ttl 9\n", opening="")

    assert 0 == row["stranger"]
