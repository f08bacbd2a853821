"""The command as a whole: help, exit status, errors, and how it ends when it is cut short."""

import importlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer import cli
from analyzer.errors import LiveCaptureError

ROOT = Path(__file__).parents[2]
FOUNDING = "founding_go_fin60.pcap"
USAGE = r"\nusage: keepalive [^\n]*\n\(keepalive [^\n]*--help lists the (verbs|options)\)"
"""What follows the sentence where a verb was not called as it has to be."""
HEAVY = {"matplotlib", "numba", "numpy", "pyshark", "rich", "scapy"}


@pytest.mark.parametrize("arguments", [["--help"], *([verb.name, "--help"] for verb in cli.VERBS)])
def test_help_loads_nothing_heavy(arguments):
    """Help is printed without loading any of the heavy libraries."""
    code = (
        "import sys\nfrom analyzer.cli import main\ntry: main(sys.argv[1:])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert "usage: keepalive" in done.stdout
    assert set() == HEAVY & set(done.stderr.split())


def test_help_ends_with_examples_and_exit_status(keepalive):
    """The command's help ends with examples and the meaning of each exit status."""
    done = keepalive("--help")

    assert 0 == done.status
    assert re.search(
        r"examples:\n  keepalive report .*\nexit status:\n  0    done\n.*  3    capture not permitted\n",
        done.out,
        re.DOTALL,
    )
    assert all(len(line) <= 80 for line in done.out.splitlines())


@pytest.mark.parametrize("verb", cli.VERBS, ids=lambda verb: verb.name)
def test_every_verb_keeps_the_contract_of_a_verb(verb):
    """A verb's module adds its arguments and runs."""
    module = importlib.import_module(verb.module)

    assert callable(module.add_arguments)
    assert callable(module.run)


def test_without_arguments_there_is_help_and_status_2(keepalive):
    """The bare command prints its help on stderr."""
    done = keepalive()

    assert (2, "") == (done.status, done.out)
    assert done.err.startswith("usage: keepalive")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reprt"], r"keepalive: no verb is called reprt; did you mean report\?" + USAGE),
        (
            [FOUNDING],
            rf"keepalive: {FOUNDING} is not a verb; to read it: keepalive report {FOUNDING}" + USAGE,
        ),
        (
            ["--json", "report", FOUNDING],
            rf"keepalive: options come after the verb; write: keepalive report --json {FOUNDING}" + USAGE,
        ),
        (
            ["--json", FOUNDING],
            rf"keepalive: no verb is named; write, for example: keepalive report --json {FOUNDING}" + USAGE,
        ),
        (["--hlep"], r"keepalive: there is no option --hlep; did you mean --help\?" + USAGE),
        (["report"], r"keepalive report: no capture named: give a FILE, or - for standard input" + USAGE),
        (["report", ""], r"keepalive report: a FILE has an empty name; is a variable not set\?" + USAGE),
        (["compare", ""], r"keepalive compare: a FILE has an empty name; is a variable not set\?" + USAGE),
        (
            ["report", FOUNDING, "--fial-on=open"],
            r"keepalive report: there is no option --fial-on; did you mean --fail-on\?" + USAGE,
        ),
        (
            ["report", FOUNDING, "--sockets"],
            r"keepalive report: there is no option --sockets \(--sockets is an option of watch\)" + USAGE,
        ),
        (["rules", "open", "closed"], r"keepalive rules: one argument too many: closed" + USAGE),
        (["plot", FOUNDING], r"keepalive plot: the following arguments are required: -o/--output" + USAGE),
        (["report", "-", "-"], r"keepalive: standard input \(-\) can be read only once"),
        (
            ["report", FOUNDING, "--reader", "slow"],
            r"keepalive report: argument --reader: slow is none of auto, fast, scapy" + USAGE,
        ),
        (
            ["report", FOUNDING, "--host", "localhost"],
            r"keepalive report: argument --host: localhost is not an address, a network or a range "
            r"\(names are not looked up\)" + USAGE,
        ),
        (
            ["report", FOUNDING, "--port", "70000"],
            r"keepalive report: argument --port: 70000 is not a port number" + USAGE,
        ),
        (
            ["report", FOUNDING, "--flow", "one"],
            r"keepalive report: argument --flow: one is not a number from 0 on" + USAGE,
        ),
        (
            ["report", FOUNDING, "--flow", "2:"],
            r"keepalive report: argument --flow: nothing is not a number from 0 on" + USAGE,
        ),
        (
            ["report", FOUNDING, "--html", ""],
            r"keepalive report: argument --html: the name is empty; is a variable not set\?" + USAGE,
        ),
        (
            ["plot", FOUNDING, "-o", ""],
            r"keepalive plot: argument -o/--output: the name is empty; is a variable not set\?" + USAGE,
        ),
        (
            ["report", FOUNDING, "--from", "+10", "--to", "+5"],
            r"keepalive report: --to is before --from: no flow lived in a time that ends before it begins" + USAGE,
        ),
        (
            ["report", FOUNDING, "--port", "80-"],
            r"keepalive report: argument --port: 80- is not a range of ports: write both ends, as in 8000-8099" + USAGE,
        ),
        (
            ["report", FOUNDING, "--host", "10.0.0.9-10.0.0.1"],
            r"keepalive report: argument --host: 10.0.0.9-10.0.0.1 is not a range of addresses: it ends before it "
            r"begins" + USAGE,
        ),
        (["report", FOUNDING, "--flow", "7"], r"keepalive: no flow 7 here: there is only flow 0"),
        (
            ["report", FOUNDING, "--fail-on", "dead"],
            r"keepalive: --fail-on: no verdict, finding or cause is called dead; .*",
        ),
        (
            ["report", FOUNDING, "--json", "--csv"],
            r"keepalive report: argument --csv: not allowed with argument --json" + USAGE,
        ),
        (["rules", "dead-peer"], r"keepalive: no word of a report is dead-peer; did you mean dead-peer-detected\?; .*"),
        (["report", "no-such.pcap"], r"keepalive: no-such\.pcap: [Nn]o such file.*"),
        (["explain", "\x1b[2J.pcap"], r"keepalive: \\x1b\[2J\.pcap: [Nn]o such file.*"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_one_sentence_and_status_2(keepalive, arguments, sentence):
    """Each mistake gives one sentence on stderr, with the usage where it helps, nothing on stdout, and status 2."""
    done = keepalive(*arguments)

    assert (2, "") == (done.status, done.out)
    assert re.fullmatch(sentence + r"\n", done.err)


@pytest.mark.parametrize("arguments", [["help", "plot"], ["plot", "--help"], ["help"]])
def test_help_is_a_verb_too(keepalive, arguments):
    """`help VERB` is the help of the verb, and `help` that of the command."""
    done = keepalive(*arguments)

    assert 0 == done.status
    assert done.out.startswith("usage: keepalive plot" if "plot" in arguments else "usage: keepalive VERB")


@pytest.mark.parametrize("verb", cli.VERBS, ids=lambda verb: verb.name)
def test_help_of_every_verb_has_examples_within_80_columns(keepalive, verb):
    """Each verb's help has its usage in one line, ends with examples that its parser takes, and is no wider than 80."""
    shown = keepalive(verb.name, "--help").out
    own = cli.build(verb)[1][verb.name]
    examples = re.findall(rf"(?m)^  (?:.* )?keepalive {verb.name}\b(.*)$", shown.partition("examples:\n")[2])

    assert shown.startswith(f"usage: keepalive {verb.name} [options]")
    assert [] == [line for line in shown.splitlines() if len(line) > 80]
    assert examples
    for example in examples:
        own.parse_args(shlex.split(re.split(r"  |[|>)]", example)[0]))


def test_capture_that_is_not_permitted_is_status_3(keepalive, monkeypatch):
    """Where live capture is refused, the remedy is printed and the exit status is 3."""
    from analyzer.cli import rules

    def refuse(options):
        raise LiveCaptureError("lo", "not permitted", "Run as root.")

    monkeypatch.setattr(rules, "run", refuse)
    done = keepalive("rules")

    assert (3, "", "keepalive: cannot capture on lo: not permitted. Run as root.\n") == (
        done.status,
        done.out,
        done.err,
    )


def test_an_interrupt_is_status_130_without_traceback(keepalive, monkeypatch):
    """Ctrl-C ends the command quietly."""
    from analyzer.cli import rules

    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(rules, "run", interrupt)
    done = keepalive("rules")

    assert (130, "", "") == (done.status, done.out, done.err)


def test_ctrl_c_while_waiting_for_stdin_is_quiet():
    """A command that waits for a capture on stdin ends on SIGINT with 130 and says nothing."""
    waiting = subprocess.Popen(
        [sys.executable, "-m", "analyzer", "report", "-"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a shell lets what it runs in the background ignore the signal, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread, one call
    )
    waiting.stdin.write((ROOT / "captures" / FOUNDING).read_bytes()[:1000])
    waiting.stdin.flush()
    _until_it_sleeps(waiting.pid)
    waiting.send_signal(signal.SIGINT)
    waiting.stdin.flush()
    status = waiting.wait(timeout=120)
    out, err = waiting.stdout.read(), waiting.stderr.read()
    for stream in (waiting.stdin, waiting.stdout, waiting.stderr):
        stream.close()

    assert (130, b"", b"") == (status, out, err)


def _until_it_sleeps(pid):
    """Wait until a process has waited for a while; one that a busy machine does not let run is runnable."""
    if not Path(f"/proc/{pid}/stat").exists():
        time.sleep(5)
        return
    before, quiet, stop = -1, 0, time.monotonic() + 60
    while quiet < 5 and time.monotonic() < stop:
        time.sleep(0.2)
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        used = sum(map(int, numbers[10:12]))
        quiet, before = (quiet + 1, used) if state == "S" and used == before and used > 0 else (0, used)


def test_a_closed_pipe_is_quiet():
    """Output into a pipe that nobody reads ends the command without a word."""
    command = f"{sys.executable} -m analyzer rules; echo $? >&2"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)

    assert b"141\n" == done.stderr


def test_output_that_cannot_be_written_is_one_sentence():
    """A full disk is named in a line, without traceback."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", "rules"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert (2, b"keepalive: standard output: No space left on device\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize("verb", ["annotate", "share"])
def test_a_copy_that_did_not_leave_is_not_said_to_be_written(verb):
    """A copy on standard output is counted once all of it has left."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    capture = "captures/founding_go_fin60.pcap"
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "analyzer", verb, capture, "-"]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)

    assert (2, b"keepalive: standard output: No space left on device\n") == (done.returncode, done.stderr)


def test_the_installed_command_is_this_one():
    """The program `keepalive`, where it is installed, answers with the version."""
    program = shutil.which("keepalive", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if program is None:
        pytest.skip("keepalive is not installed here")

    assert f"keepalive {cli.analyzer.__version__}\n" == subprocess.check_output([program, "--version"], text=True)


def test_a_process_of_its_own_ends_with_the_status(monkeypatch):
    """The installed program runs the command and exits with its status; cycles are sought seldom, turns taken often."""
    monkeypatch.setattr("sys.argv", ["keepalive", "nonsense"])
    seldom = []
    monkeypatch.setattr("gc.set_threshold", seldom.append)
    monkeypatch.setattr("sys.setswitchinterval", seldom.append)
    monkeypatch.setattr("gc.freeze", lambda: seldom.append("frozen"))
    monkeypatch.setattr("analyzer.cli.main", lambda: 2)
    with pytest.raises(SystemExit) as ended:
        cli.command()

    assert (2, [cli.SELDOM, cli.TURN_S, "frozen"]) == (ended.value.code, seldom)
