"""What calls on a socket return."""

from analyzer.words.calls import gone, unaware
from analyzer.words.teller import Teller
from tests.judging import captured, scenario


def test_an_end_that_fell_silent_notices_nothing():
    """Whoever fell silent learns of nothing; if it had sent FIN, it depends on how."""
    (open_,) = scenario("silence_after_probes")
    (closed,) = scenario("half_close_silence")

    assert "notices nothing" in unaware(Teller(open_, 0), "b", (1,)).text
    assert "After shutdown() alone its read goes on waiting" in unaware(Teller(closed, 0), "a", (1,)).text
    assert "read returns end of file if the FIN reached it" in unaware(Teller(closed, 0), "b", (1,)).text


def test_who_closed_waits_only_after_shutdown():
    """An end that sent FIN waits for the other's only if its program kept the socket."""
    (judged,), start_ns = captured("capture_stops_early.pcap")

    assert "its read waits for data or for the server's FIN" in gone(Teller(judged, start_ns), "a", (1,)).text
