"""Captures that nobody sends by accident: floods of one kind, as many frames as asked for.

Each is raw IPv4, 10 us or a second from frame to frame. What they have in common is that something in an analyser
could grow with the square of their length, or keep something for each frame.
"""

from tests.capture.craft import Kept, icmp, ipv4, ipv6, pcap, tcp

A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
START_NS = 1_560_000_000_000_000_000


def forth(data=b"", **fields):
    """A segment from a to b."""
    return ipv4(tcp(data, **fields), src=A, dst=B)


def back(data=b"", **fields):
    """A segment from b to a."""
    return ipv4(tcp(data, ports=(80, 40000), **fields), src=B, dst=A)


def of_flow(number, **fields):
    """A segment of one of many flows, from its first end."""
    source = (0x0A000000 + number // 50_000).to_bytes(4, "big")
    return ipv4(tcp(ports=(10_000 + number % 50_000, 80), **fields), src=source, dst=B)


def to_flow(number, **fields):
    """A segment of one of many flows, from its other end."""
    source = (0x0A000000 + number // 50_000).to_bytes(4, "big")
    return ipv4(tcp(ports=(80, 10_000 + number % 50_000), **fields), src=B, dst=source)


QUICK_NS, SLOW_NS = 10_000, 1_000_000_000

FLOODS = {
    "lone SYNs": (QUICK_NS, lambda at: of_flow(at, flags=2, seq=at)),
    "a RST of each flow": (QUICK_NS, lambda at: of_flow(at, flags=4, seq=at)),
    "flows opened": (
        QUICK_NS,
        lambda at: (
            of_flow(at // 3, flags=2, seq=100, ack=0)
            if at % 3 == 0
            else to_flow(at // 3, flags=0x12, seq=500, ack=101)
            if at % 3 == 1
            else of_flow(at // 3, seq=101, ack=501)
        ),
    ),
    "addresses used anew": (QUICK_NS, lambda at: forth(flags=2, seq=at * 100_000 % (1 << 32))),
    "RSTs": (SLOW_NS, lambda at: forth(flags=4, seq=1000 + 7 * at, window=0)),
    "RSTs with ACK": (SLOW_NS, lambda at: forth(flags=0x14, seq=1000, ack=at)),
    "one side only": (SLOW_NS, lambda _: forth(seq=5000, ack=7000)),
    "one octet again and again": (SLOW_NS, lambda _: forth(b"x", seq=1000, flags=0x18)),
    "FINs": (SLOW_NS, lambda at: forth(flags=0x11, seq=1000 + at)),
    "probes answered": (
        2 * SLOW_NS,
        lambda at: back(seq=5000, ack=1000) if at % 2 else forth(seq=999, ack=5000),
    ),
    "probes of both": (
        2 * SLOW_NS,
        lambda at: (
            forth(seq=999, ack=5000),
            back(seq=5000, ack=1000),
            back(seq=4999, ack=1000),
            forth(seq=1000, ack=5000),
        )[at % 4],
    ),
    "probes at a window that opens and closes": (
        2 * SLOW_NS,
        lambda at: back(seq=5000, ack=1000, window=at // 2 % 2) if at % 2 else forth(seq=999, ack=5000),
    ),
    "probes between data": (
        2 * SLOW_NS,
        lambda at: (
            forth(seq=999 + at // 3, ack=5000),
            back(seq=5000, ack=1000 + at // 3),
            forth(b"x", seq=1000 + at // 3, ack=5000),
        )[at % 3],
    ),
}


def _high_bits(at):
    """A SYN from one of many IPv6 addresses that differ in the highest bits of both halves alone."""
    high, low = 0x20010DB8 << 32 ^ (at >> 10 & 0x3FF) << 54, 1 | (at & 0x3FF) << 54
    source = high.to_bytes(8, "big") + low.to_bytes(8, "big")
    return ipv6(tcp(flags=2, seq=at, ports=(40000, 80)), src=source, dst=b"\x20\x01\x0d\xb8" + bytes(11) + b"\x02")


def _unanswered(at):
    """A handshake, data, then probes that nothing answers."""
    opening = (forth(flags=2, seq=998), back(flags=0x12, seq=5000, ack=999), forth(seq=999, ack=5001))
    return opening[at] if at < len(opening) else forth(seq=998, ack=5001)


def _at_random(at):
    """A segment of either end whose numbers fit nothing."""
    seq, ack = at * 2_654_435_761 % (1 << 32), at * 40_503_001 % (1 << 32)
    return back(seq=seq, ack=ack) if at % 2 else forth(seq=seq, ack=ack)


def _probing(at):
    """A probe of one of many flows, and its answer."""
    return to_flow(at // 2, seq=5000, ack=1000) if at % 2 else of_flow(at // 2, seq=999, ack=5000)


def _quoting(at):
    """An ICMP error that quotes the one flow there is."""
    quoted = forth(seq=1000)
    return ipv4(icmp(quoted[:28]), protocol=1, src=bytes([10, 0, 0, 9]), dst=A) if at else quoted


def _translated(at):
    """A probe of one of many flows and its answer, each before and behind a router that translates addresses."""
    number, step = at // 4, at % 4
    inside, outside = ((base + number // 50_000).to_bytes(4, "big") for base in (0x0A000000, 0xC0A80000))
    own, ttl = (inside, 64) if step in {0, 3} else (outside, 63)
    seq, ack, port = 999 + number, 5000 + number, 10_000 + number % 50_000
    if step < 2:
        return ipv4(tcp(ports=(port, 443), seq=seq, ack=ack), src=own, dst=B, ttl=ttl, identifier=number % 65536)
    return ipv4(tcp(ports=(443, port), seq=ack, ack=seq + 1), src=B, dst=own, ttl=127 - ttl, identifier=number % 65536)


def _closed(at, flows):
    """A probe of a closed window, and its answer, of one of so many flows in turn."""
    number, step = at % flows, at // flows
    return to_flow(number, seq=5000, ack=1000, window=0) if step % 2 else of_flow(number, seq=999, ack=5000)


OTHERS = {
    "probes before and behind a translation": (QUICK_NS, _translated),
    "windows closed for long": (SLOW_NS // 2, lambda at: _closed(at, 20)),
    "a clock that goes back": (-SLOW_NS, lambda at: back(seq=5000, ack=1000) if at % 2 else forth(seq=999, ack=5000)),
    "SYNs of addresses with the same low bits": (QUICK_NS, _high_bits),
    "SYNs to many ports": (
        QUICK_NS,
        lambda at: ipv4(tcp(flags=2, seq=at, ports=(40000, 1 + at % 60_000)), src=A, dst=B),
    ),
    "probes that nothing answers": (2 * SLOW_NS, _unanswered),
    "numbers at random": (SLOW_NS, _at_random),
    "a probe of each flow": (QUICK_NS, _probing),
    "ICMP errors": (QUICK_NS, _quoting),
}
"""Floods that are read in fewer ways by tests."""


def flood(kind, count):
    """A pcap of so many frames of a kind."""
    step_ns, frame = (FLOODS | OTHERS)[kind]
    return pcap([Kept(frame(at), START_NS + at * step_ns) for at in range(count)], 101, magic=0xA1B23C4D)


def _clock(at):
    """The time of a line, a second from line to line."""
    return f"{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.000000"


def _line(at, rest, *, ends="10.0.0.1.40000 > 10.0.0.2.80"):
    """A line of tcpdump."""
    return f"{_clock(at)} IP {ends}: {rest}"


OCTETS = """\
\t0x0000:  4500 0028 0001 0000 4006 0000 0a00 0001
\t0x0010:  0a00 0002 9c40 0050 0000 03e7 0000 1388
\t0x0020:  5010 01f4 0000 0000"""
BACK = "10.0.0.2.80 > 10.0.0.1.40000"
TEXTS = {
    "data": lambda at: _line(at, f"Flags [P.], seq {at + 1}:{at + 2}, ack 1, win 64, length 1"),
    "ACKs without a number": lambda at: _line(at, "Flags [.], ack 1, win 64, length 0"),
    "ACKs of both": lambda at: _line(
        at, "Flags [.], ack 1, win 64, length 0", ends=BACK if at % 2 else "10.0.0.1.40000 > 10.0.0.2.80"
    ),
    "flows": lambda at: _line(
        at, f"Flags [S], seq {at}, win 64, length 0", ends=f"10.0.0.1.{at % 50_000 + 1} > 10.0.{at // 50_000}.2.80"
    ),
    "names": lambda at: _line(at, f"Flags [S], seq {at}, win 64, length 0", ends=f"h{at}.example.40000 > b.web{at}"),
    "ARP asked in vain": lambda at: f"{_clock(at)} ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
    "errors": lambda at: (
        f"{_clock(at)} IP (tos 0x0, ttl 64, id {at % 65536}, offset 0, flags [none], proto ICMP (1), length 88)\n"
        f"    10.0.0.9 > 10.0.0.1: ICMP host 10.0.0.2 unreachable, length 68\n"
        "\tIP (tos 0x0, ttl 63, id 7, offset 0, flags [DF], proto TCP (6), length 52)\n"
        "    10.0.0.1.40000 > 10.0.0.2.80: Flags [.], seq 999, ack 5000, win 64, length 0"
    ),
    "octets": lambda at: f"{_line(at, 'tcp 0')}\n{OCTETS}",
    "a list": lambda at: (
        f"{at + 1:>6} {at}.000000 10.0.0.1 \u2192 10.0.0.2 TCP 54 40000 \u2192 80 [ACK] Seq=0 Ack=1 Win=64 Len=0"
    ),
    "what is no packet": lambda at: f"line {at} of a log" if at else _line(0, "Flags [.], ack 1, win 64, length 0"),
    "nearly packets": lambda at: _line(at, f"Flags [P.], seq {at}:, ack, win"),
    "broken lines": lambda at: _line(at, f"Flags [P.],\nseq {at + 1}:{at + 2},\nack 1, win 64,\nlength 1"),
    "quoted": lambda at: "> " * (at % 20) + _line(at, f"Flags [P.], seq {at + 1}:{at + 2}, ack 1, win 64, length 1"),
}  # fmt: skip


def text_flood(kind, count):
    """A text of so many packets, or lines, of a kind."""
    return "".join(f"{TEXTS[kind](at)}\n" for at in range(count))
