"""Hand-made trains of probes, written event by event, and what is inferred of them."""

import dataclasses

from analyzer.judge import recording, verdict
from analyzer.judge.timers import inference
from analyzer.judge.timers.gaps import GAP
from analyzer.judge.timers.timer import TIMER
from analyzer.loops.loop import records
from analyzer.segment import NONE
from tests.notation import follow, parse

S = 1_000_000_000
MS = 1_000_000


class Story:
    """A capture in which b probes; written event by event, each with the seconds since the one before."""

    def __init__(self, *, ttl=64, octet=False, timestamps=False, midstream=False):
        self.words = f"ttl {ttl}"
        self.octet, self.timestamps = octet, timestamps
        self.heard = 6
        self.lines = ["# made by hand"]
        if not midstream:
            self.add(0, "a > b S 0:0(0)")
            self.add(0.00001, f"b > a S. 0:0(0) ack 1 {self.words}")
            self.add(0.00001, "a > b . 1:1(0) ack 1")
            self.add(0.00001, "a > b P. 1:6(5) ack 1")
            self.add(0.00001, f"b > a . 1:1(0) ack 6 {self.words}")

    def add(self, gap_s, text, *, bare=False):
        """Write one segment."""
        stamped = self.timestamps and not bare
        self.lines.append(f"+{gap_s:.9f} {text}{' <ts 1 1>' if stamped else ''}")
        return self

    def probes(self, *gaps_s, answered=True):
        """Let b probe after each of the gaps."""
        numbers = "0:1(1)" if self.octet else "0:0(0)"
        for gap_s in gaps_s:
            self.add(gap_s, f"b > a . {numbers} ack {self.heard} {self.words}", bare=True)
            if answered:
                self.add(0, f"a > b . {self.heard}:{self.heard}(0) ack 1")
        return self

    def silence(self, *gaps_s):
        """Let b probe in vain."""
        return self.probes(*gaps_s, answered=False)

    def data(self, gap_s, *, size=5):
        """Let a send data, which b acknowledges."""
        self.add(gap_s, f"a > b P. {self.heard}:{self.heard + size}({size}) ack 1")
        self.heard += size
        return self.add(0, f"b > a . 1:1(0) ack {self.heard} {self.words}")

    def again(self, gap_s, *, size=5):
        """Let a send its last data again."""
        return self.add(gap_s, f"a > b P. {self.heard - size}:{self.heard}({size}) ack 1")

    def fin(self, gap_s):
        """Let a close."""
        self.add(gap_s, f"a > b F. {self.heard}:{self.heard}(0) ack 1")
        self.heard += 1
        return self.add(0.04, f"b > a . 1:1(0) ack {self.heard} {self.words}")

    def peer_probe(self, gap_s):
        """Let a probe b, which answers."""
        self.add(gap_s, f"a > b . {self.heard - 1}:{self.heard - 1}(0) ack 1")
        return self.add(0, f"b > a . 1:1(0) ack {self.heard} {self.words}")

    def gives_up(self, gap_s):
        """Let b reset."""
        return self.add(gap_s, f"b > a R. 1:1(0) ack {self.heard} {self.words}")

    def flow(self, wait_s=0):
        """Return the flow's record and ending."""
        text = "\n".join([*self.lines, f"end: +{wait_s}", ""])
        batch = next(iter(follow([parse(text).batch()])))
        return recording.build(batch, 0), verdict.ending_of(batch, 0, int(verdict.decide(batch)[0]))

    def settings(self):
        """Return what is inferred of the prober; in mid-stream it may have sent the first segment seen."""
        flow, ending = self.flow()
        return inference.infer(flow, ending, "a" if flow.a.port == 80 else "b")


def seconds(timer):
    """Return a timer's value in seconds, or None."""
    return None if timer is None or timer.value_ns is None else timer.value_ns / S


def bounds(timer):
    """Return a timer's bounds in seconds."""
    return timer.low_ns / S, timer.high_ns / S


def made(record_type, /, **values):
    """Return a record of facts with all other fields None."""
    names = getattr(record_type, "_fields", None) or [field.name for field in dataclasses.fields(record_type)]
    return record_type(**{name: values.get(name) for name in names})


def gap(seconds, frame=1, *, least=None, slack_ms=0, jitter_ms=0, since=None, tick_ms=0):
    """A gap of so many seconds between a frame and the next, as loops take it."""
    row = records(GAP, 1, jit=False)[0]
    ns = round(seconds * S)
    row |= {"ns": ns, "least_ns": ns if least is None else round(least * S), "first_frame": frame}
    row |= {"last_frame": frame + 1, "since_ns": NONE if since is None else round(since * S)}
    return row | {
        name: ms * 1_000_000 for name, ms in (("slack_ns", slack_ms), ("jitter_ns", jitter_ms), ("tick_ns", tick_ms))
    }


def timer(**values):
    """A timer of which something is known, as loops take it."""
    return records(TIMER, 1, jit=False)[0] | {"there": 1} | values
