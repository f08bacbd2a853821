"""What a host says of itself: noted as it changes, and read as somebody's word."""

import json
from types import SimpleNamespace

import pytest

from analyzer import host_view
from analyzer.capture.pcapng_writer import PcapngWriter
from analyzer.host_view import HostNotes, HostSocket
from analyzer.sockets import Holder, KernelSocket
from analyzer.track.flow import Endpoint

HERE, THERE = Endpoint("127.0.0.1", 4001), Endpoint("127.0.0.1", 59285)


def sockets(state, timer_ns=0, holders=()):
    """One socket in a state."""
    each = KernelSocket(HERE, THERE, state, "keepalive" if timer_ns else None, timer_ns, 0, 1, holders)
    return {(HERE, THERE): each}


@pytest.fixture
def kept(tmp_path):
    """A function that keeps notes in a file, a second apart, and returns what is read from it."""

    def keep(*notes):
        path = str(tmp_path / "x.pcapng")
        writer = PcapngWriter(path, 1, snaplen=65535)
        for second, note in enumerate(notes):
            writer.note(second * 1_000_000_000, note, received=0, dropped=0)
        writer.close()
        return host_view.host_view([path])

    return keep


def test_only_what_changed_is_noted():
    """The first note has all there is, the next only changes of state, timer and holder, not that a timer runs down."""
    notes = HostNotes()
    first = json.loads(notes.of(sockets("ESTABLISHED", 5_000_000_000)))
    same = notes.of(sockets("ESTABLISHED", 4_000_000_000))
    changed = json.loads(notes.of(sockets("CLOSE-WAIT", 3_000_000_000)))
    gone = json.loads(notes.of({}))

    assert {"settings", "counters"} <= set(first)
    assert same is None
    assert (["CLOSE-WAIT"], []) == ([each["state"] for each in changed["sockets"]], changed["gone"])
    assert [[str(HERE), str(THERE)]] == gone["gone"]


def test_a_host_with_many_sockets_is_noted_in_part():
    """More sockets than a note has room for are counted."""
    many = {
        (HERE, Endpoint("10.0.0.1", port)): KernelSocket(HERE, Endpoint("10.0.0.1", port), "OPEN", None, 0, 0, 1)
        for port in range(250)
    }
    note = json.loads(HostNotes().of(many))

    assert (200, 50) == (len(note["sockets"]), note["left_out"])


def test_what_was_noted_is_read(kept):
    """Sockets come back as they changed, settings as they are, counters by how much they grew."""
    notes = HostNotes()
    view = kept(
        notes.of(sockets("ESTABLISHED", 5_000_000_000, (Holder(7, "go"),))),
        notes.of(sockets("CLOSE-WAIT", 4_000_000_000)),
        notes.of({}, last=True),
    )
    record = SimpleNamespace(a=THERE, b=HERE, first_ns=0)

    assert [
        ("b", HostSocket(0, "ESTABLISHED", "keepalive", 5000, 0, "7 (go)")),
        ("b", HostSocket(1_000_000_000, "CLOSE-WAIT", "keepalive", 4000, 0, "")),
        ("b", HostSocket(2_000_000_000, "gone")),
    ] == list(view.of(record))
    assert view.counted.keys() <= set(host_view.COUNTERS)
    assert [] == list(view.of(SimpleNamespace(a=HERE, b=HERE, first_ns=0)))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "null",
        "[1]",
        "{" * 10_000,
        '{"version": 2}',
        '{"version": 1, "sockets": 5, "gone": "x", "settings": [1], "counters": null}',
        '{"version": 1, "sockets": [1, {}, {"local": 1}], "gone": [1, [2]], "settings": {"x": 1, "tcp_retries2": ""}}',
    ],
)
def test_a_note_may_hold_anything(kept, note):
    """What is not of the form is passed over, whatever it is."""
    view = kept(note)

    assert view is None or ({}, {}, {}) == (view.settings, view.counted, view.sockets)


def test_settings_and_counters_are_read_as_far_as_they_are_there(tmp_path):
    """Where the kernel has none, or they are no numbers, there is nothing."""
    (tmp_path / "tcp_keepalive_time").write_text("7200\n")
    (tmp_path / "tcp_retries2").write_text("many\n")
    (tmp_path / "netstat").write_text("TcpExt: A TCPKeepAlive\nTcpExt: 1 5\n")

    assert {"tcp_keepalive_time": 7200} == host_view.settings(str(tmp_path))
    assert {"TCPKeepAlive": 5} == host_view.counters(str(tmp_path / "netstat"))
    assert {} == host_view.counters(str(tmp_path / "none"))
