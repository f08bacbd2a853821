"""A FIN that is sent again although its acknowledgement passed here."""

from analyzer import explain
from tests.judging import codes, opened, scenario


def test_each_repetition_is_a_frame_of_the_evidence():
    """The FIN, its acknowledgement, and each FIN after that are named."""
    (judged,) = scenario("fin_sent_again_although_acknowledged")
    found = judged.finding("acknowledged-fin-sent-again")

    assert (4, 5, 6, 8) == found.frames
    assert "retransmitted its FIN twice although the server's acknowledgement had passed here" in (
        explain.detail(found, judged)
    )


def test_one_repetition_may_have_crossed_the_acknowledgement():
    """A single FIN behind its acknowledgement, or one that nothing acknowledged, is nothing to tell."""
    once = opened("+1 a > b F. 6:6(0) ack 1\n+.2 b > a . 1:1(0) ack 7\n+.01 a > b F. 6:6(0) ack 1\nend: +2")
    never = opened("+1 a > b F. 6:6(0) ack 1\n+.3 a > b F. 6:6(0) ack 1\n+.6 a > b F. 6:6(0) ack 1\nend: +2")

    assert not [code for flow in (once, never) for code in codes(flow) if code == "acknowledged-fin-sent-again"]


def test_old_data_behind_an_acknowledged_fin_is_no_fin():
    """Data that comes late, below an acknowledged FIN, is not that FIN again."""
    judged = opened("""
+1   a > b  F.  6:6(0) ack 1
+.01 b > a  .   1:1(0) ack 7
+.3  a > b  P.  1:6(5) ack 1
+.6  a > b  P.  1:6(5) ack 1
end: +2
""")

    assert "acknowledged-fin-sent-again" not in codes(judged)
