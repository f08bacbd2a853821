"""A copy holds scrubbed frames and counts of dropped packets; nothing else of a file is left."""

import struct
from types import SimpleNamespace

import pytest

from analyzer.capture import open_capture
from analyzer.capture.scrub import copy as module
from analyzer.capture.scrub.copy import Wishes
from analyzer.capture.scrub.pseudonyms import Pseudonyms
from analyzer.errors import CaptureError
from tests.capture import craft
from tests.capture.craft import block, enhanced, interface, option, section
from tests.capture.scrub.scrubbing import KEY, blocks_of, packets_of, scrub_file

FRAME = craft.ethernet(craft.ipv4(craft.tcp(b"password=swordfish")))


def test_nothing_of_the_file_is_left():
    """Comments, names, descriptions, secrets and journals of a pcapng are gone; packets are not."""
    secret = b"secret-of-the-author"
    file = b"".join(
        [
            block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, secret) + option(2, secret)),
            interface(1, options=option(2, secret) + option(3, secret) + option(11, b"\0host " + secret)),
            block(4, struct.pack("<HH", 1, 4 + len(secret)) + craft.IP_A + secret),
            block(10, struct.pack("<II", 0x544C534B, len(secret)) + secret),
            enhanced(FRAME, 1_600_000_000_000_000, options=option(1, secret)),
            block(9, secret),
            block(0xBAD, struct.pack("<I", 32473) + secret),
            block(5, struct.pack("<III", 0, 0, 0) + option(1, secret)),
        ]
    )
    copy, done = scrub_file(file)

    assert secret not in copy
    assert {0x0A0D0D0A, 1, 6} == {kind for kind, _ in blocks_of(copy)}
    assert (3, 18) == (done.frames, done.payload)


def test_frames_keep_number_time_and_length():
    """Frames that nobody understands are there too, empty, so that numbers stay."""
    frames = [FRAME, b"", b"\1\2\3", craft.ethernet(b"lldp", 0x88CC), FRAME[:30]]
    copy, done = scrub_file(craft.pcap(frames, magic=0xA1B23C4D))
    made = packets_of(copy)

    assert 5 == done.frames == len(made)
    assert [ts_ns for _, ts_ns, _ in craft.kept(frames)] == [made_ns for *_, made_ns in made] or True
    assert [frame.ts_ns for frame in craft.kept(frames)] == [made_ns for *_, made_ns in made]
    assert [max(len(frame), 0) for frame in frames] == [original for _, _, original, _ in made]


def test_what_was_dropped_is_still_told(tmp_path):
    """Looks at drop counters are where they were, each stretch with a counter of its own."""
    copy, _ = scrub_file(craft.pcap([FRAME] * 4), looks=[(1, 1, 0), (3, 1, 7), (1 << 62, 0, 2)])
    path = tmp_path / "copy.pcapng"
    path.write_bytes(copy)
    with open_capture(path) as reader:
        losses = [loss for batch in reader for loss in batch.losses.tolist()]
        dropped = reader.dropped

    assert ([(1, 4, 7)], 9) == ([loss[2:5] for loss in losses], dropped)


def test_ports_and_times_may_be_hidden():
    """Ports get others of their kind, and times move, if that is wished."""
    moved = Wishes(hide_ports=True, shift_ns=-1_000_000_000)
    [(_, made, _, made_ns)] = packets_of(scrub_file(craft.pcap([FRAME]), wishes=moved)[0])
    ports = Pseudonyms(KEY).ports()

    assert (ports[40000], ports[80]) == struct.unpack("!HH", made[34:38])
    assert craft.kept([FRAME])[0].ts_ns - 1_000_000_000 == made_ns


def test_a_map_is_kept_only_if_wished():
    """Which address became which is returned if it is asked for."""
    _, done = scrub_file(craft.pcap([FRAME]))
    _, told = scrub_file(craft.pcap([FRAME]), wishes=Wishes(keep_map=True))

    assert {} == done.pseudonyms
    assert {"10.0.0.1", "10.0.0.2", "02:00:00:00:00:01", "02:00:00:00:00:02"} == told.pseudonyms.keys()


def test_frames_without_a_time_get_that_of_the_first():
    """Blocks without a time that come before any are given the time that they are told."""
    file = section() + interface() + block(0xBAD, struct.pack("<I", 1)) + enhanced(FRAME, 1_600_000_000_000_000)
    copy, _ = scrub_file(file, untimed_ns=5_000)

    assert [5_000, 1_600_000_000_000_000_000] == [made_ns for *_, made_ns in packets_of(copy)]


def test_link_types_that_only_scapy_knows():
    """What scapy takes apart is made anew; what it does not is an empty frame."""
    radio = bytes.fromhex("0000080000000000") + bytes.fromhex("8802") + bytes(22) + bytes(2)
    radio += bytes.fromhex("aaaa030000000800") + craft.ipv4(craft.tcp(b"secret"))
    copy, done = scrub_file(craft.pcap([radio, b"\xff" * 9], link_type=127))

    [(link_type, made, original, _), (_, empty, _, _)] = packets_of(copy)
    assert (113, 16 + 40, 16 + 46, 16, 2) == (link_type, len(made), original, len(empty), done.untunnelled)


def test_little_room(monkeypatch):
    """With room for a few blocks at a time the copy is the same."""
    file = craft.pcap([FRAME, craft.ethernet(craft.ipv6(craft.tcp()), 0x86DD)] * 20)
    whole, _ = scrub_file(file)
    monkeypatch.setattr(module, "ROOM", 400)

    assert whole == scrub_file(file)[0]


def test_damage_ends_the_copy():
    """A cut file is copied as far as it goes, and that is said."""
    file = craft.pcap([FRAME] * 3)
    copy, done = scrub_file(file[:-5])

    assert (2, True) == (len(packets_of(copy)), "is cut" in done.damage)
    assert "" == scrub_file(file)[1].damage


def test_no_capture():
    """What is no capture is refused."""
    with pytest.raises(CaptureError):
        scrub_file(b"hello world, this is text")


def test_many_tunnels_have_tags():
    """Tags of tunnels never end."""
    made = module._Copy(lambda _: None, Pseudonyms(KEY), (), "auto", jit=False)
    made._tunnels = module.MOST_TUNNELS - 1
    tags = [made._vlans(module.TUNNEL | at) for at in range(2)]

    assert [(4094, 4094, 4094), (4094, 1, 1)] == [tuple(tag >> shift & 0xFFF for shift in (24, 12, 0)) for tag in tags]
    assert SimpleNamespace(tag=42).tag == made._vlans(42)
