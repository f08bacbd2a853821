"""The other point of the benchmark is one that `keepalive join` can make sense of."""

from analyzer.joining import join
from tests.bench.generate import main as generate
from tests.bench.other_point import main


def test_the_other_point_is_joined_with_the_first(tmp_path, capsys, monkeypatch):
    """Clock and losses are what was made: 37.25 s ahead, 150 ppm fast, some packets lost at the router."""
    first, second = tmp_path / "first.pcap", tmp_path / "second.pcap"
    arguments = ["--segments", "3000", "--flows", "60", "--seed", "2", "--live", "30", "--out", str(first)]
    monkeypatch.setattr("sys.argv", ["generate.py", *arguments])
    generate()
    capsys.readouterr()
    assert main([str(first), str(second), "--lost", "0.01"]) == 0

    joined = join(first, second, jit=False)
    piece = joined.points[1].clock.first
    assert piece.low_ns - 1_000_000 <= 37_250_000_000 <= piece.high_ns + 10_000_000
    assert 100e-6 < piece.drift_high
    assert len(joined.flows) + len(joined.lone) >= 60
