"""Every tolerance in one place: how soon, how late, how even, and where each number is from.

Loops, judgements and words take their limits from here and nowhere else; numbers that are equal but mean different
things have names of their own. ``*_NS`` are nanoseconds, the others are ratios. Frozen into compiled loops: the cache
of machine code digests this file (``loops.sources.CONSTANTS``).

It must not hold what is configured (``judge.signatures``), or a limit of what is worth printing.
"""

from __future__ import annotations

from typing import Final

MS: Final = 1_000_000
S: Final = 1_000_000_000

# ── idle, and the shortest timers ──────────────────────────────────────────────────────────────────────────────────

OPTION_LEAST_NS: Final = S
"""No stack's option takes less than a second: Linux and XNU take TCP_KEEPIDLE and TCP_KEEPINTVL in whole ones (field
guide 2.3, 9.2)."""
CLOCK_SLACK_NS: Final = 100 * MS
"""By so much the shortest timer may look shorter in a capture, whose clock is another (field guide 2.3: never early; a
gap shorter than nominal means another clock) and whose way to the prober varies."""
IDLE_LEAST_NS: Final = OPTION_LEAST_NS - CLOCK_SLACK_NS
"""A connection active more recently than this is not idle: no keepalive timer can have run (field guide 9.2)."""
GAP_LEAST_NS: Final = OPTION_LEAST_NS - CLOCK_SLACK_NS
"""A shorter gap between probes is no interval: Linux tries again after half a second when its own queue was full
(tcp_keepalive_timer, TCP_RESOURCE_PROBE_INTERVAL)."""
WINDOW_PROBE_NS: Final = OPTION_LEAST_NS - CLOCK_SLACK_NS
"""A probe of a closed window that comes sooner than this after what was before it is one of the window, which begins
at the RTO (Linux tcp_send_probe0; field guide 2.6)."""
REPEAT_NS: Final = OPTION_LEAST_NS - CLOCK_SLACK_NS
"""Empty segments that repeat an endpoint's last one, or fall behind it, may be probes from this spacing on."""
SILENCE_LEAST_NS: Final = OPTION_LEAST_NS - CLOCK_SLACK_NS
"""Silence shorter than this is never called silence: no timer of a probe is that short, and most retransmissions wait
for a second (RFC 6298 2.4)."""
EARLY_NS: Final = 10 * MS
"""A first gap may be this much shorter than idle.

Linux stamps a received segment with the tick before it and counts idle from there, in whole ticks: 0.9991 s was seen
of one second. A tick is at most this long (HZ=100). The interval is counted from the probe itself and rounded up.
"""
EARLY_WINDOWS_NS: Final = 50 * MS
"""Windows' timers run by its clock interrupt (15.6 ms): 4.992 and 2.997 s were seen of 5 and 3 s."""
SLOW_TICK_NS: Final = 500 * MS
"""Stacks of the 4.4BSD family count keepalive in calls of tcp_slowtimo (PR_SLOWHZ = 2).

The first tick after a segment comes at any time, so that a first gap may be shorter than idle by nearly this much:
7.647 s was seen of 8 s. Probe to probe they keep to the ticks.
"""
OFF_TICK_NS: Final = 30 * MS
"""How far from a tick a gap may be and still keep to it."""

BACKOFF_STEPS: Final = 3
"""Gaps that double so many times in a row are a backoff's (RFC 6298 5.5): losses alone do not make them."""
GROWN_PART: Final = 4
"""A gap that is longer than the one before by such a part of it is no timer that is late."""
BACKOFF_PART: Final = 8
"""A double is one that is missed by such a part of the gap before at most."""

RESENT_LEAST: Final = 3
"""So many retransmissions show when the next is due."""
RESENT_LONG: Final = 7
"""Behind so many the wait may have reached its longest."""
RESENT_MOST_NS: Final = 62_000 * MS
"""The longest wait between retransmissions is 60 s or 64 s (RFC 6298 2.5; the BSDs' TCPTV_REXMTMAX): what lies between
is both."""

# ── how late a timer may be ────────────────────────────────────────────────────────────────────────────────────────

