"""What a watch shows while it runs: which flows are looked at again, and what the kernel's word goes with."""

import json
from pathlib import Path

import pytest

from analyzer.analyzing import analyze
from analyzer.cli.displays import Changes, Log
from analyzer.report.live_screen import KernelView
from analyzer.units import NS_PER_S

CAPTURES = Path(__file__).parents[2] / "captures"


def test_flows_are_judged_when_they_change():
    """A flow is told of again only when something in its line has changed."""
    changes = Changes()
    analysis = analyze(str(CAPTURES / "founding_go_fin60.pcap"))

    assert [0] == [flow.number for flow in changes.of(analysis)]
    assert [] == list(changes.of(analysis))


class Host:
    """A kernel that has been asked just now."""

    def __init__(self, asked_ns):
        self.asked_ns = asked_ns
        self.link = self

    def views(self, judged):
        """The server's socket, as it is now."""
        return {"b": KernelView("CLOSE-WAIT", "", 0, 0, "4711 (server)")}

    def news(self, changed, now_ns):
        """Nothing of ways to hosts."""
        return iter(())


class Watched:
    """A watch whose flows are those of an analysis."""

    def __init__(self, analysis):
        self._analysis = analysis

    def view(self, now_ns):
        """The flows as they stand."""
        return self._analysis


def test_what_the_kernel_says_now_is_not_told_of_the_time_before_a_fin_or_rst(capsys):
    """Events that are told together bear no state of the time behind a later FIN or RST; JSON says when."""
    analysis = analyze(str(CAPTURES / "founding_go_fin60.pcap"))
    last_ns = analysis.flows[0].judged.record.last_ns

    Log(Watched(analysis), jsonl=False).look(Host(last_ns + 7 * NS_PER_S), last=True)
    Log(Watched(analysis), jsonl=True).look(Host(last_ns + 7 * NS_PER_S), last=True)

    out = capsys.readouterr().out.splitlines()
    text = [line for line in out if not line.startswith("{")]
    events = [json.loads(line) for line in out if line.startswith("{")]
    assert "probe" in [event["event"] for event in events[:-1]]
    assert [len(text) - 1] == [at for at, line in enumerate(text) if "kernel" in line]
    assert text[-1].endswith("; kernel: server CLOSE-WAIT, pid 4711 (server)")
    with_kernel = [event for event in events if "kernel" in event]
    assert ["verdict"] == [event["event"] for event in with_kernel]
    assert with_kernel[0]["kernel_time_s"] == pytest.approx((last_ns - analysis.start_ns()) / 1e9 + 7, abs=1e-6)
