"""What a watch shows, as metrics for Prometheus."""

from pathlib import Path

import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.report.metrics import Metrics
from analyzer.survey.overview import CaptureSummary
from captures.recipes import archive

client = pytest.importorskip("prometheus_client")

CAPTURES = Path(__file__).parents[2] / "captures"


def batches(path):
    """Return the finished flows of a capture."""
    result = Analysis()
    return [batch for _, batch in read_flows([str(path)], result) if batch is not None], result.captures[0]


def scraped(metrics):
    """Return the samples that a scrape sees, by name and label, as parsed from the text of the protocol."""
    from prometheus_client.parser import text_string_to_metric_families

    registry = client.CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    text = client.generate_latest(registry).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return captures in which a dead peer, a leak and an idle limit are planted."""
    folder = tmp_path_factory.mktemp("planted")
    archive.make(folder, 4, 1, connections=2)
    return sorted(folder.rglob("*.pcap"))


def test_flows_that_are_over_are_counted(planted):
    """Verdicts, probes by answer, dead peers with the time it took, and idle limits that were crossed."""
    metrics = Metrics(CaptureSummary(["lo"]), lambda: None)
    for path in planted:
        for batch in batches(path)[0]:
            metrics.over.add(batch)
    found = scraped(metrics)

    assert (3, 1, 8) == tuple(
        found["keepalive_flows_over_total", word] for word in ("half_closed", "timed_out", "aborted")
    )
    assert 5 == found["keepalive_probes_total", "none"]
    assert found["keepalive_probes_total", "ack"] > 100
    assert (1, 110.0) == (
        found["keepalive_dead_peer_noticed_seconds_count",],
        found["keepalive_dead_peer_noticed_seconds_sum",],
    )
    assert (0, 1) == tuple(found["keepalive_dead_peer_noticed_seconds_bucket", bound] for bound in ("60", "120"))
    assert 5 == found["keepalive_idle_limits_crossed_total", "open"]  # the box's four, and the dead peer's


def test_flows_that_live_are_gauges(planted):
    """What lives is shown as it stands, by verdict and by the states of both ends, and is in no count of flows."""
    flows, summary = batches(planted[0])
    metrics = Metrics(summary, lambda: flows[-1])
    found = scraped(metrics)

    assert 3 == found["keepalive_flows_live", "half_closed"]
    assert (3, 3) == tuple(found["keepalive_ends_live", word] for word in ("CLOSE-WAIT", "FIN-WAIT-2"))
    assert 0 == found["keepalive_flows_over_total", "half_closed"]
    assert summary.frames == found["keepalive_frames_total",]


def test_counters_never_fall(planted):
    """A counter stays where it was when what was counted of live flows is judged otherwise."""
    flows, summary = batches(planted[0])
    living = [flows[-1], None]
    metrics = Metrics(summary, lambda: living.pop(0))
    summary.dropped = 5
    first = scraped(metrics)
    summary.dropped = 3
    second = scraped(metrics)

    assert first["keepalive_probes_total", "ack"] == second["keepalive_probes_total", "ack"] > 0
    assert 5 == second["keepalive_capture_dropped_total",]


def test_labels_are_our_own_words(planted):
    """However many hosts there are, the number of series is the same."""
    empty = scraped(Metrics(CaptureSummary(["lo"]), lambda: None))
    flows, summary = batches(planted[1])

    assert set(empty) == set(scraped(Metrics(summary, lambda: flows[-1])))
