"""Facts about a compared frame that ``classes.CLASSES`` asks for; each docstring is the sentence that a reader sees.

Who is right is not decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.tolerances import IDLE_LEAST_NS
from analyzer.units import NS_PER_MS
from analyzer.wireshark.compared_frame import NUMBERS, ComparedFrame, Seen, Word
from analyzer.wireshark.frame_labels import FAMILY, Label

if TYPE_CHECKING:
    from analyzer.judge.events import EndpointFacts


# ── what we say, and what Wireshark says ───────────────────────────────────────────────────────────────────────────


def we_say_probe(c: ComparedFrame) -> bool:
    """We call it a keepalive probe."""
    return c.this.word is Word.PROBE


def we_say_answer(c: ComparedFrame) -> bool:
    """We call it the answer to a keepalive probe."""
    return c.this.word is Word.ANSWER


def we_say_probe_of_any_kind(c: ComparedFrame) -> bool:
    """We call it a keepalive probe or a zero-window probe."""
    return c.this.word in {Word.PROBE, Word.WINDOW_PROBE}


def we_say_window_probe(c: ComparedFrame) -> bool:
    """We call it a zero-window probe."""
    return c.this.word is Word.WINDOW_PROBE


def we_say_window_answer(c: ComparedFrame) -> bool:
    """We call it the answer to a zero-window probe."""
    return c.this.word is Word.WINDOW_ANSWER


def we_say_copy(c: ComparedFrame) -> bool:
    """We call it a second capture of the same packet: all numbers, IP ID and timestamps equal, moments later."""
    return c.this.word is Word.COPY


def we_say_stale(c: ComparedFrame) -> bool:
    """We call it an empty segment older than what was already captured."""
    return c.this.word is Word.STALE


def we_say_sent_again(c: ComparedFrame) -> bool:
    """We call it data sent again."""
    return c.this.word is Word.SENT_AGAIN


def we_say_not_idle(c: ComparedFrame) -> bool:
    """We call it a segment in the form of a probe, on a connection active less than 0.9 s before."""
    return c.this.word is Word.NOT_IDLE


def we_do_not_decide(c: ComparedFrame) -> bool:
    """We call it a probe under a closed window, of the window or of the peer."""
    return c.this.word is Word.UNDECIDED


def we_say_stale_or_nothing(c: ComparedFrame) -> bool:
    """We call it an empty segment older than what was already captured, or have no word for it."""
    return c.this.word in {None, Word.STALE}


def we_say_probe_or_answer(c: ComparedFrame) -> bool:
    """We call it a keepalive probe, or the answer to one."""
    return c.this.word in {Word.PROBE, Word.ANSWER}


def we_say_nothing(c: ComparedFrame) -> bool:
    """We have no word for it."""
    return c.this.word is None


def wireshark_says_keep_alive(c: ComparedFrame) -> bool:
    """Wireshark calls it Keep-Alive."""
    return bool(c.this.labels & Label.KEEP_ALIVE)


def wireshark_does_not_say_keep_alive(c: ComparedFrame) -> bool:
    """Wireshark does not call it Keep-Alive."""
    return not wireshark_says_keep_alive(c)


def wireshark_says_keep_alive_or_its_answer(c: ComparedFrame) -> bool:
    """Wireshark calls it Keep-Alive or Keep-Alive ACK."""
    return bool(c.this.labels & (Label.KEEP_ALIVE | Label.KEEP_ALIVE_ACK))


def wireshark_says_answer(c: ComparedFrame) -> bool:
    """Wireshark calls it Keep-Alive ACK."""
    return bool(c.this.labels & Label.KEEP_ALIVE_ACK)


def wireshark_says_window_probe(c: ComparedFrame) -> bool:
    """Wireshark calls it ZeroWindowProbe."""
    return bool(c.this.labels & Label.ZERO_WINDOW_PROBE)


def wireshark_says_neither(c: ComparedFrame) -> bool:
    """Wireshark does not call it Keep-Alive, ZeroWindowProbe, or an ACK of either."""
    return not c.this.labels & FAMILY


def wireshark_says_new_window(c: ComparedFrame) -> bool:
    """Wireshark calls it Window Update."""
    return bool(c.this.labels & Label.WINDOW_UPDATE)


def wireshark_says_closed_window(c: ComparedFrame) -> bool:
    """Wireshark calls it ZeroWindow."""
    return bool(c.this.labels & Label.ZERO_WINDOW)


def wireshark_says_missed(c: ComparedFrame) -> bool:
    """Wireshark says that a segment before it, or one that it acknowledges, was not captured."""
    return bool(c.this.labels & (Label.LOST_SEGMENT | Label.ACK_LOST_SEGMENT))


def wireshark_says_out_of_order(c: ComparedFrame) -> bool:
    """Wireshark calls it Out-Of-Order."""
    return bool(c.this.labels & Label.OUT_OF_ORDER)


def wireshark_marked_the_probe(c: ComparedFrame) -> bool:
    """Wireshark calls the segment that it answers Keep-Alive."""
    return c.probe is not None and bool(c.probe.labels & Label.KEEP_ALIVE)


def wireshark_missed_the_probe(c: ComparedFrame) -> bool:
    """Wireshark does not call the segment that it answers Keep-Alive."""
    return c.probe is not None and not c.probe.labels & Label.KEEP_ALIVE


def wireshark_missed_the_window_probe(c: ComparedFrame) -> bool:
    """Wireshark does not call the segment that it answers ZeroWindowProbe."""
    return c.probe is not None and not c.probe.labels & Label.ZERO_WINDOW_PROBE


def wireshark_says_an_answer(c: ComparedFrame) -> bool:
    """Wireshark calls it Keep-Alive ACK or ZeroWindowProbeAck, and we do not call it a probe."""
    says = c.this.labels & (Label.KEEP_ALIVE_ACK | Label.ZERO_WINDOW_PROBE_ACK)
    return bool(says) and c.this.word not in {Word.PROBE, Word.WINDOW_PROBE}


def what_it_answers_is_no_probe(c: ComparedFrame) -> bool:
    """The segment that Wireshark takes it for the answer of is no probe by our account."""
    return c.marked is not None and c.marked.word not in {Word.PROBE, Word.WINDOW_PROBE, Word.UNDECIDED}


def what_it_answers_is_undecided(c: ComparedFrame) -> bool:
    """Nobody can tell whether the segment that Wireshark takes it for the answer of is a probe."""
    return c.marked is not None and (c.marked.word is Word.UNDECIDED or (_not_idle(c.marked) and times_are_wrong(c)))


def what_it_answers_was_answered(c: ComparedFrame) -> bool:
    """The segment that Wireshark takes it for the answer of has another answer by our account."""
    answer = _answer_frame(c.marked)
    return answer is not None and answer != c.this.frame


def comes_too_late_to_answer(c: ComparedFrame) -> bool:
    """By our account the segment that Wireshark takes it for the answer of has none: it comes more than 10 s later."""
    return c.marked is not None and c.marked.word is Word.PROBE and _answer_frame(c.marked) is None


# ── what the packets show ──────────────────────────────────────────────────────────────────────────────────────────


def not_of_a_flow(c: ComparedFrame) -> bool:
    """It is of no flow we know: reassembled from fragments, or in an encapsulation that only Wireshark takes apart."""
    return c.record is None


def began_midstream(c: ComparedFrame) -> bool:
    """The capture has no SYN of its sender."""
    facts = _facts(c)
    return facts is not None and facts.syn_frame is None


def sender_had_sent_no_data(c: ComparedFrame) -> bool:
    """Its sender had sent no data before, so that the number a probe repeats was never seen."""
    first = _facts(c)
    return first is not None and (first.first_data_frame is None or first.first_data_frame >= c.this.frame)


def capture_missed_of_the_sender(c: ComparedFrame) -> bool:
    """The peer acknowledged what the capture does not hold of this sender."""
    facts = _facts(c)
    return (facts is not None and facts.missed > 0) or wireshark_says_missed(c)


def more_is_outstanding(c: ComparedFrame) -> bool:
    """Its sender had sent more that the peer had not acknowledged: SND.NXT is more than one above SEG.SEQ."""
    row = c.this.row
    return row is not None and row["snd_nxt"] > row["seq"] + 1


def headers_are_cut(c: ComparedFrame) -> bool:
    """The snap length cut the TCP options, and Wireshark does not analyse what it cannot read in full."""
    return any(seen is not None and seen.row is not None and seen.row["options_cut"] == 1 for seen in (c.this, c.probe))


def first_of_its_sender(c: ComparedFrame) -> bool:
    """It is the first segment of its sender in the capture."""
    row = c.this.row
    return row is not None and row["own_last_ns"] < 0


def acknowledges_more(c: ComparedFrame) -> bool:
    """It acknowledges more than its sender was seen to acknowledge before."""
    row = c.this.row
    return row is not None and row["ack"] > row["rcv_nxt"] >= 0


def its_number_is_not_of_this_connection(c: ComparedFrame) -> bool:
    """It is the first segment of its sender in this connection: Wireshark has its number from an earlier one."""
    facts = _facts(c)
    return facts is not None and (first_of_its_sender(c) or facts.ack_frame == c.this.frame) and not facts.syn_frame


def was_a_candidate(c: ComparedFrame) -> bool:
    """We took it for a candidate, and found neither proof (an ACK, a D-SACK, a RST) nor even spacing."""
    return c.this.row is not None


def goes_beyond(c: ComparedFrame) -> bool:
    """It has bytes at and above SND.NXT."""
    row = c.this.row
    return row is not None and row["seq"] + row["payload_len"] > row["snd_nxt"]


def window_probes_carried_it(c: ComparedFrame) -> bool:
    """Its sender had probed the window with a byte."""
    probes = () if c.record is None else c.record.zero_window_probes
    return any(p.sender == c.this.sender and p.payload_len > 0 and p.frame < c.this.frame for p in probes)


def not_yet_acknowledged(c: ComparedFrame) -> bool:
    """The peer had not acknowledged this byte: SEG.SEQ >= SND.UNA."""
    row = c.this.row
    return row is not None and row["seq"] >= row["snd_una"]


def number_of_own_syn(c: ComparedFrame) -> bool:
    """SEG.SEQ is the number of the sender's own SYN."""
    number = _number(c.this)
    return c.iss is not None and number == c.iss


