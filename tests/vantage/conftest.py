"""Sightings written by hand, for tests of one step."""

import numpy as np
import pytest

from analyzer.segment import ABSENT, ACK
from analyzer.vantage.sighting import SIGHTING, Columns, keys_of


@pytest.fixture
def sightings():
    """Return a function that makes sightings of (time in ms, side, seq, ack) and more fields by name."""

    def make(*rows, raw=False, **fields):
        made = np.zeros(len(rows), dtype=SIGHTING)
        made["tsval"], made["mss"], made["window_scale"] = ABSENT, ABSENT, ABSENT
        made["flags"], made["ttl"], made["header_len"], made["ip_version"] = ACK, 64, 20, 4
        made["frame"] = np.arange(1, len(rows) + 1)
        for at, (ms, side, seq, ack) in enumerate(rows):
            made["ts_ns"][at], made["side"][at] = 1_700_000_000_000_000_000 + round(ms * 1e6), side
            made["seq"][at], made["ack"][at] = seq, ack
        for name, values in fields.items():
            made[name] = values
        made["key"] = keys_of(made)
        return made if raw else Columns(made)

    return make
