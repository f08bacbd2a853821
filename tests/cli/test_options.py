"""What the shared options mean."""

import argparse
import json

import pytest

from analyzer.cli import options as shared
from tests.wireshark.needs import needs_tshark


def parsed(*arguments):
    """Options of a verb that has all the shared ones."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    shared.add_input(parser)
    shared.add_selection(parser)
    shared.add_fail_on(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["one.pcap", "two.pcap"], ["one.pcap", "two.pcap"]),
        (["-r", "one.pcap"], ["one.pcap"]),
        (["-r", "one.pcap", "two.pcap", "-n"], ["one.pcap", "two.pcap"]),
    ],
)
def test_files_are_named_as_tcpdump_does_or_plainly(arguments, expected):
    """A file is an argument, or follows -r; -n is accepted, since no name is ever looked up."""
    assert expected == shared.files(parsed(*arguments))


def test_a_terminal_is_no_capture(monkeypatch):
    """A capture is not expected to be typed."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    with pytest.raises(shared.UsageError, match="standard input is a terminal"):
        shared.files(parsed("-"))


def test_the_selection_is_what_the_options_say():
    """Hosts, ports and flow numbers may be given several times, as lists, and as ranges."""
    hosts = ("--host", "[::1],10.0.0.0/8", "--host", "192.0.2.1-192.0.2.3")
    chosen = shared.selection(
        parsed("x", *hosts, "--port", "80,8000-8002", "--port", "443", "--flow", "1,2", "--flow", "3")
    )

    assert ("::1", "10.0.0.0/8", "192.0.2.1/32", "192.0.2.2/31") == chosen.hosts
    assert ((80, 8000, 8001, 8002, 443), (1, 2, 3)) == (chosen.ports, chosen.numbers)


def test_a_flow_that_is_not_there_is_said(keepalive):
    """Of several numbers those that no flow has are named, and the others are told."""
    done = keepalive("report", "founding_go_fin60.pcap", "--flow", "0,99")
    beside = keepalive("report", "founding_go_fin60.pcap", "--flow", "0", "--port", "1")

    assert (0, "keepalive: note: there is no flow 99 here: there is only flow 0\n") == (done.status, done.err)
    assert "flow 0 is here, but not with what else was asked for" in beside.err


@pytest.mark.parametrize("verb", ["explain", "report"])
def test_a_flow_of_one_of_several_captures(keepalive, verb):
    """A flow is named as the report calls it, and one of a capture that is not there is refused."""
    captures = ("founding_go_fin60.pcap", "dead_peer_silence.pcap")
    found = json.loads(keepalive(verb, "--json", "--flow", "1:0", *captures).out)["flows"]
    absent = keepalive(verb, "--flow", "2:0", *captures)

    assert [1] == [flow["capture"] for flow in found]
    assert absent.err == "keepalive: no flow 2:0 here: the captures are 0 to 1, their flows 0 to 0 at most\n"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("report", "--table", "probes"), "--table"),
        (("report", "--force"), "--force"),
        (("explain", "--flow", "0", "--limit", "1"), "--limit"),
        (("explain", "--force"), "--force"),
    ],
)
def test_an_option_without_effect_is_said(keepalive, arguments, option):
    """An option that has no effect beside the others is named, with the reason, and the rest is done."""
    verb, *more = arguments
    done = keepalive(verb, "founding_go_fin60.pcap", *more)

    assert 0 == done.status
    assert done.err.startswith(f"keepalive: note: {option} is ignored: ")


@pytest.mark.parametrize("form", [("report",), ("report", "--json"), ("report", "--csv"), ("explain",)])
def test_a_named_capture_that_cannot_be_read_is_status_2(keepalive, form):
    """The others are told all the same, but the exit status says that something is missing."""
    done = keepalive(*form, "founding_go_fin60.pcap", "none.pcap")
    alone = keepalive(*form, "founding_go_fin60.pcap", "--fail-on", "reset_on_probe", "none.pcap")

    assert (2, 2) == (done.status, alone.status)
    assert "keepalive: none.pcap: no such file" in done.err
    assert "127.0.0.1:59285" in done.out


