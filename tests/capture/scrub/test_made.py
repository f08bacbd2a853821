"""A packet that is made of a row has the columns of the row."""

import pytest

from analyzer.capture import open_capture
from analyzer.capture.scrub.made import packet_of
from analyzer.segment import ABSENT, LINK_LOCAL, NOTE_CUT, NOTE_ICMP_ERROR, SEGMENT, address_halves
from tests.capture import craft

ROW = {
    "ts_ns": 0, "frame": 1, "tag": 0, "src_mac": craft.MAC_A, "seq": 7, "ack": 9, "tsval": 5, "tsecr": 6,
    "sack_left": ABSENT, "sack_right": ABSENT, "payload_len": 100, "window": 500, "src_port": 40000, "dst_port": 80,
    "ip_id": 4711, "icmp": ABSENT, "interface": 0, "first_octet": ABSENT, "flags": 0x18, "ttl": 63, "header_len": 32,
    "window_scale": ABSENT, "options_cut": 0, "ip_version": 4, "note": 0,
}  # fmt: skip


def row(**changes):
    """A row between two addresses."""
    version = changes.get("ip_version", 4)
    ends = ("10.0.0.1", "10.0.0.2") if version == 4 else ("2001:db8::1", "2001:db8::2")
    made = dict(ROW)
    for end, text in zip(("src", "dst"), ends, strict=True):
        made[f"{end}_hi"], made[f"{end}_lo"] = address_halves(text)
    return made | changes


def made(values):
    """The packet of a row, nothing renamed."""
    return packet_of(values, lambda hi, lo: (hi, lo), lambda mac: mac, lambda tag: tag, range(65536))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"src_mac": ABSENT, "tag": 42},
        {"tag": 7 << 12 | 42},
        {"ip_version": 6, "ip_id": ABSENT},
        {"tsval": ABSENT, "tsecr": ABSENT, "sack_left": 10, "sack_right": 20},
        {"flags": 2, "window_scale": 7, "tsval": ABSENT, "tsecr": ABSENT, "payload_len": 0, "ack": 0},
        {"header_len": 20, "tsval": ABSENT, "tsecr": ABSENT},
        {"note": NOTE_ICMP_ERROR, "icmp": 3 << 8 | 4, "flags": 0, "ack": 0, "payload_len": 0, "header_len": 0,
         "window": 0, "tsval": ABSENT, "tsecr": 1400, "sack_left": 0, "sack_right": 0xFFFF0A000009},
        {"note": NOTE_ICMP_ERROR, "icmp": 3 << 8 | 1, "flags": 0, "ack": 0, "payload_len": 0, "header_len": 0,
         "window": 0, "tsval": ABSENT, "tsecr": ABSENT, "sack_left": 0, "sack_right": 0xFFFF0A000009},
        {"note": NOTE_ICMP_ERROR, "icmp": 5 << 8 | 1, "flags": 0, "ack": 0, "payload_len": 0, "header_len": 0,
         "window": 0, "tsval": ABSENT, "tsecr": 0xFFFF0A000007, "sack_left": 0, "sack_right": 0xFFFF0A000009},
        {"note": NOTE_ICMP_ERROR, "icmp": 1 << 16 | 137 << 8, "flags": 0, "ack": 0, "payload_len": 0, "header_len": 0,
         "window": 0, "tsval": ABSENT, "tsecr": 7, "sack_left": LINK_LOCAL, "sack_right": 9, "ip_version": 6,
         "ip_id": ABSENT, "ttl": 255},
        {"note": NOTE_CUT, "seq": 0, "ack": 0, "flags": 0, "payload_len": 0, "header_len": 0, "window": 0,
         "tsval": ABSENT, "tsecr": ABSENT},
    ],
)  # fmt: skip
def test_a_made_packet_is_decoded_to_its_row(changes, tmp_path):
    """Decoding what was made gives the row again."""
    values = row(**changes)
    packet = made(values)
    path = tmp_path / "made.pcap"
    path.write_bytes(craft.pcap([craft.Kept(packet, 0, len(packet) + values["payload_len"])], link_type=113))
    with open_capture(path) as reader:
        [batch] = reader

    assert [values] == [dict(zip(SEGMENT.names, found, strict=True)) for found in batch.rows.tolist()]


def test_of_no_row_a_header_is_left():
    """A frame without a segment becomes a link header that leads to nothing."""
    assert "00000001000000000000000000000000"[:28] + "88b5" == made(None).hex()
