"""Two simulated endpoints that may both probe, each with a stack of its own, and what an observer next to one captures.

Segments are written in the notation and go through the whole of the program: what restarts a clock, what answers what
and what was lost is for it to find out.
"""

import heapq
import math
import random
from dataclasses import dataclass

from analyzer.judge import recording, verdict
from analyzer.judge.timers import inference
from tests.notation import follow, parse

S = 1_000_000_000
STACKS = ("linux", "linux", "slow", "batch", "windows", "off")
PEER = {"a": "b", "b": "a"}
FOREVER = 10**9
SHOWN = 7


@dataclass
class Options:
    """What is set on a socket, in seconds."""

    stack: str
    idle: int
    interval: int
    count: int


class End:
    """One endpoint's keepalive timer as its stack has it."""

    def __init__(self, rng, options, name):
        self.rng, self.options, self.name = rng, options, name
        self.ticks_per_s = rng.choice([100, 250, 1000])
        self.phase = rng.random() / 2
        self.heard, self.out, self.timer, self.dead = 0.0, 0, FOREVER, False
        self.nxt, self.una, self.rcv = 1, 1, 1
        self.history = [(options.idle, options.interval)]
        """What was in force, one after the other."""

    def late(self, delay):
        """How late a timer fires, or how early (Windows)."""
        stack, rng = self.options.stack, self.rng
        if stack == "batch":
            return rng.random() * 0.5
        if stack == "windows":
            return rng.uniform(-0.016, 0.016)
        if stack == "slow":
            return 0
        granule, ticks = 1, delay * self.ticks_per_s
        while ticks >= 63 * granule:
            granule *= 8
        return rng.random() * granule / self.ticks_per_s

    def arm(self, now, delay):
        """Set the timer."""
        if self.options.stack == "slow":  # fires at its N-th tick from now
            ticks = int((now - self.phase) * 2 + 1e-6)
            self.timer = (ticks + max(1, math.ceil(delay * 2 - 1e-6))) / 2 + self.phase
        elif self.options.stack == "linux":  # fires at a tick
            self.timer = math.ceil((now + delay + self.late(delay)) * self.ticks_per_s - 1e-6) / self.ticks_per_s
        elif self.options.stack != "off":
            self.timer = now + max(0, delay + self.late(delay))

    def shown(self, flow, side, change_at):
        """Return what was in force while at least seven of its probes were answered."""
        at_ns = flow.first_ns + int(change_at * S)
        answered = [probe for probe in flow.probes_from(side) if probe.answer]
        before = sum(probe.ts_ns < at_ns for probe in answered)
        counts = (before, len(answered) - before)
        if len(self.history) == 1:
            return self.history
        return [values for values, count in zip(self.history, counts, strict=True) if count >= SHOWN]

    def hear(self, now, *, probe=False, octet=False):
        """Take a segment of the peer; an empty probe restarts no clock of Linux."""
        if self.options.stack == "linux" and probe and not octet:
            return
        self.heard = now if self.options.stack != "linux" else int(now * self.ticks_per_s) / self.ticks_per_s
        self.out = 0
        if self.options.stack != "linux":  # Linux lets the timer run, and looks then how long it was
            self.arm(now, self.options.idle)

    def fire(self, now):
        """Say what the timer does: None, probe or rst."""
        options = self.options
        left = options.idle - (now - self.heard)
        if options.stack == "linux" and left > 0.0001:
            self.arm(now, left)
            return None
        if self.out >= options.count:
            return "rst"
        self.out += 1
        self.arm(now, options.interval)
        return "probe"


