"""What DHCP, LLDP and spanning tree announced, as it is kept: loops over the table ``hosts.NEWS``.

One record for each subject: an address that is leased or given back; a station that asks for an address, or got one;
the bridges; the ports of LLDP. Announcements that are repeated are one row; of a record the latest row is kept, and the
one before it.

It must not know flows, or what an announcement means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.loops.loop import loop
from analyzer.segment import BEGAN, CHANGED, GAVE_BACK, GIVEN, PORT, PORT_SHUT
from analyzer.track.hosts import whom
from analyzer.track.subjects import digest_of, entered

if TYPE_CHECKING:
    from analyzer.untyped import Numbers, Record, Rows

# Tags of the subjects. The first two are by VLAN and address, from ``whom``, the others by station, or of the link: 0.
LEASED: Final = -3
RETURNED: Final = -4
STARTED: Final = -5
GOT: Final = -6
TOPOLOGY: Final = -7
PORTS: Final = -8
SHUT: Final = -9

OF_LINK: Final = -2
"""``mac`` of what is about no station."""
APART_NS: Final = 60_000_000_000
"""What is said again later than this begins a new row: bridges tell of a change for some 35 s (802.1D 8.5.3.13)."""
EVER_NS: Final = 1 << 62


@loop
def note(  # noqa: PLR0913, PLR0917 - loops take positional arguments
    slots: Numbers,
    news: Rows,
    used: Numbers,
    which: int,
    keys: Numbers,
    hi: int,
    lo: int,
    tag: int,
    word: int,
    mac: int,
    apart_ns: int,
    ts_ns: int,
    frame: int,
) -> None:
    """Note that something is said of a subject: ``word``. It goes on from what was said, or begins a new row."""
    index = entered(slots, news, used, which, digest_of(hi, lo, tag, keys), hi, lo, tag)
    if index < 0:
        subject = news[-1 - index]
        subject["before_ns"] = 0
        subject["before_frame"] = 0
        subject["before_word"] = -1
        subject["turns"] = 0
        begins = True
    else:
        subject = news[index]
        begins = subject["word"] != word or ts_ns - subject["last_ns"] > apart_ns
        if begins:
            subject["before_ns"] = subject["first_ns"]
            subject["before_frame"] = subject["first_frame"]
            subject["before_word"] = subject["word"]
            subject["turns"] += 1 if subject["word"] != word else 0
    if begins:
        subject["word"] = word
        subject["first_ns"] = ts_ns
        subject["first_frame"] = frame
    subject["mac"] = mac
    subject["last_ns"] = ts_ns
    subject["last_frame"] = frame


@loop
def note_news(slots: Numbers, news: Rows, used: Numbers, which: int, keys: Numbers, other: Record) -> None:
    """Note what a WITNESS row announces; ``which`` of the registers counts the records."""
    what, mac, tag = other["news"], other["news_mac"], other["tag"]
    ts_ns, frame = other["ts_ns"], other["frame"]
    word = whom(other["dst_hi"], other["dst_lo"])
    if what == GIVEN:
        note(slots, news, used, which, keys, tag, word, LEASED, mac, mac, EVER_NS, ts_ns, frame)
    elif what == GAVE_BACK:
        note(slots, news, used, which, keys, tag, word, RETURNED, mac, mac, APART_NS, ts_ns, frame)
    elif what == BEGAN and mac >= 0:
        note(slots, news, used, which, keys, 0, mac, STARTED, 0, mac, APART_NS, ts_ns, frame)
    elif what == CHANGED:
        note(slots, news, used, which, keys, 0, 0, TOPOLOGY, 0, OF_LINK, APART_NS, ts_ns, frame)
    elif what == PORT:
        note(slots, news, used, which, keys, 0, 0, PORTS, other["dst_lo"], OF_LINK, EVER_NS, ts_ns, frame)
    elif what == PORT_SHUT:
        note(slots, news, used, which, keys, 0, 0, SHUT, 0, OF_LINK, APART_NS, ts_ns, frame)


@loop
def note_of_station(slots: Numbers, news: Rows, used: Numbers, which: int, keys: Numbers, other: Record) -> None:
    """Note of whose station an announcement is that is also of the link or of an address."""
    what, mac = other["news"], other["news_mac"]
    ts_ns, frame = other["ts_ns"], other["frame"]
    if what == GIVEN:
        word = whom(other["dst_hi"], other["dst_lo"])
        note(slots, news, used, which, keys, 0, mac, GOT, word, mac, EVER_NS, ts_ns, frame)
    elif what == PORT_SHUT and mac >= 0:
        note(slots, news, used, which, keys, 0, mac, SHUT, 0, mac, APART_NS, ts_ns, frame)


@loop
def row_since(subject: Record, since_ns: int) -> tuple[int, int]:
    """Return time and frame of the first announcement that is known to be later, frame 0 for none.

    That is where a row begins; of one that began before it is the last.
    """
    if subject["before_frame"] > 0 and subject["before_ns"] > since_ns:
        return subject["before_ns"], subject["before_frame"]
    if subject["first_ns"] > since_ns:
        return subject["first_ns"], subject["first_frame"]
    if subject["last_ns"] > since_ns:
        return subject["last_ns"], subject["last_frame"]
    return 0, 0
