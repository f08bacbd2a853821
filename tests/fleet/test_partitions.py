"""Finished flows as partitions of the tables."""

from pathlib import Path

import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.fleet import partitions
from analyzer.fleet.columns import TABLES
from analyzer.fleet.places import Place

pytest.importorskip("fsspec")
parquet = pytest.importorskip("pyarrow.parquet")

CAPTURES = Path(__file__).parents[2] / "captures"


def written(tmp_path, name):
    """Write the partitions of a capture; return their tables as rows."""
    result = Analysis()
    with partitions.Partitions(Place(str(tmp_path)), str(tmp_path), "t", "point", 0, result.start_ns) as parts:
        for capture, batch in read_flows([str(CAPTURES / name)], result):
            if batch is not None:
                parts.add(capture, batch)
    return {table: parquet.read_table(tmp_path / file).to_pylist() for table, file in parts.names.items()}


def test_a_flow_says_who_when_and_of_whom(tmp_path):
    """Instants are absolute, ends are apart, and initial sequence numbers are there where SYNs were seen."""
    flow = written(tmp_path, "founding_go_fin60.pcap")["flows"][0]

    assert ("127.0.0.1", "127.0.0.1", 4001, "b") == (flow["host_a"], flow["host_b"], flow["port_b"], flow["server"])
    assert None not in (flow["isn_a"], flow["isn_b"])
    assert flow["isn_a"] < 1 << 32
    assert flow["last_s"] - flow["first_s"] == pytest.approx(
        (flow["last_at"] - flow["first_at"]).total_seconds(), abs=1e-3
    )
    assert ("linux", "point", 0) == (flow["stack_b"], flow["capture_point"], flow["shard"])


def test_probes_say_who_sent_them(tmp_path):
    """A probe has its instant and its sender's address, of IPv6 too."""
    probes = written(tmp_path, "lab/ipv6_graceful.pcap")["probes"]

    assert probes
    assert all(":" in probe["host"] and "[" not in probe["host"] for probe in probes)
    assert probes[0]["at"].utcoffset().total_seconds() == 0


def test_silences_are_rows(tmp_path):
    """What ``idle_limits`` adds up is kept silence by silence."""
    silences = written(tmp_path, "lab/nat_idle_expired.pcap")["silences"]

    assert {1} <= {each["died"] for each in silences}
    assert all(each["silence_s"] >= 3 for each in silences)


def test_every_column_has_a_meaning():
    """The schema of each table has a description for each column."""
    for table in TABLES:
        assert all(field.metadata[b"description"] for field in partitions.schema_of(table))


def test_an_error_leaves_no_file(tmp_path):
    """What was begun is taken away."""
    result = Analysis()
    flows = list(read_flows([str(CAPTURES / "founding_go_fin60.pcap")], result))

    def fail():
        with partitions.Partitions(Place(str(tmp_path)), str(tmp_path), "t", "point", 0, result.start_ns) as parts:
            for capture, batch in flows:
                if batch is not None:
                    parts.add(capture, batch)
            parts._search()
            parts._put("flows")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert [] == list(tmp_path.iterdir())
