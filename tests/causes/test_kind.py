"""How a cause is found: the surest row that holds."""

from analyzer.causes.kind import CauseKind, CauseRow, find
from analyzer.judge.judged import Certainty
from analyzer.words.model import LongText


def test_the_first_row_that_holds_gives_the_certainty():
    """Rows are tried in order; frames are named once, in order, without those that are none."""

    def yes(_):
        return True

    def no(_):
        return False

    kind = CauseKind(
        code="made-up",
        rows=(CauseRow(Certainty.PROVEN, (yes, no)), CauseRow(Certainty.LIKELY, (yes,))),
        text=LongText("", "", "", "", "", ""),
        facts=lambda _: ((9, 0, 3, 9), {"count": 2}),
    )
    cause = find(kind, None)

    assert (Certainty.LIKELY, (3, 9), {"count": 2}) == (cause.certainty, cause.frames, cause.data)
    assert find(CauseKind(code="x", rows=kind.rows[:1], text=kind.text, facts=kind.facts), None) is None
    assert not kind.leads
