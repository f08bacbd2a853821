"""What the JSON has of each thing."""

from dataclasses import replace

import pytest

from analyzer.report import objects
from analyzer.survey.overview import CaptureSummary
from tests.report.test_export import CAPTURES, report_of


def test_a_count_says_after_how_many_probes_the_prober_gave_up():
    """Where the count is no more than bounds, how many probes went unanswered is told all the same."""
    (flow,) = report_of(CAPTURES / "lab" / "user_timeout_short.pcap")["flows"]
    count = flow["settings"]["b"]["count"]

    assert (None, 3) == (count["value"], count["gave_up_after"])


def test_gaps_are_since_the_train_or_the_flow_before():
    """A gap is the time since the train's previous probe, and for a train's first since the flow's previous segment."""
    flow = report_of(CAPTURES / "founding_go_fin10.pcap")["flows"][0]
    times = {probe["frame"]: probe["time_s"] for probe in flow["probes"]}
    gaps = {probe["frame"]: probe["gap_s"] for probe in flow["probes"]}

    assert gaps[8] == pytest.approx(times[8] - times[6], abs=1e-9)
    assert gaps[14] == pytest.approx(times[14] - times[12], abs=1e-9)
    assert gaps[12] == pytest.approx(times[12] - flow["fins"][0]["acked_s"], abs=1e-9)


def test_instants_carry_nanoseconds():
    """Absolute time is ISO 8601 in UTC with nine decimals, before 1970 too."""
    assert "2019-06-12T20:27:19.123456789Z" == objects.instant(1_560_371_239_123_456_789)
    assert "1969-12-31T23:59:59.999999999Z" == objects.instant(-1)


def test_offsets_carry_nanoseconds(flow):
    """An offset of a day keeps its nanoseconds as a float."""
    judged, start_ns = flow("dead_peer_silence.pcap")
    moved = judged.record._replace(last_ns=start_ns + 86_400_000_000_001)

    assert 86_400.000000001 == objects.flow_object(replace(judged, record=moved), start_ns)["last_s"]


def test_numbers_of_findings_leave_in_seconds(flow):
    """What a finding counts in nanoseconds leaves in seconds, under a name that says so."""
    judged, start_ns = flow("founding_go_fin60.pcap")
    first = judged.findings[0]
    finding = replace(first, data={**first.data, "silence_ns": 1_500_000_000, "some": 3, "word": "possible"})

    data = objects.flow_object(replace(judged, findings=(finding,)), start_ns)["findings"][0]["data"]

    assert {"silence_s": 1.5, "some": 3, "word": "possible"}.items() <= data.items()
    assert not [name for name in data if name.endswith("_ns")]


def test_file_names_are_valid_unicode():
    """Octets of a file name that are no UTF-8 are spelled out, and several files of one capture point are listed."""
    one = CaptureSummary(["caf\udce9.pcap"])
    several = CaptureSummary(["a.pcap0", "a.pcap1"], start_ns=0)

    assert "caf\\xe9.pcap" == objects.capture_object(one)["path"]
    assert objects.capture_object(one)["start"] is None
    assert ["a.pcap0", "a.pcap1"] == objects.capture_object(several)["paths"]
    assert "path" not in objects.capture_object(several)
