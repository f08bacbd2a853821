"""``compare(path)``: one capture by Wireshark and by us, and why the two differ.

tshark runs as a program beside us, without any event loop, so that a notebook may call this.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from analyzer.analysis import Analysis
from analyzer.analyzing import read_flows
from analyzer.capture.reader import refuse_text
from analyzer.survey.selection import Selection
from analyzer.wireshark.comparison import Comparison
from analyzer.wireshark.frame_labels import Labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.capture.rotation import RotatedReader


def compare(
    path: str | os.PathLike[str],
    *,
    reader: str = "auto",
    jit: bool | None = None,
    select: Selection | None = None,
    progress: Callable[[RotatedReader, int], None] | None = None,
) -> Comparison:
    """Return what Wireshark and we say differently of a capture's frames.

    Raises:
        WiresharkError: tshark is missing, too old, or cannot read the file.
        CaptureError: nothing could be read of it.
    """
    name = os.fspath(path)
    refuse_text(name, "compare")
    with Labels(name) as labels:
        comparison = Comparison(labels, select or Selection())
        result = Analysis()
        flows = read_flows([name], result, reader=reader, jit=jit, progress=progress, see=comparison.see)
        for capture, batch in flows:
            comparison.add(batch, result.start_ns(capture))
        comparison.finish()
    return comparison
