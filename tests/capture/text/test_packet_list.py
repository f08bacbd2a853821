"""Lines of tshark's and Wireshark's packet list are rows; what Wireshark thinks of them is not read."""

import pytest

from analyzer.capture.text.names import Names
from analyzer.capture.text.numbers import Numbers
from analyzer.capture.text.packet_list import LINE, is_above_tcp, segment, spread
from analyzer.segment import ABSENT, ACK, NOTE_CUT, RST, SYN

INFO = "4002 → 56791 [ACK] Seq=0 Ack=7 Win=65536 Len=0 TSval=11 TSecr=12"
HOST = "127.0.0.1"
LINES = {
    "tshark": f"    8  10.232048    {HOST} → {HOST}    TCP 66 [TCP Keep-Alive] {INFO}",
    "ascii": f"    8  10.232048    {HOST} -> {HOST}    TCP 66 {INFO.replace('→', '->')}",
    "wireshark": f"      8 10.232048      {HOST}         {HOST}         TCP      66     " + INFO.replace("→", ">"),
    "date": f"    8 2026-11-23 01:13:54.734767    {HOST} → {HOST}    TCP 66 {INFO}",
    "csv": f'"8","10.232048","{HOST}","{HOST}","TCP","66","[TCP Dup ACK 5#1] {INFO}"',
}


@pytest.mark.parametrize("form", LINES)
def test_forms_of_a_line(form):
    """Every form of the list says the same of a segment, whatever Wireshark calls it."""
    line = LINE.fullmatch(spread(LINES[form]))
    row = segment(line, Names()).row

    assert "8" == line["number"]
    assert (4002, 56791, 0, 7, ACK, 65536, 0, 11, 12, 32) == tuple(
        row[name]
        for name in (
            "src_port", "dst_port", "seq", "ack", "flags", "window", "payload_len", "tsval", "tsecr", "header_len",
        )
    )  # fmt: skip


def listed(info, protocol="TCP"):
    """A line of the list with this info."""
    return LINE.fullmatch(f"    8  10.232048    10.0.0.1 → 10.0.0.2    {protocol} 66 {info}")


def test_windows_are_scaled_back():
    """Wireshark prints scaled windows once both SYNs offered a scale; columns have what was on the wire."""
    numbers, names = Numbers(), Names()
    windows = []
    for info in (
        "9 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 WS=128",
        "9 → 80 [ACK] Seq=1 Ack=1 Win=64256 Len=0",
    ):
        printed = segment(listed(info), names)
        numbers._conversation(printed.row)[0].offered[1] = True
        numbers._conversation(printed.row)[0].offered[0] = True
        numbers.tshark(printed.row, printed.sack)
        windows.append(printed.row["window"])

    assert [64240, 502] == windows


def test_a_second_connection_has_other_numbers():
    """A SYN behind segments begins a connection with other numbers than the one before; one sent again does not."""
    numbers, names, seqs = Numbers(), Names(), []
    for info in (
        "9 → 80 [SYN] Seq=0 Win=1 Len=0",
        "9 → 80 [SYN] Seq=0 Win=1 Len=0",
        "9 → 80 [RST, ACK] Seq=1 Ack=1 Win=1 Len=0",
        "9 → 80 [SYN] Seq=0 Win=1 Len=0",
    ):
        row = segment(listed(info), names).row
        numbers.tshark(row, None)
        seqs.append(row["seq"])

    assert seqs[0] == seqs[1] != seqs[3]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("9 → 80 [SYN, ECE, CWR] Seq=0 Win=1 Len=0 MSS=9 WS=8", {"window_scale": 3}),
        ("9 → 80 [RST] Seq=7 Win=0 Len=0", {"flags": RST, "seq": 7, "ack": 0}),
        ("http → 80 [SYN] Seq=0 Win=1 Len=0", {"src_port": 80, "flags": SYN}),
        ("9 → 80[Packet size limited during capture]", {"note": NOTE_CUT, "dst_port": 80}),
        ("9 → 80 [ACK] Seq=1 Ack=2 Win=1 Len=0 SLE=5 SRE=9", {"ack": 2, "sack_left": ABSENT}),
    ],
)
def test_infos(info, expected):
    """What the info column says is in the row."""
    row = segment(listed(info), Names()).row

    assert expected == {name: row[name] for name in expected}


def test_a_block_of_sack():
    """The first SACK block is beside the row, to be completed as numbers are."""
    assert (5, 9) == segment(listed("9 → 80 [ACK] Seq=1 Ack=2 Win=1 Len=0 SLE=5 SRE=9 SLE=20 SRE=30"), Names()).sack


def test_what_has_no_numbers():
    """Where a protocol above TCP took the column nothing is known, and it is not taken for another protocol."""
    assert segment(listed("GET / HTTP/1.1", "HTTP"), Names()) is None
    assert is_above_tcp(listed("GET / HTTP/1.1", "HTTP"))
    assert not is_above_tcp(listed("Who has 10.0.0.1?", "ARP"))


def test_prose_is_no_line():
    """What only begins with numbers is no line of a list."""
    assert LINE.fullmatch("1 0.5 percent of all") is None
    assert "a,b" == spread("a,b")
    assert '"a' == spread('"a')
