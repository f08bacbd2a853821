"""Lines that tcpdump prints of a packet: what they say is a row, and what is cut or mangled is none."""

import pytest

from analyzer.capture.text.names import Names
from analyzer.capture.text.tcpdump import (
    STARTS,
    WITHOUT_TIME,
    as_quoted,
    icmp_alone,
    icmp_error,
    is_tcp,
    is_whole,
    segment,
)
from analyzer.segment import ABSENT, ACK, FIN, NOTE_CUT, NOTE_ICMP_ERROR, PSH, RST, SYN, address_halves, address_text

TAIL = "win 64, options [nop,nop,TS val 100 ecr 200], length 0"


def row(text):
    """The row of a line."""
    printed = segment(text, Names())
    return None if printed is None else printed.row


def test_a_line_of_a_segment():
    """Ends, numbers, flags, window and options are columns."""
    found = row(f"IP 10.0.0.1.80 > 10.0.0.2.4000: Flags [P.], seq 1:6, ack 7, {TAIL[:-1]}5")

    assert ("10.0.0.1", "10.0.0.2") == tuple(
        address_text(found[f"{end}_hi"], found[f"{end}_lo"]) for end in ("src", "dst")
    )
    assert (80, 4000, 1, 7, PSH | ACK, 64) == tuple(
        found[name] for name in ("src_port", "dst_port", "seq", "ack", "flags", "window")
    )
    assert (5, 100, 200, 32, ABSENT, ABSENT) == tuple(
        found[name] for name in ("payload_len", "tsval", "tsecr", "header_len", "ttl", "window_scale")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IP a.1 > b.2: Flags [S], seq 5, win 9, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0",
         {"flags": SYN, "window_scale": 7, "header_len": 40}),
        ("IP a.1 > b.2: S 5:5(0) win 9 <mss 1460,nop,wscale 7,nop,nop,timestamp 1 0>",
         {"flags": SYN, "window_scale": 7, "tsval": 1, "seq": 5}),
        ("IP a.1 > b.2: . ack 6 win 9", {"flags": ACK, "seq": ABSENT, "ack": 6}),
        ("IP a.1 > b.2: FP 6:9(3) ack 1 win 9 (DF)", {"flags": FIN | PSH | ACK, "payload_len": 3}),
        ("IP a.1 > b.2: R 6:6(0) win 0", {"flags": RST, "seq": 6}),
        ("IP a.1 > b.2: Flags [R.], seq 1, ack 2, win 0, length 0", {"flags": RST | ACK}),
        ("IP a.1 > b.2: Flags [none], seq 1:2, win 0, length 1", {"flags": 0, "payload_len": 1}),
        ("IP6 fe80::1.1 > fe80::2.2: Flags [.], ack 2, win 5, length 0", {"ip_version": 6}),
        ("IP a.1 > b.2: Flags [P.], seq 1:20, ack 2, win 5, length 19: HTTP: GET / HTTP/1.1", {"payload_len": 19}),
        ("IP a.1 > b.2: Flags [.], ack 7, win 5, options [nop,nop,sack 1 {9:20}], length 0", {"header_len": 32}),
        (("IP (tos 0x0, ttl 63, id 7, offset 0, flags [DF], proto TCP (6), length 52) a.1 > b.2: Flags [.], "
          "cksum 0x1 (correct), seq 1, ack 7, win 5, length 0"), {"ttl": 63, "ip_id": 7, "header_len": 32, "seq": 1}),
        (("IP6 (flowlabel 0x7, hlim 61, next-header TCP (6) payload length: 32) ::1.1 > ::1.2: Flags [.], ack 1, "
         "win 5, length 0"), {"ttl": 61, "header_len": 32, "ip_id": ABSENT}),
        (("02:00:00:00:00:09 > 02:00:00:00:00:01, ethertype 802.1Q (0x8100), length 70: vlan 42, p 0, ethertype IPv4 "
         "(0x0800), a.1 > b.2: Flags [.], ack 7, win 5, length 0"), {"src_mac": 0x020000000009, "tag": 42}),
        (("eth0  In  ifindex 2 02:00:00:00:00:09 ethertype IPv4 (0x0800), length 70: a.1 > b.2: Flags [.], ack 7, "
         "win 5, length 0"), {"src_mac": 0x020000000009}),
        ("AF IPv6 (30), length 60: ::1.1 > ::1.2: Flags [.], ack 7, win 5, length 0", {"ip_version": 6, "ack": 7}),
        ("ip: a.1 > b.2: Flags [.], ack 7, win 5, length 0", {"ip_version": 4}),
        ("IP a.1  b.2: Flags [.], ack 7, win 5, length 0", {"ack": 7}),
        ("IP a.1 > b.2: Flags [.], ack 7, win 5, options [nop,nop,TS val 377343", {"options_cut": 1, "tsval": ABSENT}),
        ("IP a.1 > b.2: Flags [S], seq 5, win 9, options [mss 1460,sackOK,TS [|tcp]>", {"options_cut": 1}),
        ("IP a.1 > b.2:  [|tcp]", {"note": NOTE_CUT, "src_port": 1}),
        ("IP a.1 > b.2: tcp 0", {"note": NOTE_CUT}),
    ],
)  # fmt: skip
def test_forms_of_a_segment(text, expected):
    """Each form in which tcpdump prints a segment says what it says."""
    found = row(text)

    assert expected == {name: found[name] for name in expected}


