"""Text from outside is spelled out wherever it leaves: every place that writes to a stream is listed here.

A new place that writes is refused until someone says, in SINKS, why nothing from outside passes it raw.
"""

import ast
import contextlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from analyzer.cli import main

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "analyzer"
FOUNDING = ROOT / "captures" / "founding_go_fin60.pcap"

SINKS = {
    ("analyzing.py", "_rehearse"): "a SYN of ours, into a pipe of its own",
    ("capture/live_reader.py", "LiveReader.stop"): "one octet into a pipe of its own",
    ("capture/pcap_writer.py", "PcapWriter._put"): "packets, into the file that was asked for",
    ("cli/annotate.py", "_say"): "the name is printable, the rest numbers",
    ("cli/compare.py", "run"): "lines of report.differences, whose names are printable",
    ("cli/completion.py", "run"): "what shtab makes of our own parser",
    ("cli/ending.py", "say"): "printable",
    ("cli/explain.py", "_tell"): "lines of report.story_text: words and addresses",
    ("cli/fleet.py", "run"): "the name is printable, the rest numbers",
    ("cli/fleet_report.py", "_sql"): "printable",
    (
        "cli/fleet_report.py",
        "_write",
    ): "JSON in ASCII, a printable name, or lines of report.answers, which are printable",
    ("cli/how.py", "run"): "JSON in ASCII, or lines of report.recipe, of values that were checked, and printable",
    ("cli/join.py", "_write"): "the name is printable",
    ("cli/join.py", "run"): "JSON in ASCII, or lines of report.joint_text, whose names are printable",
    ("cli/man.py", "run"): "our own parser's words",
    ("cli/manner.py", "complain"): "printable",
    ("cli/options.py", "_check_filter"): "printable",
    ("cli/page.py", "write_html"): "printable",
    ("cli/parser.py", "Parser.print_error"): "printable, and the usage, which is ours",
    ("cli/page.py", "write_parquet"): "printable",
    ("cli/plot.py", "_save"): "printable",
    ("cli/report.py", "write_text"): "lines of report.text, whose names and warnings are printable",
    ("cli/report.py", "_stream"): "JSON in ASCII, or CSV of words, addresses and numbers",
    ("cli/rules.py", "run"): "our own tables",
    ("cli/share.py", "_say"): "the name is printable, the rest numbers",
    ("cli/displays.py", "Log.look"): "words, addresses and numbers of log lines",
    ("cli/displays.py", "Log._write"): "JSON in ASCII, or words, addresses and printable names of processes",
    ("cli/displays.py", "Screen.look"): "words, addresses and printable names of processes",
    ("cli/watch.py", "_report"): "JSON in ASCII",
}


def writes(call):
    """Whether a call writes to a stream of the process or to the terminal."""
    name = ast.unparse(call.func)
    return (
        name in {"print", "os.write", "stream.write", "out.write"}
        or re.search(r"(stdout|stderr)(\.buffer)?\.write(lines)?$", name) is not None
        or re.search(r"console\.(print|log|out)$", name) is not None
    )


def sinks():
    """Every place of the package that writes, as (module, function)."""
    found = set()

    def look(node, module, where):
        for child in ast.iter_child_nodes(node):
            inner = [*where, child.name] if isinstance(child, ast.FunctionDef | ast.ClassDef) else where
            if isinstance(child, ast.Call) and writes(child):
                found.add((module, ".".join(inner)))
            look(child, module, inner)

    for path in sorted(PACKAGE.rglob("*.py")):
        look(ast.parse(path.read_text(encoding="utf-8")), path.relative_to(PACKAGE).as_posix(), [])
    return found


def test_every_sink_is_listed():
    """Whatever writes says why nothing from outside passes raw; what is gone is no longer listed."""
    assert set(SINKS) == sinks()


EVIL = "a\x1b]0;owned\x07\u202e\u2028\r\nb"
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
VERBS = {
    "report": ("report", "IN"),
    "report two": ("report", "IN", "OTHER"),
    "report --json": ("report", "IN", "--json"),
    "report --csv": ("report", "IN", "--csv", "flows"),
    "report --html": ("report", "IN", "--html", "OUT.html"),
    "explain": ("explain", "IN"),
    "plot": ("plot", "IN", "-o", "OUT.svg"),
    "annotate": ("annotate", "IN", "OUT.pcapng"),
    "annotate again": ("annotate", "IN", "IN"),
    "compare": ("compare", "IN"),
    "no such file": ("report", "MISSING"),
    "no capture": ("report", "TEXT"),
    "cut": ("report", "CUT"),
    "no such flow": ("report", "IN", "--flow", EVIL),
    "no such word": ("report", "IN", "--fail-on", EVIL),
    "no such host": ("report", "IN", "--host", EVIL),
    "no such rule": ("rules", EVIL),
    "no such case": ("how", EVIL),
    "no such interface": ("how", "-i", EVIL),
    "no such pod": ("how", "pod", "--name", EVIL),
    "no such verb": (EVIL,),
    "no such option": ("report", f"--{EVIL}"),
    "no such time": ("report", "IN", "--from", EVIL),
    "one too many": ("rules", "open", EVIL),
    "no such suffix": ("plot", "IN", "-o", "OUT"),
    "no such folder": ("plot", "IN", "-o", "FOLDER/OUT.svg"),
}


@pytest.mark.parametrize("arguments", VERBS.values(), ids=VERBS)
def test_hostile_names_reach_no_terminal(arguments, tmp_path, capsys):
    """Names of IN and OUT, and words of the command line, are spelled out on stdout and stderr by every verb."""
    if arguments[0] == "compare" and shutil.which("tshark") is None:
        pytest.skip("needs tshark")
    names = {
        "IN": FOUNDING.read_bytes(),
        "OTHER": FOUNDING.read_bytes()[:900],
        "TEXT": b"no capture \x1b]0;owned\x07",
        "CUT": FOUNDING.read_bytes()[:-7],
    }
    for name, octets in names.items():
        (tmp_path / f"{name}{EVIL}").write_bytes(octets)
    upper = re.compile(r"^(IN|OUT|OTHER|MISSING|TEXT|CUT|FOLDER/OUT)(\.\w+)?$")
    given = [
        os.fspath(tmp_path / f"{found[1].replace('FOLDER/OUT', f'FOLDER{EVIL}/OUT')}{EVIL}{found[2] or ''}")
        if (found := upper.match(argument))
        else argument
        for argument in arguments
    ]
    with contextlib.suppress(SystemExit):
        main(given)
    out, err = capsys.readouterr()

    assert out or err
    assert [] == RAW.findall(out.replace("\r\n", "\n") if arguments[-2:-1] == ("--csv",) else out)
    assert [] == RAW.findall(err)
    if "--json" in arguments:
        assert json.loads(out)["captures"][0]["path"].startswith("/")
