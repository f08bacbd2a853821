"""Hand-written flows, judged: what the tests of ``analyzer.label`` look at."""

from analyzer.label.rules import Kind
from analyzer.label.trains import RUN
from tests.notation import follow, parse

HANDSHAKE = """# A flow.
+0      a > b  S   0:0(0)
+.01    b > a  S.  0:0(0) ack 1
+.00001 a > b  .   1:1(0) ack 1
"""
PROBE = "+5 a > b . 0:0(0) ack 1\n"
ANSWER = "+.01 b > a . 1:1(0) ack 1\n"
MS = 1_000_000


def batch_of(text, *, opening=HANDSHAKE):
    """Return the finished flow of hand-written lines."""
    (batch,) = follow([parse((opening or "# A flow.\n") + text).batch()])
    return batch


def probes_of(text, **fields):
    """Return the SEEN rows of the probes."""
    seen = batch_of(text, **fields).seen
    return seen[(seen["kind"] == Kind.KEEPALIVE_PROBE) | (seen["kind"] == Kind.KEEPALIVE_OCTET)]


def run_of(text, side="a", **fields):
    """Return the RUN of one endpoint as a dict."""
    run = getattr(batch_of(text, **fields), f"run_{side}")[0]
    return {name: int(run[name]) for name in RUN.names}
