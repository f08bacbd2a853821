"""Printed lines that are no segment show hosts, as far as they have it."""

import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest

import analyzer
from analyzer.capture.text.beside import listed, printed
from analyzer.capture.text.names import Names
from analyzer.capture.text.packet_list import LINE
from analyzer.segment import ABSENT, ASKS, SAYS, SIGN, address_text
from tests.test_text_round_trip import needs, said

LAB = Path(__file__).parents[3] / "captures" / "lab"
STATION, OTHER = 0x020000000001, 0x020000000002
ONE, TWO, ALL = "02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"


def shown(row):
    """A row as (kind, source, who is asked for, station, what is said, unasked, protocol)."""
    names = [address_text(row[f"{end}_hi"], row[f"{end}_lo"]) if row[f"{end}_lo"] else "" for end in ("src", "dst")]
    return (row["kind"], *names, row["src_mac"], row["said_mac"], row["unasked"], row["protocol"])


LINES = {
    "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28": (ASKS, "10.0.0.1", "10.0.0.2", ABSENT, ABSENT, 0, 0x806),
    "arp who-has 10.0.0.2 tell 10.0.0.1": (ASKS, "10.0.0.1", "10.0.0.2", ABSENT, ABSENT, 0, 0x806),
    "ARP, Ethernet (len 6), IPv4 (len 4), Request who-has 10.0.0.2 (ff:ff:ff:ff:ff:ff) tell 10.0.0.1, length 28": (
        ASKS, "10.0.0.1", "10.0.0.2", ABSENT, ABSENT, 0, 0x806,
    ),
    f"{ONE} > {ALL}, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.2 tell 10.0.0.1, length 28": (
        ASKS, "10.0.0.1", "10.0.0.2", STATION, ABSENT, 0, 0x806,
    ),
    "ARP, Request who-has 10.0.0.2 tell 0.0.0.0, length 28": (ASKS, "", "10.0.0.2", ABSENT, ABSENT, 0, 0x806),
    "ARP, Request who-has 10.0.0.2 tell 10.0.0.2, length 28": (SAYS, "10.0.0.2", "", ABSENT, ABSENT, 1, 0x806),
    "ARP, Announcement 10.0.0.2, length 28": (SAYS, "10.0.0.2", "", ABSENT, ABSENT, 1, 0x806),
    f"ARP, Reply 10.0.0.2 is-at {TWO}, length 28": (SAYS, "10.0.0.2", "", ABSENT, OTHER, 0, 0x806),
    "arp reply 10.0.0.2 is-at 2:0:0:0:0:2": (SAYS, "10.0.0.2", "", ABSENT, OTHER, 0, 0x806),
    "IP6 fe80::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fe80::2, length 32": (
        ASKS, "fe80::1", "fe80::2", ABSENT, ABSENT, 0, 58,
    ),
    "IP6 :: > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fe80::2, length 32": (
        ASKS, "", "fe80::2", ABSENT, ABSENT, 0, 58,
    ),
    "IP6 (hlim 255, next-header ICMPv6 (58) payload length: 32) fe80::2 > fe80::1: [icmp6 sum ok] ICMP6, neighbor "
    "advertisement, length 32, tgt is fe80::2, Flags [override] destination link-address option (2), length 8 (1): "
    f"{TWO}": (SAYS, "fe80::2", "", ABSENT, OTHER, 1, 58),
    "IP6 fe80::2 > fe80::1: ICMP6, neighbor advertisement, tgt is fe80::2, length 32": (
        SAYS, "fe80::2", "", ABSENT, ABSENT, 0, 58,
    ),
    "IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id 1, seq 1, length 64": (SIGN, "10.0.0.2", "", ABSENT, ABSENT, 0, 1),
    "IP 10.0.0.2.53 > 10.0.0.1.5000: 7 1/0/0 A 10.0.0.9 (44)": (SIGN, "10.0.0.2", "", ABSENT, ABSENT, 0, 17),
    "IP 10.0.0.2.5353 > 224.0.0.251.5353: UDP, length 44": (SIGN, "10.0.0.2", "", ABSENT, ABSENT, 0, 17),
    "IP 0.0.0.0.68 > 255.255.255.255.67: BOOTP/DHCP, Request": (SIGN, "", "", ABSENT, ABSENT, 0, 17),
    "IP6 fe80::2.5353 > ff02::fb.5353: 0 PTR? a. (5)": (SIGN, "fe80::2", "", ABSENT, ABSENT, 0, 17),
}  # fmt: skip
OF_LIST = {
    f"{ONE} → ff:ff:ff:ff:ff:ff ARP 42 Who has 10.0.0.2? Tell 10.0.0.1": (
        ASKS, "10.0.0.1", "10.0.0.2", ABSENT, ABSENT, 0, 0x806,
    ),
    f"{TWO} → {ONE} ARP 42 10.0.0.2 is at {TWO}": (SAYS, "10.0.0.2", "", ABSENT, OTHER, 0, 0x806),
    f"{TWO} → Broadcast ARP 42 Gratuitous ARP for 10.0.0.2 (Request)": (SAYS, "10.0.0.2", "", ABSENT, OTHER, 1, 0x806),
    f"{TWO} → Broadcast ARP 42 ARP Announcement for 10.0.0.2": None,
    ":: → ff02::1:ff00:2 ICMPv6 86 Neighbor Solicitation for fe80::2": (ASKS, "", "fe80::2", ABSENT, ABSENT, 0, 58),
    f"fe80::2 → fe80::1 ICMPv6 86 Neighbor Advertisement fe80::2 (sol, ovr) is at {TWO}": (
        SAYS, "fe80::2", "", ABSENT, OTHER, 0, 58,
    ),
    "10.0.0.2 → 10.0.0.1 DNS 80 Standard query response": (SIGN, "10.0.0.2", "", ABSENT, ABSENT, 0, 17),
    "10.0.0.2 → 10.0.0.1 OSPF 80 Hello Packet": None,
}  # fmt: skip
NOTHING = [
    "STP 802.1d, Config", "LLDP, length 60", "IP 10.0.0.1 > 224.0.0.22: igmp v3 report", "who-has", "ARP, Unknown",
    "IP6 truncated-ip6", "IP router.local > peer: ospf",
]  # fmt: skip


