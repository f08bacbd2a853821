"""How a run ends."""

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from analyzer.cli import ending, main
from analyzer.errors import AnalyzerError, CaptureNotPermittedError
from tests.uncovered import environment

ROOT = Path(__file__).parents[2]
CAPTURE = ROOT / "captures" / "founding_go_fin60.pcap"


def run(command, **options):
    """Run a shell command in which $KEEPALIVE is the command; return its status and what it wrote."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment(KEEPALIVE=f"{sys.executable} -m analyzer", KEEPALIVE_JIT="0"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (KeyboardInterrupt(), 130, ""),
        (ending.Terminated(signal.SIGTERM), 143, ""),
        (ending.Terminated(signal.SIGHUP), 129, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (AnalyzerError("no such file"), 2, "no such file"),
        (CaptureNotPermittedError("lo", "no", "do"), 3, "cannot capture on lo: no. do"),
        (OSError(errno.ENOSPC, "No space left on device", "out"), 2, "out: No space left on device"),
        (OSError(errno.EMFILE, "Too many open files"), 2, "Too many open files"),
        (MemoryError(), 2, "there is not enough memory for this; --port, --host or fewer files at a time need less"),
        (ModuleNotFoundError("x", name="jinja2"), 2, "this needs jinja2, which is not installed"),
        (ImportError("\n\nno libstdc++\nand more", name="numpy"), 2, "a library cannot be loaded: no libstdc++"),
        (
            BrokenProcessPool("x"),
            2,
            "a process that read captures was ended from outside, perhaps for want of memory",
        ),
        (RuntimeError("can't start new thread"), 2, "the system lets this process start no more threads"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_stops_a_run_has_a_status_and_a_sentence(error, status, sentence):
    """Nothing of it is 1, and each sentence names what is missing."""
    assert (status, sentence) == ending.reason(error)


@pytest.mark.parametrize(
    "error", [KeyError("x"), RuntimeError("other"), ModuleNotFoundError("x", name="analyzer.none"), ValueError("a\nb")]
)
def test_a_fault_of_the_program_is_70_with_version_and_place(keepalive, monkeypatch, error):
    """What nobody expected is told in one line, which says where it was and what to do with it."""
    from analyzer.cli import rules

    def fail(_):
        raise error

    monkeypatch.delenv("KEEPALIVE_TRACEBACK", raising=False)
    monkeypatch.setattr(rules, "run", fail)
    done = keepalive("rules")

    assert (70, "", 1) == (done.status, done.out, len(done.err.splitlines()))
    assert f"keepalive {ending.analyzer.__version__} on Python" in done.err
    assert f"{type(error).__name__} at test_ending.py:" in done.err
    assert "please report" in done.err


def test_a_traceback_is_there_for_whoever_asks(keepalive, monkeypatch):
    """KEEPALIVE_TRACEBACK=1 prints what a report of a fault should have."""
    from analyzer.cli import rules

    monkeypatch.setenv("KEEPALIVE_TRACEBACK", "1")
    monkeypatch.setattr(rules, "run", None)
    done = keepalive("rules")

    assert 70 == done.status
    assert "Traceback (most recent call last)" in done.err


def test_an_error_leaves_what_was_printed_before(keepalive, monkeypatch):
    """Half a report that was written is not taken back."""
    from analyzer.cli import rules

    def fail(_):
        sys.stdout.write("before\n")
        raise MemoryError

    monkeypatch.setattr(rules, "run", fail)
    done = keepalive("rules")

    assert (2, "before\n") == (done.status, done.out)


@pytest.mark.parametrize("verb", ["report", "explain", "rules", "--help", "--version", "plot", "annotate"])
def test_closed_output_is_told(verb):
    """Without standard output there is nothing to do, which is no condition that was met."""
    assert (2, "", "keepalive: standard output is closed, so there is nowhere to write to\n") == run(
        f"$KEEPALIVE {verb} {CAPTURE} >&-"
    )


def test_closed_input_matters_only_to_who_reads_it():
    """A capture from a closed standard input is told of; a named one is read as ever."""
    status, out, err = run(f"$KEEPALIVE report {CAPTURE} <&-")

    assert (0, "") == (status, err)
    assert run(f"$KEEPALIVE report {CAPTURE}") == (0, out, "")
    status, out, err = run("$KEEPALIVE report - <&-")
    assert (2, "", "keepalive: standard input: is closed; expected a pcap or pcapng stream\n") == (status, out, err)


@pytest.mark.parametrize("how", ["2>&-", "2>/dev/full"])
def test_an_error_that_cannot_be_told_has_its_status(how):
    """Nobody hears the sentence, and the status is what it would have been; a report is what it would have been."""
    assert (2, "", "") == run(f"$KEEPALIVE report none.pcap {how}")
    assert (2, "", "") == run(f"$KEEPALIVE --nonsense {how}")
    assert run(f"$KEEPALIVE report {CAPTURE}") == run(f"$KEEPALIVE report {CAPTURE} {how}")


def test_all_streams_closed():
    """No capture is taken for a stream, and none is written to."""
    before = CAPTURE.read_bytes()

    assert (2, "", "") == run(f"$KEEPALIVE report {CAPTURE} <&- >&- 2>&-")
    assert before == CAPTURE.read_bytes()


@pytest.mark.parametrize("spare", [0, 1])
def test_too_few_descriptors_are_told(spare):
    """Where the system gives no more files, the sentence has the one that could not be opened, and the status is 2."""
    code = (
        "import os, resource\n"
        "from analyzer.cli import command\n"
        f"next_one = os.dup(0) + {spare}\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (next_one, next_one))\n"
        "command()\n"
    )
    words = [sys.executable, "-c", code, "report", CAPTURE]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60)

    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert done.stderr.startswith("keepalive: ")
    assert "Too many open files" in done.stderr


def test_the_first_cause_of_a_library_that_cannot_be_loaded_is_told():
    """What numpy wraps in a page of advice is what is told."""
    error = ImportError("\n\nIMPORTANT: PLEASE READ THIS\n")
    error.__cause__ = ImportError("libopenblas.so: failed to map segment from shared object")

    assert (2, f"a library cannot be loaded: {error.__cause__}") == ending.reason(error)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_is_told_is_told_at_once(unbuffered):
    """A sentence on standard error does not wait for the end, whether or not Python was asked to buffer."""
    code = (
        "import sys\n"
        "from analyzer.cli import command, rules\n"
        "def run(_):\n"
        "    sys.stderr.write('told\\n')\n"
        "    return len(sys.stdin.read())\n"
        "rules.run = run\n"
        "command()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, "rules"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert b"told\n" == process.stderr.readline()  # before it may read on
        process.stdin.close()
        assert 0 == process.wait(60)


def test_a_signal_ends_the_process_by_that_signal(tmp_path):
    """Who waits for the process sees what ended it, and nothing is left behind."""
    code = (
        "import os, signal, sys\n"
        "from analyzer.cli import command, rules\n"
        "from analyzer.output import whole\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # whoever runs the tests may ignore it: nohup
        "def run(_):\n"
        "    with whole(sys.argv[2], replace=True) as file:\n"
        "        os.kill(os.getpid(), int(sys.argv[3]))\n"
        "        signal.pause()\n"
        "rules.run = run\n"
        "rules.add_arguments = lambda parser: parser.add_argument('x', nargs='*')\n"
        "command()\n"
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        done = subprocess.run(
            [sys.executable, "-c", code, "rules", tmp_path / "out", str(int(number))],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            check=False,
            timeout=60,
        )

        assert (-number, b"", b"") == (done.returncode, done.stdout, done.stderr)
        assert [] == list(tmp_path.iterdir())


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch):
    """Under nohup SIGHUP does nothing, and afterwards all signals do what they did."""
    before, ended_by = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.getsignal(signal.SIGTERM)
    try:
        with ending.in_order():
            inside = signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)
        assert signal.SIG_IGN == inside[0]
        assert callable(inside[1])
        assert ended_by == signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_one_means_that_a_condition_was_met(keepalive):
    """--fail-on is the only way to 1."""
    assert 1 == keepalive("report", CAPTURE, "--fail-on", "reset_on_probe").status
    assert 0 == keepalive("report", CAPTURE, "--fail-on", "silent").status
    assert 2 == main(["report", "none.pcap", "--fail-on", "silent"])


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("report {} --html {} --force", "out.html"),
        ("explain {} --html {} --force", "out.html"),
        ("plot {} -o {} --force", "out.png"),
        ("annotate {} {} --force", "out.pcapng"),
        ("report {} --parquet {} --force", "flows.parquet"),
    ],
)
@pytest.mark.parametrize("old", [True, False], ids=["old", "new"])
def test_a_file_that_has_no_room_is_named_and_leaves_nothing(tmp_path, words, name, old):
    """Every verb that writes a file ends with 2 where the disk takes no more, and what was there stays."""
    out = tmp_path / name
    if old:
        out.write_bytes(b"old")
    asked = out.parent if name.endswith(".parquet") else out
    # no bytecode: Python would leave half of it behind, and every later start would stumble over that
    status, _, err = run(f"ulimit -f 1; PYTHONDONTWRITEBYTECODE=1 $KEEPALIVE {words.format(CAPTURE, asked)}")

    assert (2, 1) == (status, len(err.splitlines()))
    assert f"keepalive: {asked}: File too large\n" == err
    assert ([name] if old else []) == [each.name for each in tmp_path.iterdir()]
    assert not old or out.read_bytes() == b"old"
