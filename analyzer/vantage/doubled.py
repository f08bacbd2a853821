"""Whether a packet that one point alone has may be another packet there, captured a second time.

The tracker takes two equal segments for one packet only where nothing can have made their sender send it again
(``track.copies``). A SYN,ACK, a RST or an ACK that is there twice within moments, and that neither IP ID nor timestamp
tells apart, may be either; where another point has it once, a second capture is as likely as a loss.

It must not know what became of a packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.tolerances import COPY_NS

if TYPE_CHECKING:
    from analyzer.vantage.packets import Packets


def like(p: Packets, row: int) -> int | None:
    """Return the frame of the packet that one may be a second capture of: None if there is none.

    That one passed within moments at the one point that has both, other points have it, and nothing but the time tells
    both apart. What two points have was there twice.
    """
    at = np.flatnonzero(p.has[row])
    if len(at) != 1:
        return None
    point = int(at[0])
    equal = p.has[:, point] & (p.has.sum(axis=1) > 1) & (p.side == p.side[row])
    equal &= np.abs(p.at_ns[:, point] - p.at_ns[row, point]) <= COPY_NS
    for column in (p.seq, p.ack, p.payload_len, p.flags):
        equal &= column == column[row]
    for seen in (p.ip_id, p.tsval, p.tsecr, p.ttl, p.window, p.header_len):
        equal &= seen[:, point] == seen[row, point]
    rows = np.flatnonzero(equal)
    if not len(rows):
        return None
    nearest = rows[np.abs(p.at_ns[rows, point] - p.at_ns[row, point]).argmin()]
    return int(p.frame[nearest, point])
