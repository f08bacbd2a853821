"""The long text of each verdict: what ``keepalive rules VERDICT`` prints."""

from __future__ import annotations

from typing import Final

from analyzer.judge.verdict import Verdict
from analyzer.words.model import LongText

VERDICT_TEXTS: Final[dict[str, LongText]] = {
    Verdict.CLOSED.value: LongText(
        title="Closed by both ends",
        meaning="Both ends sent FIN: each said that it has nothing more to send.",
        why="This is the orderly end. Keepalive has no further part in it.",
        change="Nothing. If the second FIN came late, the finding slow-to-close says so.",
        doubt="The capture shows that the FINs passed this point, not that they arrived.",
        source="RFC 9293 3.6",
    ),
    Verdict.HALF_CLOSED.value: LongText(
        title="One end closed, the other had not when the capture ended",
        meaning=(
            "One end sent FIN, the other did not, and nothing ended the connection before the capture did. The end"
            " that got the FIN is in CLOSE-WAIT (derived), and stays there until its own program closes, or a RST"
            " comes."
        ),
        why=(
            "A program that does not close after the peer's FIN leaks a socket and a file descriptor for each such"
            " connection."
        ),
        change=(
            "In the program that got the FIN: read until end of file, then close. If it goes on sending on purpose,"
            " nothing."
        ),
        doubt=(
            "The second FIN may have come after the capture, or past another point than this. A long half-close can"
            " be intended (shutdown(SHUT_WR))."
        ),
        source="RFC 9293 3.6; field guide 7.3, 9.5",
    ),
    Verdict.CLOSING.value: LongText(
        title="One end had just closed when the capture ended",
        meaning=(
            "One end sent FIN less than a second, or two round trips where these are longer, before the capture ended."
            " The other end's FIN could not have come yet."
        ),
        why="It is too early to tell whether the other end closes too, so this is not a finding.",
        change="Nothing. To see the end of it, capture longer.",
        doubt="This capture does not show whether the other end would have closed.",
        source="RFC 9293 3.6",
    ),
    Verdict.RESET_ON_PROBE.value: LongText(
        title="A RST answered a keepalive probe",
        meaning=(
            "The address of the peer answered a probe with a RST: the connection no longer exists there. Whether the"
            " peer had closed (FIN before), or forgot the connection (no FIN), the findings say:"
            " fin-wait-2-expired, peer-forgot-connection, reset-from-between."
        ),
        why="The connection was over before, at one end; the probe only brought it to light.",
        change=(
            "Depends on the finding. After a FIN: close on end of file. Without FIN: look for a restart, a moved"
            " address or a box on the way."
        ),
        doubt="TTL and MAC address fit the endpoint or do not; that is a hint at who sent the RST, not a proof.",
        source="RFC 9293 3.10.7.1; Linux tcp_v4_send_reset; field guide 2.8, 9.5",
    ),
    Verdict.TIMED_OUT.value: LongText(
        title="The prober gave up",
        meaning=(
            "Probes stayed unanswered and the prober's own kernel ended the connection: RST+ACK, one above the"
            " probe's sequence number, about one interval after the last probe. Its program gets ETIMEDOUT."
        ),
        why="Keepalive worked as intended: a dead peer or path was noticed.",
        change=(
            "If it took too long, lower idle time, interval or count on the probing side (TCP_KEEPIDLE,"
            " TCP_KEEPINTVL, TCP_KEEPCNT), or set TCP_USER_TIMEOUT."
        ),
        doubt=(
            "Unanswered means that no answer passed this capture point. The number of probes is evidence of the"
            " count, not proof: TCP_USER_TIMEOUT replaces the count on Linux."
        ),
        source="Linux tcp_keepalive_timer, XNU tcp_timer.c; field guide 2.4, 2.5, 3.3",
    ),
    Verdict.ABORTED.value: LongText(
        title="Ended by a RST that answers no probe",
        meaning="A RST ended the connection and it is neither the answer to a probe nor a prober giving up.",
        why="Data on its way is lost, and the other end's program gets ECONNRESET.",
        change=(
            "In the program that sent it: read what has arrived before closing; do not set SO_LINGER to 0 unless"
            " meant. If it answers data after a FIN, see data-after-peer-closed and last-data-met-close."
        ),
        doubt="Why a program aborted cannot be seen: unread data, SO_LINGER 0 and a kill look alike.",
        source="RFC 9293 3.5.2, 3.10.4; Linux tcp_close; field guide 2.8",
    ),
    Verdict.SILENT.value: LongText(
        title="Unanswered until the capture ended",
        meaning=(
            "Probes or data stayed unanswered until the capture ended, for at least one interval that was to be"
            " expected, and no RST came."
        ),
        why=("The peer or the path is probably gone, and the end that still holds the connection may not know it yet."),
        change=(
            "If data is outstanding: TCP_USER_TIMEOUT. If probes are: capture longer; the prober will give up by"
            " its count."
        ),
        doubt=(
            "A dead host, a dropped flow, answers lost behind the capture point and a hole in the capture look"
            " alike. On Linux giving up on data sends no RST, so silence can be the normal end of it."
        ),
        source="RFC 9293 3.8.4 MUST-29; Linux tcp_write_timeout; field guide 2.5, 9.5",
    ),
    Verdict.OPEN.value: LongText(
        title="Open when the capture ended",
        meaning="No FIN, no RST, no lasting silence: the connection was open when the capture ended.",
        why="Nothing went wrong as far as the capture goes.",
        change="Nothing.",
        doubt="Silence shorter than one interval is no verdict; what came after the capture is unknown.",
        source="field guide 9.5",
    ),
    Verdict.UNESTABLISHED.value: LongText(
        title="Never established",
        meaning="A SYN was seen, but no handshake was completed.",
        why="Keepalive does not run before a connection is established, so it has no part in this.",
        change=(
            "Look for the listener, the route and the firewall. TCP_USER_TIMEOUT and the SYN retries bound how long"
            " connecting may take."
        ),
        doubt="Part of the handshake may have passed another way than this capture point.",
        source="RFC 9293 3.5",
    ),
    Verdict.UNDETERMINED.value: LongText(
        title="The capture cannot tell",
        meaning=(
            "Only one direction was captured, the headers were cut, or a few answers are missing where packets were"
            " dropped while capturing: neither probes nor answers can be identified for sure."
        ),
        why="A guess here would be worth less than no answer.",
        change=(
            "Capture both directions (on the host itself, or on both paths), with at least 96 bytes of each packet"
            " (tcpdump -s 96), from before the connection starts."
        ),
        doubt="Nothing is claimed.",
        source="field guide 8, 9.6",
    ),
}
