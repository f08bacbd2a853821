"""Joined captures of several points against kernels' own logs of what the boxes between refused and made."""

import struct
from collections import Counter

import pytest

from analyzer.joining import join
from captures.recipes.lab import playing, wire
from tests import lab_truth

FIN, SYN, RST, ACK = 1, 2, 4, 16
BETWEEN = {
    "points_four": {"first": (0, 1), "second": (1, 2), "third": (2, 3)},
    "points_translated": {"first": (0, 1), "second": (0, 1)},
    "points_proxy": {"router": (1, 2)},
    "points_proxy_reset": {"router": (1, 2)},
    "points_proxy_closed": {"router": (1, 2)},
}
"""Of each scenario its routers, and the points on either side of each."""
ENDS = {"points_proxy": "abc", "points_proxy_reset": "abc", "points_proxy_closed": "abc", "points_translated": "ab"}
PROXIES = [name for name in BETWEEN if "proxy" in name]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A folder with the captures of every scenario."""
    if reason := playing.why_not(BETWEEN):
        pytest.skip(reason)
    out = tmp_path_factory.mktemp("points")
    said = []
    failed = playing.play_all(list(BETWEEN), out, len(BETWEEN), said.append, sampled=False)
    assert not failed, "\n".join(said)
    return out


def captures(folder, name, points=None):
    """The captures of some points of a scenario."""
    return [folder / f"{name}.{point}.pcap" for point in points or ENDS.get(name, "abcd")]


def by_the_rules(folder, name):
    """What the kernels of the routers say that they refused and made: how often, between which points."""
    found = Counter()
    for router, between in BETWEEN[name].items():
        for what, fate in (("refused", "lost"), ("made", "made")):
            for segment in wire.tshark(folder / f"{name}.{router}-{what}.pcap"):
                found[fate, between, segment.seq, segment.length, segment.flags & (FIN | SYN | RST | ACK)] += 1
    return found


def told(joined, last=0):
    """What captures show of everything not at all points, in that form; with ``last`` they were named backwards."""
    found = Counter()
    for flow in joined.flows:
        for each in flow.notable:
            if each.fate.value != "both":
                between = each.between and tuple(sorted(abs(last - point) for point in each.between))
                found[each.fate.value, between, each.seq, each.payload_len, each.flags & (FIN | SYN | RST | ACK)] += 1
    return found


def probes(joined):
    """The outcome of each probe, in order of time, whatever points are called."""
    return sorted((each.crossing.first.ts_ns, each.outcome) for flow in joined.flows for each in flow.probes)


def shifted(path, folder, offset_s, ppm):
    """Write a capture with the times of another clock, and return its path."""
    octets, at = bytearray(path.read_bytes()), 24
    start = struct.unpack_from("<II", octets, at)
    start_us = start[0] * 1_000_000 + start[1]
    while at < len(octets):
        seconds, rest, captured = struct.unpack_from("<III", octets, at)
        now = seconds * 1_000_000 + rest
        struct.pack_into("<II", octets, at, *divmod(now + round(offset_s * 1e6 + (now - start_us) * ppm / 1e6), 10**6))
        at += 16 + captured
    made = folder / path.name
    made.write_bytes(octets)
    return made


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", BETWEEN)
def test_fates_are_what_the_kernels_log(played, name, tmp_path):
    """Every packet is lost or made where a router's kernel says so, and no other, whatever clocks points have."""
    first, *others = captures(played, name)
    clocks = ((0, 0), (37.25, 0), (-12.5, 150), (3600, -150))
    moved = [shifted(path, tmp_path, *clock) for path, clock in zip(others, clocks[1:], strict=False)]

    found, again, turned = join(first, *others), join(first, *moved), join(*others[::-1], first)

    assert by_the_rules(played, name) == told(found) == told(again) == told(turned, len(others))
    assert [outcome for _, outcome in probes(found)] == [outcome for _, outcome in probes(again)]
    for point, (offset_s, ppm) in zip(again.points[1:], clocks[1:], strict=False):
        clock = point.clock.first
        assert clock.low_ns - 2000 <= offset_s * 1e9 <= clock.high_ns + 2000  # at the first frame; times are in us
        assert clock.drift_low * 1e6 <= ppm <= clock.drift_high * 1e6


@pytest.mark.live
@pytest.mark.slow
def test_a_rejecting_router_is_who_made_the_reset(played):
    """The RST that ended the connection is proven to be the second router's, seen from four points and from two."""
    for points, between in (("abcd", (2, 1)), ("ad", (1, 0))):
        flow = join(*captures(played, "points_four", points)).flows[0]

        assert ("reset_on_probe", "between", True, between) == (
            flow.ending.verdict,
            flow.ending.by,
            flow.ending.proven,
            flow.ending.between,
        )


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_has_two_connections(played, name, tmp_path):
    """What its two ends captured is two connections that carry the same, with clocks that what they carry bounds."""
    front, back = captures(played, name, "ac")
    moved = shifted(back, tmp_path, 37.25, 150)

    for paths, order, offset_s in (
        ((front, back), (0, 1), 0),
        ((back, front), (1, 0), 0),
        ((front, moved), (0, 1), 37.25),
    ):
        found = join(*paths)

        (pair,) = found.halves
        assert ("proxy", True, order) == (pair.why, pair.ordered, (pair.front.point, pair.back.point))
        assert not found.flows
        clock = found.points[1].clock.first
        assert clock.low_ns - 2000 <= offset_s * 1e9 <= clock.high_ns + 20_000


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES)
def test_who_ended_each_half_is_what_was_done(played, name):
    """Each of a proxy's connections ends as the truth that is written beside the captures says."""
    truth = lab_truth.beside(played / f"{name}.b.pcap")
    front, back = (flow["expected"]["verdict"] for flow in truth["flows"][:2])
    # at the server nothing shows that the proxy gave up: its RST was refused, and a later one came through
    at_server = {"points_proxy": "aborted"}.get(name, back)

    for points, expected in (("ac", (front, at_server)), ("b", (front, back))):
        (pair,) = join(*captures(played, name, points)).halves

        assert expected == tuple(half.flow.judged.ending.verdict.value for half in (pair.front, pair.back))


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES)
def test_a_point_on_the_proxy_joins_either_half(played, name):
    """With the proxy's own capture between, both are joined with what is beyond, and told to belong together."""
    found = join(*captures(played, name, "abc"))

    (pair,) = found.halves
    front, back = found.flows[pair.front.joint], found.flows[pair.back.joint]
    assert [(0, 1), (1, 2)] == [tuple(part.point for part in flow.parts) for flow in (front, back)]
