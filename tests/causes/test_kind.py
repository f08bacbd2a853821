"""How a cause is found: the surest row that holds."""

from analyzer.causes.kind import CauseKind, CauseRow, Holding, find
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
        needs=frozenset(),
        rows=(CauseRow(Certainty.PROVEN, (yes, no)), CauseRow(Certainty.LIKELY, (yes,))),
        text=LongText("", "", "", "", "", ""),
        facts=lambda _: ((9, 0, 3, 9), {"count": 2}),
    )
    cause = find(kind, Holding(None))

    assert (Certainty.LIKELY, (3, 9), {"count": 2}) == (cause.certainty, cause.frames, cause.data)
    without = CauseKind(code="x", needs=frozenset(), rows=kind.rows[:1], text=kind.text, facts=kind.facts)
    assert find(without, Holding(None)) is None
    assert not kind.leads


def test_a_condition_is_asked_once():
    """However many rows have a condition, it is looked at once, and not at all where none needs it."""
    asked = []

    def no(_):
        asked.append("no")
        return False

    def beyond(_):
        asked.append("beyond")
        return True

    rows = (CauseRow(Certainty.PROVEN, (no, beyond)), CauseRow(Certainty.LIKELY, (no,)))
    kind = CauseKind(
        code="x", needs=frozenset(), rows=rows, text=LongText("", "", "", "", "", ""), facts=lambda _: ((), {})
    )
    holding = Holding(None)

    assert [None, None] == [find(kind, holding), find(kind, holding)]
    assert ["no"] == asked
