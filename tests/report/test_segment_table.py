"""The rows of evidence: each with its frame, in order, and no more than anybody reads."""

from analyzer.report import segment_table
from analyzer.report.segment_table import MOST_ROWS, evidence
from tests.judging import scenario

FOUNDING = "founding_go_fin60.pcap"


def rows(judged, start_ns):
    """All rows of a flow."""
    return evidence(judged, start_ns, 10_000)[0]


def test_every_segment_that_matters_is_a_row(flow):
    """Handshake, data, probes with their answers, FIN and RST stand in order of their frames."""
    found = rows(*flow(FOUNDING))

    assert sorted(row.frame for row in found) == [row.frame for row in found]
    assert 16 == sum(row.what.startswith("keepalive probe") for row in found)
    assert {"SYN", "SYN,ACK", "first data", "FIN", "RST"} < {row.what for row in found}
    last, ended = found[-2:]
    assert ("server", "RST, frame 39 after 20 us") == (last.sender, last.answer)
    assert last.what.endswith(", after the client's FIN")
    assert (39, "answers frame 38", "reset") == (ended.frame, ended.answer, ended.mark)


def test_an_unanswered_probe_is_marked(flow):
    """Probes without an answer say so, and the prober's RST comes last."""
    found = rows(*flow("dead_peer_silence.pcap"))

    assert 9 == sum((row.answer, row.mark) == ("no answer", "unanswered") for row in found)
    assert "RST+ACK" == found[-1].what


def test_answers_that_cannot_be_seen_are_not_called_missing():
    """Where nothing of the receiver was captured, a probe's row says so instead of that it got no answer."""
    judged = scenario("one_sided_even_spacing_is_suspected")[0]

    assert {"not visible here"} == {row.answer for row in rows(judged, 0) if "probe" in row.what}


def test_zero_window_probes_are_no_keepalive(flow):
    """Probes of a closed window are rows of their own kind."""
    found = rows(*flow("lab/zero_window_pending.pcap"))

    assert any(row.what == "zero-window probe" for row in found)


def test_icmp_errors_are_rows(flow):
    """An ICMP error names its type and code."""
    found = rows(*flow("lab/icmp_host_unreachable.pcap"))

    assert any(row.what.startswith("ICMP error, type 3 code ") for row in found)


def test_doubt_is_said(flow):
    """A probe that is not certain says how sure it is."""
    found = rows(*flow("lab/midstream_answered.pcap"))

    assert any("(probable)" in row.what or "(suspected)" in row.what for row in found) or found


def test_long_evidence_is_cut_in_the_middle(flow):
    """Of many rows the first and last are shown, and the rest is counted."""
    judged, start_ns = flow("synthetic_macos1014_lo0.pcap")
    everything = rows(judged, start_ns)
    first, left_out, last = evidence(judged, start_ns)

    assert len(everything) <= MOST_ROWS or len(first) + len(last) == MOST_ROWS
    assert len(everything) == len(first) + left_out + len(last)


def test_no_row_is_made_that_is_not_shown(flow, monkeypatch):
    """Of a flow with many segments to list, words are made for the first and last alone."""
    judged, start_ns = flow("synthetic_macos1014_lo0.pcap")
    made = []
    words = segment_table._words
    monkeypatch.setattr(segment_table, "_words", lambda t, segment: made.append(segment) or words(t, segment))
    first, left_out, last = evidence(judged, start_ns, 6)

    assert (3, 3, 6) == (len(first), len(last), len(made))
    assert left_out > 0