@pytest.mark.parametrize(
    "text",
    [
        "IP a.1 > b.2: Flags [.], ack 7",
        "IP a.1 > b.2: Flags [.], win 5, length 0",
        "IP a.1 > b.2: Flags [P.], seq 1:6, ack 7, win 5, length 9",
        "IP a.1 > b.2: Flags [.], ack 7, win 5, length 9",
        "IP a.1 > b.2: Flags [.], ack 7, win 5123 and so on",
        "IP a > b: Flags [.], ack 7, win 5, length 0",
        "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 64",
        "ARP, Request who-has 10.0.0.1 tell 10.0.0.2, length 28",
        "IP a.1 > b.2: UDP, length 7",
        "",
    ],
)
def test_what_is_cut_mangled_or_none(text):
    """A line from which numbers may be missing, or in which they contradict each other, is no row."""
    assert row(text) is None


def test_a_neighbour_advertisement_is_no_segment():
    """What other protocols call flags is not taken for TCP's."""
    assert not is_tcp(
        "IP6 fe80::1 > fe80::2: ICMP6, neighbor advertisement, length 24, tgt is fe80::1, Flags [solicited]"
    )
    assert is_tcp("IP a.1 > b.2: Flags [P.], seq")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("ICMP host 10.0.0.2 unreachable", 3 << 8 | 1),
        ("ICMP net 10.0.0.2 unreachable", 3 << 8),
        ("ICMP 10.0.0.2 tcp port 80 unreachable", 3 << 8 | 3),
        ("ICMP 10.0.0.2 protocol 6 unreachable", 3 << 8 | 2),
        ("ICMP 10.0.0.2 unreachable - need to frag (mtu 1400)", 3 << 8 | 4),
        ("ICMP host 10.0.0.2 unreachable - admin prohibited", 3 << 8 | 10),
        ("ICMP time exceeded in-transit", 11 << 8),
        ("[icmp6 sum ok] ICMP6, destination unreachable, unreachable route 2001:db8::2", 1 << 16 | 1 << 8),
        ("ICMP6, packet too big, mtu 1280", 1 << 16 | 2 << 8),
        ("ICMP redirect 10.0.0.2 to host 10.0.0.7", 5 << 8 | 1),
        ("ICMP redirect-tos 10.0.0.2 to net 10.0.0.7", 5 << 8 | 2),
    ],
)
def test_errors_that_quote_a_segment(words, kind):
    """An ICMP error with what it quotes is a row of the quoted ends, with its type and code."""
    header = "IP (tos 0x0, ttl {}, id 5, offset 0, flags [DF], proto {}, length 80)"
    text = f"{header.format(62, 'ICMP (1)')} 10.0.0.9 > 10.0.0.1: {words}, length 60"
    quoted = f"{header.format(1, 'TCP (6)')} 10.0.0.1.40 > 10.0.0.2.80: Flags [.], seq 7, ack 1, {TAIL}"
    found = as_quoted(icmp_error(f"{text} {quoted}", Names()).row)

    assert (kind, 40, 80, 7, NOTE_ICMP_ERROR, 62, 0) == tuple(
        found[name] for name in ("icmp", "src_port", "dst_port", "seq", "note", "ttl", "flags")
    )


