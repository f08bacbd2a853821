"""Two captures with the same packets at the same times are one."""

import numpy as np
import pytest

from analyzer.errors import AnalyzerError
from analyzer.joining import join
from analyzer.vantage.copies import is_within
from tests.vantages import World, keepalive, pcap, pcapng


@pytest.mark.parametrize("moved_ns", [0, 3_600_000_000_000])
def test_a_copy_is_refused_whatever_its_form(tmp_path, moved_ns):
    """A copy in another form, cut shorter, or with all times moved adds no point."""
    made = World()
    keepalive(made)
    one, other = tmp_path / "one.pcap", tmp_path / "copy.pcapng"
    one.write_bytes(pcap(made.frames["A"]))
    other.write_bytes(pcapng([(ts_ns + moved_ns, octets) for ts_ns, octets in made.frames["A"][:12]]))

    with pytest.raises(AnalyzerError) as refused:
        join(one, other)

    assert str(refused.value) == (
        f"{one} and {other} are the same capture, or copies of parts of it: the packets that both have are the same, "
        "equally far apart in time; name a capture from another point as well"
    )


@pytest.mark.parametrize("swap", [False, True], ids=["as named", "the other way round"])
def test_a_copy_whose_times_were_cut_is_refused(tmp_path, swap):
    """A form that tells microseconds alone makes no other capture of one that tells nanoseconds."""
    made = World()
    keepalive(made)
    exact = [(ts_ns + 137 * at, octets) for at, (ts_ns, octets) in enumerate(made.frames["A"])]
    paths = tmp_path / "exact.pcap", tmp_path / "cut.pcap"
    for path, frames in zip(paths, (exact, [(ts_ns // 1000 * 1000, octets) for ts_ns, octets in exact]), strict=True):
        path.write_bytes(pcap(frames))

    with pytest.raises(AnalyzerError, match="are the same capture, or copies of parts of it"):
        join(*paths[:: -1 if swap else 1])


def test_halves_that_overlap_are_not_one_in_the_other(tmp_path):
    """What both have of a while is no reason to say that all of one capture is in the other."""
    made = World(ids=False, timestamps=False)
    keepalive(made)
    frames = sorted(made.frames["A"])
    paths = tmp_path / "first.pcap", tmp_path / "second.pcap"
    for path, some in zip(paths, (frames[:11], frames[7:]), strict=True):
        path.write_bytes(pcap(some))

    with pytest.raises(AnalyzerError) as refused:
        join(*paths)
    assert "every packet of" not in str(refused.value)


@pytest.mark.parametrize("hops", [0, 1])
def test_two_points_are_no_copies(tmp_path, hops):
    """What takes a time to pass from one to the other was captured at two points, also where no router is between."""
    made = World(hops=hops, delay_ns=1000)
    keepalive(made)

    assert 2 == len(join(*made.write(tmp_path)).points)


def test_a_capture_of_all_interfaces_is_no_copy_of_one(tmp_path):
    """One host's captures have the same times; where one has more packets than the other, it tells more."""
    made = World()
    keepalive(made, lost=(3, 4, 5))
    one, every = tmp_path / "one.pcap", tmp_path / "every.pcap"
    one.write_bytes(pcap(made.frames["A"]))
    every.write_bytes(pcap(sorted(made.frames["A"] + made.frames["B"])))

    assert 2 <= len(join(one, every).points)


@pytest.mark.parametrize("rows", [0, 2])
def test_few_packets_show_no_part(sightings, rows):
    """Of a capture with hardly a packet, or beside one with none, nothing says that it is a part of the other."""
    every = sightings((0, 0, 1, 1), (0.1, 0, 1, 1), (1, 1, 1, 1), (1.1, 1, 1, 1), (2, 0, 2, 1))
    some = every[np.array([0, 2, 4])]

    assert is_within(some, every)
    assert not is_within(some, some)
    assert not is_within(some[np.arange(rows)], every)
    assert not is_within(some, every[np.arange(rows)])
    assert not is_within(some[some["side"] == 0], every)