WHEEL: Final = 0.13
"""Linux's timer wheel makes a timer late by up to an eighth (kernel/time/timer.c, LVL_GRAN; field guide 2.3), and
equal timers differ by as much."""
WHEEL_PERCENT: Final = 113
"""The same in whole numbers: a timer at its latest, in percent."""
BUSY_NS: Final = 50 * MS
"""Linux tries again this much later when a process holds the socket (tcp_keepalive_timer, HZ/20)."""
SLACK_PARTS: Final = 256
"""Before its wheel, up to 4.7, Linux made a timer late by no more than one such part (kernel/timer.c, apply_slack)."""
EVEN_NS: Final = 20 * MS
"""Gaps that differ by no more show that the timer was late by the same time in each."""
LATE_BSD_NS: Final = 600 * MS
"""BSD and macOS gather timers in batches of up to half a second (field guide 3.2), and then some."""
OVERDUE: Final = 2 * (1 + WHEEL)
"""Two intervals, each late by an eighth: who lets more than this pass, and OVERDUE_NS, has stopped probing."""
OVERDUE_NS: Final = S
RTO_MOST_NS: Final = 120 * S
"""Linux TCP_RTO_MAX: a window probe that has backed off this far comes evenly too."""
DOUBLING: Final = 1.6
"""From this ratio of successive gaps on a train backs off (tcp_send_probe0 doubles), which keepalive never does."""
RTO_FIRST_NS: Final = 3 * S
"""By this time a retransmission timer that never measured anything has run out (RFC 1122 4.2.3.1)."""
CLOSE_NS: Final = S
"""A program that closes when it reads the end of file has closed within this time, or two round trips."""
RTO_LEAST_NS: Final = 150 * MS
"""A retransmission this long after the sender's last segment was a timer's (Linux TCP_RTO_MIN is 200 ms)."""

# ── the way of packets ─────────────────────────────────────────────────────────────────────────────────────────────

JITTER_NS: Final = 50 * MS
"""By so much the way to the prober varies, where nothing measures it."""
ROUND_TRIP_NS: Final = 300 * MS
"""Assumed of the way to the prober and back where no handshake shows it."""
HANDSHAKE_MOST_NS: Final = S
"""What looks like a slower handshake is one whose last segment is missing: a SYN waits a second (RFC 6298 2.1)."""
COPY_NS: Final = 10 * MS
"""Two identical segments this close are one packet captured twice; genuine probes are 0.2 s apart or more (field guide
8)."""
COPY_SAME_ID_NS: Final = 190 * MS
"""The same with an equal, non-zero IP ID or an equal TSval, which a host does not repeat that soon: networks double
packets as late as 135 ms, and no retransmission timer is shorter than 200 ms (Linux TCP_RTO_MIN)."""
ASKED_NS: Final = MS
"""Nothing is sent again so soon that nobody asked for: a tail loss probe waits for two ticks or more (RFC 8985 7.2,
Linux tcp_schedule_loss_probe)."""

# ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

ANSWER_NS: Final = 10 * S
"""An empty ACK later than this after a probe answers something else."""
ANSWER_DATA_NS: Final = 2 * S
"""Data later than this after a probe is sent for its own reason."""
ANSWER_RST_NS: Final = 3 * S
"""A RST later than this after a probe, or after data, does not answer it: a kernel sends it at once, and no path takes
longer."""
LATENESS_PARTS: Final = 8
"""By such a part of it the time of the way and back varies, where several packets are on it."""
EARLY_ANSWER_NS: Final = MS
"""Packets of several queues, or of the pseudo-interface any, are written in another order than they passed, by no more:
so an answer may stand before its probe."""
AT_ONCE_NS: Final = 20 * MS
"""What follows the peer's segment sooner than this may be its effect."""
WENT_ON_NS: Final = S
"""What an endpoint sends this long after a RST was not on its way when that came."""
RATE_LIMIT_NS: Final = 600 * MS
"""An answer withheld for less proves nothing: Linux answers one such segment in 500 ms (field guide 2.7)."""

# ── whose packet it is ─────────────────────────────────────────────────────────────────────────────────────────────

