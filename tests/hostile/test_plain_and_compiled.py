"""Plain and compiled loops say the same of every flood, to the last octet of the JSON report."""

import pytest

from analyzer.analyzing import analyze
from analyzer.cli import main
from tests.hostile.floods import FLOODS, OTHERS, flood

FRAMES = 400


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*FLOODS, *OTHERS])
def test_plain_equals_compiled(kind, tmp_path, monkeypatch, capsys):
    """Exit status, report and warnings are equal."""
    pytest.importorskip("numba")
    path = tmp_path / "flood.pcap"
    path.write_bytes(flood(kind, FRAMES))
    analyze(path, jit=True)  # compiles what is not there yet, which would be said
    said = []
    for jit in ("0", "1"):
        monkeypatch.setenv("KEEPALIVE_JIT", jit)
        status = main(["report", "--json", str(path)])
        said.append((status, *capsys.readouterr()))

    assert 0 == said[0][0]
    assert said[0] == said[1]
