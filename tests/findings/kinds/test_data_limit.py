"""Connections that were closed when a limit would run out that counts only data."""

from analyzer import explain
from tests.judging import codes, scenario, texts, told, written
from tests.notation import SCENARIOS


def test_a_rst_at_a_limit_is_not_said_to_be_unread_data():
    """Limit, probes and the missing timestamps are told; that data lay unread is not."""
    judged = scenario("limit_counts_only_data")[0]
    found = judged.finding("data-idle-limit")

    assert ("b", (5, 13)) == (found.about, found.frames)
    assert (60_000_000_000, 3, "RST", 1) == tuple(found.data[name] for name in ("limit_ns", "probes", "by", "bare"))
    assert "fits a limit of 60 s which counts only data" in explain.detail(found, judged)
    assert "abort-without-fin" not in codes(judged)
    assert "unread data" not in told(judged).headline
    assert "heartbeats" in texts(told(judged), "What to change")


def test_a_rst_without_ack_at_a_limit():
    """A RST without ACK that nothing asked for fits the limit as well; right behind a segment it answers that."""
    judged = scenario("limit_counts_only_data_and_a_bare_rst")[0]
    text = (SCENARIOS / "limit_counts_only_data_and_a_bare_rst.pkt").read_text()
    asked = "+14.99   a > b  .   6:6(0) ack 6 <ts 61120 620>\n+.02 "
    answer = written(text.partition("verdict:")[0].replace("+15.01", asked))

    found = judged.finding("data-idle-limit")
    assert ("b", 60_000_000_000, "RST") == (found.about, found.data["limit_ns"], found.data["by"])
    assert "bare" not in found.data
    assert "data-idle-limit" not in codes(answer)


def test_a_fin_at_a_limit_may_be_meant():
    """A close in order at such a time is told, and nothing is to be changed if it was meant."""
    judged = scenario("server_closes_idle_at_60_s")[0]

    assert 60_000_000_000 == judged.finding("data-idle-limit").data["limit_ns"]
    assert "Nothing, if this close was meant." in texts(told(judged), "What to change")


def test_a_close_at_another_time_fits_no_limit():
    """53 s is no limit that people choose or boxes have."""
    assert "data-idle-limit" not in codes(scenario("close_at_no_limit")[0])


def test_probes_that_stayed_unanswered_fit_no_limit():
    """Where the last probes before a close got no answer, a limit that counts data is not what is said of it."""
    assert "data-idle-limit" not in codes(scenario("data_limit_but_probes_unanswered")[0])
    text = (SCENARIOS / "data_limit_but_probes_unanswered.pkt").read_text()
    early, late = "+10     a > b  .   5:5(0) ack 6   #= keepalive_probe certain", "+5.01   a"
    answered = text.replace(early, "+.01    b > a  .   6:6(0) ack 6").replace(late, "+15.00  a")
    assert "data-idle-limit" in codes(written(answered))
