"""Frames cut out of a capture."""

import io

import numpy as np
import pytest

from analyzer.capture.cutting import CutWriter, frames_of
from analyzer.capture.reader import open_capture
from tests.judging import CAPTURES
from tests.wireshark import beating


def with_data(rows):
    """All segments with data."""
    return rows["payload_len"] > 0


@pytest.mark.parametrize("name", ["founding_go_fin60.pcap", "lab/app_heartbeat_one_byte.pcap"])
def test_what_was_cut_reads_as_before(tmp_path, name):
    """The copy is a capture whose frames are those that were wanted, in order, with their times and octets."""
    out = io.BytesIO()
    writer = CutWriter(out.write)
    before, numbers = [], []
    with open_capture(CAPTURES / name, jit=False) as reader:
        for _, frames in frames_of(reader, with_data):
            for frame in frames:
                numbers.append(writer.add(frame))
                before.append(frame.row)
    path = tmp_path / "cut.pcapng"
    path.write_bytes(out.getvalue())
    with open_capture(path, jit=False) as reader:
        after = np.concatenate([batch.rows for batch in reader])

    assert list(range(1, len(before) + 1)) == numbers == after["frame"].tolist()
    assert len(before) > 0
    for column in ("ts_ns", "src_lo", "dst_port", "seq", "payload_len", "ip_id"):
        assert [row[column] for row in before] == after[column].tolist()


def test_data_is_found_behind_whatever_header(tmp_path):
    """The data of a segment is what its row says, without the padding of a short frame."""
    path = beating.pcap(tmp_path / "one.pcap", beating.talk(7001, 40_000, beating.TALKS["MQTT"]))
    with open_capture(path, jit=False) as reader:
        data = [frame.data for _, frames in frames_of(reader, with_data) for frame in frames]

    assert data == [octets for _, _, octets in beating.TALKS["MQTT"]]
