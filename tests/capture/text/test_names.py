"""Names in place of addresses and ports stand for the same host and port everywhere, and are told."""

from analyzer.capture.text.names import MOST, Names, endpoint
from analyzer.segment import address_text


def shown(names, text, version=4):
    """The address that stands for what a line says."""
    high, low, _ = names.halves(text, version)
    return address_text(high, low)


def test_addresses_are_themselves():
    """What is an address stays one, without its zone."""
    names = Names()

    assert "10.0.0.1" == shown(names, "10.0.0.1")
    assert "fe80::1" == shown(names, "fe80::1%eth0", 6)
    assert [] == names.sentences()


def test_a_name_gets_an_address_that_no_host_has():
    """Each name has one address, for documentation, and a sentence says which."""
    names = Names()

    given = ["192.0.2.1", "192.0.2.2", "192.0.2.1"]

    assert given == [shown(names, name) for name in ("db.example", "web", "db.example")]
    assert "2001:db8::1" == shown(names, "six", 6)
    assert (
        'the text has names for addresses; each got one that no host has: "db.example" is 192.0.2.1, '
        '"web" is 192.0.2.2, "six" is 2001:db8::1 (tcpdump -n prints addresses)'
    ) == names.sentences()[0]


def test_the_local_host_is_known():
    """Localhost is the loopback address, of either version."""
    names = Names()

    assert ("127.0.0.1", "::1") == (shown(names, "localhost"), shown(names, "localhost", 6))
    assert [] == names.sentences()


def test_many_names():
    """Names go on through all ranges for documentation, and share the last address once there are too many."""
    names = Names()
    given = [shown(names, f"host{number}") for number in range(MOST + 10)]

    assert ["192.0.2.254", "198.51.100.1"] == given[253:255]
    assert MOST == len(set(given))


def test_ports():
    """Numbers are themselves, services are known, and one that is not gets a port of its own and a sentence."""
    names = Names()

    assert [5432, 5432, 443, 4001] == [names.port(text) for text in ("5432", "postgresql", "https", "newoak")]
    assert [65534, 65533, 65534] == [names.port(text) for text in ("wibble-1", "wibble-2", "wibble-1")]
    assert 'services whose ports are not known here, and got others: "wibble-1", "wibble-2"' == names.sentences()[0]


def test_a_name_may_not_command_a_terminal():
    """What a name holds is spelled out where it is told."""
    names = Names()
    shown(names, "evil\x1b[2J")

    assert "\x1b" not in names.sentences()[0]


def test_the_last_dot_is_before_the_port():
    """Hosts have dots, or colons."""
    assert ("127.0.0.1", "80") == endpoint("127.0.0.1.80")
    assert ("::1", "4001") == endpoint("::1.4001")
    assert ("db.example.com", "postgresql") == endpoint("db.example.com.postgresql")
