"""What is said of frames in an annotated copy."""

import re
from pathlib import Path

import numpy as np
import pytest

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.judge import recording, verdict
from analyzer.wireshark.comments import PREFIX, What, comments, words
from analyzer.wireshark.mark_store import MARK, Marks
from analyzer.words.icmp import icmp_text
from tests.notation import SCENARIOS, follow, load
from tests.wireshark.marking import comments_of

CAPTURES = Path(__file__).parents[2] / "captures"
PROBE = re.compile(r"keepalive: flow \d+: (probable |suspected )?probe \d+, ")
ALL = sorted(path for folder in (CAPTURES, CAPTURES / "lab") for path in folder.iterdir() if ".pcap" in path.suffix)


def batches_of(path):
    """The finished flows of a capture."""
    return [batch for _, batch in read_flows([str(path)], Analysis()) if batch is not None]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_comments_say_what_the_record_says(path):
    """Probes, answers, FINs, RSTs, ICMP errors and retransmissions have a comment, and nothing else is called one."""
    batches = batches_of(path)
    found = comments_of(batches)
    flows = [recording.build(batch, index) for batch in batches for index in range(len(batch))]
    probes = {probe.frame: probe for flow in flows for probe in flow.probes}

    assert set(probes) == {frame for frame, text in found.items() if PROBE.match(text)}
    for frame, probe in probes.items():
        said = found[frame]
        assert ("no answer" in said) == (probe.answer is None)
        assert probe.answer_frame is None or f"in frame {probe.answer_frame}," in said
        assert (probe.certainty in said) == (probe.certainty != "certain")
        assert {"sent": "its own FIN", "received": "the peer's FIN", "both": "both FINs", None: "probe"}[
            probe.after_fin
        ] in said
        if probe.answer in {"ack", "data"}:
            assert f"answers the probe in frame {frame}," in found[probe.answer_frame]
    for flow in flows:
        for fin in flow.fins:
            acked = f"FIN, acknowledged in frame {fin.acked_frame}" if fin.acked_frame else "FIN, not acknowledged"
            assert f"flow {flow.number}: " in found[fin.frame]
            assert acked in found[fin.frame]
        for again in flow.resent:
            assert "retransmitted" in found[again.frame]
        for error in flow.icmp_errors:
            what = icmp_text(error.version, error.type, error.code)
            assert f"ICMP error about this connection: {what}" in found[error.frame]
        for reset in flow.resets:
            assert "RST" in found[reset.frame]
            assert (
                reset.answers_probe is None or f"answers the probe in frame {reset.answers_probe}" in found[reset.frame]
            )


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_flow_has_its_end_said(path):
    """The comment at the frame that shows the ending has the verdict."""
    for batch in batches_of(path):
        winners = verdict.decide(batch)
        found = comments_of([batch])
        for index, winner in enumerate(winners.tolist()):
            ending = verdict.ending_of(batch, index, winner)
            last = int(batch.flow[index]["last_frame"])
            said = found[ending.frame] if ending.frame in found else found[last]
            assert said.startswith(f"{PREFIX}flow {batch.flow[index]['number']}: ")
            assert ending.verdict.value in found[ending.frame] or ending.verdict.value in found[last]


@pytest.mark.parametrize(
    ("name", "frame", "expected"),
    [
        ("copies_of_everything", 6, "second capture of the same packet"),
        ("copies_of_everything", 5, "a single byte retransmitted, no probe"),
        ("copies_of_everything", 14, "in the form of a probe, but the connection was not idle"),
        ("copies_of_everything", 18, "zero-window probe, no keepalive"),
        ("stale_ack_behind_fin", 6, "an older ACK, captured late"),
        ("one_probe_at_a_closed_window_is_undecided", 6, "a probe of the closed window or of the peer"),
        ("dead_peer_gave_up", 9, "RST from the prober, which gave up; ends it: timed_out"),
    ],
)
def test_what_only_looks_like_a_probe_is_named(name, frame, expected):
    """A frame that might be taken for a probe is called what it is."""
    found = comments_of(follow([load(SCENARIOS / f"{name}.pkt").batch()]))

    assert expected in found[frame]


def test_comments_come_by_frame():
    """However the marks lie, comments come in order, one a frame, with everything that is said of it."""
    marks = np.zeros(3, dtype=MARK)
    marks["frame"], marks["what"] = [9, 4, 9], [What.ENDING, What.FIN, What.FIN]
    marks["flow"] = 7

    with Marks() as kept:
        kept.add(marks)
        found = list(comments(kept))

    assert [
        (4, "keepalive: flow 7: FIN, not acknowledged"),
        (9, f"keepalive: flow 7: FIN, not acknowledged; {words({'what': What.ENDING, 'which': 0})}"),
    ] == found
    assert [] == list(comments([]))