def number_of_own_fin(c: ComparedFrame) -> bool:
    """SEG.SEQ is the number of the sender's own FIN, which was captured before."""
    row = c.this.row
    return row is not None and row["own_fin_seq"] == row["seq"]


def same_packet_as_the_answer(c: ComparedFrame) -> bool:
    """All numbers, the window, IP ID and timestamps are those of the answer just before."""
    answer, segment = c.answer, c.this.segment
    if answer is None or answer.row is None or segment is None:
        return False
    same = all(answer.row[name] == int(segment[name]) for name in ("window", "ip_id", "tsval", "tsecr", "payload_len"))
    return same and _number(answer) == int(segment["seq"]) and answer.row["ack"] & NUMBERS == int(segment["ack"])


def another_vlan(c: ComparedFrame) -> bool:
    """Another flow here has the same addresses and ports on another VLAN or in another tunnel."""
    return c.twin


def clock_ran_backwards(c: ComparedFrame) -> bool:
    """The capture's frames are not in the order of their times."""
    return c.record is not None and c.record.backwards > 0


def times_are_wrong(c: ComparedFrame) -> bool:
    """The capture's times cannot be true: segments come evenly throughout, or TSval (RFC 7323: 1 kHz) ran faster."""
    row = (c.this if c.this.word is Word.NOT_IDLE else c.marked or c.this).row
    if c.even_clock or row is None:
        return c.even_clock
    ticks = (row["tsval"] - row["own_tsval"]) & 0xFFFFFFFF
    known = row["tsval"] >= 0 and row["own_tsval"] >= 0 and row["own_last_ns"] >= 0
    passed_ns = row["ts_ns"] - row["own_last_ns"]
    advanced_ns = ticks * NS_PER_MS if ticks < 0x80000000 else 0
    return known and advanced_ns >= IDLE_LEAST_NS and passed_ns * 2 < advanced_ns


