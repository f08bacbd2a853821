"""Flows with what passes beside them, made frame by frame, judged and told."""

import tempfile
from functools import cached_property
from pathlib import Path

from analyzer import explain
from analyzer.analyzing import analyze
from tests.capture.craft import enhanced, interface, option, pcap, section
from tests.track.test_beside import Made
from tests.track.test_beside import dead as dead_frames


class Shown(Made):
    """A capture in the making whose first flow is judged and told."""

    filter = ""
    """The expression that it was captured with, for a pcapng; without one it is a pcap."""

    @cached_property
    def _analysis(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.pcap"
            frames = sorted(self.frames, key=lambda frame: frame.ts_ns)
            path.write_bytes(filtered(frames, self.filter) if self.filter else pcap(frames))
            result = analyze(path, jit=False)
            for flow in result.flows:
                assert flow.judged is not None
        return result

    def judged(self, number=0):
        """The judged flow of that number."""
        return next(flow.judged for flow in self._analysis.flows if flow.number == number)

    def headline(self):
        """The headline of its story."""
        return explain.story(self.judged(), self._analysis.start_ns()).headline

    def section(self, heading):
        """The text of a section of its story, empty if it has none."""
        found = explain.story(self.judged(), self._analysis.start_ns()).section(heading)
        return " ".join(line.text for line in found.lines) if found else ""


def filtered(frames, expression):
    """A pcapng that says with which filter it was captured."""
    described = interface(options=option(11, b"\0" + expression.encode()) + option(9, b"\t"))
    return section() + described + b"".join(enhanced(frame.octets, frame.ts_ns) for frame in frames)


def dead(**options):
    """A flow in which b falls silent at 1 s, and a probes in vain at 10, 12 and 14 s; seen to 31 s."""
    made = dead_frames(**options)
    shown = Shown(router=options.get("router", False), host_b=made.ip_b)
    shown.frames = made.frames
    return shown


def cause_of(made):
    """Code and certainty of the surest cause of the first flow, and the other codes."""
    judged = made.judged()
    if judged.cause is None:
        return None
    return judged.cause.code, judged.cause.certainty.value, *[cause.code for cause in judged.causes[1:]]
