"""THE TABLE: what a segment is, judged from one SEEN row at a time.

The file's law: (1) whatever decides what a single segment is stands in ``RULES`` or in the conditions above it; (2)
this file knows no flow outcome, no words, no file, no clock, and not which side we are on.

Rows are tried in order and the first whose conditions all hold wins; the last has none, so the table is total. A
condition is a one-line function over columns, so it serves a million rows and a test with one alike; its docstring is
the sentence that ``keepalive rules`` prints. What only several segments together can tell (answers, zero-window
trains, mid-stream starts) is settled in ``answers``, ``zero_window``, ``midstream``.

Read RFC 9293 3.8.4 (keep-alives) and 3.8.6.1 (zero-window probing) first. The anchor is the peer's acknowledgement,
SEG.SEQ = SND.UNA-1, not the sender's own SND.NXT-1 as Wireshark has it: that is what survives mid-stream starts, lost
captures, a repeated last byte and an ACK overtaken by a FIN.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.segment import ACK, BACK_NS, FIN, NOTE_ICMP_ERROR, NOTE_UNNUMBERED, PSH, RST, SYN, URG
from analyzer.tolerances import IDLE_LEAST_NS, OTHER_CLOCK_TICKS
from analyzer.untyped import Rows
from analyzer.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Kind(IntEnum):
    """What a segment is. Kinds below ANSWER come from the table, the others from ``answers``."""

    OTHER = 0
    """Nothing that matters here."""
    ICMP_ERROR = 1
    """An ICMP error that quotes a segment of this flow."""
    DUPLICATE_COPY = 2
    """A second capture of a packet already seen."""
    RESET = 3
    """A RST."""
    STALE_ACK = 4
    """An empty segment older than what was already captured."""
    ZERO_WINDOW_PROBE = 5
    """A probe of a closed window."""
    AT_ZERO_WINDOW = 6
    """A probe under a closed window: of the window or of the peer; the train's spacing may tell."""
    NOT_IDLE = 7
    """The form of a keepalive probe, on a connection that was active less than a second ago."""
    KEEPALIVE_PROBE = 8
    """A keepalive probe without data."""
    KEEPALIVE_OCTET = 9
    """A keepalive probe with one byte, already acknowledged."""
    OCTET_RETRANSMISSION = 10
    """A single byte sent again."""
    UNANCHORED = 11
    """An empty or one-byte segment that cannot be judged alone: what precedes it was not captured."""
    RETRANSMISSION = 12
    """Data sent again."""
    WINDOW_SHUT = 13
    """The sender closes its receive window."""
    WINDOW_OPENED = 14
    """The sender opens its receive window again."""
    CHALLENGE_ACK = 15
    """Answers a SYN on an established connection, or an ACK of data never sent, with the numbers that hold."""
    ANSWER = 16
    """Answers a probe (given by ``answers``, never by the table)."""


Mask = Any
"""A boolean array as long as the rows, or one boolean."""
Condition = Callable[[Rows], Mask]


def quotes_this_flow(s: Rows) -> Mask:
    """ICMP error whose quoted segment belongs to this flow."""
    return s["note"] == NOTE_ICMP_ERROR


def same_packet_again(s: Rows) -> Mask:
    """Same numbers, flags, window, IP ID and timestamps as one of the last four segments, milliseconds before."""
    return s["is_copy"] == 1


def has_rst(s: Rows) -> Mask:
    """RST set."""
    return (s["flags"] & RST) != 0


def answers_a_provocation(s: Rows) -> Mask:
    """At SND.NXT, RCV.NXT and the same window, at once behind a SYN sent again or an empty ACK of data never sent."""
    return s["provocation"] > 0


def only_ack(s: Rows) -> Mask:
    """ACK set; SYN, FIN, RST and URG clear (PSH, ECE and CWR may be set)."""
    return ((s["flags"] & ACK) != 0) & ((s["flags"] & (SYN | FIN | RST | URG)) == 0)


def empty(s: Rows) -> Mask:
    """No data."""
    return s["payload_len"] == 0


