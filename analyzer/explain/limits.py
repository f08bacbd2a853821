"""What a capture cannot show: said in every story, for what its words rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.explain.closing import side_of
from analyzer.explain.details import detail_of
from analyzer.explain.model import Line
from analyzer.verdict import Verdict

if TYPE_CHECKING:
    from analyzer.explain.teller import Teller

ALWAYS = "What the programs called, and what their calls returned; states are derived from what passed this point, settings inferred from spacing."


def limits(t: Teller) -> list[Line]:
    """Return what this capture cannot show of this flow."""
    found = [Line(ALWAYS)]
    if t.record.fins and t.ending.verdict is not Verdict.CLOSED:
        fin = t.record.fins[0]
        found.append(Line(f"Why {t.the(fin.sender)} sent FIN: close(), exit and kill -9 look the same.", (fin.frame,)))
    expired = t.find("fin-wait-2-expired")
    if expired is not None and expired.data["how"] == "answer":
        found.append(
            Line("When exactly FIN-WAIT-2 ran out: it sends nothing, so only the bounds are known.", expired.frames)
        )
    if t.find("dead-peer-detected") or t.find("still-probing-at-end"):
        found.append(Line("Whether the probes, or their answers, were lost, or nobody was there to answer."))
    dead = t.find("dead-peer-detected")
    if dead is not None:
        n = dead.data["unanswered"]
        found.append(
            Line(
                f"Whether {n} is the count that is set (TCP_KEEPCNT): on Linux TCP_USER_TIMEOUT replaces it.",
                dead.frames,
            )
        )
    reset = t.reset
    if reset is not None and t.ending.by in {"a", "b"} and t.ending.verdict is Verdict.RESET_ON_PROBE:
        found.append(
            Line(
                "Which machine sent the RST: it looks like the endpoint's own packets, which is a hint and no proof.",
                (reset.frame,),
            )
        )
    found += [Line(detail_of(t, finding), finding.frames) for finding in t.judged.findings if finding.code in LACKS]
    if any(probe.doubt == "missed" for probe in t.record.probes):
        frames = tuple(probe.frame for probe in t.record.probes if probe.doubt == "missed")
        found.append(Line("The capture missed segments; these probes are known only by their answers.", frames))
    if any(probe.doubt == "zero_window" for probe in t.record.probes):
        frames = tuple(probe.frame for probe in t.record.probes if probe.doubt == "zero_window")
        found.append(
            Line(
                "Under a closed window keepalive and window probes look the same; the even spacing speaks for keepalive.",
                frames,
            )
        )
    undecided = [segment.frame for segment in t.record.not_probes if segment.is_ == "keepalive_or_zero_window_probe"]
    if undecided:
        found.append(
            Line(
                "Whether these ask for the window or the peer: under a closed window both look the same.",
                tuple(undecided),
            )
        )
    if t.record.copies:
        found.append(
            Line(
                f"{t.record.copies:,} of the flow's packets were captured twice; the first copy counts.",
                (t.record.first_frame, t.record.last_frame),
            )
        )
    return found


LACKS = ("one-sided-capture", "headers-cut", "midstream-start", "clock-went-back")


def mentioned(code: str) -> bool:
    """Say whether a finding is told among the limits."""
    return code in LACKS


__all__ = ["LACKS", "limits", "mentioned", "side_of"]