def test_words_to_fail_on_are_separated_by_commas():
    """--fail-on takes verdicts and findings together."""
    words = parsed("x", "--fail-on", "silent,timed_out", "--fail-on", "both-ends-probe").fail_on

    assert ["silent", "timed_out", "both-ends-probe"] == words
    shared.check_words(words)


def test_an_unknown_word_is_answered_with_the_known_ones():
    """A word that is neither verdict nor finding is refused with what may be meant, and where all words are."""
    with pytest.raises(shared.UsageError, match=r"called dead or gone; the verdicts are closed, .*; keepalive rules"):
        shared.check_words(["dead", "silent", "gone"])
    with pytest.raises(shared.UsageError, match=r"called close-wait-held; did you mean close-wait-held-by-keepalive "):
        shared.check_words(["close-wait-held"])


def test_a_file_is_not_written_over_unasked(tmp_path):
    """Only --force writes over a file."""
    there = tmp_path / "there.html"
    there.touch()

    shared.refuse_overwrite(str(there), force=True)
    shared.refuse_overwrite(str(tmp_path / "new.html"), force=False)
    with pytest.raises(shared.UsageError, match="exists; --force overwrites it"):
        shared.refuse_overwrite(str(there), force=False)


@needs_tshark
@pytest.mark.parametrize("verb", [("report",), ("explain",), ("report", "--json"), ("report", "--csv")])
def test_a_display_filter_selects_flows(keepalive, verb):
    """With -Y only flows that contain a matching frame are left, in every form."""
    one = keepalive(*verb, "lab/port_reuse.pcap", "-Y", "frame.number == 30")
    none = keepalive(*verb, "lab/port_reuse.pcap", "-Y", "udp")
    everything = keepalive(*verb, "lab/port_reuse.pcap")

    assert 0 == one.status == none.status
    assert len(none.out) < len(one.out) < len(everything.out)


@needs_tshark
def test_a_display_filter_selects_pictures(keepalive, tmp_path):
    """With -Y only matching flows are drawn."""
    done = keepalive("plot", "lab/port_reuse.pcap", "-Y", "frame.number == 30", "-o", tmp_path / "out.svg")

    nothing = keepalive("plot", "lab/port_reuse.pcap", "-Y", "udp", "-o", tmp_path / "none.svg")

    assert (0, 2) == (done.status, nothing.status)
    assert "nothing to draw: no flow that was asked for" in nothing.err
    assert 1 == len(list(tmp_path.iterdir()))


@needs_tshark
@pytest.mark.parametrize("verb", ["report", "explain", "plot"])
def test_a_wrong_display_filter_is_explained_by_tshark(keepalive, verb, tmp_path):
    """The message is tshark's own, with its pointer, and the status 2."""
    more = ("-o", tmp_path / "x.svg") if verb == "plot" else ()
    done = keepalive(verb, "lab/port_reuse.pcap", "-Y", "no.such == 1", *more)

    assert (2, "") == (done.status, done.out)
    assert "keepalive: -Y: tshark does not understand the filter:\n" in done.err
    assert "no.such == 1\n    ^~~~~~~" in done.err


def test_a_display_filter_needs_tshark(keepalive, monkeypatch, tmp_path):
    """Without tshark, the way to it is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = keepalive("report", "lab/port_reuse.pcap", "-Y", "tcp")

    assert 2 == done.status
    assert "this needs tshark" in done.err


def test_a_display_filter_cannot_read_a_pipe(program):
    """What tshark would have to read too has to be a file."""
    done = program("report", "-", "-Y", "tcp", stdin=b"")

    assert 2 == done.status
    assert "standard input can be read only once" in done.err
