"""Traffic that Hypothesis draws: endpoints that behave like TCP, and a tap that loses, repeats and reorders.

A step is what one endpoint does next: ``Step(gap_ns, who, what, how, fate)``. ``capture`` turns steps into SEGMENT
rows. The endpoints keep the numbers of RFC 9293, so that the probes, answers, retransmissions, FINs and RSTs they send
have the right ones; ``how`` picks among variants (lengths, windows, wrong numbers), and ``fate`` is what the tap sees.
"""

import random
from typing import NamedTuple

from hypothesis import strategies as st

from analyzer.segment import ABSENT, ACK, FIN, PSH, RST, SEGMENT, SYN, address_halves, empty_rows
from tests.notation import ADDRESS, PORT, START_NS, plain

SPACE = 1 << 32
MS = 1_000_000
GAPS = (
    0,
    10_000,
    3 * MS,
    12 * MS,
    60 * MS,
    220 * MS,
    500 * MS,
    950 * MS,
    2000 * MS,
    5010 * MS,
    5020 * MS,
    130_000 * MS,
)
BACK = (-3 * MS, -2000 * MS)
ACTIONS = (
    *("data", "octet", "ack", "ack", "probe", "probe", "answer", "octet_probe", "again", "fin", "syn", "syn_ack"),
    *("shut", "open", "rst", "bare_rst", "give_up", "old_ack", "wild", "copy", "icmp", "cut"),
)
QUIET_ACTIONS = ("data", "octet", "ack", "probe", "probe", "probe", "answer", "answer", "octet_probe", "again", "shut")
FATES = ("seen", "seen", "seen", "seen", "lost", "late")


class Step(NamedTuple):
    """What an endpoint does, and what the tap sees of it."""

    gap_ns: int
    who: str
    what: str
    how: int
    fate: str


steps = st.builds(
    Step,
    st.sampled_from(GAPS + BACK),
    st.sampled_from("ab"),
    st.sampled_from(ACTIONS),
    st.integers(0, 7),
    st.sampled_from(FATES),
)
"""Anything."""
calm_steps = st.builds(
    Step,
    st.sampled_from(GAPS[:-1]),
    st.sampled_from("ab"),
    st.sampled_from(QUIET_ACTIONS),
    st.integers(0, 3),
    st.sampled_from(("seen", "seen", "seen", "seen", "seen", "lost")),
)
"""An established connection that mostly works."""
two_flows = st.builds(
    Step,
    st.sampled_from(GAPS),
    st.sampled_from("abcd"),
    st.sampled_from(ACTIONS),
    st.integers(0, 7),
    st.sampled_from(FATES),
)
"""Anything, on two pairs of endpoints."""


@st.composite
def captures(draw, most=40):
    """Draw SEGMENT rows: with or without handshake, timestamps and IP IDs, over one or two flows."""
    kind = draw(st.sampled_from((steps, calm_steps, two_flows)))
    drawn = draw(st.lists(kind, min_size=1, max_size=most))
    return capture(drawn, handshake=draw(st.booleans()), stamps=draw(st.booleans()), ids=draw(st.booleans()))


def at_random(seed, length=40):
    """Return rows drawn without Hypothesis, where many are needed and none is ever minimised."""
    pick = random.Random(seed)
    who = pick.choice(("ab", "ab", "abcd"))
    actions = pick.choice((ACTIONS, QUIET_ACTIONS))
    drawn = [
        Step(pick.choice(GAPS), pick.choice(who), pick.choice(actions), pick.randrange(8), pick.choice(FATES))
        for _ in range(length)
    ]
    return capture(drawn, handshake=pick.random() < 0.7, stamps=pick.random() < 0.5, ids=pick.random() < 0.5)


def capture(drawn, *, handshake=True, stamps=False, ids=True):
    """Let the steps happen; return what the tap saw as SEGMENT rows."""
    tap = _Tap(stamps=stamps, ids=ids)
    if handshake:
        for who, what in (("a", "syn"), ("b", "syn_ack"), ("a", "ack")):
            tap.step(Step(MS, who, what, 0, "seen"))
    for step in drawn:
        tap.step(step)
    rows = empty_rows(len(tap.seen))
    for at, values in enumerate(tap.seen):
        for name, value in values.items():
            rows[at][name] = value
        rows[at]["frame"] = at + 1
    return rows


def plains(rows):
    """Return SEGMENT rows as dicts."""
    return [plain(row) for row in rows]


class _End:
    def __init__(self, name, initial):
        self.name = name
        self.peer = None
        self.isn = initial
        self.window = 512
        self.ip_id = 1000 if name in "ac" else 60000
        self.nxt = initial
        self.una = initial
        self.rcv = 0
        self.last = None

    def begin(self, initial):
        """Start anew with an initial number."""
        self.isn, self.nxt, self.una = initial, initial + 1, initial
        self.peer.rcv = initial + 1


