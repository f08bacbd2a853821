"""Why answers may not be in a capture: each row is one of VERDICTS, and has its words."""

from analyzer.judge.verdict import VERDICTS, Verdict
from analyzer.words.hidden import NOT_CAPTURED, PERHAPS_DROPPED


def test_every_reason_is_a_row_of_the_verdicts():
    """What is worded here is decided there, as undetermined."""
    undetermined = {rule.name for rule in VERDICTS if rule.verdict is Verdict.UNDETERMINED}

    assert NOT_CAPTURED.keys() | PERHAPS_DROPPED.keys() <= undetermined
    assert not NOT_CAPTURED.keys() & PERHAPS_DROPPED.keys()
