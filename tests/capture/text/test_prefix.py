"""What stands before every line is found and taken off: the shapes in which loggers and trackers show a dump."""

import html
import re
from pathlib import Path

import pytest

import analyzer
from analyzer.capture.text.prefix import prefix_of
from analyzer.errors import NotACaptureError

ROOT = Path(__file__).parents[3]
PASTED = ROOT / "tests" / "pasted"
PLAIN = re.findall(
    r"(?m)^\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d\.\d+ IP .*)$", (PASTED / "issue_with_fences.txt").read_text(encoding="utf-8")
)
LISTED = re.findall(r"(?m)^ *\d+ .*\[.*$", (PASTED / "wireshark_list.txt").read_text(encoding="utf-8"))
VERBOSE = [
    re.sub(
        r" IP (\S+ > \S+: )(.*)",
        r" IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto TCP (6), length 52)\n    \1\2",
        line,
    )
    for line in PLAIN
]

COLUMNS = r"^ *(\d+) +(\S+) +(\S+) +(\S+) +(\S+) +(\d+) +"
TABBED = [re.sub(COLUMNS, r"\1\t\2\t\3\t\4\t\5\t\6\t", line) for line in LISTED]


def before(prefix, lines=None):
    """Lines, each with something before it; those of one packet too."""
    return "\n".join(f"{prefix}{part}" for line in lines or PLAIN for part in line.split("\n"))


SHAPES = {
    "journald": before("Jun 03 10:11:12 web-1 tcpdump[1234]: "),
    "journald, verbose": before("Jun 03 10:11:12 web-1 tcpdump[1234]: ", VERBOSE),
    "journald with dates": before("2019-06-03T10:11:12+0000 web-1 tcpdump[1234]: "),
    "syslog": before("<14>Jun  3 10:11:12 web-1 tcpdump: "),
    "docker logs -t": before("2019-06-03T10:11:12.123456789Z "),
    "docker compose": before("dump-1  | "),
    "docker compose, verbose": before("dump-1  | ", VERBOSE),
    "kubectl logs --prefix": before("[pod/web-0/dump] "),
    "kubectl logs --timestamps": before("[pod/web-0/dump] 2019-06-03T10:11:12.123456789Z "),
    "kubectl logs, verbose": before("[pod/web-0/dump] ", VERBOSE),
    "containerd": before("2019-06-03T10:11:12.123456789+00:00 stdout F "),
    "docker's own file": "\n".join(
        f'{{"log":"{line}\\n","stream":"stdout"}}'.replace(">", r"\u003e") for line in PLAIN
    ),
    "grep -n": "\n".join(f"{at}:{line}" for at, line in enumerate(PLAIN, 1)),
    "grep of files": before("dump.txt:"),
    "IRC": before("10:11 <joe> "),
    "comments": before("# "),
    "comments of C": before("// "),
    "ts": before("00:00:01 "),
    "a list with a prefix": before("2019-06-03T10:11:12.123456789Z ", LISTED),
    "returns for ends": "\r".join(PLAIN),
    "both for ends": "\r\n".join(PLAIN),
    "three for ends": "\r\r\n".join(PLAIN),
    "one line of HTML": "<br/>".join(html.escape(line) for line in PLAIN),
    "entities of entities": "\n".join(html.escape(html.escape(line)) for line in PLAIN),
    "curly quotes": "\u201c" + "\n".join(PLAIN) + "\u201d",
    "dashes": "\n".join(PLAIN).replace(" > ", " \u2013> "),
    "Markdown's backslashes": "\n".join(re.sub(r"([\[\]>])", r"\\\1", line) for line in PLAIN),
    "wide characters": "\n".join(PLAIN).replace(",", "\uff0c"),
    "no-break spaces": "\n".join(PLAIN).replace(" ", "\u00a0"),
    "columns of Wireshark": "\n".join(["No.\tTime\tSource\tDestination\tProtocol\tLength\tInfo", *TABBED]),
    "a list that is broken": "\n".join(re.sub(r" (Seq=|Len=|TSval=)", r"\n\1", line) for line in LISTED),
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_pasted_shapes_tell_the_founding_story(text, tmp_path):
    """Each shape tells what the founding capture tells, and no line of it is lost."""
    path = tmp_path / "dump.txt"
    path.write_bytes(text.encode())
    analysis = analyzer.analyze(path)
    founding = list(analyzer.analyze(ROOT / "captures" / "founding_go_fin60.pcap"))
    probes, expected = (
        [probe["frame"] for flow in flows for probe in flow.fields["probes"]] for flows in (analysis, founding)
    )

    assert ([flow.verdict for flow in founding], expected) == ([flow.verdict for flow in analysis], probes)
    heads = [warning for warning in analysis.captures[0].warnings if "are no packets" in warning]
    assert heads == [] or 'packets, or could not be read: 1, the first is line 1: "No. Time' in heads[0]


def test_what_is_before_is_counted_if_it_is_not_the_same(tmp_path):
    """Lines of another source between those with a prefix are no packets, and are counted."""
    path = tmp_path / "dump.txt"
    path.write_text(before("dump-1  | ") + "\nweb-1  | 200 GET /\nweb-1  | 10 items\n")

    assert any("not packets, or could not be read: 2" in said for said in analyzer.analyze(path).captures[0].warnings)


def test_prose_has_no_prefix():
    """Where no packet is within a line, there is nothing to take off, and the text is refused."""
    assert prefix_of(["at 10:11:12 it hung", "1 2 3 4 5 6 7", "", "a" * 500]) is None


@pytest.mark.parametrize("prefix", ["(((((", "[a-z", "\\", "*+?", "a|b", "1" * 100, " " * 50, "\u202e"])
def test_a_prefix_is_no_pattern(prefix, tmp_path):
    """Whatever stands before a packet is taken as it is, and is dropped or counted."""
    path = tmp_path / "dump.txt"
    path.write_text(before(f"{prefix} "), encoding="utf-8")
    try:
        frames = sum(capture.frames for capture in analyzer.analyze(path).captures)
    except NotACaptureError:
        frames = len(PLAIN)

    assert len(PLAIN) == frames
