"""Connections of one service that were refused in the same while."""

from analyzer.causes.table import explained
from tests.judging import judge, scenario
from tests.notation import SCENARIOS, parse

TEXT = (SCENARIOS / "several_connections_refused_together.pkt").read_text(encoding="utf-8")


def test_each_knows_of_the_others():
    """Each of three has two others, the moment in which they may have been lost, and the first and last RST."""
    beside = [judged.record.beside for judged in scenario("several_connections_refused_together")]

    assert [(2, 11, 15)] * 3 == [(b["with_refused"], b["refusing_frame"], b["refusing_last_frame"]) for b in beside]
    assert [1, 0, 0] == [b["with_refused_flow"] for b in beside]
    assert all(0 < b["refusing_ns"] - b["refusing_from_ns"] < 30_000_000_000 for b in beside)


def test_what_they_share_leads():
    """That others were refused too is the cause, and told first."""
    for judged in scenario("several_connections_refused_together"):
        assert "all-refused-together" == explained(judged).cause.code


def test_one_that_was_heard_meanwhile_shows_that_the_service_had_not_lost_all():
    """A service that answers one connection behind the RST of another had not lost them all at once."""
    alive = "+1      c > d  .   0:0(0) ack 1           #= keepalive_probe certain\n"
    text = TEXT.replace(alive, f"{alive}+.01 d > c . 1:1(0) ack 1\n+1 c > d . 0:0(0) ack 1\n").partition("end:")[0]

    assert [0, 0, 0] == [judged.record.beside["with_refused"] for judged in judge(parse(f"{text}end: +2\n"))]


def test_two_are_too_few():
    """Two connections may be refused by chance."""
    text = TEXT.replace("+.01    f > e  R   1:1(0) win 0 ", "+.01    f > e  .   1:1(0) ack 6 #").partition("end:")[0]
    beside = [judged.record.beside for judged in judge(parse(f"{text}end: +2\n"))]

    assert all(b is None or b["with_refused"] == 0 for b in beside)
