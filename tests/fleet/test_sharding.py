"""One capture point over several workers."""

from pathlib import Path

import numpy as np

from analyzer.capture.reader import open_capture
from analyzer.fleet.sharding import Shard

CAPTURE = Path(__file__).parents[2] / "captures" / "lab" / "any_router_sll.pcap"


def test_each_pair_of_hosts_is_in_one_shard():
    """Every row is in exactly one shard, both directions of a pair in the same; frames are counted in all."""
    with open_capture(CAPTURE, jit=False) as source:
        batch = next(iter(source))
    parts = [Shard(index, 3).of(batch) for index in range(3)]
    pairs = [
        {frozenset(ends) for ends in zip(part.rows["src_lo"].tolist(), part.rows["dst_lo"].tolist(), strict=True)}
        for part in parts
    ]

    assert sorted(batch.rows["frame"].tolist()) == sorted(
        np.concatenate([part.rows["frame"] for part in parts]).tolist()
    )
    assert {batch.frames} == {part.frames for part in parts}
    assert sum(map(len, pairs)) == len(set().union(*pairs))
