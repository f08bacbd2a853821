"""The long text of each finding about what could go wrong, lookalikes, and what the capture lacks."""

from __future__ import annotations

from typing import Final

from analyzer.words.model import LongText

OTHER_TEXTS: Final[dict[str, LongText]] = {
    "window-closed": LongText(
        title="The receive window was closed",
        meaning=(
            "This end advertised window 0. A peer with data to send asks from time to time whether it has opened;"
            " such probes look like keepalive and are none."
        ),
        why=(
            "The program at this end does not read, or not fast enough. A kernel whose window is closed still"
            " answers, so this can last for ever."
        ),
        change=(
            "Read, or close, in the program whose window it is. At the other end bound the wait (TCP_USER_TIMEOUT,"
            " a timeout on write)."
        ),
        doubt=(
            "On Linux window probes and keepalive probes are the same segment; the closed window and the doubling"
            " of the gaps tell them apart."
        ),
        source="RFC 9293 3.8.6.1; Linux tcp_send_probe0; field guide 2.6",
    ),
    "icmp-errors-end-nothing": LongText(
        title="ICMP errors that ended nothing",
        meaning="ICMP errors (unreachable and the like) came back for segments of this end.",
        why=(
            "For a probe they change nothing: Linux and macOS ignore an error that quotes a number below what is"
            " outstanding, so the prober goes on by its count. They do say what is wrong on the path."
        ),
        change="Follow up what the errors say; do not wait for the program to be told.",
        doubt=(
            "For data in flight an ICMP error can become the error that the program gets at the end (EHOSTUNREACH)."
        ),
        source="RFC 5927; Linux tcp_v4_err; field guide 2.5",
    ),
    "reset-ignored": LongText(
        title="A RST without effect",
        meaning=(
            "A RST came in this end's name, but its number is not what the receiver expects, or the connection went"
            " on after it."
        ),
        why=(
            "It did not end the connection: receivers take only a RST that fits exactly, and answer others with an"
            " ACK to make sure."
        ),
        change="Find out who sends it: a scanner, a box in between, or a host with an old idea of the connection.",
        doubt="A bystander knows the expected number only by what was captured.",
        source="RFC 5961 3.2; Linux tcp_validate_incoming; field guide 2.8, 8",
    ),
    "idle-without-probes": LongText(
        title="A long silence, and nobody probed",
        meaning=(
            "For a minute or more nothing passed on the open connection, no probe either: keepalive is off at both"
            " ends, or its idle time is longer."
        ),
        why=(
            "If the peer had died, or a box had forgotten the flow, neither end would know. The next write would"
            " find out, late."
        ),
        change=(
            "Set SO_KEEPALIVE with an idle time below the limits of the path (60 to 200 s). The system's default"
            " idle time is 2 h."
        ),
        doubt=(
            "An application may have heartbeats of its own at longer intervals. Probes from a sleeping host's"
            " network card do not pass its capture point."
        ),
        source="RFC 9293 3.8.4 MUST-25, MUST-28; field guide 2.3, 6",
    ),
    "aggressive-probing": LongText(
        title="Probing more often than any path needs",
        meaning="Answered probes come less than 10 s apart, and at least three gaps show it.",
        why=(
            "The shortest idle limit known of a box on the way is 60 s. More probes cost packets, wake radios, and"
            " on many connections add up; they only make a dead peer noticed sooner."
        ),
        change=(
            "If a death must be noticed within seconds, keep it. Else an idle time of 30 to 60 s keeps a flow known"
            " to every box on the way that probing helps against."
        ),
        doubt=(
            "Short times are right in tests, in clusters with fast failover, and where the program asks for them"
            " knowingly. Answers lost behind the capture point make a prober go over to its interval, which looks"
            " like this."
        ),
        source="field guide 2.3, 5, 6",
    ),
    "both-ends-probe": LongText(
        title="Both ends probe",
        meaning="Keepalive is on at both ends, each with its own timer.",
        why=(
            "It is legal and doubles the probes. On Linux one end's empty probes do not restart the other's timer,"
            " on macOS they do."
        ),
        change="Nothing, or leave it to one end.",
        doubt="The two ends' settings are independent; do not read one end's from the other's probes.",
        source="Linux tcp_validate_incoming; XNU tcp_input.c; field guide 2.2, 3.2",
    ),
    "not-keepalive-lookalikes": LongText(
        title="Segments that look like keepalive and are none",
        meaning=(
            "They repeat a number just below what is acknowledged, as probes do, but are something else: an octet"
            " sent again, an ACK overtaken by later segments, or a segment on a connection that was active a moment"
            " ago."
        ),
        why="Wireshark labels a segment by its sequence number alone, so it may show these as Keep-Alive.",
        change="Nothing. Do not count them.",
        doubt="Under a closed window one segment alone can be either probe; it is left undecided.",
        source="Wireshark packet-tcp.c; field guide 1.2, 9.2",
    ),
    "one-sided-capture": LongText(
        title="Only one direction was captured",
        meaning="Nothing of one endpoint is in the capture.",
        why="Probes cannot be told from repeated ACKs but by their even spacing, answers not at all.",
        change=(
            "Capture on one of the hosts, or on both paths; look for asymmetric routes and for filters that name"
            " one address as source only."
        ),
        doubt="Nothing is claimed beyond suspicion.",
        source="field guide 8",
    ),
    "headers-cut": LongText(
        title="TCP headers cut by the snap length",
        meaning="Of some segments the capture kept no more than the ports.",
        why="Without flags and numbers a segment can be anything.",
        change="Capture at least 96 bytes a packet (tcpdump -s 96), or all (-s 0).",
        doubt="Nothing is claimed of the cut segments.",
        source="field guide 8",
    ),
    "midstream-start": LongText(
        title="The capture began in mid-connection",
        meaning="No SYN of this flow was captured.",
        why=(
            "Which end opened the connection, the window scale and whether a FIN or RST had passed before are"
            " unknown. The first probes are known only by what follows."
        ),
        change="Start the capture before the connection, if it can be had.",
        doubt="An end that closed before the capture began looks like one that forgot the connection.",
        source="field guide 1.2, 8",
    ),
    "clock-went-back": LongText(
        title="The capture's clock went back",
        meaning="Within this flow a later frame bears an earlier time.",
        why="Spacings across that point are wrong; the order of frames is used for all else.",
        change="Mind merged files, several interfaces and clock steps (NTP) when reading times.",
        doubt="Times before and after are each right in themselves.",
        source="field guide 8",
    ),
}
