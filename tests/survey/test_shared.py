"""Captures of the same connections are found, whatever addresses these have; others are not."""

from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.analyzing import analyze
from analyzer.survey import shared
from tests.judging import CAPTURES
from tests.vantages import World, keepalive

LAB = CAPTURES / "lab"


def same(*paths):
    """Return which captures hold the same connections."""
    return [capture.name for capture in analyze(*paths, one_stream=False).same_traffic()]


def test_a_connection_is_known_behind_a_translation():
    """Both initial numbers tell a connection, though its addresses are others; a third capture has no part in it."""
    pair = [str(LAB / "nat_idle_expired.pcap"), str(LAB / "nat_idle_expired.peer.pcap")]

    assert pair == same(*pair, str(LAB / "loss_acks.pcap"))


def test_without_a_handshake_addresses_count_while_both_captures_ran(tmp_path):
    """Mid-stream flows are the same by addresses, unless one capture had ended when the other began."""
    made = World()
    keepalive(made, middle=True)
    together = made.write(tmp_path)
    (tmp_path / "apart").mkdir()
    apart = made.write(tmp_path / "apart", parts=(slice(0, 6), slice(8, None)))

    assert together == same(*together)
    assert [] == same(*apart)


def test_samples_of_captures_that_were_read_elsewhere_are_taken_over():
    """What another process read is compared as well."""
    whole, other = (analyze(LAB / name) for name in ("loss_acks.pcap", "loss_acks.peer.pcap"))
    whole.merge(other)

    assert 2 == len(whole.same_traffic())


def test_a_copy_of_a_capture_is_no_other_point(tmp_path):
    """The same frames at the same instants are one capture twice."""
    copy = tmp_path / "copy.pcap"
    copy.write_bytes((LAB / "loss_acks.pcap").read_bytes())

    assert [] == same(str(LAB / "loss_acks.pcap"), str(copy))


@pytest.mark.parametrize("size", [7, 500])
def test_of_many_flows_the_lowest_hashes_are_kept_however_they_come(monkeypatch, size):
    """A sample is the same whether its flows come in one batch or in many, some of them twice."""
    monkeypatch.setattr(shared, "KEPT", 8)
    numbers = np.random.default_rng(1).integers(0, 200, 500)
    found = []
    for most in (len(numbers), size):
        flows = shared.SharedFlows()
        for at in range(0, len(numbers), most):
            part = numbers[at : at + most]
            known = {"iss": part}
            ends = {
                f"{side}_{what}": np.zeros(len(part), dtype=np.int64) for side in "ab" for what in ("lo", "hi", "port")
            }
            flows.add(0, SimpleNamespace(flow=ends, a=known, b=known))
        found.append(flows._numbers[0].tolist())

    assert found[0] == found[1]
    assert 8 == len(set(found[0]))
    assert sorted(found[0]) == found[0]
