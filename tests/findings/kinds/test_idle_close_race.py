"""A request that crosses the close of an idle connection."""

from analyzer import explain
from tests.judging import codes, scenario


def test_the_race_names_the_idle_time_and_whose_timeout_must_be_longer():
    """The measured silence before the FIN is said, and who must close first."""
    (judged,) = scenario("request_crosses_idle_close")
    told = explain.story(judged, judged.record.first_ns)
    text = " ".join(line.text for section in told.sections for line in section.lines)

    assert "closed after 5.000 s idle" in told.headline
    assert "must be shorter than that of the end that answers them" in text
    assert "defer conn.Close" not in text


def test_it_is_the_same_race_from_either_end():
    """Captured where the request was sent, it passes before the FIN that does not acknowledge it."""
    (judged,) = scenario("request_crosses_idle_close_seen_by_its_sender")
    told = explain.story(judged, judged.record.first_ns)

    assert 0 > judged.finding("idle-close-race").data["since_fin_ns"]
    assert "the FIN was sent before the data arrived" in " ".join(line.text for line in told.sections[0].lines)


def test_data_that_acknowledges_the_fin_is_no_race():
    """Who had the FIN when it wrote did not look for the end of file."""
    (judged,) = scenario("data_long_after_an_unacknowledged_fin")

    assert "idle-close-race" not in codes(judged)
    assert all("idle-close-race" not in codes(flow) for flow in scenario("fins_both_ways_but_data_refused"))
