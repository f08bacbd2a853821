"""Two connections that carry the same data are told side by side, and whose each packet is."""

from dataclasses import replace

from analyzer.explain.halves import halves_story, proxy_words
from analyzer.joining import join
from tests.vantage.test_relatives import PROXY, REPLY, proxied, talk
from tests.vantages import ACK, RST, World, keepalive


def told(found):
    """The story of the only pair, as one text."""
    story = halves_story(found, *found.halves)
    return [story.title, story.headline, *(line.text for section in story.sections for line in section.lines)]


def test_each_half_says_where_the_proxy_is_and_how_it_ended(tmp_path):
    """A RST of the proxy is its own; that its other connection goes on is said, with frames."""
    made = World(offset_s=5.0)
    proxied(made)
    made.client = ("192.0.2.1", 40000)
    made.send(0.6, "b", RST | ACK, 2001 + len(REPLY), 1015, fate="made")
    found = join(*made.write(tmp_path))

    title, lead, front, back, ends = told(found)

    assert "Flow 0 of A and flow 0 of B: perhaps those of a proxy" == title
    assert "No probe, answer, RST or FIN passes a proxy" in lead
    assert front.startswith(
        "Flow 0 of A, from 192.0.2.1:40000 to 198.51.100.1:443, before the proxy, which is the server"
    )
    assert front.endswith("[frame A 5]")
    assert back.startswith(
        f"Flow 0 of B, from {PROXY}:51000 to 198.51.100.1:443, behind the proxy, which is the client"
    )
    assert "Flow 0 of A had ended at +0.600 [frame A 5]; flow 0 of B had not, when its capture did." == ends


def test_which_half_ended_first_is_said_by_one_clock(tmp_path):
    """The ending that the proxy passed on came first."""
    made = World(offset_s=5.0)
    proxied(made)
    made.send(0.6, "b", RST | ACK, 888_001 + len(REPLY), 777_015, fate="lost")
    made.client = ("192.0.2.1", 40000)
    made.send(0.7, "b", RST | ACK, 2001 + len(REPLY), 1015, fate="made")

    *_, ends = told(join(*made.write(tmp_path)))

    assert ends.startswith("Flow 0 of B ended first, at +0.")
    assert "flow 0 of A" in ends


def test_clocks_that_do_not_tell_are_not_taken_to(tmp_path):
    """Endings that are closer than the clocks are sure of have no order."""
    made = World(offset_s=5.0)
    proxied(made)
    made.send(0.6, "b", RST | ACK, 888_001 + len(REPLY), 777_015, fate="lost")
    made.client = ("192.0.2.1", 40000)
    made.send(0.601, "b", RST | ACK, 2001 + len(REPLY), 1015, fate="made")

    *_, ends = told(join(*made.write(tmp_path)))

    assert ends.startswith("Both ended at about +0.6")
    assert ends.endswith("; the clocks do not tell which first [frame A 5, B 5].")


def test_a_connection_says_which_end_is_a_proxy(tmp_path):
    """What is joined of a proxy's connections is told with the other's name; of any other nothing is."""
    made = World()
    proxied(made)
    keepalive(made, probes=1)
    found = join(*made.write(tmp_path))
    (pair,) = found.halves
    found.halves = [replace(pair, back=replace(pair.back, joint=0))]

    assert "Its client is perhaps a proxy, whose other connection is flow 0 of A." == proxy_words(found, 0)
    assert not proxy_words(found, 7)


def test_renumbered_flows_are_one_connection(tmp_path):
    """Other numbers between the same addresses are told as one connection whose packets cannot be matched."""
    made = World()
    talk(made, (1000, 2000), fate_of={"a": "lost", "b": "made"})
    talk(made, (777_000, 888_000), fate_of={"a": "made", "b": "lost"})
    made.send(9, "b", ACK, 888_019, 777_015, fate="lost")

    title, lead, *_ = told(join(*made.write(tmp_path)))

    assert title.endswith("most likely one connection, renumbered")
    assert "most likely a box between A and B rewrites them" in lead


def test_without_an_address_at_both_a_proxy_is_no_more_than_possible(tmp_path):
    """What programs say alike in connections of other hosts is told as perhaps a proxy's, not most likely."""
    made = World(offset_s=5.0)
    talk(made, (1000, 2000), fate_of={"a": "lost", "b": "made"})
    made.client, made.server = ("203.0.113.1", 51000), ("203.0.113.2", 8443)
    talk(made, (777_000, 888_000), fate_of={"a": "made", "b": "lost"})

    title, lead, *_ = told(join(*made.write(tmp_path)))

    assert title.endswith("perhaps those of a proxy")
    assert "no host is the server of one and the client of the other" in lead


def test_a_host_that_is_server_and_client_is_most_likely_a_proxy(tmp_path):
    """The host that one connection goes to and the other comes from passes on what both carry."""
    made = World(offset_s=5.0)
    talk(made, (1000, 2000), fate_of={"a": "lost", "b": "made"})
    made.client, made.server = (made.server[0], 51000), ("198.51.100.9", 8080)
    talk(made, (777_000, 888_000), fate_of={"a": "made", "b": "lost"})

    assert told(join(*made.write(tmp_path)))[0].endswith("most likely those of a proxy")
