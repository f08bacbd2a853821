"""keepalive: what a packet capture says about TCP keepalive, in words with frame numbers as evidence.

    bytes -> segments -> tracker -> verdict and settings and findings -> words

One folder a stage, in the order of the data:

* ``capture`` turns files and interfaces into ``SegmentBatch`` columns and knows no flow; ``loops`` is how its loops,
  and the tracker's, run plain or compiled.
* ``track`` passes them through the flow table and yields ``FlowBatch`` columns; ``label`` says what a segment is.
* ``judge`` decides one flow, ``survey`` looks at many by columns.
* ``explain`` has all the words; ``report`` lays them out; ``wireshark`` is the second opinion.
* ``analysis`` and ``watching`` join the parts; ``cli`` and ``pytest_plugin`` are thin edges.

What is deliberately absent: the core reads no file and no clock; ``judge`` has no sentence; readers do not know what
a probe is; a damaged capture never raises once anything could be read; nothing in the core knows which side is "ours".

    >>> import analyzer
    >>> analysis = analyzer.analyze("captures/founding_go_fin60.pcap")
    >>> analysis.flows[0].verdict
    'reset_on_probe'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.analysis import Analysis as Analysis
    from analyzer.analyzing import analyze as analyze
    from analyzer.annotating import annotate as annotate
    from analyzer.comparing import compare as compare
    from analyzer.dissecting import name_heartbeats as name_heartbeats
    from analyzer.joining import join as join
    from analyzer.kept_flows import Flow as Flow
    from analyzer.sharing import share as share
    from analyzer.watching import Watching as Watching
    from analyzer.watching import watch as watch

__version__ = "0.1.0"

_HOMES: Final = {
    "Analysis": "analyzer.analysis",
    "Flow": "analyzer.kept_flows",
    "Watching": "analyzer.watching",
    "analyze": "analyzer.analyzing",
    "annotate": "analyzer.annotating",
    "compare": "analyzer.comparing",
    "join": "analyzer.joining",
    "name_heartbeats": "analyzer.dissecting",
    "share": "analyzer.sharing",
    "watch": "analyzer.watching",
}

__all__ = [
    "Analysis",
    "Flow",
    "Watching",
    "__version__",
    "analyze",
    "annotate",
    "compare",
    "join",
    "name_heartbeats",
    "share",
    "watch",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use, so that ``import analyzer`` costs nothing (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
