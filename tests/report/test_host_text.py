"""What a host said, laid out below a story."""

from functools import partial
from types import SimpleNamespace

from analyzer.host_view import HostSocket
from analyzer.judge.record import FlowRecord
from analyzer.report.host_text import MOST, host_lines
from analyzer.report.screen import Screen

S = 1_000_000_000


def opened_by(initiator):
    """A record, of which nothing but who opened the connection is asked."""
    return SimpleNamespace(role=partial(FlowRecord.role, SimpleNamespace(initiator=initiator)))


RECORD = opened_by("a")


def lines(said, settings=None, counted=None, record=RECORD):
    """The lines of the section."""
    return list(host_lines(record, said, settings or {}, counted or {}, 10 * S, Screen(200)))


def test_each_change_is_a_line_with_its_time():
    """State, timer, what is unanswered and who has it open are told, by role and by time from the capture's start."""
    said = [
        ("b", HostSocket(11 * S, "CLOSE-WAIT", "keepalive", 4200, 3, "7 (x\x1b)")),
        ("a", HostSocket(12 * S, "FIN-WAIT-2")),
        ("b", HostSocket(13 * S, "gone")),
    ]
    told = lines(said, {"tcp_keepalive_time": 7200}, {"TCPKeepAlive": 12, "TCPTimeouts": 0})

    assert [
        "What the host's own kernel said",
        "     1.000 s  server CLOSE-WAIT; keepalive timer, 4.2 s to go; 3 unanswered; open in process 7 (x\\x1b)",
        "     2.000 s  client FIN-WAIT-2; no process seen that has it open",
        "     3.000 s  server has no such socket any more",
    ] == told[:4]
    assert any("net.ipv4.tcp_keepalive_time = 7200" in line for line in told)
    assert any("TCPKeepAlive by 12." in line for line in told)


def test_nothing_said_is_no_section():
    """Of a flow of which the host said nothing there is nothing, whatever its settings."""
    assert [] == lines([], {"tcp_keepalive_time": 7200})


def test_many_changes_are_cut():
    """Beyond a few lines only how many more there are is told, and without a handshake nobody is called client."""
    told = lines([("a", HostSocket(11 * S, "ESTABLISHED"))] * (MOST + 3), record=opened_by(None))

    assert told[1].endswith("a ESTABLISHED; no process seen that has it open")
    assert "  and 3 more changes" in told
