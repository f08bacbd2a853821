"""Which segments become rows, and what a row remembers."""

import pytest

from analyzer.loops.loop import records
from analyzer.segment import ACK, FIN, PSH, RST, SYN
from analyzer.tolerances import REPEAT_NS, RTO_LEAST_NS
from analyzer.track.endpoint import ENDPOINT, new_endpoint
from analyzer.track.flow import FLOW
from analyzer.track.seen import HISTORY, LIKE_KEEPALIVE, OUTCOME, SEEN, notable, remember
from tests.notation import parse, plain

NOW_NS = 100_000_000_000


def segment(**fields):
    """Return an empty ACK as a dict."""
    return plain(parse("# A segment.\n+0 a > b . 0:0(0) ack 1\n").rows[0]) | {"ts_ns": NOW_NS} | fields


def known(**fields):
    """Return an endpoint that sent up to 1000, all of it acknowledged, and was last heard a minute ago."""
    end = records(ENDPOINT, 1, jit=False)[0]
    new_endpoint(end)
    usual = {"snd_nxt": 1000, "snd_una": 1000, "iss": 1, "window": 512, "last_ns": NOW_NS - 60 * 10**9, "segments": 3}
    return end | usual | fields


def unknown(**fields):
    """Return an endpoint first seen in mid-stream."""
    return known(snd_nxt=-1, snd_una=-1, iss=-1, window=-1, last_ns=-1, segments=0) | fields


def mark(seq, *, end=None, peer=None, flow=None, ack=500, copy=0, **fields):
    """Return what ``notable`` says of a segment with this (unwrapped) number."""
    flow = {"reset_count": 0, "after_reset": 0} | (flow or {})
    return notable(flow, end or known(), peer or known(), segment(**fields), seq, ack, copy)


# ── always, or never ──


def test_a_reset_is_notable_and_its_copy_is_not():
    """Every RST is kept, but not the second capture of one."""
    assert (1, 0) == (mark(1000, flags=RST), mark(1000, flags=RST, copy=1))


@pytest.mark.parametrize("flags", [SYN, SYN | ACK, FIN | ACK])
def test_syn_and_fin_leave_no_row(flags):
    """SYN and FIN are kept as milestones of their endpoint, not as rows."""
    assert 0 == mark(999, flags=flags)


def test_what_advances_normally_leaves_no_row():
    """An ACK at SND.NXT and new data pass by."""
    assert (0, 0) == (mark(1000), mark(1000, payload_len=100, flags=ACK | PSH))


# ── the form of keepalive ──


@pytest.mark.parametrize("length", [0, 1])
@pytest.mark.parametrize("copy", [0, 1])
def test_one_below_what_is_acknowledged_looks_like_keepalive(length, copy):
    """At most one octet, one below SND.UNA: the form of a probe, also in a copy."""
    assert LIKE_KEEPALIVE == mark(999, payload_len=length, copy=copy)


def test_more_than_an_octet_never_looks_like_keepalive():
    """Two octets one below SND.UNA are data sent again."""
    assert 1 == mark(999, payload_len=2)


def test_without_ack_nothing_looks_like_keepalive():
    """A segment without ACK has not the form of a probe."""
    assert LIKE_KEEPALIVE != mark(999, flags=PSH)


@pytest.mark.parametrize(
    ("quiet_ns", "length", "expected"),
    [(REPEAT_NS, 0, LIKE_KEEPALIVE), (REPEAT_NS - 1, 0, 1), (REPEAT_NS, 1, 1)],
    ids=["after a pause", "at once", "with an octet"],
)
def test_one_below_snd_nxt_without_an_ack(quiet_ns, length, expected):
    """Not acknowledged as far as was captured, it may be a probe if it is empty and comes after a pause."""
    end = known(snd_una=990, last_ns=NOW_NS - quiet_ns)

    assert expected == mark(999, end=end, payload_len=length)


def test_below_snd_nxt_is_worth_a_look():
    """An empty segment or an octet behind what was sent is kept."""
    assert (1, 1) == (mark(995, end=known(snd_una=990)), mark(998, payload_len=1))


def test_an_octet_into_a_closed_window_is_worth_a_look():
    """One new octet while the peer's window is closed may be a window probe."""
    assert (1, 0) == (mark(1000, payload_len=1, peer=known(window=0)), mark(1000, payload_len=1))


# ── mid-stream ──


