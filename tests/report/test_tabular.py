"""Tables of flows, probes and findings: pandas, polars and Parquet agree with the CSV columns."""

import sys

import pytest

from analyzer.analyzing import analyze
from analyzer.report import tabular
from analyzer.report.columns import FINDING_COLUMNS, FLOW_COLUMNS, PROBE_COLUMNS
from analyzer.report.tables import TABLES
from analyzer.units import Clock
from tests.judging import CAPTURES

FOUNDING = "founding_go_fin60.pcap"
COUNTS = {"flows": 1, "probes": 16, "findings": 4}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_of_equal_length_and_documented(analysis, table):
    """A table has the columns that are documented, each with a value a row."""
    loaded = analysis(FOUNDING)
    found = loaded.columns(table)

    assert list(TABLES[table]) == list(found)
    assert {COUNTS[table]} == {len(values) for values in found.values()}


@pytest.mark.parametrize("name", sorted({*FLOW_COLUMNS, *PROBE_COLUMNS, *FINDING_COLUMNS}))
def test_the_kind_of_a_column_is_that_of_its_values(analysis, name):
    """What a column is declared to hold is what it holds."""
    kinds = {"float": float, "int": int, "text": str}
    loaded = [analysis(FOUNDING), analysis("dead_peer_silence.pcap")]
    for table, columns in TABLES.items():
        if name in columns:
            values = [value for one in loaded for value in one.columns(table)[name]]
            assert all(value is None or isinstance(value, kinds[tabular.kind(name)]) for value in values)


@pytest.mark.parametrize("table", TABLES)
def test_pandas(analysis, table):
    """A pandas DataFrame has the same rows, integers that may be missing as Int64."""
    pytest.importorskip("pandas")
    loaded = analysis(FOUNDING)
    frame = loaded.to_pandas(table)

    assert (COUNTS[table], len(TABLES[table])) == frame.shape
    assert "Int64" == str(frame["flow"].dtype)


@pytest.mark.parametrize("table", TABLES)
def test_polars(analysis, table):
    """A polars DataFrame has the same rows."""
    pytest.importorskip("polars")
    loaded = analysis(FOUNDING)

    assert (COUNTS[table], len(TABLES[table])) == loaded.to_polars(table).shape


def test_parquet(analysis, tmp_path):
    """Three files are written, read back the same, and every column says what it means."""
    parquet = pytest.importorskip("pyarrow.parquet")
    loaded = analysis(FOUNDING)
    paths = loaded.to_parquet(tmp_path / "new" / "folder")

    assert [f"{table}.parquet" for table in TABLES] == [path.name for path in paths]
    for path in paths:
        read = parquet.read_table(path)
        assert loaded.columns(path.stem) == read.to_pydict()
        meanings = {field.name: field.metadata[b"description"].decode() for field in read.schema}
        assert TABLES[path.stem] == meanings


def test_many_flows_are_written_in_parts(analysis, tmp_path, monkeypatch):
    """Rows come a part at a time, and all of them."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(tabular, "AT_A_TIME", 2)
    monkeypatch.setattr("analyzer.looking.WRITTEN", 2)
    loaded = analysis("lab/port_reuse.pcap")
    paths = loaded.to_parquet(tmp_path)

    assert 3 == parquet.read_table(paths[0]).num_rows
    assert 2 == parquet.ParquetFile(paths[0]).num_row_groups


def test_a_missing_library_is_named(monkeypatch):
    """Without the library the error says what to install."""
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(tabular.MissingLibraryError, match=r"pip install 'keepalive-analyzer\[notebook\]'"):
        tabular.to_pandas({})


def test_an_interrupt_leaves_no_table(analysis, tmp_path):
    """Ctrl-C while flows are written leaves no table under its name, and none of its parts."""
    pytest.importorskip("pyarrow")
    kept = analysis(FOUNDING)

    def interrupted():
        yield from kept.together()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tabular.write_parquet(interrupted(), kept.start_ns, tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_dates_stand_beside_seconds(analysis):
    """With a time zone each instant of a DataFrame is there twice, as seconds and as a date, to the nanosecond."""
    pytest.importorskip("pandas")
    loaded = analysis(FOUNDING)
    frame = loaded.to_pandas("probes", time="utc")
    flows = loaded.to_pandas("flows", time="utc")
    names = list(frame.columns)
    first = frame["time_at"][0]

    assert names.index("time_at") == names.index("time_s") + 1
    assert "datetime64[ns, UTC]" == str(frame["time_at"].dtype)
    assert loaded.start_ns() + round(frame["time_s"][0] * 1e9) == first.value
    assert flows["fin_b_at"].isna().all()
    assert not flows["fin_a_at"].isna().any()


def test_dates_are_in_the_zone_that_was_asked_for(analysis, monkeypatch):
    """Local dates have the time zone of this machine by name, in either library; what is relative has none."""
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    loaded = analysis(FOUNDING)

    assert "Asia/Tokyo" == str(loaded.to_pandas(time="local")["first_at"].dt.tz)
    assert "Asia/Tokyo" == loaded.to_polars(time="local")["first_at"].dtype.time_zone
    assert loaded.to_pandas(time="local")["first_at"][0] == loaded.to_polars(time="utc")["first_at"][0]
    assert "first_at" not in loaded.to_pandas(time="relative")


def test_a_zone_without_a_name_is_utc(monkeypatch):
    """Where nothing names this machine's zone dates are in UTC, not in a zone that was guessed."""
    monkeypatch.setenv("TZ", ":no/such")
    monkeypatch.setattr(tabular.os.path, "realpath", lambda _: "/etc/localtime")

    assert "UTC" == tabular.zone_of(Clock.LOCAL)


def test_an_analysis_knows_how_to_say_instants():
    """What analyze was told of time holds for DataFrames and for stories."""
    pytest.importorskip("pandas")
    loaded = analyze(CAPTURES / FOUNDING, time="utc")

    assert "time_at" in loaded.to_pandas("probes")
    assert "Times are those of UTC" in str(loaded.flows[0].explain())
    with pytest.raises(ValueError, match="noon"):
        analyze(CAPTURES / FOUNDING, time="noon")
