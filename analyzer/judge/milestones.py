"""What moved the states of flows: milestones of both ends, from their ENDPOINT records and the RST that ended them.

It must not know the table of states: that is ``connection``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.judge.connection import EVENTS, Event, Milestones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analyzer.untyped import Foreign

    Column = NDArray[np.int64]

FIN_AGAIN: Final = 2
"""A FIN that is sent again so often after its acknowledgement passed shows that this was lost; once may be crossing."""


def milestones(ends: tuple[Foreign, Foreign], ending: Foreign) -> Milestones:
    """Return what may have moved the states of flows: of their ENDPOINT records, a and b, and ENDING records."""
    count = len(ending)
    marks = [*_of_end(ends, 0), *_of_end(ends, 1)]
    by_reset = ending["reset_row"] >= 0
    frame, ts_ns = np.where(by_reset, ending["reset_frame"], 0), ending["reset_ns"]
    marks += [(side, frame, ts_ns, _places(Event.RESET, count)) for side in range(2)]
    sides, frames, times, events = zip(*marks, strict=True)
    side = np.broadcast_to(np.array(sides), (count, len(marks)))
    return Milestones(np.stack(frames, 1), np.stack(times, 1), side, np.stack(events, 1))


def _of_end(ends: tuple[Foreign, Foreign], side: int) -> Iterator[tuple[int, Column, Column, Column]]:
    """Yield what may move states because of what one end sent: whose, frame (0 where it did not), time, event."""
    end, peer, other = ends[side], ends[1 - side], 1 - side
    count = len(end)
    with_ack = end["syn_had_ack"] != 0
    for field, sent, got in (
        ("syn", (Event.SENT_SYN_ACK, Event.SENT_SYN), (Event.GOT_SYN_ACK, Event.GOT_SYN)),
        ("ack", (Event.SENT_ACK, Event.SENT_ACK), (Event.GOT_ACK, Event.GOT_ACK)),
    ):
        frame, ts_ns = end[f"{field}_frame"], end[f"{field}_ns"]
        for whose, event in ((side, sent), (other, got)):
            yield whose, frame, ts_ns, np.where(with_ack, *(_places(each, count) for each in event))
    fin, acked = end["fin_frame"], end["fin_acked_frame"]
    yield side, fin, end["fin_ns"], _places(Event.SENT_FIN, count)
    # a peer whose own FIN comes later and does not acknowledge this one had not received it (figure 13)
    crossed = (peer["fin_frame"] > fin) & ~((acked > 0) & (acked <= peer["fin_frame"]))
    # what is sent again and never acknowledged has not arrived, as far as anybody can tell
    arrived = (fin > 0) & ((acked > 0) | ~((end["unacked_ns"] >= 0) & (end["resent"] != 0)))
    frame = np.where(arrived, np.where(crossed, peer["fin_frame"], fin), 0)
    yield other, frame, np.where(crossed, peer["fin_ns"], end["fin_ns"]), _places(Event.GOT_FIN, count)
    # who sends its FIN again and again has not received the acknowledgement that passed here; but it has received one
    # if it acknowledges the FIN of the peer that came behind all of that
    lost = (acked > 0) & (end["resent_frame"] > acked) & (end["resent"] >= FIN_AGAIN)
    came_later = lost & (peer["fin_frame"] > end["resent_frame"]) & (peer["fin_acked_frame"] > 0)
    frame = np.where(lost, np.where(came_later, peer["fin_frame"], 0), acked)
    ts_ns = np.where(came_later, peer["fin_ns"], end["fin_acked_ns"])
    yield side, frame, ts_ns, _places(Event.FIN_ACKED, count)


def _places(event: Event, count: int) -> Column:
    return np.full(count, EVENTS.index(event))


def until(reset: Foreign, ends: tuple[Foreign, Foreign]) -> tuple[dict[str, Foreign], dict[str, Foreign]]:
    """Return what was heard of each end, a and b, when the RST came that ended the flow.

    ``reset`` has columns of that RST's SEEN records, ``ends`` of the ENDPOINT records, of many flows.
    """

    def of(side: int) -> dict[str, Foreign]:
        own, beyond = reset["side"] == side, ends[side]["active_frame"] > reset["frame"]
        then = {
            name: np.where(own, reset[f"own_{name}"], reset[f"peer_{name}"])
            for name in ("last_ns", "active_ns", "active_frame")
        }
        now = {name: np.where(beyond, then[name], ends[side][name]) for name in ("active_ns", "active_frame")}
        return {"last_ns": then["last_ns"], **now}

    return of(0), of(1)