@pytest.mark.parametrize("length", [0, 1])
def test_the_first_segment_of_an_endpoint_cannot_be_judged(length):
    """Where nothing of the sender nor of the peer was seen, an empty segment may be a probe."""
    assert LIKE_KEEPALIVE == mark(999, end=unknown(), payload_len=length)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, LIKE_KEEPALIVE),
        ({"last_ns": NOW_NS - REPEAT_NS + 1}, 0),
        ({"last_ack": 499}, 0),
        ({"last_seq": 998}, 0),
        ({"iss": 1}, 0),
    ],
    ids=["the same after a pause", "at once", "another acknowledgement", "another number", "with the SYN captured"],
)
def test_repeating_itself_in_mid_stream(fields, expected):
    """An empty segment equal to its sender's last one, after a pause, may be a probe while nothing was acknowledged."""
    end = unknown(snd_nxt=1000, last_seq=1000, last_ack=500, last_ns=NOW_NS - REPEAT_NS) | fields

    assert expected == mark(1000, end=end)


@pytest.mark.parametrize("iss", [-1, 1])
def test_behind_data_that_nobody_acknowledged(iss):
    """One below SND.NXT after a pause may be a probe; anything else behind is worth a look."""
    end = unknown(iss=iss, snd_nxt=1000, last_ns=NOW_NS - REPEAT_NS)

    assert (LIKE_KEEPALIVE, 1) == (mark(999, end=end), mark(998, end=end))


# ── retransmissions ──


@pytest.mark.parametrize(
    ("quiet_ns", "copy", "expected"),
    [(RTO_LEAST_NS, 0, 1), (RTO_LEAST_NS - 1, 0, 0), (RTO_LEAST_NS, 1, 0)],
    ids=["by a timer", "fast", "a copy"],
)
def test_data_sent_again_by_a_timer(quiet_ns, copy, expected):
    """Data sent again long after its sender's last segment is kept, a fast retransmission is not."""
    end = known(last_ns=NOW_NS - quiet_ns)

    assert expected == mark(900, end=end, payload_len=100, copy=copy)


# ── what else may matter ──


def test_what_the_peers_probe_may_have_asked_for():
    """While the peer's probe waits, the next segment is kept, be it data; a copy is not."""
    peer = known(pending_seq=999)

    assert (1, 1, 0) == (mark(1000, peer=peer), mark(1000, peer=peer, payload_len=9), mark(1000, peer=peer, copy=1))


def test_what_follows_a_reset():
    """The first four segments behind a RST are kept, to show that the connection went on."""
    assert [1, 1, 1, 1, 0] == [mark(1000, flow={"reset_count": 1, "after_reset": each}) for each in range(5)]


@pytest.mark.parametrize(
    ("before", "now", "expected"), [(512, 0, 1), (0, 512, 1), (512, 9, 0), (0, 0, 0), (-1, 0, 1), (-1, 9, 0)]
)
def test_windows_that_close_or_open(before, now, expected):
    """A window that closes or opens, or is closed at first, is kept; others, or an open one at first, are not."""
    assert expected == mark(1000, end=known(window=before), window=now)


# ── the row ──


def test_a_row_has_no_field_twice():
    """History and outcome are different columns."""
    history, outcome = ([name for name, _ in part] for part in (HISTORY, OUTCOME))

    assert set() == set(history) & set(outcome)
    assert set(history) | set(outcome) <= set(SEEN.names)


def test_a_row_remembers_segment_and_history():
    """A row is written whole: the segment as it came, and what was known before it, from its sender's side."""
    at = dict.fromkeys(SEEN.names, 12345)
    flow = dict.fromkeys(FLOW.names, 7)
    end, peer = ({name: base + index for index, name in enumerate(ENDPOINT.names)} for base in (1000, 2000))
    row = segment(tsval=5, first_octet=9)
    remember(at, flow, end, peer, row, 111, 222)
    left = {name for name, value in at.items() if value == 12345}

    assert (111, 222, -1) == (at["seq"], at["ack"], at["next"])
    assert all(at[name] == row[name] for name in ("ts_ns", "frame", "tsval", "flags", "window", "first_octet", "ttl"))
    assert (end["snd_nxt"], end["snd_una"]) == (at["snd_nxt"], at["snd_una"])
    assert (peer["snd_una"], peer["snd_nxt"], peer["window"]) == (at["rcv_nxt"], at["peer_nxt"], at["snd_wnd"])
    assert {"flow", "side", "is_copy"} | {name for name, _ in OUTCOME} == left


def test_before_the_first_segment_the_flow_had_none():
    """The time of the flow's previous segment is unknown to its first."""
    at = dict.fromkeys(SEEN.names, 0)
    remember(at, dict.fromkeys(FLOW.names, 7), unknown(), unknown(), segment(), 1, 1)

    assert -1 == at["flow_last_ns"]
