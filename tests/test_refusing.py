"""Captures that cannot be joined are refused in one sentence, which says why; what is wrong with one is said too."""

from itertools import permutations

import pytest

from analyzer.errors import AnalyzerError
from analyzer.joining import join
from analyzer.refusing import NotJoinedError
from tests.vantages import World, keepalive, pcap

KINDS = {"with IP IDs and timestamps": True, "nothing but numbers": False}


def played(*, named=True, **world):
    """Return a world in which a probe and an answer were lost."""
    made = World(ids=named, timestamps=named, **world)
    keepalive(made, lost=(2,), answers_lost=(3,))
    return made


def put(folder, name, frames):
    """Write frames in order of time, and return the path."""
    (folder / name).write_bytes(pcap(sorted(frames)))
    return str(folder / name)


def refusal(*paths):
    """Return why captures are not joined."""
    with pytest.raises(AnalyzerError) as refused:
        join(*paths)
    return str(refused.value)


@pytest.mark.parametrize("named", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("hops", [0, 1])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_captures_of_one_point_are_refused_beside_a_third(tmp_path, order, hops, named):
    """Where one capture goes on where another ends they are of one point, wherever a third is named."""
    made = played(hops=hops, named=named)
    early, late = made.frames["A"][:11], made.frames["A"][11:]
    paths = (
        put(tmp_path, "early.pcap", early),
        put(tmp_path, "late.pcap", late),
        put(tmp_path, "b.pcap", made.frames["B"]),
    )

    said = refusal(*(paths[at] for at in order))

    assert said.startswith(
        f"{paths[0]} and {paths[1]} have {'no' if named else 'hardly a'} packet in common: the second"
    )
    assert said.endswith("join reads both as one if they lie in one folder and their names differ only in digits")


@pytest.mark.parametrize("hops", [0, 1])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_points_that_ran_one_after_the_other_are_joined_by_a_third(tmp_path, order, hops):
    """Points on both sides of a third are two, though the capture of one begins when that of the other had ended."""
    made = played(hops=hops, ttl=64)
    beyond = []
    for ts_ns, octets in made.frames["B"][12:]:
        forth = octets[34:36] == made.client[1].to_bytes(2, "big")
        ttl = bytes([octets[22] - hops if forth else octets[22] + hops])
        beyond.append((ts_ns + (400_000 if forth else -400_000), octets[:22] + ttl + octets[23:]))
    paths = (
        put(tmp_path, "a.pcap", made.frames["A"][:11]),
        put(tmp_path, "b.pcap", made.frames["B"]),
        put(tmp_path, "c.pcap", beyond),
    )

    assert 3 == len(join(*(paths[at] for at in order)).points)


@pytest.mark.parametrize("named", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("order", ["part first", "whole first", "both parts"])
def test_a_capture_that_is_in_another_is_refused(tmp_path, order, named):
    """What was put together of two points that nothing tells apart holds each of them: neither is a second point."""
    made = played(hops=0, named=named)
    part, rest = put(tmp_path, "a.pcap", made.frames["A"]), put(tmp_path, "b.pcap", made.frames["B"])
    whole = put(tmp_path, "both.pcap", made.frames["A"] + made.frames["B"])

    said = refusal(
        *{"part first": (part, whole), "whole first": (whole, part), "both parts": (part, whole, rest)}[order]
    )

    assert said == (
        f"every packet of {part} is in {whole} too, at the same instant, so {part} tells nothing that {whole} "
        "does not: if that was put together from captures of several points, name these instead; else name a capture "
        "from another point"
    )


def test_what_is_wrong_with_a_capture_is_said_with_the_refusal(tmp_path):
    """A capture whose first record is damaged has no packets, and the reason is with that."""
    made = played()
    whole, damaged = put(tmp_path, "whole.pcap", made.frames["B"]), tmp_path / "damaged.pcap"
    octets = bytearray(pcap(made.frames["A"]))
    octets[32:36] = b"\xff\xff\xff\x7f"
    damaged.write_bytes(octets)

    with pytest.raises(NotJoinedError) as refused:
        join(whole, damaged)

    ((path, warning),) = refused.value.warnings
    assert f"{damaged} has no packets: there is nothing to join" == str(refused.value)
    assert (str(damaged), True) == (path, warning.startswith("the record at byte 24 claims 2147483647 captured bytes"))
    assert [f"{damaged}: {warning}"] == refused.value.__notes__
