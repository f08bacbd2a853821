"""``keepalive plot``: which flows are drawn, into which files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.cli import plot, values

ROOT = Path(__file__).parents[2]
FOUNDING = "founding_go_fin60.pcap"
THREE = "lab/port_reuse.pcap"
QUIET = "lab/syn_only.pcap"


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89P")]
)
def test_a_flow_becomes_a_picture(keepalive, tmp_path, suffix, magic):
    """A capture with one flow that probes gives one picture, in the format that its name asks for."""
    out = tmp_path / f"founding{suffix}"
    done = keepalive("plot", FOUNDING, "-o", out)

    assert (0, f"{out}\n", "") == (done.status, done.out, done.err)
    assert out.read_bytes().startswith(magic)


def test_several_flows_become_several_files(keepalive, tmp_path):
    """Each flow has its number in the name of its picture."""
    done = keepalive("plot", THREE, "-o", tmp_path / "reuse.svg")

    assert 0 == done.status
    assert ["reuse-flow0.svg", "reuse-flow1.svg", "reuse-flow2.svg"] == sorted(p.name for p in tmp_path.iterdir())
    assert sorted(str(p) for p in tmp_path.iterdir()) == sorted(done.out.split())


def test_several_flows_become_several_pages(keepalive, tmp_path):
    """A PDF holds all flows, a page each."""
    out = tmp_path / "reuse.pdf"

    assert 0 == keepalive("plot", THREE, "-o", out).status
    assert 3 == len(re.findall(rb"/Type /Page\b", out.read_bytes()))


def test_flows_of_several_captures_are_told_apart(keepalive, tmp_path):
    """With several captures the name has the number of the capture too."""
    keepalive("plot", FOUNDING, "dead_peer_silence.pcap", "-o", tmp_path / "x.svg")

    assert ["x-capture1-flow0.svg", "x-capture2-flow0.svg"] == sorted(p.name for p in tmp_path.iterdir())


def test_a_flow_can_be_picked(keepalive, tmp_path):
    """--flow draws that flow, under the very name that was asked for."""
    done = keepalive("plot", THREE, "--flow", "1", "-o", tmp_path / "one.svg")

    assert 0 == done.status
    assert "Flow 1:" in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_a_flow_without_probes_can_be_picked(keepalive, tmp_path):
    """--flow draws any flow."""
    assert 0 == keepalive("plot", QUIET, "--flow", "0", "-o", tmp_path / "quiet.svg").status


def test_nothing_to_draw_is_said(keepalive, tmp_path):
    """A capture in which nothing probes gives no picture, and a sentence that says so."""
    for more in ((), ("--overview",)):
        done = keepalive("plot", QUIET, "-o", tmp_path / "quiet.svg", *more)

        assert (2, "") == (done.status, done.out)
        assert (
            "keepalive: nothing to draw: no flow sent keepalive or zero-window probes (--flow N draws any flow)\n"
            == done.err
        )
    assert [] == list(tmp_path.iterdir())


def test_nothing_asked_for_is_said(keepalive, tmp_path):
    """Where the choice of flows left none, the sentence says that."""
    done = keepalive("plot", FOUNDING, "--port", "9", "-o", tmp_path / "none.svg")

    assert 2 == done.status
    assert done.err.startswith("keepalive: nothing to draw: no flow that was asked for sent")


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_it_does_not_write_over_a_file(keepalive, tmp_path, suffix):
    """A file that is there stays as it is, unless --force is given."""
    out = tmp_path / f"founding.{suffix}"
    out.write_text("precious", encoding="utf-8")
    refused = keepalive("plot", FOUNDING, "-o", out)

    assert (2, "", f"keepalive: {out} exists; --force overwrites it\n") == (refused.status, refused.out, refused.err)
    assert "precious" == out.read_text(encoding="utf-8")
    assert 0 == keepalive("plot", FOUNDING, "-o", out, "--force").status
    assert b"precious" != out.read_bytes()


def test_none_of_several_is_written_if_one_is_there(keepalive, tmp_path):
    """Whether all names are free is seen before the first picture is made."""
    (tmp_path / "reuse-flow2.svg").touch()
    done = keepalive("plot", THREE, "-o", tmp_path / "reuse.svg")

    assert 2 == done.status
    assert ["reuse-flow2.svg"] == [p.name for p in tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["founding.gif", "founding", "png"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(keepalive, tmp_path, name):
    """What a picture cannot be saved as is said with what it can, before anything is read."""
    done = keepalive("plot", "no such capture", "-o", tmp_path / name)

    assert (2, "") == (done.status, done.out)
    assert f"keepalive: {tmp_path / name}: pictures are saved as .png, .svg or .pdf\n" == done.err


def test_a_folder_that_is_not_there_is_said(keepalive, tmp_path):
    """What cannot be written is one sentence."""
    out = tmp_path / "none" / "x.svg"
    done = keepalive("plot", FOUNDING, "-o", out)

    assert (2, f"keepalive: {out}: No such file or directory\n") == (done.status, done.err)


def test_output_is_asked_for(keepalive):
    """Without -o it does not guess a name."""
    done = keepalive("plot", FOUNDING)

    assert 2 == done.status
    assert "-o" in done.err


def test_more_flows_than_anyone_looks_at(keepalive, tmp_path):
    """Beyond --limit flows are not drawn, and it is said how to see them."""
    done = keepalive("plot", THREE, "-o", tmp_path / "reuse.svg", "--limit", "2")

    assert 0 == done.status
    assert 2 == len(list(tmp_path.iterdir()))
    assert (
        "keepalive: 1 more flow is not drawn: --limit 0 draws all, --flow N one, "
        "and --overview puts them into one picture\n" == done.err
    )


def test_only_flows_with_findings(keepalive, tmp_path):
    """--only-findings leaves out flows in which nothing was found."""
    keepalive("plot", THREE, "--only-findings", "-o", tmp_path / "reuse.svg")

    assert ["reuse-flow0.svg", "reuse-flow2.svg"] == sorted(p.name for p in tmp_path.iterdir())


def test_an_overview_is_one_picture(keepalive, tmp_path):
    """--overview draws all flows that probe, and the silences of all."""
    out = tmp_path / "all.svg"
    done = keepalive("plot", THREE, "--overview", "-o", out)
    markup = out.read_text(encoding="utf-8")

    assert (0, f"{out}\n") == (done.status, done.out)
    assert "3 flows with probes" in markup
    assert "silence, without any segment" in markup


def test_an_overview_of_each_capture(keepalive, tmp_path):
    """Captures are not thrown together: each has its own time."""
    done = keepalive("plot", THREE, QUIET, FOUNDING, "--overview", "-o", tmp_path / "all.svg")

    assert 0 == done.status
    assert ["all-capture1.svg", "all-capture3.svg"] == sorted(p.name for p in tmp_path.iterdir())


def test_very_many_flows_without_probes_are_not_all_asked(keepalive, tmp_path, monkeypatch):
    """The silences of very many flows are those of some, and that is said."""
    both = tmp_path / "both.pcap"
    both.write_bytes(Path("lab/app_heartbeat_one_byte.pcap").read_bytes() + Path(THREE).read_bytes()[24:])
    monkeypatch.setattr(plot, "OTHERS", 0)
    done = keepalive("plot", both, "--overview", "-o", tmp_path / "all.svg")

    assert 0 == done.status
    assert done.err.startswith("keepalive: the silences are those of 0 of the 1 flows that do not probe\n")


def test_of_very_many_flows_that_probe_the_most_important_are_drawn(keepalive, tmp_path, monkeypatch):
    """An overview judges no more flows than a picture can show, and says of how many."""
    monkeypatch.setattr(plot, "PROBING", 2)
    done = keepalive("plot", THREE, "--overview", "-o", tmp_path / "all.svg")

    assert 0 == done.status
    assert done.err.startswith("keepalive: the silences are those of the 2 most important of 3 flows that probe\n")


@pytest.mark.parametrize("theme", values.THEMES)
def test_a_theme_can_be_chosen(keepalive, tmp_path, theme):
    """There is one for light pages, one for dark ones, and one that lets the page through."""
    out = tmp_path / f"{theme}.svg"

    assert 0 == keepalive("plot", FOUNDING, "-o", out, "--theme", theme).status
    assert ("#0d1117" in out.read_text(encoding="utf-8")) == (theme == "dark")


def test_a_size_can_be_chosen(keepalive, tmp_path):
    """--size sets width and height in inches."""
    out = tmp_path / "small.svg"
    keepalive("plot", FOUNDING, "-o", out, "--size", "6x5")

    assert 'width="432pt" height="360pt"' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ("large", "large is not a size such as 9.6x6.4"),
        ("1x2", "1x2 is not between 5x4 and 100x100"),
        ("nanx6", "nanx6 is not between 5x4 and 100x100"),
    ],
)
def test_a_size_that_cannot_be_is_refused(keepalive, size, reason):
    """A size has to be one, and large enough for the words."""
    done = keepalive("plot", FOUNDING, "-o", "x.svg", "--size", size)

    assert 2 == done.status
    assert reason in done.err


def test_the_formats_and_themes_are_those_of_the_pictures():
    """What the command offers, without loading matplotlib for it, is what there is."""
    from analyzer.report.plot import FORMATS, THEMES

    assert {f".{name}" for name in FORMATS} == set(values.PICTURES)
    assert set(THEMES) == set(values.THEMES)


def test_help_loads_no_matplotlib():
    """The help of the verb is quick."""
    code = (
        "import atexit, sys; from analyzer.cli import main; "
        "atexit.register(lambda: print(*sys.modules)); main(['plot', '--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)

    assert "--overview" in done.stdout
    assert not {"matplotlib", "numpy"} & set(done.stdout.split())


def test_the_program_writes_nothing_else(program, tmp_path):
    """Run as a program it says what it wrote and nothing more."""
    out = tmp_path / "founding.png"
    done = program("plot", FOUNDING, "-o", out, env={"MPLCONFIGDIR": str(tmp_path / "mpl")})

    assert (0, f"{out}\n") == (done.status, done.out)


def test_silences_of_services_become_one_picture(keepalive, tmp_path):
    """With --idle-limits the silences of each service are drawn; without one that failed there is nothing to draw."""
    done = keepalive("plot", "dead_peer_silence.pcap", "--idle-limits", "-o", tmp_path / "limits.svg")
    nothing = keepalive("plot", QUIET, "--idle-limits", "-o", tmp_path / "none.svg")

    assert (0, f"{tmp_path / 'limits.svg'}\n") == (done.status, done.out)
    assert (2, True) == (nothing.status, "no silence of 3 s or more was broken in vain" in nothing.err)