ROUTE_CHANGE: Final = 2
"""This many hops more are a longer way of the same packet; a box in between, being nearer, has fewer."""
NEARER: Final = 4
"""What came in less than this part of the time in which a host ever answered was sent by something nearer."""
NEARER_BY_HANDSHAKE: Final = 10
"""The same where nothing but a handshake shows how long it takes: a host or a radio may have had to wake up."""
NEARER_NS: Final = 2 * MS
"""... and by no less than this: closer hosts answer as unevenly as they please."""
ID_FAR: Final = 0x2000
"""IP IDs further apart than this do not belong to one counter."""
ID_NEXT: Final = 64
"""A counter that goes on by no more than this is surely the same."""
ID_STEPS: Final = 2
"""This many steps must be those of a counter, and none of another kind, before an IP ID says anything."""

# ── heartbeats of programs ─────────────────────────────────────────────────────────────────────────────────────────

BEAT_MOST_OCTETS: Final = 160
"""No heartbeat is longer: a WebSocket control frame of 125 octets (RFC 6455 5.5), its header, and TLS around it."""
BEAT_LENGTH_PLAY: Final = 4
"""Heartbeats of one train differ in length by no more: a number in them that grows."""
BEAT_ANSWER_MORE: Final = 48
"""An answer may be so much longer than the beat: IRC's has the server's name before it."""
BEAT_TINY_OCTETS: Final = 8
"""An AMQP heartbeat frame; MQTT's, STOMP's and XMPP's are shorter. Nothing else that small is sent evenly for long."""
BEAT_SHORT_OCTETS: Final = 24
"""A BGP KEEPALIVE has 19 octets, and comes with a jitter of a quarter of its period (RFC 4271 10)."""
BEAT_SEALED_OCTETS: Final = BEAT_SHORT_OCTETS + 29
"""So long is a short one in a record of TLS, which adds up to 29 octets."""
BEAT_ONE_WAY_NS: Final = 4 * S
"""What nobody answers and is longer than BEAT_TINY_OCTETS is no heartbeat if it comes more often."""
BEAT_PAUSE_NS: Final = 900 * MS
"""No program beats more often than once a second, so what comes sooner after other data belongs to it."""
BEAT_PROMPT_NS: Final = 2 * S
"""A program that answers heartbeats mostly does so within this time."""
BEAT_AT_ONCE_NS: Final = 100 * MS
"""What looks like an answer and takes longer may be a heartbeat of the other end's own."""
BEAT_JITTER_PARTS: Final = 9
"""Distances of short heartbeats may differ by so many of 32 parts: a timer's jitter of a quarter (RFC 4271 10)."""
BEAT_MOST_JITTER_PARTS: Final = 13
"""... and those of any length where hardly anything else is said so: a jitter of a quarter either way."""
BEAT_SLACK_NS: Final = 1100 * MS
"""Programs that look at the clock once a second beat so late, if that is no more than a quarter of the period."""
BEATS_LEAST: Final = 4
"""Fewer messages show no rhythm."""
BEAT_LOOSE_COUNT: Final = 8
"""From so many on their distances may differ by three eighths of the period; of fewer by an eighth."""
BEAT_LOOSE_PARTS: Final = 18
"""Of 32 parts of the period, by which distances with much jitter may differ: half of it, and a little more for the mean
of a few."""
BEAT_LOOSE_OTHERS: Final = 12
"""For so many with much jitter one may be out of the rhythm."""
BEAT_LATE_PARTS: Final = 3
"""Where both ends are heard in one rhythm, the second answers if it comes within this part of the period."""

# ── rhythm ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SAME_PACE: Final = 20
"""A wait that differs from the last gap by less than this part of it (and JITTER_NS) keeps its pace."""
OTHER_PACE: Final = 8
"""Gaps that differ by more than this part (and JITTER_NS) are no one timer: the wheel's eighth."""
ONE_RHYTHM: Final = 0.05
"""For words: gaps this near to each other, and ONE_RHYTHM_NS, are said as one."""
ONE_RHYTHM_NS: Final = 20 * MS
UNEVEN: Final = 1.3
"""Answered probes whose gaps differ by more than this have another reason than a timer's lateness."""

OTHER_CLOCK_TICKS: Final = 10_000
"""A timestamp lower by so much is not one that was overtaken: ten seconds by a clock of 1,000 ticks a second."""
