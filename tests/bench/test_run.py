"""The benchmark measures what it says; how long anything takes is not tested."""

import sys

import pytest

from tests.bench.run import JOIN, US, Line, Run, disagreements, joining_ratio, main, measure


def test_a_process_is_measured_with_its_children():
    """CPU time and peak memory include those of a child that a program waits for."""
    busy = "x = bytearray(120 << 20); sum(range(3_000_000))"
    run = measure(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{busy}'])"], 60
    )

    assert run.error is None
    assert run.peak_octets > 120 << 20
    assert 0 < run.cpu_s


def test_a_failure_says_why():
    """A program that fails is a line with its status and its last words."""
    run = measure([sys.executable, "-c", "import sys; sys.exit('no such capture')"], 60)

    assert "status 1: no such capture" == run.error
    assert "status 1: no such capture" == Line("broken", 10, partial=False, runs=[run]).error


def test_a_program_that_takes_too_long_is_ended():
    """The time limit ends the process, and the line says that a signal did."""
    run = measure([sys.executable, "-c", "import time; time.sleep(60)"], 0.2)

    assert "status -9: no message" == run.error


def test_a_line_sums_up_its_runs():
    """Least, median and greatest time come from the runs that worked."""
    line = Line(
        "any", 1000, partial=False, runs=[Run(3, 1, 5), Run(1, 1, 7), Run(2, 1, 6), Run(9, 9, 9, "status 1: no")]
    )

    assert {"min": 1, "median": 2, "max": 3} == line.as_json()["wall_s"]
    assert 500 == line.as_json()["packets_a_second"]
    assert 0.002 == line.per_packet_s()


def test_joining_is_told_against_reading_one():
    """Time, CPU time and memory of joining two points are ratios to those of a report of one."""
    one = Line(US, 1000, partial=False, runs=[Run(2, 3, 100 << 20)])
    both = Line(JOIN, 1000, partial=False, runs=[Run(7, 12, 250 << 20)])

    said = "keepalive join of two such captures takes 3.5 times keepalive report of one (4.0 times its CPU time, "
    assert f"{said}2.5 its memory)." == joining_ratio([one, both])
    assert not joining_ratio([one])


def test_a_wrong_total_is_told(monkeypatch, tmp_path):
    """A report whose totals are not those generated is named, number by number."""
    says = tmp_path / "says.py"
    says.write_text('print(\'{"summary": {"flows": 3, "probes": 7}}\')')
    monkeypatch.setattr("tests.bench.run.ours", lambda: [sys.executable, str(says)])
    monkeypatch.setattr("tests.bench.run.SUMS", ("flows", "probes"))

    assert ["probes: 7 reported, 8 generated"] == disagreements(tmp_path / "any.pcap", {"flows": 3, "probes": 8})


@pytest.mark.slow
def test_a_small_benchmark_runs_to_its_end(capsys, tmp_path):
    """Comparison, check of the totals and growth are printed, and written as JSON."""
    given = [
        "--segments",
        "3000",
        "--sizes",
        "3000,6000",
        "--rounds",
        "1",
        "--slice",
        "1000",
        "--only",
        f"{US},tcpdump",
    ]

    assert 0 == main([*given, "--no-start", "--json", str(tmp_path / "result.json")])
    printed = capsys.readouterr().out
    assert "totals are those that were generated" in printed
    assert "failed" not in printed
    assert "Growth" in printed
    assert (tmp_path / "result.json").stat().st_size
