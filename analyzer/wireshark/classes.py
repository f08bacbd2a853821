"""THE TABLE of differences between Wireshark and us: rows tried in order, the first whose conditions all hold names it.

Every row has its reason, who is right, and how we know. There is no row for all the rest, so that a difference nobody
has thought of shows as unclassified.

Read field guide 1 first: Wireshark calls a segment keep-alive if it has at most one byte and SEG.SEQ is one below the
highest number *it saw* from the sender; and an ACK its answer if nothing but the ACK came between, and the window did
not change. We ask what the peer had acknowledged, and how long the sender had been idle.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from analyzer.values import dataclass
from analyzer.wireshark.compared_frame import ComparedFrame, Word
from analyzer.wireshark.difference_conditions import (
    acknowledges_more,
    another_vlan,
    began_midstream,
    capture_missed_of_the_sender,
    clock_ran_backwards,
    comes_too_late_to_answer,
    first_of_its_sender,
    goes_beyond,
    headers_are_cut,
    its_number_is_not_of_this_connection,
    more_is_outstanding,
    not_of_a_flow,
    not_yet_acknowledged,
    number_of_own_fin,
    number_of_own_syn,
    prober_sent_more_before_it,
    same_packet_as_the_answer,
    sender_had_sent_no_data,
    stands_before_its_probe,
    times_are_wrong,
    was_a_candidate,
    we_do_not_decide,
    we_say_answer,
    we_say_copy,
    we_say_not_idle,
    we_say_nothing,
    we_say_probe,
    we_say_probe_of_any_kind,
    we_say_probe_or_answer,
    we_say_sent_again,
    we_say_stale,
    we_say_stale_or_nothing,
    we_say_window_answer,
    we_say_window_probe,
    what_it_answers_is_no_probe,
    what_it_answers_is_undecided,
    what_it_answers_was_answered,
    window_probes_carried_it,
    wireshark_does_not_say_keep_alive,
    wireshark_marked_the_probe,
    wireshark_missed_the_probe,
    wireshark_missed_the_window_probe,
    wireshark_says_an_answer,
    wireshark_says_answer,
    wireshark_says_closed_window,
    wireshark_says_keep_alive,
    wireshark_says_keep_alive_or_its_answer,
    wireshark_says_missed,
    wireshark_says_neither,
    wireshark_says_new_window,
    wireshark_says_out_of_order,
    wireshark_says_window_probe,
)


class Right(StrEnum):
    """Who is right about a frame."""

    OURS = "ours"
    WIRESHARK = "wireshark"
    UNDECIDED = "undecided"


Condition = Callable[[ComparedFrame], bool]


@dataclass(frozen=True, slots=True)
class Class:
    """A row of the table: if all conditions hold, and no earlier row did, this is why we differ."""

    name: str
    right: Right
    reason: str
    """Why Wireshark says what it says, or cannot know."""
    known: str
    """How it is known who is right, or why it is not."""
    conditions: tuple[Condition, ...]


CLASSES: Final = (
    # what nobody can compare
    Class(
        "not-of-a-known-flow",
        Right.UNDECIDED,
        "Wireshark puts together IP fragments, and takes apart encapsulations, that we do not.",
        "Nothing to compare it with: the segment is in no flow of ours.",
        (not_of_a_flow,),
    ),
    # copies first: what follows would explain them as something else
    Class(
        "captured-twice",
        Right.OURS,
        "The capture holds the packet twice (interface any, a router, a bridge, a mirror port), and Wireshark labels "
        "the copy on its own.",
        "All numbers, the window, IP ID and timestamps are those of a packet moments before; a host sends none such.",
        (we_say_copy,),
    ),
    Class(
        "answer-captured-twice",
        Right.OURS,
        "The capture holds the answer twice, and Wireshark labels the copy on its own.",
        "All numbers, the window, IP ID and timestamps are those of the answer just before it.",
        (we_say_nothing, wireshark_says_answer, same_packet_as_the_answer),
    ),
    # marked as keep-alive, and is none
    Class(
        "octet-sent-again",
        Right.OURS,
        "A retransmitted byte has SEG.SEQ = SND.NXT-1 as a probe has, and Wireshark asks for keep-alive first.",
        "The peer had not acknowledged the byte, so there was nothing to keep alive, but something to send again.",
        (we_say_sent_again, wireshark_says_keep_alive, not_yet_acknowledged),
    ),
    Class(
        "acknowledged-octet-sent-again",
        Right.OURS,
        "A retransmitted byte has SEG.SEQ = SND.NXT-1 as a probe has, and Wireshark asks for keep-alive first.",
        "It carries PSH and the very byte that was sent last: its ACK passed the capture, but was lost behind it.",
        (we_say_sent_again, wireshark_says_keep_alive),
    ),
    Class(
        "handshake-number-kept",
        Right.OURS,
        "An ACK that still carries the number of the SYN is one below what Wireshark expects: a generated capture "
        "that left the numbers alone, or the reply to a SYN that came again.",
        "SEG.SEQ is the number of the sender's SYN, and it is not behind an idle time.",
        (number_of_own_syn, wireshark_says_keep_alive, we_say_stale_or_nothing),
    ),
    Class(
        "ack-behind-fin",
        Right.OURS,
        "An ACK that was sent before the FIN but captured behind it is one below what Wireshark expects, because a "
        "FIN counts.",
        "SEG.SEQ is the number of that FIN, which the peer had not acknowledged; or its TSval or SEG.ACK is older.",
        (we_say_stale, wireshark_says_keep_alive, number_of_own_fin),
    ),
    Class(
        "ack-overtaken",
        Right.OURS,
        "An ACK that was captured behind a byte sent after it is one below what Wireshark expects.",
        "The peer had not acknowledged that byte, or TSval or SEG.ACK is older than what was already captured.",
        (we_say_stale, wireshark_says_keep_alive),
    ),
    Class(
        "another-vlan",
        Right.OURS,
        "The connection was captured on two VLANs or tunnels; Wireshark 4.0 tells connections apart by addresses and "
        "ports alone, so packets of one move what it expects of the other.",
        "Taken by itself, the flow with this tag has no segment one below what the peer acknowledged.",
        (we_say_nothing, wireshark_says_keep_alive_or_its_answer, another_vlan),
    ),
    Class(
        "frames-out-of-order",
        Right.UNDECIDED,
        "The frames are not in the order of their times, and Wireshark judges them in the order of the file.",
        "So do we; which of the two orders the wire had, the capture does not say.",
        (we_say_nothing, wireshark_says_keep_alive_or_its_answer, clock_ran_backwards),
    ),
    Class(
        "earlier-connection",
        Right.OURS,
        "The ports were used before, and Wireshark goes on with the numbers of the connection before.",
        "It is the first segment of its sender since the SYN that began this connection.",
        (we_say_nothing, wireshark_says_keep_alive, its_number_is_not_of_this_connection),
    ),
    Class(
        "window-probe-in-linux-form",
        Right.OURS,
        "Linux probes a closed window with an empty segment at SEG.SEQ = SND.UNA-1, the same as its keepalive; "
        "Wireshark knows window probes of one byte at SND.NXT only.",
        "The peer's last window is 0, and the spacing starts near the retransmission timeout or doubles.",
        (we_say_window_probe, wireshark_says_keep_alive),
    ),
    Class(
        "one-probe-at-a-closed-window",
        Right.UNDECIDED,
        "Wireshark does not look at the peer's window when it calls a segment Keep-Alive.",
        "The peer's last window is 0; keepalive and window probe look the same, and one alone has no spacing to tell.",
        (we_do_not_decide,),
    ),
    Class(
        "times-rewritten",
        Right.UNDECIDED,
        "Wireshark asks for no idle time before a keep-alive.",
        "By the capture's times the connection was active less than 0.9 s before, but these times cannot be true: "
        "segments come evenly throughout, or the sender's own timestamp clock counted more.",
        (we_say_not_idle, wireshark_says_keep_alive, times_are_wrong),
    ),
    Class(
        "not-idle",
        Right.OURS,
        "Wireshark asks for no idle time before a keep-alive.",
        "Something other than keepalive passed less than 0.9 s before, and no keepalive timer is shorter than 1 s: "
        "something else sent it (a fast liveness check of macOS, a box in between, a generated capture).",
        (we_say_not_idle, wireshark_says_keep_alive),
    ),
    Class(
        "unproven",
        Right.UNDECIDED,
        "Wireshark asks for nothing but the number.",
        "The capture does not show what the peer had acknowledged, and nothing that follows proves it a probe.",
        (we_say_nothing, wireshark_says_keep_alive, was_a_candidate),
    ),
    # keepalive, and not marked
    Class(
        "headers-cut-off",
        Right.OURS,
        "The snap length cut the TCP options, and Wireshark does not analyse a segment whose header it cannot read in "
        "full.",
        "Numbers, flags and window lie before the options, and they are those of a probe and its answer.",
        (we_say_probe_or_answer, wireshark_says_neither, headers_are_cut),
    ),
    Class(
        "probe-below-what-is-outstanding",
        Right.OURS,
        "Wireshark looks one below the highest number sent; this probe is one below what the peer acknowledged, while "
        "a FIN or data above that is outstanding.",
        "SEG.SEQ = SND.UNA-1, and what is outstanding begins one above: it sends nothing again.",
        (we_say_probe_of_any_kind, wireshark_says_neither, more_is_outstanding),
    ),
    Class(
        "began-midstream",
        Right.OURS,
        "The capture began in the middle of the connection: without an earlier number of the sender Wireshark cannot "
        "know what the next one would be, and it takes the first probe's for it, so that no later probe is below.",
        "The peer acknowledges SEG.SEQ+1 although no data was sent, or the same number comes again after idle times.",
        (we_say_probe_of_any_kind, wireshark_says_neither, began_midstream, sender_had_sent_no_data),
    ),
    Class(
        "capture-missed-segments",
        Right.OURS,
        "The capture does not hold the sender's last data, so that Wireshark's next number is too low.",
        "SEG.SEQ is one below what the peer acknowledged.",
        (we_say_probe, wireshark_says_neither, capture_missed_of_the_sender),
    ),
    # answers
    Class(
        "answer-written-before-its-probe",
        Right.OURS,
        "Wireshark goes by the order of frames, in which this ACK repeats the one before, and calls it Dup ACK.",
        "Nothing else asks for it, and the probe that it acknowledges comes at most 1 ms later: the capture wrote the "
        "two in the other order.",
        (we_say_answer, wireshark_says_neither, stands_before_its_probe),
    ),
    Class(
        "answer-to-a-missed-probe",
        Right.OURS,
        "Wireshark calls an ACK Keep-Alive ACK only behind a segment that it called Keep-Alive, which it did not here.",
        "It is the first that the peer sent after the probe, empty, and acknowledges SEG.SEQ+1 of the probe.",
        (we_say_answer, wireshark_says_neither, wireshark_missed_the_probe),
    ),
    Class(
        "answer-with-new-window",
        Right.OURS,
        "Wireshark asks that the window did not change, and calls this Window Update.",
        "It is the first that the peer sent after the probe, empty, with the same SEG.ACK.",
        (we_say_answer, wireshark_says_neither, wireshark_says_new_window),
    ),
    Class(
        "answer-with-closed-window",
        Right.OURS,
        "Wireshark asks for a window above 0, and calls this ZeroWindow.",
        "It is the first that the peer sent after the probe, empty, with the same SEG.ACK; the probes come evenly, so "
        "they are keepalive under a closed window.",
        (we_say_answer, wireshark_says_neither, wireshark_says_closed_window),
    ),
    Class(
        "crossing-segments",
        Right.OURS,
        "Wireshark asks that the prober's segment just before is the probe; here the prober sent another one in "
        "between (both ends probe at once, or a FIN follows), and the ACK is Dup ACK to it.",
        "It is the first ACK that the peer sent after the probe, which asks for one; the other segment does not.",
        (we_say_answer, wireshark_says_neither, prober_sent_more_before_it),
    ),
    Class(
        "answer-behind-missed-segments",
        Right.OURS,
        "Wireshark has not seen what came before the answer, and says so in place of Keep-Alive ACK.",
        "It is the first that the peer sent after the probe, empty, and acknowledges SEG.SEQ+1 of the probe.",
        (we_say_answer, wireshark_says_neither, wireshark_says_missed),
    ),
    Class(
        "answer-acknowledges-more",
        Right.OURS,
        "Wireshark asks that SEG.ACK is the same as before; the ACK that this one repeats was not captured.",
        "It is the first that the peer sent after the probe, empty, and acknowledges SEG.SEQ+1 of the probe.",
        (we_say_answer, wireshark_says_neither, acknowledges_more),
    ),
    Class(
        "answer-begins-midstream",
        Right.OURS,
        "It is the first segment of its sender in the capture, and Wireshark has no window or number to compare with.",
        "It is empty, and acknowledges SEG.SEQ+1 of the probe.",
        (we_say_answer, wireshark_says_neither, first_of_its_sender),
    ),
    Class(
        "answer-to-a-window-probe-in-linux-form",
        Right.OURS,
        "Wireshark calls an ACK ZeroWindowProbeAck only behind a segment that it called ZeroWindowProbe, and "
        "Keep-Alive ACK only with a window above 0.",
        "It is the first that the peer sent after the window probe.",
        (we_say_window_answer, wireshark_missed_the_window_probe),
    ),
    Class(
        "answer-behind-what-counts-for-nothing",
        Right.OURS,
        "Wireshark asks that number, window and SEG.ACK are as in its sender's segment before; that one was "
        "overtaken, or a RST or FIN that no window reaches.",
        "It is the first that the peer sent after the probe, empty, and none of Wireshark's other conditions fails.",
        (we_say_answer, wireshark_says_neither, wireshark_marked_the_probe),
    ),
    Class(
        "window-probe-behind-an-accepted-octet",
        Right.OURS,
        "Wireshark leaves the byte of a window probe out of its count, so that once one was accepted the next is "
        "above.",
        "The peer acknowledged the byte of the window probe before.",
        (we_say_window_probe, wireshark_says_neither, window_probes_carried_it),
    ),
    Class(
        "window-answer-with-new-numbers",
        Right.OURS,
        "Wireshark asks that the window is still 0 and SEG.ACK the same; here the byte was accepted, or the window "
        "opened.",
        "It is the first that the peer sent after the window probe.",
        (we_say_window_answer, wireshark_says_neither),
    ),
    # called answers, to what is no probe
    Class(
        "answer-to-what-nobody-can-tell",
        Right.UNDECIDED,
        "Wireshark calls an ACK Keep-Alive ACK behind every segment that it called Keep-Alive.",
        "Whether that segment is a probe, the capture does not say.",
        (wireshark_says_answer, what_it_answers_is_undecided),
    ),
    Class(
        "answer-to-no-probe",
        Right.OURS,
        "Wireshark calls an ACK Keep-Alive ACK behind every segment that it called Keep-Alive.",
        "That segment is no keepalive probe, for a reason of its own.",
        (wireshark_says_answer, what_it_answers_is_no_probe),
    ),
    Class(
        "second-answer",
        Right.OURS,
        "Wireshark calls every ACK an answer as long as the last segment of the other end was called a probe.",
        "The probe was answered before, and one probe asks for one answer.",
        (wireshark_says_an_answer, what_it_answers_was_answered),
    ),
    Class(
        "answer-too-late",
        Right.UNDECIDED,
        "Wireshark sets no limit to the time between a probe and its answer.",
        "It comes so late (more than 10 s) that it may be about something else.",
        (wireshark_says_answer, comes_too_late_to_answer),
    ),
    Class(
        "answer-to-what-we-do-not-count",
        Right.UNDECIDED,
        "Wireshark calls an ACK an answer behind every segment that it called a probe.",
        "By our account that segment is of another connection, or no probe, or this one is older.",
        (wireshark_says_an_answer,),
    ),
    # data sent again
    Class(
        "octet-of-a-window-probe",
        Right.UNDECIDED,
        "Wireshark leaves the byte of a window probe out of its count, so that it is new when the window opens.",
        "The same byte was in the window probes before. Whether that is sent again is a matter of words.",
        (we_say_sent_again, wireshark_says_neither, window_probes_carried_it),
    ),
    Class(
        "octet-at-a-closed-window",
        Right.UNDECIDED,
        "Wireshark calls a single byte at its next number ZeroWindowProbe if the last window it saw was 0.",
        "By our account the byte was sent before, or the window that counts was open.",
        (wireshark_says_window_probe,),
    ),
    Class(
        "sent-again-with-more",
        Right.OURS,
        "Wireshark does not call data Retransmission that goes beyond what was sent before.",
        "It begins below SND.NXT, so that its first bytes were sent before.",
        (we_say_sent_again, wireshark_says_neither, goes_beyond),
    ),
    Class(
        "sent-again-or-reordered",
        Right.UNDECIDED,
        "Wireshark calls data that fills a gap within a round trip Out-Of-Order.",
        "It came 150 ms or more after its sender's last segment, when a timer may have run; the capture does not show "
        "which of the two it was.",
        (we_say_sent_again, wireshark_says_out_of_order),
    ),
    Class(
        "not-counted-as-sent",
        Right.UNDECIDED,
        "Wireshark has not seen these numbers sent, and takes the data for new.",
        "The peer had acknowledged them, or they were in a segment that Wireshark does not count.",
        (we_say_sent_again, wireshark_says_neither),
    ),
    # the numbers themselves: nothing else is left by which Wireshark decides
    Class(
        "next-number-differs",
        Right.OURS,
        "Wireshark asks that SEG.SEQ is one below the highest number that it saw from the sender, and it is not.",
        "SEG.SEQ is one below what the peer acknowledged, which is what the receiver of a probe goes by.",
        (we_say_probe_of_any_kind, wireshark_does_not_say_keep_alive),
    ),
    Class(
        "next-number-differs-the-other-way",
        Right.UNDECIDED,
        "SEG.SEQ is one below the highest number that Wireshark saw from the sender.",
        "It is not one below what the peer acknowledged, as far as the capture shows.",
        (wireshark_says_keep_alive,),
    ),
)


def classify(case: ComparedFrame) -> Class | None:
    """Return the row that a difference falls into, None if nobody has thought of it."""
    return next((row for row in CLASSES if all(condition(case) for condition in row.conditions)), None)


def evidence(row: Class, case: ComparedFrame) -> str:
    """Return how it is known who is right about this frame."""
    fact = case.this.fact
    answer = getattr(fact, "answer_frame", None)
    if case.this.word in {Word.ANSWER, Word.WINDOW_ANSWER} and fact is not None:
        return f"{row.known} The probe is frame {fact.frame}."
    if case.this.word in {Word.PROBE, Word.WINDOW_PROBE} and answer is not None:
        return f"{row.known} Frame {answer} answers it."
    if case.marked is not None and wireshark_says_answer(case):
        return f"{row.known} It is frame {case.marked.frame}."
    return row.known
