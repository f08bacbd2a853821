"""What a point saw of a segment: what must be the same elsewhere makes its key."""

import numpy as np
import pytest

from analyzer.segment import ABSENT, ACK, PSH, SYN, SegmentBatch, empty_rows
from analyzer.track.observe import TOLD_COPY, TOLD_FLOW
from analyzer.vantage.sighting import ends_of, keys_of, scattered, sightings_of


def rows(**fields):
    """Return one SEGMENT row for each value."""
    made = empty_rows(max(len(values) for values in fields.values()))
    made["ip_id"] = 5
    for name, values in fields.items():
        made[name] = values
    return made


def seen(made, told=None):
    """Return sightings of rows, all of flow 0 and from ``a`` if nothing else is told."""
    told = np.zeros(len(made), np.int64) if told is None else told
    return sightings_of(SegmentBatch(made, len(made)), told, jit=False)


def test_the_key_ignores_what_boxes_change():
    """Addresses, TTL, window, PSH and options are no part of a key; numbers, length and flags are."""
    made = rows(seq=[7] * 6, ack=[9] * 6, flags=[ACK] * 6, payload_len=[1] * 6, ttl=[64] * 6)
    made["ttl"][1], made["window"][1], made["src_lo"][1], made["flags"][1] = 63, 9, 77, ACK | PSH
    made["seq"][2], made["ack"][3], made["payload_len"][4], made["flags"][5] = 8, 10, 2, ACK | SYN

    keys = seen(made)["key"].tolist()

    assert keys[0] == keys[1]
    assert 5 == len(set(keys))


def test_an_acknowledgement_number_without_ack_means_nothing():
    """What stands in the field of a segment without ACK makes no other key."""
    assert 1 == len(set(seen(rows(seq=[1, 1], ack=[0, 99], flags=[SYN, SYN]))["key"].tolist()))


def test_flow_sender_and_copies_are_as_the_tracker_told():
    """What is no segment is left out; the others have their flow, their sender, and whether they are copies."""
    told = np.array([TOLD_FLOW * 3 + 1, ABSENT, TOLD_FLOW * 4 + TOLD_COPY])

    found = seen(rows(seq=[1, 2, 3]), told)

    assert [(3, 1, 0), (4, 0, 1)] == found[["flow", "side", "copy"]].tolist()


def test_ends_count_syn_and_fin():
    """The number behind a segment counts SYN and FIN, modulo 2**32."""
    assert [2, 0] == ends_of(seen(rows(seq=[1, 2**32 - 1], flags=[SYN, ACK], payload_len=[0, 1]))).tolist()


def test_a_link_is_an_interface_and_a_station():
    """Segments of one station on one interface have one word for it, others another; what is echoed needs an ACK."""
    made = rows(src_mac=[7, 7, 8, 7], interface=[1, 1, 1, 2], tsecr=[5, ABSENT, 6, 7], flags=[ACK, ACK, ACK, SYN])

    found = seen(made)

    assert found["link"][0] == found["link"][1]
    assert 3 == len(set(found["link"].tolist()))
    assert [5, 0, 6, 0] == found["tsecr"].tolist()


@pytest.mark.parametrize("jit", [False, True])
def test_keys_are_the_same_plain_compiled_and_by_columns(jit):
    """The hash in the loop is that of the columns, up to the largest numbers."""
    made = rows(seq=[0, 1, 2**32 - 1], ack=[2**32 - 1, 5, 2**32 - 1], flags=[ACK, SYN, ACK], payload_len=[0, 1, 65535])
    found = sightings_of(SegmentBatch(made, len(made)), np.zeros(len(made), np.int64), jit=jit)
    assert found["key"].tolist() == keys_of(found).tolist()
    assert found["mss"].tolist() == [ABSENT] * 3


def test_chosen_keys_do_not_fall_into_one_slot():
    """Numbers that were chosen to share their lowest bits lie apart in a table, and the same number in one place."""
    chosen = np.arange(1000, dtype=np.int64) << 40
    slots = scattered(chosen) & 0xFFFF

    assert 900 < len(np.unique(slots))
    assert np.array_equal(slots[[7, 7]], scattered(chosen[[7, 7]]) & 0xFFFF)
