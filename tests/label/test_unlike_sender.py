"""Whether a RST looks like the other packets of the host in whose name it came."""

import pytest

from analyzer.label.rules import Kind
from analyzer.label.unlike_sender import KNOWN, NEAR, NEXT_ID, ON_LINK, RANDOM, STATION, Stranger, strangeness
from analyzer.tolerances import ID_FAR
from tests.labelling import batch_of

COUNTS = {"id_steps": 2}
"""A sender whose IP IDs count."""


def odd(sender=COUNTS, **fields):
    """Return the Stranger bits of a RST of an endpoint whose packets are known."""
    usual = {
        "ttl_low": 50,
        "ttl_high": 54,
        "ttl": 52,
        "own_mac": 5,
        "src_mac": 5,
        "own_ip_id": 1000,
        "ip_id": 0,
        "host": 0,
    }
    return {bit for bit in Stranger if strangeness(usual | fields, sender) & bit}


@pytest.mark.parametrize(
    ("fields", "bits"),
    [
        ({}, set()),
        ({"ttl": 48}, set()),
        ({"ttl": 47}, {Stranger.TTL}),
        ({"ttl": 55}, {Stranger.TTL}),
        ({"ttl": 255}, {Stranger.TTL}),
        ({"ttl": 255 - 12}, set()),
        ({"ttl": 128 - 12}, set()),
        ({"ttl": 128}, {Stranger.TTL}),
        ({"ttl": 255, "ttl_low": -1, "ttl_high": -1}, set()),
        ({"ttl": 255, "ttl_low": 64, "ttl_high": 64}, set()),
        ({"ttl": 63, "ttl_low": 64, "ttl_high": 64}, set()),
        ({"ttl": 250, "ttl_low": 64, "ttl_high": 64}, set()),
        ({"ttl": 250, "ttl_low": 64, "ttl_high": 64, "src_mac": 6}, {Stranger.TTL, Stranger.MAC}),
        ({"ttl": 250, "ttl_low": 64, "ttl_high": 64, "src_mac": -1}, {Stranger.TTL}),
        ({"src_mac": 6}, {Stranger.MAC}),
        ({"src_mac": -1}, set()),
        ({"own_mac": -1}, set()),
        ({"ttl": 30, "ip_id": 1001}, set()),
        ({"ttl": 30, "ip_id": 1065}, {Stranger.TTL}),
        ({"ip_id": 1000 + ID_FAR}, set()),
        ({"ip_id": 1001 + ID_FAR}, {Stranger.IP_ID}),
        ({"ip_id": 1000 - 65}, {Stranger.IP_ID}),
        ({"ip_id": 1000 - 64}, set()),
        ({"own_ip_id": 0, "ip_id": 40000}, set()),
        ({"own_ip_id": 65530, "ip_id": 3}, set()),
    ],
)
def test_how_a_reset_can_differ(fields, bits):
    """Another distance, another station, an IP ID far from the counter; the host's own station outweighs distance."""
    assert bits == odd(**fields)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_ip_ids_that_do_not_count_say_nothing(steps):
    """A host whose IDs are random, or too few to tell, has none that is far, and none that is next."""
    assert set() == odd({"id_steps": steps}, ip_id=50000)
    assert {Stranger.TTL} == odd({"id_steps": steps}, ip_id=1001, ttl=30)


def test_a_reset_of_an_unseen_endpoint_is_not_strange():
    """Where nothing else of its sender was captured, a RST cannot be strange."""
    seen = batch_of("+0 a > b P. 9:19(10) ack 1\n+.01 b > a R 1:1(0) win 0 ttl 9\n", opening="").seen
    (row,) = seen[seen["kind"] == Kind.RESET]

    assert 0 == row["stranger"]


def test_a_sender_that_goes_on_did_not_send_it():
    """A RST after which its sender goes on, while its receiver falls silent, is not its sender's own."""
    seen = batch_of("+1 b > a R 1:1(0) win 0\n+1.1 b > a P. 1:6(5) ack 1\n").seen
    (row,) = seen[seen["kind"] == Kind.RESET]

    assert Stranger.WENT_ON == row["stranger"]


@pytest.mark.parametrize(
    ("fields", "bits"),
    [
        ({"host": KNOWN, "ttl": 52}, {Stranger.TTL}),
        ({"host": KNOWN | NEAR, "ttl": 30}, set()),
        ({"host": KNOWN | STATION | ON_LINK, "ttl": 30, "own_mac": 6}, set()),
        ({"host": KNOWN | STATION, "ttl": 30, "own_mac": 6}, {Stranger.TTL}),
        ({"host": KNOWN | NEAR, "own_mac": 6}, {Stranger.MAC}),
        ({"host": KNOWN | NEAR | RANDOM, "ip_id": 50000}, set()),
        ({"host": KNOWN | RANDOM, "ip_id": 1001}, {Stranger.TTL}),
        ({"host": KNOWN | NEAR | NEXT_ID, "ip_id": 50000}, set()),
        ({"host": KNOWN | NEXT_ID, "ip_id": 50000}, set()),
    ],
)
def test_all_flows_of_a_host_outweigh_the_flow_of_the_reset(fields, bits):
    """A TTL, station or IP ID that its host has elsewhere is its own; IDs that are random elsewhere do not count."""
    assert bits == odd(**fields)
