"""The long text of each finding about how a flow went: what ``keepalive rules CODE`` prints."""

from __future__ import annotations

from typing import Final

from analyzer.words.model import LongText

CLOSE_IT: Final = (
    "Read until end of file (read returns 0, b'', io.EOF), then close the connection, in the code that handles it."
    " In Go: defer conn.Close() in the handler's own function, not in main, which never returns."
)

ENDING_TEXTS: Final[dict[str, LongText]] = {
    "fin-wait-2-expired": LongText(
        title="The closing end's FIN-WAIT-2 ran out",
        meaning=(
            "This end had closed, its FIN was acknowledged, and the other end never closed. Its kernel held the"
            " connection in FIN-WAIT-2 for a time and answered probes; then it forgot it, and the next probe drew a"
            " RST (or, on macOS 12 and later, it sent a RST unasked)."
        ),
        why=(
            "This, and not keepalive's count of unanswered probes, ended the connection. The other end had been in"
            " CLOSE-WAIT (derived) all the while."
        ),
        change="Nothing at this end: the limit is right. At the other end see close-wait-held-by-keepalive.",
        doubt=(
            "A restart of this end's host would look the same. The time is bracketed by the last answer and the"
            " RST; its end sends nothing. 60 s is the default of Linux (net.ipv4.tcp_fin_timeout; 60 to 62 s"
            " measured) and the cap of macOS 12 and later; macOS up to 11 waits count x interval of the closing"
            " socket."
        ),
        source=("Linux tcp_rcv_state_process, tcp_minisocks.c; XNU tcp_input.c, tcp_timer.c; field guide 2.8, 3.3, 7"),
    ),
    "dead-peer-detected": LongText(
        title="Keepalive noticed a dead peer",
        meaning="The prober's last probes got no answer and its kernel gave up with a RST of its own.",
        why="The connection was ended after that time instead of hanging for ever; its program gets ETIMEDOUT.",
        change=(
            "If it took too long, lower the idle time, the interval or the count on the probing side. Time to"
            " notice is idle + count x interval."
        ),
        doubt=(
            "The peer may be alive and the path cut, or answers lost. The number of probes is evidence of"
            " TCP_KEEPCNT, not proof: on Linux TCP_USER_TIMEOUT replaces the count."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.3 to 2.5",
    ),
    "answers-lost-behind-capture": LongText(
        title="Answers in the capture that did not reach the prober",
        meaning=(
            "The capture shows answers, but the prober behaved as one that hears nothing: it went over to its"
            " interval and in the end sent RST."
        ),
        why="The fault lies between the capture point and the prober, in the direction of the answers.",
        change=(
            "Look there: a firewall that lets one direction pass, an asymmetric route, a full queue. Capture at the"
            " prober too."
        ),
        doubt=(
            "Inferred from the rhythm of the probes and the form of the RST. Answers that the prober discards (RFC"
            " 7323 checks on timestamps) would look the same."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.3, 8",
    ),
    "reset-from-between": LongText(
        title="The RST was sent by a box in between",
        meaning=(
            "The RST bears this endpoint's address, but its TTL or MAC address is not that of the endpoint's other"
            " packets."
        ),
        why=(
            "Neither program nor either kernel ended the connection. The endpoint in whose name it came most likely"
            " still holds it."
        ),
        change=(
            "Look at firewalls, NAT and load balancers on the path: idle limits, a reload, a new rule. Keepalive"
            " with an idle time below the limit keeps a flow known."
        ),
        doubt=(
            "A route that changed also changes the TTL; a host whose stack sends its RSTs with another initial TTL"
            " looks like a box."
        ),
        source="field guide 6, 8, 9.5",
    ),
    "peer-forgot-connection": LongText(
        title="The peer's address knows no such connection",
        meaning=(
            "A RST answered a probe (or data), and no FIN had come from that end: it forgot the connection without"
            " closing it."
        ),
        why=(
            "The other end held a connection that was dead for an unknown time; keepalive (or the data) brought it"
            " to light."
        ),
        change=(
            "Look for a restart of host or container, a failover that moved the address, or a NAT or load balancer"
            " that forgot the flow. Probing more often finds it sooner."
        ),
        doubt=(
            "If the capture began in mid-connection, a FIN may have come before it: then it is fin-wait-2-expired."
            " A box that imitates TTL and MAC address of the peer cannot be told from it."
        ),
        source="RFC 9293 3.5.1, 3.10.7.1; field guide 7.1, 9.5",
    ),
    "data-after-peer-closed": LongText(
        title="Data sent to an end that had closed",
        meaning="The peer's FIN had come; data sent after it was answered with a RST.",
        why=(
            "The data is lost. The writing program learns it only with the next call: the write that drew the RST"
            " succeeded."
        ),
        change="Read, and take end of file as the peer's close, before writing more. " + CLOSE_IT,
        doubt=(
            "After shutdown(SHUT_WR) a peer would have taken the data; the RST shows that it had closed in full (or"
            " its process was gone)."
        ),
        source="RFC 9293 3.10.7; Linux tcp_rcv_state_process; field guide 2.8, 7.1",
    ),
    "abort-without-fin": LongText(
        title="A RST in place of a FIN",
        meaning="This end ended the connection with RST+ACK, unasked, without a FIN.",
        why=(
            "The other end's program reads ECONNRESET where it would have read end of file, and data on its way is"
            " lost."
        ),
        change=(
            "Read what has arrived before closing, and leave SO_LINGER alone. A kill with unread data does the"
            " same, and no program can prevent it."
        ),
        doubt="Unread data, SO_LINGER with time 0 and a kill look alike on the wire.",
        source="Linux tcp_close; XNU tcp_usrreq.c; field guide 2.8, 3.3",
    ),
    "still-probing-at-end": LongText(
        title="Probes unanswered when the capture ended",
        meaning="The peer stopped answering, and the capture ended before the prober gave up.",
        why="The end is not in the capture, but it is near: an unanswered prober gives up after its count.",
        change=(
            "Capture for longer: idle + count x interval after the last word. Linux counts to 9 and macOS to 8"
            " unless told otherwise."
        ),
        doubt=(
            "One unanswered probe never means that the peer is dead (RFC 9293 MUST-29); answers may have been lost"
            " on the way to this capture point."
        ),
        source="RFC 9293 3.8.4; field guide 2.3, 9.5",
    ),
    "probes-unanswered-then-none": LongText(
        title="Probes unanswered, then no more probes",
        meaning=(
            "The last probes got no answer, and after them nothing came for more than two of their intervals to the"
            " capture's end, not even the prober's RST."
        ),
        why="The peer or the path was gone, and then the prober fell silent too.",
        change=(
            "Look at the prober: whether it gave up (its RST may not have passed this point), was shut down, or had"
            " something to send."
        ),
        doubt=(
            "The capture may have lost packets, or a link without carrier may have swallowed probes and RST before"
            " they could be captured."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.3, 8, 9.5",
    ),
    "close-wait-held-by-keepalive": LongText(
        title="The application never closed; keepalive goes on in CLOSE-WAIT",
        meaning=(
            "The peer's FIN came, this end sent none and no data, and its kernel goes on probing: its socket is in"
            " CLOSE-WAIT (derived). As long as the peer's kernel answers, keepalive finds all in order."
        ),
        why=(
            "Each such connection keeps a socket and a file descriptor. Keepalive cannot free it: probes test"
            " whether the peer's TCP answers, and it does. End of file was there to read since the FIN, with or"
            " without keepalive."
        ),
        change=CLOSE_IT,
        doubt=(
            "It may be a deliberate half-close whose answer takes long (shutdown(SHUT_WR) at the other end). The"
            " program's calls are not in the capture."
        ),
        source="RFC 9293 3.6; Linux tcp_keepalive_timer, XNU tcp_timer.c; field guide 7",
    ),
    "close-wait-without-probes": LongText(
        title="The application did not close, and nobody probes",
        meaning=(
            "The peer's FIN came, this end sent none in the minute or more that the capture went on, and neither"
            " end probes."
        ),
        why="Nothing on the wire will ever end CLOSE-WAIT. The socket stays until the program closes it or ends.",
        change=CLOSE_IT + " Keepalive as well lets the kernel notice that the peer is gone.",
        doubt="It may be a deliberate half-close, or close after the capture's end.",
        source="RFC 9293 3.6; field guide 7.3",
    ),
    "half-close-in-use": LongText(
        title="A half-close that is meant",
        meaning=(
            "The peer sent FIN and went on taking data: it shut down its sending side only. Probes in that time are"
            " in order."
        ),
        why="It looks like the leak of close-wait-held-by-keepalive and is none.",
        change=(
            "Nothing. Mind that some boxes on the way forget a half-closed flow sooner (Linux conntrack 60 and 120"
            " s, Cisco ASA 10 min)."
        ),
        doubt="The capture shows that data was acknowledged, not that the program read it.",
        source="RFC 9293 3.6; field guide 6, 7.3",
    ),
    "slow-to-close": LongText(
        title="A long time in CLOSE-WAIT before closing",
        meaning="The peer's FIN came, and this end closed only after probes had passed meanwhile.",
        why="Up to then its program had not noticed, or not acted on, the end of file.",
        change=CLOSE_IT,
        doubt="The program may have been at work for the peer; the capture does not show that.",
        source="RFC 9293 3.6; field guide 7.3",
    ),
    "fin-sender-still-probes": LongText(
        title="The end that sent FIN goes on probing",
        meaning=(
            "Probes come from an end in FIN-WAIT-2 (derived). Linux runs keepalive there only for a socket that a"
            " program still holds: shutdown(SHUT_WR), not close()."
        ),
        why=(
            "It waits for the other end, which has not closed; its kernel will not forget the connection after 60 s"
            " as it would after close()."
        ),
        change=(
            "If the other end ought to be done: close there on end of file. If waiting must be bounded, bound it in"
            " the program."
        ),
        doubt="That only held sockets probe is Linux; macOS probes in FIN-WAIT-2 too, and FreeBSD does not.",
        source="Linux tcp_keepalive_timer; XNU tcp_timer.c; field guide 2.2, 3.1, 4",
    ),
    "data-unacknowledged-no-keepalive": LongText(
        title="Keepalive does not run: data is unacknowledged",
        meaning="What this end sent stayed unacknowledged to the capture's end and was sent again; no probe since.",
        why=(
            "Linux does not probe while data is outstanding. Only the retransmission timer can find the peer dead,"
            " by default after a quarter of an hour, and keepalive's settings do not shorten that."
        ),
        change=(
            "Set TCP_USER_TIMEOUT on this socket: it bounds how long data may stay unacknowledged (and replaces"
            " keepalive's count)."
        ),
        doubt=(
            "BSD and macOS do probe while data is outstanding. Acknowledgements may have passed another way than"
            " this capture point."
        ),
        source="RFC 9293 3.8.4 MUST-26; RFC 5482; Linux tcp_keepalive_timer; field guide 2.2, 2.4",
    ),
    "idle-beyond-middlebox-limit": LongText(
        title="It failed after a silence longer than boxes on the way allow",
        meaning=(
            "Nothing at all had passed, for longer than known boxes on the way remember an idle flow (Azure 4 min,"
            " AWS 350 s, GCP 10 min, Cisco ASA 1 h), before the probe that got no answer or a RST."
        ),
        why=(
            "A box that forgot the flow drops what comes next, or answers with a RST. The probe itself came too"
            " late to keep the flow known."
        ),
        change=(
            "Set keepalive's idle time below the limit of the path, such as 60 to 200 s; the default of 2 h is"
            " above nearly all of them."
        ),
        doubt=(
            "The peer may have died in that time of itself. Which boxes are on the path, the capture does not show."
        ),
        source="field guide 6",
    ),
    "probes-stopped": LongText(
        title="The probes stopped, and nothing else came",
        meaning=(
            "This end probed in a steady rhythm, its last probe was answered, and then nothing came for more than"
            " two of its intervals to the capture's end."
        ),
        why=(
            "A kernel that probes does not stop of itself. The end that only answers never notices that its peer is"
            " gone, and holds the connection for ever."
        ),
        change=(
            "Look at the prober, and at the path from it to here. Turn keepalive on at the end that only answers as"
            " well."
        ),
        doubt=(
            "The prober may have data outstanding that does not get here (Linux does not probe then), may have"
            " turned keepalive off, may sleep, or the capture may have lost packets."
        ),
        source="Linux tcp_keepalive_timer; field guide 2.2, 8",
    ),
    "probes-lost-but-recovered": LongText(
        title="Some probes unanswered, a later one answered",
        meaning=(
            "Some probes got no answer that the capture shows, but a later one did: packets were lost, and the peer"
            " was alive."
        ),
        why=(
            "An answer sets the prober's count back to zero. With a small count (or a small TCP_USER_TIMEOUT) such"
            " losses end a good connection."
        ),
        change=(
            "Look for loss on the path. Do not choose a count so small that the longest run seen here would end a"
            " connection."
        ),
        doubt=(
            "The answer may have passed this capture point unseen. Answers that Linux holds back (one in 500 ms)"
            " are not counted here."
        ),
        source="RFC 9293 3.8.4 MUST-29; field guide 2.2, 2.7",
    ),
}
