"""What the shared options mean."""

import argparse

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
    """Hosts, ports and flow numbers may be given several times."""
    chosen = shared.selection(
        parsed("x", "--host", "[::1]", "--host", "10.0.0.0/8", "--port", "80", "--flow", "1,2", "--flow", "3")
    )

    assert (("::1", "10.0.0.0/8"), (80,), (1, 2, 3)) == (chosen.hosts, chosen.ports, chosen.numbers)


def test_words_to_fail_on_are_separated_by_commas():
    """--fail-on takes verdicts and findings together."""
    words = parsed("x", "--fail-on", "silent,timed_out", "--fail-on", "both-ends-probe").fail_on

    assert ["silent", "timed_out", "both-ends-probe"] == words
    shared.check_words(words)


def test_an_unknown_word_is_answered_with_the_known_ones():
    """A word that is neither verdict nor finding is refused with the list of both."""
    with pytest.raises(shared.UsageError, match=r"called dead or gone; the verdicts are closed, .*; the findings are"):
        shared.check_words(["dead", "silent", "gone"])


def test_a_file_is_not_written_over_unasked(tmp_path):
    """Only --force writes over a file."""
    there = tmp_path / "there.html"
    there.touch()

    shared.refuse_overwrite(str(there), force=True)
    shared.refuse_overwrite(str(tmp_path / "new.html"), force=False)
    with pytest.raises(shared.UsageError, match="exists; --force writes over it"):
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
