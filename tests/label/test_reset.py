"""RSTs: what they say, what they answer, whether they count, and whether they look like their sender's own."""

import pytest

from analyzer.label.reset import ENDING, ResetKind
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
        (PROBE + "+.9 a > b R. 1:1(0) ack 1\n", ResetKind.GAVE_UP),
        (PROBE + "+.899 a > b R. 1:1(0) ack 1\n", ResetKind.ABORT),
        (PROBE + "+2 a > b R 1:1(0) win 0\n", ResetKind.NO_SOCKET),
        (PROBE + "+2 a > b R. 0:0(0) ack 1\n", ResetKind.IGNORED),
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


ON = "+.1 a > b P. 1:6(5) ack 1\n+.01 b > a . 1:1(0) ack 6\n"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("+1 b > a R 9000:9000(0) win 0\n", [ResetKind.IGNORED]),
        ("+1 b > a R 9000:9000(0) win 0\n" + ON, [ResetKind.IGNORED]),
        ("+1 b > a R 1:1(0) win 0\n" + ON, [ResetKind.NO_SOCKET]),
        ("+1 b > a R 1:1(0) win 0\n+1.1 b > a P. 1:6(5) ack 1\n", [ResetKind.NO_SOCKET]),
        ("+1 b > a R 1:1(0) win 0\n+.9 b > a P. 1:6(5) ack 1\n", [ResetKind.NO_SOCKET]),
        ("+1 b > a R 9000:9000(0) win 0\n+1 b > a R 1:1(0) win 0\n", [ResetKind.IGNORED, ResetKind.NO_SOCKET]),
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
    """A RST that its receiver drops counts for nothing, whatever follows; one that it takes is its end."""
    assert kinds == kinds_of(text)


@pytest.mark.parametrize(
    ("waited", "kind"),
    [
        (0.6, ResetKind.ABORT),
        (2.5, ResetKind.ABORT),
        (2.7, ResetKind.GAVE_UP),
        (3.4, ResetKind.GAVE_UP),
        (3.5, ResetKind.ABORT),
    ],
)
def test_giving_up_takes_the_interval_that_was_measured(waited, kind):
    """A RST of the prober that does not come where its next probe was due is no giving up."""
    probe = "+{} a > b . 0:0(0) ack 1\n"

    assert [kind] == kinds_of(probe.format(10) + probe.format(3) * 2 + f"+{waited} a > b R. 1:1(0) ack 1\n")


def test_the_interval_is_that_of_unanswered_probes():
    """Behind an answered probe comes the idle time: it is no interval, so only what no timer undercuts is asked."""
    answered = "+10 a > b . 0:0(0) ack 1\n+.01 b > a . 1:1(0) ack 1\n"

    assert [ResetKind.GAVE_UP] == kinds_of(answered * 2 + "+10 a > b . 0:0(0) ack 1\n+2 a > b R. 1:1(0) ack 1\n")


def test_the_ending_closes_the_wait_for_answers():
    """What comes behind the RST that ended the flow answers none of the probes from before it."""
    rows = batch_of(PROBE + PROBE + "+5 a > b R. 1:1(0) ack 1\n+.3 b > a . 1:1(0) ack 1\n+.01 b > a R 1:1(0) win 0\n")

    assert [-1, -1] == rows.seen["answer_row"][:2].tolist()
    assert 2 == rows.run_a[0]["trailing"]


def test_a_probe_behind_the_ending_may_be_answered_by_a_reset():
    """A probe that came after the RST is told to have drawn the next one, if it did."""
    seen = batch_of("+1 b > a R. 1:1(0) ack 1\n+5 b > a . 0:0(0) ack 1\n+.01 a > b R 1:1(0) win 0\n").seen

    assert [-1, 2, -1] == seen["answer_row"].tolist()


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
        (PROBE + "+.01 b > a R. 1:1(0) ack 0 win 0\n", True),
        (PROBE + "+.01 b > a R. 1:1(0) ack -1 win 0\n", False),
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
        "with ACK of the probe's own number",
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
