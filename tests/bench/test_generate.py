"""The generator's truth is what an independent reader sees."""

import io
import tracemalloc

import pytest
from scapy.layers.inet import IP, TCP
from scapy.utils import PcapReader, RawPcapReader

from tests.bench.generate import KINDS, VERDICT, Plan, generate

SMALL = Plan(segments=6000, flows=200, probing=0.4, live=60, seed=6)
SUMS = ("flows", "probes", "probes_after_fin", "zero_window_probes", "verdicts")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small capture with every kind of flow in it, and the truth about it."""
    path = tmp_path_factory.mktemp("bench") / "small.pcap"
    with path.open("wb") as out:
        truth = generate(SMALL, out)
    assert set(KINDS) == set(truth["by_kind"])
    return path, truth


def seen_by_scapy(path):
    """Sort a capture's segments by flow, the patient way."""
    flows = {}
    with PcapReader(str(path)) as packets:
        for packet in packets:
            ip, tcp = packet[IP], packet[TCP]
            sender, peer = (ip.src, tcp.sport), (ip.dst, tcp.dport)
            payload_len = ip.len - 4 * ip.ihl - 4 * tcp.dataofs
            flow = flows.setdefault(frozenset((sender, peer)), [])
            flow.append((sender, str(tcp.flags), tcp.seq, tcp.ack, tcp.window, payload_len))
    return flows


def probes_of(flow):
    """Give the probes of a flow, each as (index, whether of a closed window, whether behind a FIN)."""
    found = []
    for at, (sender, flags, seq, _, _, payload_len) in enumerate(flow):
        if flags not in {"A", "PA"} or payload_len > 1:
            continue
        heard = [s for s in flow[:at] if s[0] != sender] or [s for s in flow[at:] if s[0] != sender][:1]
        if heard and "R" not in heard[-1][1] and seq == (heard[-1][3] - 1) % 2**32:
            found.append((at, heard[-1][4] == 0, any("F" in s[1] for s in flow[:at])))
    return found


def ending_of(flow, probes):
    """Give the verdict on a flow, for flows as tidy as these."""
    everything = [s[1] for s in flow]
    keepalive = [at for at, window, _ in probes if not window]
    if "S" in everything and "SA" not in everything:
        return "unestablished"
    if sum("F" in flags for flags in everything) == 2:
        return "closed"
    if "R" in everything[-1]:
        if keepalive and keepalive[-1] == len(flow) - 2:
            return "timed_out" if flow[-1][0] == flow[-2][0] else "reset_on_probe"
        return "aborted"
    if keepalive and keepalive[-1] == len(flow) - 1:
        return "silent"
    return "half_closed" if any("F" in flags for flags in everything) else "open"


def test_scapy_sees_the_truth(small):
    """Flows, probes and endings counted from the packets are those that the generator names."""
    path, truth = small
    flows = list(seen_by_scapy(path).values())
    probes = [probes_of(flow) for flow in flows]
    verdicts = {}
    for flow, its_probes in zip(flows, probes, strict=True):
        ending = ending_of(flow, its_probes)
        verdicts[ending] = verdicts.get(ending, 0) + 1
    every = [probe for its_probes in probes for probe in its_probes]

    assert truth["segments"] == sum(map(len, flows))
    assert {name: truth[name] for name in SUMS} == {
        "flows": len(flows),
        "probes": sum(not window for _, window, _ in every),
        "probes_after_fin": sum(after_fin for _, window, after_fin in every if not window),
        "zero_window_probes": sum(window for _, window, _ in every),
        "verdicts": verdicts,
    }


def test_the_analysis_finds_the_truth(small):
    """The totals of the analysis are those that the generator names."""
    analyzing = pytest.importorskip("analyzer.analyzing", exc_type=ImportError)
    path, truth = small
    totals = analyzing.analyze(path, keep_all=False).totals

    assert {name: truth[name] for name in SUMS} == {name: getattr(totals, name) for name in SUMS}


def test_the_same_plan_gives_the_same_octets():
    """A capture depends on its plan alone, and on every part of it."""
    plans = [SMALL, SMALL, Plan(segments=6000, flows=200, probing=0.4, live=60, seed=7)]
    first, again, other = (io.BytesIO() for _ in plans)
    for plan, out in zip(plans, (first, again, other), strict=True):
        generate(plan, out)

    assert first.getvalue() == again.getvalue()
    assert first.getvalue() != other.getvalue()


def test_packets_are_in_the_order_of_time():
    """Blocks of flows are merged: no packet is earlier than the one before it."""
    out = io.BytesIO()
    generate(Plan(segments=20_000, flows=1500, live=300, nanoseconds=True), out)
    out.seek(0)
    with RawPcapReader(out) as packets:
        times = [(about.sec, about.usec) for _, about in packets]

    assert 19_000 < len(times)
    assert times == sorted(times)


def test_sizes_are_about_those_asked_for():
    """Flows are exactly as many as planned, segments and live flows about."""
    truth = generate(Plan(segments=300_000, flows=20_000, live=500), io.BytesIO())

    assert 20_000 == truth["flows"]
    assert 300_000 == pytest.approx(truth["segments"], rel=0.05)
    assert 500 == pytest.approx(truth["live_at_once"], rel=0.5)


def test_memory_does_not_grow_with_the_capture():
    """Twice the capture takes no more memory than once, because rows leave as their time comes."""

    class Nowhere(io.RawIOBase):
        def write(self, octets):
            return len(octets)

    peaks = []
    for times in (1, 2):
        tracemalloc.start()
        generate(Plan(segments=800_000 * times, flows=12_000 * times, live=300), Nowhere())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[0] == pytest.approx(peaks[1], rel=0.25)


def test_too_few_segments_are_refused():
    """A plan that its flows cannot keep is an error that says what they take."""
    with pytest.raises(ValueError, match=r"^1000 flows take \d+ segments at least$"):
        generate(Plan(segments=2000, flows=1000), io.BytesIO())


def test_every_kind_has_a_verdict():
    """Truth knows how each kind of flow ends."""
    assert set(KINDS) == set(VERDICT)
