"""How differences from Wireshark are laid out."""

import json
from collections import Counter
from types import SimpleNamespace

from analyzer.report.differences import text, write_json
from analyzer.report.screen import Screen
from analyzer.wireshark.classes import CLASSES
from analyzer.wireshark.comparison import Difference

ROW = CLASSES[1]


def comparison(differences, beside=None):
    """A comparison that was never made."""
    classes = {}
    for each in differences:
        if each.row:
            classes.setdefault(each.row, []).append(each)
    return SimpleNamespace(
        differences=differences,
        beside=Counter(beside or {("duplicate_copy", "keep_alive"): len(differences)}),
        classes=lambda: sorted(classes.items(), key=lambda item: -len(item[1])),
        unclassified=sum(each.row is None for each in differences),
        labels=SimpleNamespace(version=(4, 0, 17), counts=lambda: {"keep_alive": 3, "duplicate_ack": 1200}),
    )


def difference(frame, row=ROW, flow=0):
    """A copy that Wireshark calls keep-alive."""
    return Difference(frame, flow, "duplicate_copy", "keep_alive", row, "because")


def lines(data, limit=0, width=80, **options):
    """The text as lines."""
    return list(text(data, options.pop("name", "x.pcap"), Screen(width, **options), limit=limit))


def test_the_name_of_a_file_cannot_act_on_a_terminal():
    """What a file is called is spelled out."""
    assert "x\\x1b[2J.pcap" in lines(comparison([]), name="x\x1b[2J.pcap")[0]


def test_an_unclassified_difference_is_seen_at_once():
    """It stands in capitals in the table, and in the sum."""
    shown = "\n".join(lines(comparison([difference(7, None, None)])))

    assert "UNCLASSIFIED" in shown
    assert "unclassified: 1." in shown


def test_many_flows_are_not_all_named():
    """Below a class, some flows are named and the others counted."""
    shown = " ".join(" ".join(lines(comparison([difference(n, flow=n) for n in range(1, 20)]), limit=3)).split())

    assert "flow 6: 6; and 13 more flows." in shown
    assert "16 more; --limit 0 lists all" in shown


def test_colour_does_not_carry_meaning():
    """With and without colour the text is the same."""
    import re

    data = comparison([difference(3), difference(4, None)])

    assert lines(data) == [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines(data, colour=True)]


def test_a_capture_without_keepalive():
    """Where there is nothing to compare, that is said."""
    empty = comparison([])
    empty.beside.clear()

    assert "Neither sees a keepalive" in " ".join(lines(empty))


def test_labels_of_ordinary_loss_are_counted():
    """Retransmissions and duplicate ACKs of all frames are one line."""
    assert "Wireshark's labels of ordinary loss, all frames: duplicate_ack 1,200." == lines(comparison([]))[-1]


def test_json_reads_back():
    """Whatever was found, the object is valid, and has a class's words once."""
    parts = []
    write_json(comparison([difference(3), difference(9, None)]), parts.append)
    found = json.loads("".join(parts))

    assert [3, 9] == [each["frame"] for each in found["differences"]]
    assert [ROW.name, None] == [each["class"] for each in found["differences"]]
    assert {"frames": 1, "right": "ours", "reason": ROW.reason, "known": ROW.known} == found["classes"][ROW.name]
    assert 1 == found["unclassified"]
    assert [{"ours": "duplicate_copy", "wireshark": "keep_alive", "frames": 2}] == found["beside"]