@pytest.mark.parametrize(
    ("words", "mtu"),
    [
        ("ICMP 10.0.0.2 unreachable - need to frag (mtu 1400)", 1400),
        ("ICMP6, packet too big, mtu 1280", 1280),
        ("ICMP 10.0.0.2 unreachable - need to frag (mtu 0)", ABSENT),
        ("ICMP host 10.0.0.2 unreachable", ABSENT),
    ],
)
def test_mtu_that_an_error_names(words, mtu):
    """The MTU that a line shows is kept, and the timestamps of what it quotes are not taken for one."""
    quoted = "IP (tos 0x0, ttl 1, id 5, offset 0, flags [DF], proto TCP (6), length 80) 10.0.0.1.40 > 10.0.0.2.80: {}"
    stamped = quoted.format("Flags [.], seq 7, ack 1, win 9, options [nop,nop,TS val 5 ecr 6], length 0")
    found = as_quoted(icmp_error(f"IP 10.0.0.9 > 10.0.0.1: {words}, length 60 {stamped}", Names()).row)

    assert mtu == found["tsecr"]


def test_what_is_quoted_without_its_number():
    """Where the quoted segment was cut before its number, none is made up."""
    text = "IP 10.0.0.9 > 10.0.0.1: ICMP host 10.0.0.2 unreachable, length 36 IP (tos 0x0, ttl 1, id 5, offset 0,"
    quoted = f"{text} flags [DF], proto TCP (6), length 52) 10.0.0.1.40 > 10.0.0.2.80:  [|tcp]"

    assert (40, ABSENT) == tuple(as_quoted(icmp_error(quoted, Names()).row)[name] for name in ("src_port", "seq"))


@pytest.mark.parametrize(
    ("line", "kind", "router"),
    [
        ("IP 10.0.0.9 > 10.0.0.1: ICMP redirect 10.0.0.2 to host 10.0.0.7, length 36", 5 << 8 | 1, "10.0.0.7"),
        ("IP 10.0.0.9 > 10.0.0.1: ICMP redirect 10.0.0.2 to net 10.0.0.7, length 36", 5 << 8, "10.0.0.7"),
        ("IP6 fe80::1 > fd::1: ICMP6, redirect, fd:1::2 to fe80::2, length 120", 1 << 16 | 137 << 8, "fe80::2"),
        (
            "IP6 fe80::1 > fd::1: [icmp6 sum ok] ICMP6, redirect, length 120, fd:1::2 to fe80::2 redirected header",
            1 << 16 | 137 << 8,
            "fe80::2",
        ),
        ("IP6 fe80::1 > fd::1: ICMP6, redirect, fd:1::2 to fd:1::2, length 120", 1 << 16 | 137 << 8, None),
    ],
)
def test_redirects_that_quote_nothing(line, kind, router):
    """A redirect says which host is meant, and the router that it names; none where that is the host itself."""
    row = icmp_alone(line, Names())
    host = address_halves("fd:1::2" if kind >> 16 else "10.0.0.2")

    assert (kind, *host) == (row["icmp"], row["dst_hi"], row["dst_lo"])
    assert (address_halves(router)[1] if router else ABSENT) == row["tsecr"]


def test_errors_that_quote_nothing():
    """An ICMP error of which the text does not show what it quotes is no row."""
    assert icmp_error("IP 10.0.0.9 > 10.0.0.1: ICMP host 10.0.0.2 unreachable, length 60", Names()) is None


def test_beginnings():
    """A packet begins with its protocol or link header, behind its time; without one only what cannot be prose does."""
    for text in (
        "IP a",
        "IP6 (",
        "ARP, Req",
        "eth0  In  IP a",
        "02:00:00:00:00:01 > ",
        "Out 02:00:00:00:00:01 ethertype",
    ):
        assert STARTS.match(text)
    assert not STARTS.match("connection closed by peer")
    assert WITHOUT_TIME.match("IP 10.0.0.1.80 > 10.0.0.2.4: Flags")
    assert not WITHOUT_TIME.match("IP addresses are hidden")


def test_whether_a_line_is_whole():
    """A line without what tcpdump prints last may go on below."""
    assert is_whole(f"IP a.1 > b.2: Flags [.], ack 7, {TAIL}")
    assert not is_whole("IP a.1 > b.2: Flags [.], ack 7, win 64,")
    assert not is_whole("IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 52)")
    assert is_whole("IP a.1 > b.2: . ack 6 win 9 <nop,nop,timestamp 1 2>")
    assert not is_whole("IP a.1 > b.2: . ack 6 win 9 <nop,nop,")