@pytest.mark.parametrize(("line", "row"), LINES.items())
def test_lines_of_tcpdump(line, row):
    """ARP, neighbour discovery and other packets show who asks, who answers and who lives."""
    assert row == shown(printed(line, Names()))


@pytest.mark.parametrize("line", NOTHING)
def test_lines_that_show_nobody(line):
    """What cannot be told apart is no witness."""
    assert printed(line, Names()) is None


@pytest.mark.parametrize(("line", "row"), OF_LIST.items())
def test_lines_of_a_list(line, row):
    """A packet list shows the same, but no stations of hosts."""
    made = listed(LINE.fullmatch(f"1 0.5 {line}"), Names())

    assert row == (made and shown(made))


def test_names_are_those_of_segments():
    """A host that is named in ARP is the one of that name on a connection."""
    names = Names()
    address = address_text(*names.halves("db.example.com", 4)[:2])

    assert address == shown(printed("ARP, Request who-has web.example.com tell db.example.com, length 28", names))[1]
    assert ip_address(address).is_private


@needs["tcpdump"]
@pytest.mark.parametrize("options", [["-n"], ["-n", "-e"], ["-n", "-e", "-vv"]], ids=" ".join)
@pytest.mark.parametrize("path", sorted(LAB.glob("*.pcap")), ids=lambda path: path.stem)
def test_causes_are_those_of_the_capture_or_weaker(path, options, tmp_path):
    """No text names a cause more surely than its capture, nor another one for sure."""
    text = tmp_path / "dump.txt"
    text.write_bytes(subprocess.run(["tcpdump", "-r", path, *options], capture_output=True, check=True).stdout)
    rank = {"proven": 3, "likely": 2, "possible": 1}
    for flow, other in zip(said(path), [flow.fields for flow in analyzer.analyze(text)], strict=True):
        cause, of_text = flow["ending"]["cause"], other["ending"]["cause"]

        assert rank.get(of_text and of_text["certainty"], 0) <= rank.get(cause and cause["certainty"], 0)
        assert of_text is None or of_text["certainty"] == "possible" or of_text["code"] == cause["code"]


ERRORS = [
    ("ICMP host 10.0.0.2 unreachable, length 60", (3 << 8) | 1),
    ("ICMP host 10.0.0.2 unreachable - admin prohibited filter, length 60", (3 << 8) | 10),
    ("ICMP net 10.0.0.2 unreachable, length 60", 3 << 8),
    ("ICMP 10.0.0.2 tcp port 80 unreachable, length 60", (3 << 8) | 3),
    ("ICMP 10.0.0.2 unreachable - need to frag (mtu 1400), length 60", (3 << 8) | 4),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS)
def test_an_error_without_its_quotation(error, kind, tmp_path):
    """Without ``-v`` an ICMP error is taken to be about the only connection between its hosts, and that is said."""
    segment = "20:00:0{}.0 IP 10.0.0.1.4000 > 10.0.0.2.{}: Flags [P.], seq 1:2, ack 1, win 64, length 1"
    path = tmp_path / "dump.txt"
    for ports, expected in (((80,), 1), ((80, 81), 0)):
        lines = [segment.format(at, port) for at, port in enumerate(ports)]
        path.write_text("\n".join([*lines, f"20:00:09.0 IP 10.0.0.9 > 10.0.0.1: {error}"]))
        analysis = analyzer.analyze(path)
        found = [each for flow in analysis for each in flow.fields["icmp_errors"]]

        assert expected == len(found)
        assert expected == sum("are about, each taken to be about the only" in w for w in analysis.captures[0].warnings)
        for each in found:
            code = (each["type"] << 8) | each["code"]

            assert (kind, "segment", None) == (code, each["fits"], each["quotes_probe"])


@pytest.mark.parametrize(
    "error", ["ICMP 10.0.0.2 udp port 80 unreachable, length 36", "ICMP time exceeded in-transit, length 36"]
)
def test_an_error_that_is_about_no_connection(error, tmp_path):
    """An error about UDP, or one that names no host, is about no connection."""
    path = tmp_path / "dump.txt"
    path.write_text(
        "20:00:00.0 IP 10.0.0.1.4000 > 10.0.0.2.80: Flags [P.], seq 1:2, ack 1, win 64, length 1\n"
        f"20:00:09.0 IP 10.0.0.9 > 10.0.0.1: {error}\n"
    )

    assert [] == [each for flow in analyzer.analyze(path) for each in flow.fields["icmp_errors"]]
