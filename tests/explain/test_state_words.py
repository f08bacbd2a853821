"""What a timeline says of the states of both ends."""

from analyzer.explain.timeline import timeline
from analyzer.words.teller import Teller, frames_text
from tests.judging import captured, scenario


def told(judged, start_ns=None):
    """Return the timeline as pairs of frames and text."""
    t = Teller(judged, judged.record.first_ns if start_ns is None else start_ns)
    return [(frames_text(line.frames), line.text) for line in timeline(t)]


def test_a_reset_from_between_closes_only_its_receiver():
    """An end in whose name a box resets is not called CLOSED."""
    (judged,), start_ns = captured("lab/fw_reject_rst.pcap")

    assert (
        "21",
        (
            "RST in the server's name, in answer to the probe; unlike the server's other packets in TTL -> client"
            " CLOSED, server unknown since +6.054 (ESTABLISHED then)"
        ),
    ) in told(judged, start_ns)


def test_the_end_of_the_capture_is_told_for_what_goes_on():
    """A flow that did not end gets a line for where the capture ends, with the states."""
    (judged,), start_ns = captured("capture_stops_early.pcap")

    assert ("17", "capture ends: client FIN-WAIT-2, server CLOSE-WAIT") == told(judged, start_ns)[-1]


def test_an_end_that_is_unknown_from_the_start_is_said_to_be():
    """Of an end of which nothing but the ending RST was captured there is no instant since when it is unknown."""
    (_, judged) = scenario("other_flows_show_the_hosts_distance")

    assert told(judged)[-1][1].endswith("-> endpoint a CLOSED, endpoint b unknown (nothing else from it was captured)")
