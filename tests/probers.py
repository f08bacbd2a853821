"""Simulated probers, whose settings are known, and how a claim about them compares with the truth."""

import random

from analyzer.judge.events import EndpointFacts, Reset
from analyzer.judge.probe import Probe
from analyzer.judge.record import FlowRecord
from analyzer.judge.verdict import Ending, Verdict
from tests.trains import made

S = 1_000_000_000


class Prober:
    """A timer as in Linux's tcp_keepalive_timer or in BSD's tcp_timer_keep, seen from somewhere on the way.

    Timers are late as the stack makes them, segments take time and some get lost, the peer sends data and may die.
    ``flow`` is what the observer makes of it.
    """

    def __init__(self, seed, *, lossy):
        self.rng = rng = random.Random(seed)
        self.idle = rng.choice([1, 2, 3, 4, 5, 6, 7, 10, 12, 15, 20, 25, 30, 45, 60, 75, 120, 300, 600, 7200]) * S
        self.interval = rng.choice([1, 1, 2, 3, 4, 5, 10, 15, 30, 60, 75]) * S
        self.count = rng.choice([2, 3, 5, 9])
        self.bsd = rng.random() < 0.3
        self.ticks_per_s = rng.choice([100, 250, 300, 1000])
        self.near = lossy or rng.random() < 0.5
        self.round_trip = rng.choice([20_000, 20_000, 20_000_000, 80_000_000, 200_000_000, 280_000_000])
        self.share = 0.001 if self.near else rng.choice([0.5, 0.999])
        self.loss = rng.choice([0.05, 0.2, 0.4]) if lossy else 0
        self.midstream = rng.random() < 0.25
        self.phase = int(random.Random(-seed).random() * S / self.ticks_per_s)  # how long ago the last tick was
        self.seen = []

    @property
    def period(self):
        """Spacing of answered probes."""
        return self.idle if self.bsd else max(self.idle, self.interval)

    def late(self, delay):
        """Return by how much a timer comes late."""
        if self.bsd:
            return int(self.rng.random() * S / 2)
        granule, ticks = 1, delay * self.ticks_per_s // S
        while ticks >= 63 * granule:
            granule *= 8
        busy = self.rng.random() * 0.05 if self.rng.random() < 0.1 else 0
        return int(self.rng.random() * granule * S / self.ticks_per_s + busy * S)

    def tick(self, at):
        """Return the last tick before an instant, by which Linux stamps what it receives and fires its timers."""
        if self.bsd:
            return at
        ticks = (at + self.phase) * self.ticks_per_s // S
        return -(-ticks * S // self.ticks_per_s) - self.phase

    def way(self, share):
        """Return how long a segment takes on its share of the way."""
        return int(self.round_trip / 2 * share * (1 + self.rng.uniform(-0.025, 0.025)))

    def lost(self):
        """Say whether a segment gets lost between observer and peer."""
        return self.rng.random() < self.loss

    def run(self):
        """Let time pass; fill ``seen`` with (time, what, number of the probe)."""
        rng, unit = self.rng, max(self.idle, self.interval)
        death = rng.choice([10**30, int(rng.uniform(0, 10) * unit)])
        end = int(rng.uniform(2, 20) * unit)
        said = sorted(int(rng.uniform(0, 12) * unit) for _ in range(rng.choice([0, 0, 1, 2, 4])))
        said = [0, *(at for at in said if at < death)]
        self.seen = [(at, "data", 0) for at in said]
        coming = [at + self.way(self.share) for at in said]
        heard, sent, out = self.tick(coming.pop(0)), 0, 0
        timer = self.tick(heard + self.idle + self.late(self.idle))
        while timer < end:
            arrived = [at for at in coming if at <= timer]
            coming = [at for at in coming if at > timer]
            if arrived:
                heard, out = self.tick(max(arrived)), 0
                if self.bsd:
                    timer = heard + self.idle + self.late(self.idle)
                    continue
            left = self.idle - (timer - heard)
            if left > 0:
                timer = self.tick(timer + left + self.late(left))
                continue
            if out >= self.count:
                self.seen.append((timer + self.way(self.share), "rst", 0))
                break
            sent, out = sent + 1, out + 1
            passes = timer + self.way(self.share)
            self.seen.append((passes, "probe", sent))
            if not self.lost() and passes < death and not self.lost():
                back = passes + 2 * self.way(1 - self.share)
                self.seen.append((back, "ack", sent))
                coming.append(back + self.way(self.share))
            timer = self.tick(timer + self.interval + self.late(self.interval))

    def flow(self):
        """Return what the observer records, or None if it saw no probe."""
        self.run()
        begin = int(self.rng.uniform(1, 6) * max(self.idle, self.interval)) if self.midstream else 0
        seen = [(frame, *each) for frame, each in enumerate(sorted(self.seen), start=4) if each[0] >= begin]
        probed = {number for _, _, what, number in seen if what == "probe"}
        answers = {number: (frame, at) for frame, at, what, number in seen if what == "ack"}
        base, probes = None, []
        for frame, at, what, number in seen:
            if what == "data" or (what == "ack" and number not in probed):
                base = (frame, at)
            if what == "probe":
                answer = answers.get(number)
                probes.append(
                    made(
                        Probe,
                        frame=frame,
                        ts_ns=at,
                        sender="b",
                        payload_len=0,
                        certainty="certain",
                        idle_ns=at - base[1] if base else None,
                        idle_frame=base[0] if base else None,
                        answer="ack" if answer else None,
                        answer_frame=answer[0] if answer else None,
                        answer_ns=answer[1] - at if answer else None,
                        header_len=32,
                    )
                )
        if not probes:
            return None
        last_frame, last_ns, last, _ = seen[-1]
        ending, resets = Ending(Verdict.OPEN, None, None, None, "open"), ()
        if last == "rst" and probes[-1].answer is None:
            ending = Ending(Verdict.TIMED_OUT, "b", last_frame, last_ns, "prober-gave-up")
            resets = (made(Reset, frame=last_frame, ts_ns=last_ns, sender="b", kind="gave_up", accepted_end=True),)
        opened = {} if self.midstream else {"syn_count": 1, "syn_ns": -self.round_trip, "ack_ns": 0}
        ttl = (64, 64) if self.near else (63, 63)
        return made(
            FlowRecord,
            initiator=None if self.midstream else "a",
            starts_with="midstream" if self.midstream else "handshake",
            first_ns=seen[0][1],
            facts_a=made(EndpointFacts, missed=0, timestamps=True, **opened),
            facts_b=made(EndpointFacts, missed=0, timestamps=True, ttl=ttl),
            backwards=0,
            holes=(),
            probes=tuple(probes),
            resets=resets,
            resent=(),
            not_probes=(),
        ), ending


def in_order(timer):
    """Say whether the bounds of a claim are in order, and hold its value."""
    value_ns = timer.low_ns if timer.value_ns is None else timer.value_ns
    return timer.low_ns <= value_ns <= timer.high_ns


def timers_of(settings):
    """Return the durations that are claimed of an endpoint, by name."""
    named = {name: getattr(settings, name) for name in ("idle", "interval", "period")} if settings else {}
    return {name: timer for name, timer in named.items() if timer is not None}


def judged(timer, truth_ns):
    """Say how a claim compares with the truth: right, bounds, none, or what is wrong with it."""
    if timer is None:
        return "none"
    if not timer.low_ns <= truth_ns <= timer.high_ns:
        return "outside its bounds"
    if not in_order(timer):
        return "bounds out of order"
    if timer.value_ns is None:
        return "bounds"
    return "right" if timer.value_ns == truth_ns else "wrong"
