"""Which ACK answers a SYN on an established connection, or an ACK of data never sent."""

import pytest

from analyzer.track.challenged import BY_SYN, BY_UNSENT_ACK
from tests.notation import SCENARIOS, follow, load, parse

OPENED = """# Written in a test.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.01    a > b  .   1:1(0) ack 1
"""


def provocations(scene, *, jit=False):
    """By frame, what each challenge ACK of a capture answers, and that frame."""
    rows = [row for batch in follow([scene.batch()], jit=jit) for row in batch.seen]
    return {int(row["frame"]): (int(row["provocation"]), int(row["provoked"])) for row in rows if row["provocation"]}


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("syn_again_on_an_established_connection", {7: (BY_SYN, 6)}),
        ("syn_ack_again_on_an_established_connection", {5: (BY_SYN, 4)}),
        ("syn_again_while_data_waits", {}),
        ("ack_of_unsent_data", {5: (BY_UNSENT_ACK, 4)}),
        ("ack_of_unsent_data_is_challenged", {8: (BY_UNSENT_ACK, 7)}),
        ("ack_of_data_that_the_capture_missed", {}),
        ("simultaneous_open", {}),
        ("orderly_close", {}),
    ],
)
def test_what_challenge_acks_answer(name, found, jit):
    """The segment that drew it is named; where anything else explains an ACK it is none."""
    if jit:
        pytest.importorskip("numba")

    assert found == provocations(load(SCENARIOS / f"{name}.pkt"), jit=jit)


@pytest.mark.parametrize(
    "text",
    [
        "+1 a > b S 0:0(0)\n+.01 b > a . 1:1(0) ack 1 win 99",
        "+1 a > b S 0:0(0)\n+.01 b > a P. 1:3(2) ack 1",
        "+1 a > b S 0:0(0)\n+1.5 b > a . 1:1(0) ack 1",
        "+1 a > b S 0:0(0)\n+.01 a > b P. 1:3(2) ack 1\n+.01 b > a . 1:1(0) ack 3",
        "+1 a > b . 0:0(0) ack 1\n+.01 a > b S 0:0(0)\n+.01 b > a . 1:1(0) ack 1",
        "+1 a > b S 0:0(0)\n+.01 a > b . 1:1(0) ack 1\n+.01 b > a . 1:1(0) ack 1",
        "+1 a > b P. 1:3(2) ack 9\n+.01 b > a . 1:1(0) ack 3",
        "+1 a > b . 1:1(0) ack 9\n+1.5 b > a . 1:1(0) ack 1",
    ],
)
def test_what_is_explained_otherwise(text):
    """Another window, data, a probe, what came in between, or too long a time: then nothing is challenged."""
    assert {} == provocations(parse(OPENED + text))


def test_who_challenges_goes_on_as_before():
    """After a challenge the connection is what it was: data goes on, and nothing is awaited."""
    rest = "+1 a > b S 0:0(0)\n+.01 b > a . 1:1(0) ack 1\n+1 a > b P. 1:3(2) ack 1\n+.01 b > a . 1:1(0) ack 3\n"
    (batch,) = follow([parse(OPENED + rest).batch()])

    assert (0, 3, -1) == (batch.flow["provoked_frame"][0], batch.a["payload"][0] + 1, batch.a["unacked_ns"][0])