class Pair:
    """A connection; ``text`` is what was captured of it, next to ``near``."""

    def __init__(self, seed, *, lossy=False, changing=False):
        self.rng = rng = random.Random(seed)
        self.near = rng.choice("ab")
        self.way = rng.choice([0.00002, 0.01, 0.1])
        self.loss = rng.choice([0.05, 0.3]) if lossy else 0
        self.deaf_ns = rng.choice([FOREVER, rng.uniform(20, 200)])
        self.ends = {name: End(rng, self.options(), name) for name in "ab"}
        if changing:  # of one that probes alone: two that change at once show nothing
            for end, stacks in zip(
                self.ends.values(), rng.sample([("linux", "batch", "slow"), ("off",)], 2), strict=True
            ):
                end.options.stack = rng.choice(stacks)
        self.change_at = rng.uniform(30, 200) if changing else FOREVER
        self.lines, self.events, self.serial = [], [], 0
        self.last = 0.0

    def options(self):
        """Draw what is set on a socket."""
        rng = self.rng
        return Options(
            rng.choice(STACKS), rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15]), rng.choice([1, 2, 3, 5, 10]),
            rng.choice([2, 3, 9]),
        )  # fmt: skip

    def push(self, at, what, *more):
        """Let something happen later."""
        self.serial += 1
        heapq.heappush(self.events, (at, self.serial, what, *more))

    def send(self, now, name, text, *, may_be_lost=True, what="", size=0):
        """Send a segment: it passes the observer at once if he is near, else if it was not lost on its way."""
        lost = may_be_lost and (self.rng.random() < self.loss or now > self.deaf_ns)
        seen_at = now + (0.000001 if name == self.near else self.way)
        if name == self.near or not lost:
            ttl = 64 if name == self.near else 63
            self.push(seen_at, "see", f"{name} > {PEER[name]} {text} ttl {ttl}")
        if not lost:
            self.push(now + self.way, "arrive", PEER[name], what, size)

    def run(self, seconds=300):
        """Let time pass."""
        rng = self.rng
        self.send(0, "a", "S 0:0(0)", may_be_lost=False, what="syn")
        for _ in range(rng.choice([0, 0, 1, 3])):
            self.push(rng.uniform(1, 200), "data", rng.choice("ab"))
        self.push(self.change_at, "change")
        while self.events:
            now, _, what, *more = heapq.heappop(self.events)
            if now > seconds:
                break
            getattr(self, f"on_{what}")(now, *more)
            for end in self.ends.values():
                if not end.dead and end.timer < FOREVER and end.timer < (self.events[0][0] if self.events else seconds):
                    self.push(max(end.timer, now), "timer", end.name, end.timer)
        return "\n".join(["# Simulated.", *self.lines, ""])

    def on_see(self, now, text):
        """Write down what passes the observer."""
        self.lines.append(f"+{max(now - self.last, 0):.9f} {text}")
        self.last = max(now, self.last)

    def on_change(self, now):
        """Set other options, as setsockopt does."""
        for end in self.ends.values():
            if end.dead or end.options.stack == "off":
                continue
            end.options.idle = self.rng.choice([2, 5, 9, 14])
            end.options.interval = min(end.options.interval, end.options.idle)
            end.history.append((end.options.idle, end.options.interval))
            end.arm(now, max(0.0, end.options.idle - (now - end.heard)))

    def on_data(self, now, name):
        """Send eight octets if nothing is outstanding; they are sent again until they are acknowledged."""
        end = self.ends[name]
        if not end.dead and end.nxt == end.una:
            end.nxt += 8
            self.transmit(now, name, 0.3)

    def transmit(self, now, name, again):
        """Send what is outstanding, and again later."""
        end = self.ends[name]
        if end.dead or end.una == end.nxt:
            return
        self.send(now, name, f"P. {end.una}:{end.nxt}({end.nxt - end.una}) ack {end.rcv}", what="data", size=end.nxt)
        self.push(now + again, "again", name, again)

    def on_again(self, now, name, again):
        """A retransmission timer runs out."""
        self.transmit(now, name, again * 2)

    def on_timer(self, now, name, armed):
        """A keepalive timer runs out, unless it was set anew."""
        end = self.ends[name]
        if end.dead or end.timer != armed:
            return
        end.timer = FOREVER
        if end.nxt != end.una:
            end.arm(now, end.options.idle)
            return
        does = end.fire(now)
        if does == "probe":
            octet = end.options.stack == "windows"
            numbers = f"{end.una - 1}:{end.una}(1)" if octet else f"{end.una - 1}:{end.una - 1}(0)"
            self.send(now, name, f". {numbers} ack {end.rcv}", what="octet" if octet else "probe")
        elif does == "rst":
            end.dead = True
            self.send(now, name, f"R. {end.nxt}:{end.nxt}(0) ack {end.rcv}", what="rst")

    def on_arrive(self, now, name, what, size):
        """A segment reaches an endpoint."""
        end = self.ends[name]
        if end.dead:
            if what in {"probe", "octet", "data"}:
                self.send(now, name, f"R {end.nxt}:{end.nxt}(0)", what="late rst")
            return
        if what == "syn":
            self.send(now, name, "S. 0:0(0) ack 1", may_be_lost=False, what="syn ack")
        elif what == "syn ack":
            self.send(now, name, ". 1:1(0) ack 1", may_be_lost=False, what="ack")
            end.hear(now)
            end.arm(now, end.options.idle)
        elif what == "data":
            end.rcv = max(end.rcv, size)
            end.hear(now)
            self.answer(now, name)
        elif what in {"probe", "octet"}:
            end.hear(now, probe=True, octet=what == "octet")
            self.answer(now, name)
        elif what == "rst":
            end.dead = True
        elif what == "ack":
            end.una = max(end.una, size)
            end.hear(now)
            if end.timer == FOREVER:
                end.arm(now, end.options.idle)

    def answer(self, now, name):
        """Acknowledge."""
        end = self.ends[name]
        self.send(now, name, f". {end.nxt}:{end.nxt}(0) ack {end.rcv}", what="ack", size=end.rcv)


def claims_of(pair):
    """Yield what is claimed of the timers of both ends, whether it holds what was in force, and whether it is a value.

    What was in force for a few probes only shows in none of them.
    """
    batch = next(iter(follow([parse(pair.run()).batch()])))
    flow = recording.build(batch, 0)
    ending = verdict.ending_of(batch, 0, int(verdict.decide(batch)[0]))
    for side, end in pair.ends.items():
        settings = inference.infer(flow, ending, side)
        if settings is None:
            continue
        for idle, interval in end.shown(flow, side, pair.change_at):
            period = max(idle, interval) if end.options.stack == "linux" else idle
            masked = len(end.history) > 1 and interval >= idle
            truths = {"idle": idle, "interval": interval, "period": period}
            for name, truth in truths.items():
                timer = getattr(settings, name)
                if timer is None or (len(end.history) > 1 and name == "interval") or (masked and name == "idle"):
                    continue
                held = timer.low_ns <= truth * S <= timer.high_ns and timer.value_ns in {None, truth * S}
                yield (side, name, truth, timer, settings.stack), held, timer.value_ns is not None