def one_octet(s: Rows) -> Mask:
    """One byte of data."""
    return s["payload_len"] == 1


def at_most_one_octet(s: Rows) -> Mask:
    """No data, or one byte."""
    return s["payload_len"] <= 1


def several_octets(s: Rows) -> Mask:
    """Two or more bytes of data."""
    return s["payload_len"] > 1


def below_snd_nxt(s: Rows) -> Mask:
    """SEG.SEQ < SND.NXT: the segment sends nothing new."""
    return (s["snd_nxt"] >= 0) & (s["seq"] < s["snd_nxt"])


def one_below_snd_una(s: Rows) -> Mask:
    """SEG.SEQ = SND.UNA-1: the peer has acknowledged exactly this number and nothing above it."""
    return (s["snd_una"] >= 0) & (s["seq"] == s["snd_una"] - 1)


def one_below_snd_nxt_unacknowledged(s: Rows) -> Mask:
    """SEG.SEQ = SND.NXT-1, not acknowledged as far as the capture shows, and the sender silent for 0.9 s."""
    quiet = (s["own_last_ns"] >= 0) & (s["ts_ns"] - s["own_last_ns"] >= IDLE_LEAST_NS)
    return (s["snd_una"] >= 0) & (s["seq"] == s["snd_nxt"] - 1) & (s["seq"] >= s["snd_una"]) & quiet


def at_snd_una_or_snd_nxt(s: Rows) -> Mask:
    """SEG.SEQ = SND.UNA or SND.NXT: the first byte the closed window holds back."""
    return (s["seq"] == s["snd_una"]) | (s["seq"] == s["snd_nxt"])


def peer_window_is_zero(s: Rows) -> Mask:
    """The peer's last advertised window is 0 (true at any window scale)."""
    return s["snd_wnd"] == 0


def older_than_seen(s: Rows) -> Mask:
    """TSval lower than one this endpoint already sent, or SEG.ACK two or more below one it already sent.

    One below is left alone: 4.2BSD-style probes carry the acknowledgement number they carried last time, less one. Nor
    is overtaken what comes 0.9 s after all else of its sender with a TSval lower by 10,000: that is another clock.
    """
    step = (s["tsval"] - s["own_tsval"]) & 0xFFFFFFFF
    quiet = (s["own_last_ns"] >= 0) & (s["ts_ns"] - s["own_last_ns"] >= IDLE_LEAST_NS)
    other_clock = quiet & (step <= (1 << 32) - OTHER_CLOCK_TICKS)
    older_clock = (s["tsval"] >= 0) & (s["own_tsval"] >= 0) & (step >= 0x80000000) & ~other_clock
    older_ack = (s["rcv_nxt"] >= 0) & (s["ack"] < s["rcv_nxt"] - 1)
    return older_clock | older_ack


def behind_own_fin(s: Rows) -> Mask:
    """SEG.SEQ is the sender's FIN's own number, and that FIN is not acknowledged: sent before it, captured after."""
    return (s["own_fin_seq"] >= 0) & (s["seq"] == s["own_fin_seq"]) & (s["snd_una"] <= s["own_fin_seq"])


def repeats_last_octet(s: Rows) -> Mask:
    """PSH set, and the sender's last data was this byte at this number, or is unknown: a lost ACK, not a probe."""
    same = ((s["data_seq"] == s["seq"]) & (s["data_len"] == 1) | (s["data_seq"] < 0)) & ((s["flags"] & PSH) != 0)
    visible = (s["first_octet"] >= 0) & (s["data_octet"] >= 0)
    return same & (~visible | (s["first_octet"] == s["data_octet"]))


def active_within_a_second(s: Rows) -> Mask:
    """The sender received something other than keepalive, or sent new data, less than 0.9 s before.

    What it had not yet received (SEG.ACK below the peer's SND.NXT) does not count, nor do its own retransmissions, nor
    what bears a later time by a second or more: the capture's clock was set back, and how long it was is unknown.
    """
    heard_all = s["ack"] >= s["peer_nxt"]
    received = np.where(heard_all, s["peer_active_ns"], s["own_active_ns"])
    since = np.maximum(received, s["data_ns"])
    passed = s["ts_ns"] - since
    return (since >= 0) & (passed < IDLE_LEAST_NS) & (passed > -BACK_NS)