class _Tap:
    def __init__(self, *, stamps, ids):
        self.now_ns = START_NS
        self.stamps = stamps
        self.ids = ids
        self.seen = []
        self.ends = {
            name: _End(name, initial) for name, initial in zip("abcd", (SPACE - 3, SPACE - 1, 7, 99), strict=True)
        }
        for one, two in ("ab", "cd"):
            self.ends[one].peer, self.ends[two].peer = self.ends[two], self.ends[one]
            self.ends[one].rcv, self.ends[two].rcv = self.ends[two].nxt, self.ends[one].nxt

    def step(self, step):
        self.now_ns += step.gap_ns
        end = self.ends[step.who]
        if step.what == "copy":
            back = step.how % 5 + 1
            made = dict(self.seen[-back]) | {"ttl": 63} if len(self.seen) >= back else None
        else:
            made = getattr(self, step.what)(end, step.how)
        if made is None or step.fate == "lost":
            return
        made["ts_ns"] = self.now_ns
        if step.fate == "late" and self.seen:
            made["ts_ns"], self.seen[-1]["ts_ns"] = self.seen[-1]["ts_ns"], self.now_ns
            self.seen.insert(-1, made)
        else:
            self.seen.append(made)

    def segment(self, end, flags, seq, length=0, *, ack=None, window=None, **fields):
        """Return a segment's values, as this endpoint sends it now."""
        end.ip_id = (end.ip_id + 1) & 0xFFFF
        mine, other = end.name, end.peer.name
        values = dict.fromkeys(SEGMENT.names, ABSENT) | {
            **dict.fromkeys(("tag", "interface", "options_cut", "note", "ack"), 0),
            "flags": flags,
            "seq": seq % SPACE,
            "payload_len": length,
            "window": end.window if window is None else window,
            "ttl": 64,
            "header_len": 32 if self.stamps else 20,
            "ip_id": end.ip_id if self.ids else 0,
            "src_mac": ord(mine),
            "ip_version": 4,
            "src_port": PORT[mine],
            "dst_port": PORT[other],
        }
        values["src_hi"], values["src_lo"] = address_halves(ADDRESS[4][mine])
        values["dst_hi"], values["dst_lo"] = address_halves(ADDRESS[4][other])
        if flags & ACK:
            values["ack"] = (end.rcv if ack is None else ack) % SPACE
        if length:
            values["first_octet"] = 0x61
        if self.stamps:
            values |= {"tsval": (self.now_ns // MS + ord(mine)) % SPACE, "tsecr": 1}
        return values | fields

    # ── what endpoints do ──

    def data(self, end, how):
        length = (2, 100, 1460, 65000, 1, 2, 3, 4)[how]
        made = self.segment(end, ACK | PSH, end.nxt, length)
        end.last = made
        end.nxt += length
        end.peer.rcv = end.nxt
        return made

    def octet(self, end, how):
        made = self.segment(end, ACK | (PSH if how % 2 else 0), end.nxt, 1)
        end.last = made
        end.nxt += 1
        if end.peer.window:
            end.peer.rcv = end.nxt
        return made

    def ack(self, end, how):
        end.peer.una = end.rcv
        made = self.segment(end, ACK, end.nxt, window=None if how < 6 else 400 + how)
        if how == 5:
            made |= {"sack_left": (end.rcv - 1) % SPACE, "sack_right": end.rcv % SPACE}
        return made

    def answer(self, end, how):
        return self.segment(end, ACK, end.nxt, ack=end.peer.nxt if how < 6 else end.rcv)

    def probe(self, end, how):
        below = 1 if how < 7 else 2
        return self.segment(end, ACK, end.una - 1 if how == 6 else end.nxt - below, ack=end.rcv - (how == 5))

    def octet_probe(self, end, how):
        return self.segment(end, ACK, end.nxt - 1, 1, first_octet=0x61 if how % 2 else 0)

    def again(self, end, how):
        if end.last is None:
            return None
        return self.segment(end, end.last["flags"], end.last["seq"], end.last["payload_len"] + how % 2)

    def fin(self, end, how):
        made = self.segment(end, ACK | FIN, end.nxt, how % 3)
        end.last = made
        end.nxt += how % 3 + (how < 6)
        end.peer.rcv = end.nxt
        return made

    def syn(self, end, how):
        end.begin((end.isn, end.isn, end.nxt + 65537, 1 << 20, SPACE - 2, end.isn + 1, end.isn, 12345)[how])
        return self.segment(end, SYN, end.isn, 50 if how == 6 else 0)

    def syn_ack(self, end, how):
        end.begin((end.isn, end.isn, end.isn, end.nxt + 70000, 5, end.isn, end.isn, 7)[how])
        return self.segment(end, SYN | ACK, end.isn)

    def shut(self, end, how):
        end.window = 0
        return self.ack(end, how % 5)

    def open(self, end, how):
        end.window = 512
        return self.ack(end, how % 5)

    def rst(self, end, how):
        return self.segment(end, RST | ACK, end.nxt + (0, 0, 0, -1, 5000, 1 << 31, 0, 0)[how], ttl=64 if how else 50)

    def bare_rst(self, end, how):
        return self.segment(end, RST, end.nxt + (how == 7) * 900000, window=0, ip_id=0)

    def give_up(self, end, how):
        return self.segment(end, RST | ACK, end.nxt, ack=end.rcv)

    def old_ack(self, end, how):
        stale = self.segment(end, ACK, end.nxt - how, ack=end.rcv - how)
        if stale["tsval"] >= 0:
            stale["tsval"] = (stale["tsval"] - 50 * how) % SPACE
        return stale

    def wild(self, end, how):
        flags = (ACK, ACK, 0, ACK | FIN, SYN | FIN, PSH, ACK | 0x20, 0)[how]
        return self.segment(end, flags, end.nxt + (how - 4) * 700_000_001, how % 3, ack=end.rcv + how * 500_000_009)

    def icmp(self, end, how):
        quoted = self.segment(end, 0, end.nxt - 1)
        return quoted | {"note": 1, "icmp": 0x301, "window": 0, "tsval": ABSENT, "tsecr": ABSENT, "ack": 0}

    def cut(self, end, how):
        return self.segment(end, 0, 0) | {"note": 2} if how == 0 else None
