"""Running the command, inside this process and as a program."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzer.cli import main

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "captures"


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def keepalive(capsys, monkeypatch):
    """A function that runs the command in this process, with files named within captures/."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(CAPTURES)

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code or 0
        out, err = capsys.readouterr()
        return Outcome(status, out, err)

    return run


@pytest.fixture
def program():
    """A function that runs the command as a program."""

    def run(*arguments, stdin=b"", env=None, **options):
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", *map(str, arguments)],
            cwd=CAPTURES,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            **options,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