def nothing_acknowledged_yet(s: Rows) -> Mask:
    """Neither a SYN of the sender nor any acknowledgement of the peer was captured, so SND.UNA is unknown."""
    return s["snd_una"] < 0


def number_not_shown(s: Rows) -> Mask:
    """SEG.SEQ is not known: the text of tcpdump does not show that of an empty segment (without -vv)."""
    return s["note"] == NOTE_UNNUMBERED


def says_nothing_new(s: Rows) -> Mask:
    """SEG.ACK is all that the peer has sent, which was acknowledged before; the sender has nothing outstanding."""
    acknowledged = (s["ack"] >= s["peer_nxt"]) & ((s["rcv_nxt"] < 0) | (s["ack"] == s["rcv_nxt"]))
    return acknowledged & ((s["snd_una"] < 0) | (s["snd_una"] >= s["snd_nxt"]))


def window_about_the_same(s: Rows) -> Mask:
    """Its window is less than twice, and at least half, of that in the sender's segment before: no window update."""
    before = s["own_wnd"]
    return (before < 0) | ((s["window"] < 2 * before + (before == 0)) & (2 * s["window"] >= before))


def unprovoked(s: Rows) -> Mask:
    """No probe of the peer waits for an answer, and neither end was active in the last 0.9 s."""
    active = np.maximum(s["own_active_ns"], s["peer_active_ns"])
    return (s["answers_pending"] == 0) & ((active < 0) | (s["ts_ns"] - active >= IDLE_LEAST_NS))


def answers_nothing(s: Rows) -> Mask:
    """No probe of the peer waits for an answer."""
    return s["answers_pending"] == 0


def shuts_window(s: Rows) -> Mask:
    """Window 0 after one that was not, in an acknowledgement no older than the last."""
    return (s["window"] == 0) & (s["own_wnd"] > 0) & (s["ack"] >= s["rcv_nxt"])


