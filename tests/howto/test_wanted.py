"""What is to be captured becomes a filter that libpcap takes, or is refused with a sentence."""

import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.howto.wanted import KEYWORDS, Wanted, checked_host, checked_interface, checked_name

FOUNDING = Path(__file__).parents[2] / "captures" / "founding_go_fin60.pcap"

needs_tcpdump = pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")

FILTERS = {
    ((), ()): "tcp",
    ((), (5432,)): "tcp port 5432",
    ((), (5432, 6379, 5432)): "tcp and (port 5432 or port 6379)",
    (("10.0.0.1",), ()): "tcp and host 10.0.0.1",
    (("10.0.0.1",), (80,)): "tcp port 80 and host 10.0.0.1",
    (("10.0.0.1", "::1"), (80, 443)): "tcp and (port 80 or port 443) and (host 10.0.0.1 or host ::1)",
    (("10.0.0.0/8", "2001:db8::/32"), ()): "tcp and (net 10.0.0.0/8 or net 2001:db8::/32)",
    (("localhost",), (80,)): "tcp port 80 and host localhost",
}


def compiled(expression):
    """What libpcap says of a filter: empty if it takes it."""
    words = ["tcpdump", "-r", FOUNDING, "-d", expression]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("wanted", "expression"), FILTERS.items(), ids=FILTERS.values())
def test_the_filter(wanted, expression):
    """Hosts are alternatives, ports too, both must fit; what explains silence passes as well."""
    made = Wanted(*wanted)

    assert expression == made.tcp
    assert made.filter == (f"({expression})" if " and " in expression else expression) + " or arp or icmp or icmp6"


@needs_tcpdump
@pytest.mark.parametrize("wanted", FILTERS, ids=FILTERS.values())
def test_libpcap_takes_the_filter(wanted):
    """Every filter compiles."""
    assert "" == compiled(Wanted(*wanted).filter)


@needs_tcpdump
def test_a_host_may_be_called_like_a_word_of_filters():
    """A host whose name is a keyword is looked up, and no syntax error (asked as stations are, which no server is)."""
    said = {word: compiled(Wanted(hosts=(word,)).tcp.replace("tcp and", "ether")) for word in KEYWORDS}

    assert {} == {word: line for word, line in said.items() if line and "unknown ether host" not in line}
    assert "syntax error" in compiled("host gateway")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("[::1]", "::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3/32", "10.1.2.3"),
        ("db-1.example.com.", "db-1.example.com"),
        ("my_host", "my_host"),
    ],
)
def test_hosts_are_taken_as_filters_have_them(given, taken):
    """Addresses are written in full order, networks begin at their first address, names end without a dot."""
    assert taken == checked_host(given)


@pytest.mark.parametrize(
    "text",
    ["", " ", "a b", "a;b", "$(id)", "`id`", "a'b", 'a"b', "-x", "x-", "10.0.0.300", "10.0.0", "1234", "a..b", "a/b",
     "10.0.0.1:80", "a\nb", "a\x1bb", "\u202ea", "bücher.example", "a" * 64, "a." * 130 + "a", "[a", "or)",
     "10.0.0.1/33"],
)  # fmt: skip
def test_what_is_no_host_is_refused(text):
    """Nothing but addresses, networks and names passes, so nothing that a shell or a filter obeys."""
    with pytest.raises(ValueError, match="is not an address, a network or the name of a host"):
        checked_host(text)


def test_a_zone_is_refused_with_the_remedy():
    """A link-local address with its zone is told apart into what a filter and what the interface takes."""
    with pytest.raises(ValueError, match="give fe80::1, and --interface eth0"):
        checked_host("fe80::1%eth0")


def test_interfaces_and_names():
    """Interfaces may have spaces (Windows), but begin no option; names are those of containers and pods."""
    assert ["eth0", "Ethernet 2", "$x"] == [checked_interface(text) for text in ("eth0", "Ethernet 2", "$x")]
    assert ["web-0", "shop_db.1"] == [checked_name(text) for text in ("web-0", "shop_db.1")]
    for text in ("", "-w", "a\nb", " a", "x" * 200):
        with pytest.raises(ValueError, match="is not the name of an interface"):
            checked_interface(text)
    for text in ("", "-w", "a b", "a;b", "../x", "$(id)", "x-"):
        with pytest.raises(ValueError, match="is not the name of a container or a pod"):
            checked_name(text)


def test_the_length_is_that_of_the_headers():
    """IPv4 addresses need 96 octets, everything else may be IPv6 and needs 128."""
    assert [96, 128, 128, 128] == [
        Wanted(hosts=hosts).length for hosts in (("10.0.0.1", "10.0.0.0/8"), ("::1",), ("10.0.0.1", "name"), ())
    ]


def test_loopback_is_told():
    """Hosts that are all this host's own need no other interface."""
    assert [True, True, False, False] == [
        Wanted(hosts=hosts).is_local for hosts in (("127.0.0.1",), ("localhost", "::1"), ("127.0.0.1", "10.0.0.1"), ())
    ]
