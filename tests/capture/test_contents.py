"""What else is in a frame: a digest of the data, the MSS, the kinds of options; plain and compiled alike."""

import numpy as np

from analyzer.capture.contents import CONTENT, look_inside
from analyzer.capture.frame import FRAME, OCTETS, octets_of
from analyzer.capture.reader import open_capture
from tests.judging import CAPTURES
from tests.vantages import ACK, SYN, World


def contents(path, **options):
    """Return the contents of all rows of a capture."""
    with open_capture(str(path), contents=True, **options) as source:
        (batch,) = source
    return batch.contents


def test_a_syn_has_an_mss_and_options_and_data_a_digest(tmp_path):
    """The same data has the same digest, other data another; what is absent is 0 or ABSENT."""
    made = World()
    made.send(0, "a", SYN, 1, 0, mss=1400)
    for data in (b"same data", b"same data", b"other data"):
        made.send(1, "a", ACK, 2, 5, data)
    made.send(2, "a", ACK, 2, 5)

    found = contents(made.write(tmp_path)[0])

    assert [1400, -1, -1, -1, -1] == found["mss"].tolist()
    assert [1 << 2 | 1 << 8, *[1 << 8] * 4] == found["options"].tolist()
    assert [0, 9, 9, 10, 0] == found["captured"].tolist()
    digests = found["digest"].tolist()
    assert digests[1] == digests[2] != digests[3] != 0
    assert 0 == digests[0] == digests[4]


def test_a_cut_frame_has_the_digest_of_what_is_left(tmp_path):
    """Only captured octets count, and the first ones have a digest of their own."""
    made = World(timestamps=False)
    made.send(0, "a", ACK, 1, 5, b"0123456789" * 10)

    whole, cut = (contents(made.write(tmp_path, snaplen=length)[0]) for length in (65535, 54 + 40))

    assert [100, 40] == [int(found["captured"][0]) for found in (whole, cut)]
    assert whole["head"][0] == cut["head"][0]
    assert whole["digest"][0] != cut["digest"][0]


def test_plain_and_compiled_see_the_same(tmp_path):
    """The compiled twin sees the same of options and data."""
    made = World()
    made.send(0, "a", SYN, 1, 0, mss=1400)
    made.send(1, "a", ACK, 2, 5, bytes(range(200, 256)))
    path = made.write(tmp_path)[0]
    with open_capture(path) as source:
        (batch,) = source
    frames = np.zeros(2, dtype=FRAME)
    buffer = np.zeros(1, dtype=OCTETS)
    at = 0
    for frame, (_, octets) in zip(frames, made.frames["A"], strict=True):
        frame["at"], frame["captured"] = at, len(octets)
        buffer.view(np.uint8)[at : at + len(octets)] = np.frombuffer(octets, dtype=np.uint8)
        at += len(octets)
    compiled = np.zeros(2, dtype=CONTENT)
    look_inside.compiled(octets_of(buffer, jit=True), frames, 1, batch.rows, 2, compiled)

    assert contents(path).tolist() == compiled.tolist()


def test_nobody_pays_who_does_not_ask():
    """Without the wish a batch has no contents."""
    with open_capture(str(CAPTURES / "lab" / "vlan_tagged.pcap")) as source:
        assert [None] == [batch.contents for batch in source]