def opens_window(s: Rows) -> Mask:
    """Window above 0 after 0, in an acknowledgement no older than the last."""
    return (s["window"] > 0) & (s["own_wnd"] == 0) & (s["ack"] >= s["rcv_nxt"])


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: if all conditions hold, and no earlier row won, the segment is of this kind."""

    kind: Kind
    name: str
    cite: str
    conditions: tuple[Condition, ...]


RULES: Final = (
    Rule(Kind.ICMP_ERROR, "icmp-error", "RFC 5927 4", (quotes_this_flow,)),
    # before every other row: a copy of anything must not be counted as anything
    Rule(Kind.DUPLICATE_COPY, "duplicate-copy", "field guide 8", (same_packet_again,)),
    Rule(Kind.RESET, "reset", "RFC 9293 3.5.2", (has_rst,)),
    Rule(
        Kind.ZERO_WINDOW_PROBE,
        "window-probe-octet",
        "RFC 9293 3.8.6.1",
        (only_ack, one_octet, at_snd_una_or_snd_nxt, peer_window_is_zero),
    ),
    # before all that may be made of an ACK: nothing else explains this one
    Rule(
        Kind.CHALLENGE_ACK,
        "challenge-ack",
        "RFC 9293 3.10.7.4, RFC 5961 4.2",
        (only_ack, empty, answers_a_provocation),
    ),
    # before the probe rows: a stale ACK can sit one below SND.UNA by accident of reordering
    Rule(Kind.STALE_ACK, "stale-ack", "RFC 7323 5", (only_ack, empty, below_snd_nxt, older_than_seen)),
    # before the keepalive rows: Linux probes a closed window with the very same segment
    Rule(
        Kind.AT_ZERO_WINDOW,
        "number-not-printed-at-zero-window",
        "field guide 1.3",
        (
            only_ack,
            empty,
            number_not_shown,
            says_nothing_new,
            window_about_the_same,
            answers_nothing,
            peer_window_is_zero,
        ),
    ),
    Rule(
        Kind.AT_ZERO_WINDOW,
        "probe-at-zero-window",
        "RFC 9293 3.8.6.1, Linux tcp_xmit_probe_skb",
        (only_ack, at_most_one_octet, one_below_snd_una, peer_window_is_zero),
    ),
    # before the one-byte probe: "already acknowledged" does not excuse a retransmission whose ACK was lost
    Rule(
        Kind.OCTET_RETRANSMISSION,
        "acknowledged-octet-again",
        "RFC 6298 5.4",
        (only_ack, one_octet, one_below_snd_una, repeats_last_octet),
    ),
    # before the probe rows: the form alone is not enough, an idle timer must have run
    Rule(
        Kind.NOT_IDLE,
        "probe-form-not-idle",
        "RFC 9293 3.8.4 MUST-26",
        (only_ack, at_most_one_octet, one_below_snd_una, active_within_a_second),
    ),
    # before the probe rows: it is only supposed to be one below SND.UNA
    Rule(
        Kind.UNANCHORED,
        "number-not-printed",
        "field guide 1.3",
        (only_ack, empty, number_not_shown, says_nothing_new, window_about_the_same, unprovoked),
    ),
    Rule(
        Kind.OTHER,
        "number-not-printed-other",
        "field guide 1.3",
        (only_ack, empty, number_not_shown, nothing_acknowledged_yet),
    ),
    Rule(Kind.KEEPALIVE_PROBE, "keepalive", "RFC 9293 3.8.4 SHLD-12", (only_ack, empty, one_below_snd_una)),
    Rule(Kind.KEEPALIVE_OCTET, "keepalive-octet", "RFC 9293 3.8.4 MAY-6", (only_ack, one_octet, one_below_snd_una)),
    Rule(
        Kind.UNANCHORED,
        "cannot-be-judged-alone",
        "field guide 8",
        (only_ack, at_most_one_octet, nothing_acknowledged_yet),
    ),
    # before the two rows below: one below SND.NXT, but late enough to be a probe of what was acknowledged unseen
    Rule(Kind.STALE_ACK, "ack-behind-fin", "RFC 9293 3.4", (only_ack, empty, below_snd_nxt, behind_own_fin)),
    Rule(
        Kind.UNANCHORED,
        "acknowledgement-not-captured",
        "field guide 1.2",
        (only_ack, empty, one_below_snd_nxt_unacknowledged),
    ),
    Rule(Kind.OCTET_RETRANSMISSION, "octet-again", "RFC 6298 5.4", (only_ack, one_octet, below_snd_nxt)),
    Rule(Kind.STALE_ACK, "ack-overtaken", "RFC 9293 3.4", (only_ack, empty, below_snd_nxt)),
    Rule(Kind.RETRANSMISSION, "data-again", "RFC 6298 5.4", (only_ack, several_octets, below_snd_nxt)),
    Rule(Kind.WINDOW_SHUT, "window-shut", "RFC 9293 3.8.6", (only_ack, shuts_window)),
    Rule(Kind.WINDOW_OPENED, "window-opened", "RFC 9293 3.8.6", (only_ack, opens_window)),
    Rule(Kind.OTHER, "other", "", ()),
)


def decide(rows: Rows) -> NDArray[np.int8]:
    """Return for each SEEN row the index in RULES of the row that wins it."""
    winner = np.full(len(rows), -1, dtype=np.int8)
    known: dict[Condition, Mask] = {}
    for index, rule in enumerate(RULES):
        open_ = winner < 0
        for condition in rule.conditions:
            if condition not in known:
                known[condition] = condition(rows)
            open_ = open_ & known[condition]
        winner[open_] = index
    return winner


def classify(rows: Rows) -> None:
    """Write the ``kind`` column of SEEN rows."""
    kinds = np.array([rule.kind for rule in RULES], dtype=np.int8)
    rows["kind"] = kinds[decide(rows)]