def stands_before_its_probe(c: ComparedFrame) -> bool:
    """The probe that it answers comes behind it in the capture."""
    probe_frame: int = getattr(c.this.fact, "frame", 0)
    return probe_frame > c.this.frame


def prober_sent_more_before_it(c: ComparedFrame) -> bool:
    """Between the probe and this answer the prober sent another segment."""
    row, probe = c.this.row, c.probe
    if row is None or probe is None or probe.row is None or c.record is None:
        return False
    fin = c.record.fin_of(probe.sender)
    others = [other for other in c.record.probes if other.sender == c.this.sender and other.frame < c.this.frame]
    crossed = bool(others) and others[-1].frame > probe.frame
    closed = fin is not None and probe.frame < fin.frame < c.this.frame
    return closed or crossed or row["peer_last_ns"] > probe.row["ts_ns"]


def _not_idle(seen: Seen) -> bool:
    """Whether we call a frame a probe's form without the idle time."""
    return seen.word is Word.NOT_IDLE


def _facts(c: ComparedFrame) -> EndpointFacts | None:
    return None if c.record is None else c.record.facts(c.this.sender)


def _number(seen: Seen) -> int | None:
    """Return SEG.SEQ as on the wire."""
    if seen.row is not None:
        return seen.row["seq"] & NUMBERS
    return None if seen.segment is None else int(seen.segment["seq"])


def _answer_frame(seen: Seen | None) -> int | None:
    return getattr(seen.fact, "answer_frame", None) if seen is not None else None
