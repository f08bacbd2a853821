"""The README: every command that it shows with output is run, and prints what it shows."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown():
    """Return the (command, output lines) pairs of the console blocks."""
    pairs = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, *output = part.rstrip("\n").split("\n")
            pairs.append((command, output))
    return pairs


def usage_lines():
    """Return the keepalive commands of the sh blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("keepalive ")]


def needs_what_is_there(command):
    """Skip a command that asks tshark where there is none."""
    if shutil.which("tshark") is None and re.search(r"keepalive compare| -Y ", command):
        pytest.skip("tshark is not installed")


def run(command, folder=ROOT):
    """Run a keepalive command line as a program."""
    needs_what_is_there(command)
    words = [sys.executable, "-m", "analyzer", *shlex.split(command)[1:]]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def an_archive(folder, *, with_tables):
    """Make a small archive of many points, and the tables of it."""
    for module in ("distributed", "duckdb", "fsspec", "pyarrow"):
        pytest.importorskip(module)
    from analyzer import fleet
    from captures.recipes import archive

    archive.make(folder / "archive", 2, 2)
    if with_tables:
        fleet.run([str(folder / "archive")], str(folder / "tables"), workers=0)


def python_blocks():
    """Return the python blocks."""
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "output"), shown(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_shown_command_prints_what_is_shown(command, output):
    """A command of a console block prints the lines below it, in order, where "..." stands for any others."""
    got = run(command).stdout.splitlines()

    at = 0
    loose = False
    for line in output:
        if line.strip() == "...":
            loose = True
            continue
        where = got.index(line, at) if loose else at
        assert line == got[where]
        at, loose = where + 1, False


@pytest.mark.parametrize("command", [c for c in usage_lines() if " -i " not in c])
def test_a_usage_line_works(command, tmp_path):
    """A keepalive command of a sh block works on a bundled capture."""
    for name in ("capture.pcap", "trace.pcap0", "trace.pcap1"):
        (tmp_path / name).write_bytes((ROOT / "captures" / "founding_go_fin60.pcap").read_bytes())
    if "trace." in command:  # parts of a series do not hold the same
        (tmp_path / "trace.pcap1").write_bytes((ROOT / "captures" / "fixed_server.pcap").read_bytes())
    (tmp_path / "dump.txt").write_bytes((ROOT / "tests" / "pasted" / "octets_for_text2pcap.txt").read_bytes())
    if "fleet" in command:
        an_archive(tmp_path, with_tables="fleet-report" in command)
    command = command.replace("--flow 3", "--flow 0")
    needs_what_is_there(command)

    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *shlex.split(command)[1:]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("block", python_blocks())
def test_a_python_block_runs(block, tmp_path):
    """A python block of the README runs from the top folder, with what it needs from the extras."""
    pytest.importorskip("pandas")
    code = block.replace("tables/", f"{tmp_path}/tables/")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_the_verdict_table_lists_every_verdict():
    """The README explains exactly the verdicts that the program knows."""
    from analyzer.judge.verdict import Verdict

    rows = re.findall(r"(?m)^\| `([a-z_]+)` \|", README)

    assert [verdict.value for verdict in Verdict] == rows
